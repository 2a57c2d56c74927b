"""The live page in a real browser, with a clip of a real face for a camera."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    WebSocketRoute,
    expect,
    sync_playwright,
)

from recognition.wording import LABEL_NAMES
from tests.support import clip
from tests.support.browser import launch, open_context
from tests.support.site import Person, Site

FAKE_CAMERA = "--use-fake-device-for-media-stream"
ALLOW = "--use-fake-ui-for-media-stream"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose camera shows a face that moves, scales, leaves and comes back."""
    file = tmp_path_factory.mktemp("camera") / "face.mjpeg"
    clip.write_mjpeg(file, clip.astronaut())
    browser = launch(playwright, FAKE_CAMERA, ALLOW, f"--use-file-for-fake-video-capture={file}")
    yield browser
    browser.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Opens the live page as somebody; afterwards nothing must have gone wrong in it."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(browser: Browser, site: Site, person: Person, width: int = 1280) -> Page:
        context = open_context(browser, site.url, person, width=width)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if "Content Security Policy" in message.text
                else None
            ),
        )
        page.goto("/live/")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def person(site: Site) -> Person:
    return site.sign_up("camera@example.org")


def start(page: Page) -> None:
    expect(page.get_by_text("Before you start")).to_be_visible()
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator("#live")).to_have_attribute("data-state", "running")


def boxes_within_video(page: Page) -> bool:
    video = page.locator("#video").bounding_box()
    box = page.locator(".live-box rect").bounding_box()
    assert video is not None
    assert box is not None
    return bool(
        video["x"] <= box["x"] + 2
        and box["x"] + box["width"] <= video["x"] + video["width"] + 2
        and box["width"] > video["width"] / 10
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_a_face_is_boxed_labelled_and_followed(
    visit: Visit, browser: Browser, site: Site, person: Person, width: int
) -> None:
    page = visit(browser, site, person, width)
    start(page)
    expect(page.locator(".live-box text")).to_have_text(re.compile(r"^1 · Happy >?\d\d%$"))
    assert boxes_within_video(page)
    card = page.locator("#faces .live-face")
    expect(card).to_have_count(1)
    values = [
        float(bar.get_attribute("value") or 0) for bar in card.locator("progress:visible").all()
    ]
    assert len(values) == len(LABEL_NAMES)
    assert max(values) == values[0] > 0.5
    # The clip's face goes away for a moment and comes back as the same number.
    expect(page.locator(".live-box")).to_have_count(0, timeout=15_000)
    expect(page.get_by_text("No face in view.")).to_be_visible()
    expect(page.locator('.live-box[data-number="1"]')).to_have_count(1, timeout=5_000)
    expect(page.locator("#meter-rate")).to_have_text(re.compile(r"^\d+(\.\d)?$"))
    expect(page.locator("#meter-trip")).to_have_text(re.compile(r"^\d+ ms$"))
    expect(page.locator("#meter-dropped")).to_have_text(re.compile(r"\d%$"))
    assert page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def test_a_doubtful_label_is_a_question(
    visit: Visit, browser: Browser, site: Site, person: Person
) -> None:
    page = visit(browser, site, person)

    def doubt(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            message = json.loads(text)
            for face in message.get("faces", []):
                face["uncertain"] = True
                face["probabilities"] = {"happy": 0.4, "sad": 0.1, "surprise": 0.3, "neutral": 0.2}
            socket.send(json.dumps(message))

        server.on_message(pass_on)

    page.route_web_socket(re.compile("/ws/live/"), doubt)
    page.reload()
    start(page)
    expect(page.locator(".live-box text")).to_have_text("1 · Happy?")
    card = page.locator("#faces .live-face")
    expect(card.locator(".live-label")).to_have_text("Not sure: Happy or Surprised")
    expect(card.locator(".live-confidence")).to_have_text("")


def hide(page: Page, hidden: bool) -> None:
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_a_hidden_page_pauses(visit: Visit, browser: Browser, site: Site, person: Person) -> None:
    page = visit(browser, site, person)
    page.add_init_script(
        """window.framesSent = 0;
        const send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (data) {
            window.framesSent += data instanceof Blob;
            return send.call(this, data);
        };"""
    )
    page.reload()
    start(page)
    expect(page.locator(".live-box")).to_have_count(1)
    hide(page, True)
    expect(page.get_by_text("Paused while this tab is in the background.")).to_be_visible()
    expect(page.locator(".live-box")).to_have_count(0)
    page.wait_for_timeout(300)
    n_sent = page.evaluate("window.framesSent")
    assert n_sent > 0
    page.wait_for_timeout(1000)
    assert page.evaluate("window.framesSent") == n_sent
    hide(page, False)
    expect(page.locator(".live-box")).to_have_count(1, timeout=15_000)


def test_a_snapshot_goes_to_the_uploads(
    visit: Visit, browser: Browser, site: Site, person: Person
) -> None:
    page = visit(browser, site, person)
    start(page)
    expect(page.locator(".live-box")).to_have_count(1)
    page.get_by_role("button", name="Save snapshot").click()
    expect(page.get_by_text("Snapshot saved.")).to_be_visible()
    page.get_by_role("link", name="View", exact=True).click()
    expect(page.locator(".photo image")).to_be_visible()
    (upload,) = person.wait_until_finished()
    assert upload["name"].startswith("snapshot ")
    assert (upload["width"], upload["height"]) == (640, 480)


def test_a_recorded_session_becomes_a_chart(
    visit: Visit, browser: Browser, site: Site, person: Person
) -> None:
    page = visit(browser, site, person)
    start(page)
    expect(page.locator(".live-box")).to_have_count(1)
    page.get_by_role("button", name="Record session").click()
    expect(page.locator("#recording-mark")).to_be_visible()
    page.wait_for_timeout(2500)
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_text("Session saved.")).to_be_visible()
    page.get_by_role("link", name="View", exact=True).click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    expect(page.locator(".timeline svg rect.emotion-happy").first).to_be_visible()
    page.get_by_text("Show as table").click()
    expect(page.get_by_role("cell", name="Happy").first).to_be_visible()
    for name in ("Labels (CSV)", "All samples (CSV)"):
        page.get_by_role("button", name="Download", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert "happy" in download.value.path().read_text()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name=name)).to_be_hidden()
    page.get_by_role("link", name="Live and videos").click()
    expect(page.locator("[data-session]")).to_have_count(1)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Session deleted.")).to_be_visible()
    expect(page.locator("[data-session]")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1280])
