"""Videos, sounds and web pages as participants meet them: when they begin, and what they may."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.support.browser import launch, open_context
from tests.support.site import Site, wait_until
from tests.support.study_pages import agree, pass_check
from tests.support.study_site import camera_arguments
from tests.support.videos import make

pytestmark = pytest.mark.site

RED, BLUE = (220, 20, 20), (20, 20, 220)
VIDEO_SECONDS, SOUND_SECONDS, RATE = 2.0, 1.5, 30
#: Milliseconds by which two ways to tell a time may differ: three on an idle machine, and as long
#: as a frame waits to be drawn on a busy one.
TOLERANCE = 200

MAKE = """
import io, json, wave
from accounts.models import User
from tests.support import studies
owner, _ = User.objects.get_or_create(email="stimuli@example.org")
study = studies.open_study(owner, {title!r}, information="You see a film.")
sound = io.BytesIO()
with wave.open(sound, "wb") as file:
    file.setnchannels(1); file.setsampwidth(2); file.setframerate(8000)
    file.writeframes(bytes(2 * round(8000 * {seconds})))
add = studies.block
add(study, "text", "words", text="A film comes.")
add(study, "video", "film", file=open({film!r}, "rb").read(), media_type="video/webm")
add(study, "sound", "beep", file=sound.getvalue(), media_type="audio/wav")
add(study, "page", "site", url={url!r})
add(study, "choice", "colour", text="Which colour?", answers=["red", "blue"])
print(json.dumps(study.link_key))
"""

READ = """
import json
from studies.models import Participation
one = Participation.objects.get(study__link_key={key!r})
print(json.dumps({{
    "visits": {{v.block.name: [v.start_ms, v.end_ms] for v in one.visits.all()}},
    "events": {{v.block.name: [event[1] for event in v.events] for v in one.visits.all()}},
    "markers": {{m.name: m.time_ms for m in one.recording.markers.all()}},
    "clock": list(one.clock_readings.values_list("offset_ms", "round_trip_ms")),
    "state": one.state,
}}))
"""

#: Written into the page before its own scripts: what its players and frames do, by its own clock,
#: and the colour that a video shows.
WATCH = """
window.told = [];
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
for (const type of ["timeupdate", "ended", "load"]) {
  document.addEventListener(type, ({ target }) => {
    const now = performance.now();
    const kind = target.tagName?.toLowerCase();
    if (!["video", "audio", "iframe"].includes(kind) || target.id === "mirror") return;
    const one = { type, kind, now, at: (target.currentTime ?? 0) * 1000 };
    if (kind === "video") {
      canvas.drawImage(target, 0, 0, 1, 1);
      one.colour = [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)];
    }
    window.told.push(one);
  }, true);
}
"""

#: A page of another site that tries what it may not, and tells its server what came of it.
INTRUDER = """<!doctype html><title>Another site</title><p>Hello.</p><script>
const told = {};
function attempt(name, what) {
  try { told[name] = String(what()); } catch (error) { told[name] = error.name; }
}
attempt("origin", () => self.origin);
attempt("top", () => { top.location.href = "/elsewhere"; return "done"; });
attempt("parent", () => parent.document.title);
attempt("cookie", () => document.cookie);
attempt("storage", () => localStorage.length);
attempt("popup", () => window.open("/popup"));
const camera = navigator.mediaDevices
  ? navigator.mediaDevices.getUserMedia({ video: true }).then(() => "on", (error) => error.name)
  : Promise.resolve("none");
camera.then((found) => {
  told.camera = found;
  return fetch("/told?" + new URLSearchParams(told), { mode: "no-cors" });
}).then(() => { location.href = "/other"; });
</script>"""


@dataclass
class OtherSite:
    """A web server of somebody else.

    Attributes:
        asked: path and headers of each request.
    """

    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def told(self) -> dict[str, str] | None:
        for path, _headers in self.asked:
            if path.startswith("/told"):
                return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        return None


@pytest.fixture
def other_site() -> Iterator[OtherSite]:
    found = OtherSite()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, dict(self.headers.items())))
            body = INTRUDER.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        # Another name than the study's site has, so that they are strangers to each other.
        found.url = f"http://localhost:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


def run(site: Site, script: str) -> Any:
    made = site.manage("shell", "--verbosity", "0", "--command", script).stdout
    return json.loads(made.splitlines()[-1])


def film(path: Path) -> Path:
    """A WebM, red for its first half and blue for its second."""
    n = round(VIDEO_SECONDS * RATE)
    pictures = (
        np.full((120, 160, 3), RED if index < n / 2 else BLUE, np.uint8) for index in range(n)
    )
    path.write_bytes(make(pictures, "webm", "libvpx", rate=RATE))
    return path


def begun(told: list[dict[str, Any]], kind: str) -> float:
    """When a player was at its beginning, by the page's clock, from how far it was later."""
    later = [one for one in told if one["kind"] == kind and one["type"] == "timeupdate"]
    return float(np.median([one["now"] - one["at"] for one in later if one["at"] > 0]))