def test_markers_are_set_while_it_records_and_later(
    visit: Visit, browser: Browser, site: Site, width: int
) -> None:
    person = site.sign_up(f"markers-{width}@example.org")
    page = visit(browser, site, person, width)
    start(page)
    expect(page.locator(".live-box")).to_have_count(1)
    set_marker = page.get_by_role("button", name="Set marker")
    expect(set_marker).to_be_hidden()
    page.keyboard.press("m")  # Nothing is recorded, so nothing is marked.
    page.get_by_role("button", name="Record session").click()
    expect(set_marker).to_be_visible()
    name = page.get_by_label("Name of the marker")
    name.fill("film begins")
    set_marker.click()
    expect(page.get_by_text("Marker set: film begins")).to_be_visible()
    name.fill("memo")  # With the key in it, which is a letter here.
    name.press("Enter")
    expect(page.get_by_text("Marker set: memo")).to_be_visible()
    name.fill("")
    name.blur()
    page.keyboard.press("m")
    expect(page.get_by_text("Marker set: Marker 3")).to_be_visible()
    page.get_by_role("button", name="Stop recording").click()
    expect(set_marker).to_be_hidden()
    page.get_by_role("link", name="View", exact=True).click()

    rows = page.locator("[data-marker]")
    expect(rows).to_have_count(3)
    expect(page.locator(".timeline").first.locator(".timeline-marker")).to_have_count(3)
    lane = page.locator(".timeline-lanes span").first
    icon, words = lane.locator("svg").bounding_box(), lane.bounding_box()
    assert icon is not None
    assert words is not None
    assert icon["height"] <= words["height"], "an icon of its own size"
    assert [row.locator("td").nth(1).inner_text() for row in rows.all()] == [
        "film begins", "memo", "Marker 3",
    ]  # fmt: skip
    page.get_by_label("Time (s)").fill("0")
    page.get_by_label("Name", exact=True).fill("rating")
    page.get_by_label("Value (optional)").fill("4.5")
    set_marker.click()
    expect(page.get_by_text("Marker set.")).to_be_visible()
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text(re.compile(r"0\.00 s\s*rating\s*4\.5"))
    page.get_by_role("button", name="Delete marker memo").click()
    expect(page.get_by_text("Marker deleted.")).to_be_visible()
    expect(rows).to_have_count(3)
    assert page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def test_stopping_closes_the_camera(
    visit: Visit, browser: Browser, site: Site, person: Person
) -> None:
    page = visit(browser, site, person)
    start(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Before you start")).to_be_visible()
    assert page.evaluate("document.getElementById('video').srcObject") is None


def test_the_page_comes_back_after_the_server_and_goes_on_recording(
    visit: Visit, browser: Browser, own_site: Site
) -> None:
    page = visit(browser, own_site, own_site.sign_up("reconnect@example.org"))
    start(page)
    expect(page.locator(".live-box")).to_have_count(1, timeout=15_000)
    page.get_by_role("button", name="Record session").click()
    expect(page.locator("#recording-mark")).to_be_visible()
    page.wait_for_timeout(4000)  # A running recording is saved every few seconds.
    own_site.kill("web")
    expect(page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    expect(page.locator(".live-box")).to_have_count(0)
    own_site.start("web")
    expect(page.locator("#live")).to_have_attribute("data-state", "running", timeout=60_000)
    expect(page.locator(".live-box")).to_have_count(1, timeout=15_000)
    expect(page.locator("#recording-mark")).to_be_visible()
    page.get_by_role("button", name="Stop recording").click()
    page.get_by_role("link", name="View", exact=True).click()
    expect(page.locator(".timeline svg rect").first).to_be_visible()


def test_signing_out_elsewhere_stops_the_camera(visit: Visit, browser: Browser, site: Site) -> None:
    leaving = site.sign_up("elsewhere@example.org")
    page = visit(browser, site, leaving)
    start(page)
    leaving.post("/accounts/logout/")
    expect(page.get_by_text("You’ve been signed out.")).to_be_visible(timeout=15_000)
    assert page.evaluate("document.getElementById('video').srcObject") is None


def test_a_third_window_is_told_why(visit: Visit, browser: Browser, site: Site) -> None:
    # Nobody else's windows, which may only just be closing.
    person = site.sign_up("many-windows@example.org")
    for _ in range(2):
        start(visit(browser, site, person, 390))
    third = visit(browser, site, person, 390)
    third.get_by_role("button", name="Start camera").click()
    expect(third.get_by_text("already open in two other windows")).to_be_visible()
    expect(third.get_by_text("Before you start")).to_be_visible()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [([FAKE_CAMERA], "Camera access is blocked."), ([ALLOW], "No camera found.")],
    ids=["denied", "none"],
)
def test_a_missing_camera_is_explained(
    visit: Visit,
    playwright: Playwright,
    site: Site,
    person: Person,
    arguments: list[str],
    text: str,
) -> None:
    browser = launch(playwright, *arguments)
    page = visit(browser, site, person)
    page.get_by_role("button", name="Start camera").click()
    expect(page.get_by_text(text)).to_be_visible()
    expect(page.get_by_role("button", name="Start camera")).to_be_enabled()
    browser.close()


def test_another_camera_can_be_chosen(
    visit: Visit, playwright: Playwright, site: Site, person: Person
) -> None:
    browser = launch(playwright, f"{FAKE_CAMERA}=device-count=2", ALLOW)
    page = visit(browser, site, person)
    start(page)
    cameras = page.get_by_label("Camera", exact=True).locator("option")
    expect(cameras).to_have_count(2)
    second = cameras.nth(1).get_attribute("value")
    page.locator("#cameras").select_option(second)
    expect(page.locator("#live")).to_have_attribute("data-state", "running")
    used = "document.getElementById('video').srcObject.getVideoTracks()[0].getSettings().deviceId"
    assert page.evaluate(used) == second
    browser.close()


def test_a_face_clip_is_a_camera_file(tmp_path: Path) -> None:
    clip.write_mjpeg(tmp_path / "clip.mjpeg", clip.astronaut(), seconds=0.2)
    assert (tmp_path / "clip.mjpeg").read_bytes().count(b"\xff\xd8\xff") == 6