def ended(told: list[dict[str, Any]], kind: str) -> float:
    return next(one["now"] for one in told if (one["kind"], one["type"]) == (kind, "ended"))


def is_near(told_ms: int, clock: float, offsets: list[float]) -> bool:
    """Whether what the server kept is that moment of the page's clock, by one of its readings."""
    return any(abs(told_ms - (clock + offset)) <= TOLERANCE for offset in offsets)


def is_red(colour: list[int]) -> bool:
    return colour[0] > colour[2]


def watch(page: Page, other_site: OtherSite) -> list[dict[str, Any]]:
    """Take part until the question that follows the stimuli; what the page's players told."""
    agree(page)
    pass_check(page)
    go_on = page.get_by_role("button", name="Continue")
    expect(page.get_by_text("A film comes.")).to_be_visible(timeout=60_000)
    go_on.click()
    frame = page.locator("#shown iframe")
    expect(frame).to_be_visible(timeout=60_000)
    assert frame.get_attribute("sandbox") == "allow-scripts allow-forms"
    assert frame.get_attribute("allow") is None
    # It has tried everything, and at last to leave for a page that the study does not name.
    loads = "window.told.filter((one) => one.kind === 'iframe').length"
    wait_until(lambda: other_site.told and page.evaluate(loads) == 2)
    refused = page.evaluate("window.violations")
    assert all(one.startswith("frame-src ") for one in refused), refused
    go_on.click()
    expect(page.get_by_text("Which colour?")).to_be_visible(timeout=60_000)
    return list(page.evaluate("window.told"))


def test_each_stimulus_begins_when_it_is_there_and_a_page_may_nothing(
    playwright: Playwright, study_site: Site, other_site: OtherSite, tmp_path: Path
) -> None:
    url = f"{other_site.url}/stimulus/one?group=2"
    script = MAKE.format(
        title="Films", url=url, film=str(film(tmp_path / "film.webm")), seconds=SOUND_SECONDS,
    )  # fmt: skip
    key = run(study_site, script)
    browser = launch(playwright, *camera_arguments(tmp_path / "face.mjpeg"))
    context = open_context(browser, study_site.url)
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(f"/take-part/{key}/")
    told = watch(page, other_site)
    policy = context.request.get(page.url).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["frame-src"] == f"{other_site.url}/stimulus/one"
    assert rules["media-src"] == "'self' blob:"
    assert rules["default-src"] == rules["form-action"] == "'self'"
    page.get_by_label("blue").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible(timeout=60_000)
    browser.close()

    found = run(study_site, READ.format(key=key))
    assert found["state"] == "finished"
    # Each begins and ends when it does in the page, on the time line of the recording.
    offsets = [offset for offset, _round_trip in found["clock"]]
    for block, kind in (("film", "video"), ("beep", "audio")):
        start_ms, end_ms = found["visits"][block]
        assert is_near(start_ms, begun(told, kind), offsets), block
        assert is_near(end_ms, ended(told, kind), offsets), block
    # A page does so once it is loaded, and not while its frame is empty.
    there = next(one["now"] for one in told if one["kind"] == "iframe")
    assert found["visits"]["site"][0] >= there + min(offsets) - 1
    for block, (start_ms, end_ms) in found["visits"].items():
        assert (found["markers"][block], found["markers"][f"{block} end"]) == (start_ms, end_ms)
    # They were seen to their end, and in colour.
    lengths = {name: end - start for name, (start, end) in found["visits"].items()}
    assert lengths["film"] >= VIDEO_SECONDS * 1000 - TOLERANCE
    assert lengths["beep"] >= SOUND_SECONDS * 1000 - TOLERANCE
    half = VIDEO_SECONDS * 500
    seen = [one for one in told if one["kind"] == "video" and abs(one["at"] - half) > TOLERANCE]
    assert {(one["at"] < half, is_red(one["colour"])) for one in seen} == {
        (True, True), (False, False),
    }  # fmt: skip

    # The other site was asked for its page alone, and learnt and could do nothing.
    assert other_site.told == {
        "origin": "null", "top": "SecurityError", "parent": "SecurityError", "popup": "null",
        "cookie": "SecurityError", "storage": "SecurityError", "camera": "SecurityError",
    }  # fmt: skip
    paths = [path for path, _headers in other_site.asked]
    assert paths[0] == "/stimulus/one?group=2"
    assert paths[1].startswith("/told?")
    assert len(paths) == 2
    assert not any({"Referer", "Cookie"} & set(headers) for _path, headers in other_site.asked)
