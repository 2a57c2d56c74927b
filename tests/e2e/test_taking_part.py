"""Taking part in a study, in a real browser with a clip of a real face for a camera."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.support import clip
from tests.support.browser import launch, open_context
from tests.support.budgets import LISTEN_FOR_SHIFTS, over_budget
from tests.support.looks import PHONE, WIDE, WIDTHS, Scheme, axe_finds, show, sticks_out
from tests.support.site import Site, wait_until
from tests.support.study_pages import Say, agree, in_english, in_language, pass_check
from tests.support.study_site import ALLOW, FAKE_CAMERA, camera_arguments

#: Makes a study with one block of most kinds; prints its link.
MAKE = """
import io, json, wave
from PIL import Image
from django.utils import timezone
from accounts.models import User
from studies.models import Block, Study
from tests.support import studies
owner, _ = User.objects.get_or_create(email="ada@example.org")
study = studies.open_study(owner, {title!r}, information="You see pictures.")
picture, sound = io.BytesIO(), io.BytesIO()
Image.new("RGB", (320, 200), (200, 40, 40)).save(picture, "PNG")
with wave.open(sound, "wb") as file:
    file.setnchannels(1); file.setsampwidth(2); file.setframerate(8000)
    file.writeframes(bytes(16000))
add = studies.block
add(study, "baseline", "rest", seconds=0.6)
add(study, "text", "words", text="Read these words.")
add(study, "image", "red", text="Look at it.", seconds=0.8,
    file=picture.getvalue(), media_type="image/png")
add(study, "sound", "quiet", file=sound.getvalue(), media_type="audio/wav")
add(study, "pause", "breath", text="Breathe.", seconds=0.5)
add(study, "scale", "mood", text="How do you feel?", steps=5, answers=["bad", "good"])
add(study, "choice", "colour", text="Which colour?", answers=["red", "blue"])
add(study, "open", "words-of-mine", text="Anything else?", is_required=False)
print(json.dumps(study.link_key))
"""

READ = """
import json
from recognition.models import Recording
from studies.models import Participation, Study
found = []
study = Study.objects.get(link_key={key!r})
for one in study.participations.order_by("number"):
    found.append({{
        "state": one.state, "place": one.place, "camera": one.camera,
        "visits": [[v.block.name, v.start_ms, v.end_ms, v.events] for v in one.visits.all()],
        "answers": {{a.block.name: a.number or a.text for a in one.answers.all()}},
        "samples": one.recording.n_samples if one.recording else 0,
        "markers": [m.name for m in one.recording.markers.order_by("pk")] if one.recording else [],
        "clocks": one.clock_readings.count(),
    }})
print(json.dumps({{"participants": found, "n_withdrawn": study.n_withdrawn,
                   "recordings": Recording.objects.count()}}))
"""


@dataclass(frozen=True)
class StudyOnSite:
    """A study of the running site."""

    site: Site
    key: str

    @property
    def path(self) -> str:
        return f"/take-part/{self.key}/"

    def read(self) -> dict[str, Any]:
        script = READ.format(key=self.key)
        made = self.site.manage("shell", "--verbosity", "0", "--command", script).stdout
        return dict(json.loads(made.splitlines()[-1]))


def make_study(site: Site, title: str) -> StudyOnSite:
    script = MAKE.format(title=title)
    made = site.manage("shell", "--verbosity", "0", "--command", script).stdout
    return StudyOnSite(site, json.loads(made.splitlines()[-1]))


@pytest.fixture(scope="module")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose camera shows a face that stays in view."""
    file = tmp_path_factory.mktemp("camera") / "face.mjpeg"
    browser = launch(playwright, *camera_arguments(file))
    yield browser
    browser.close()


Visit = Callable[..., Page]
SCHEMES: dict[int, Scheme] = {WIDE: "light", PHONE: "dark"}

pytestmark = pytest.mark.site


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Opens a study as somebody new; afterwards nothing must have gone wrong in it."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        browser: Browser, study: StudyOnSite, width: int = WIDE, locale: str = "en-GB"
    ) -> Page:
        context = open_context(
            browser, study.site.url, width=width, color_scheme=SCHEMES[width], locale=locale
        )
        context.add_init_script(LISTEN_FOR_SHIFTS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{error} {error.stack}"))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if "Content Security Policy" in message.text
                else None
            ),
        )
        page.goto(study.path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def continue_from(page: Page, text: str) -> None:
    expect(page.get_by_text(text)).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Continue").click()


def answer_questions(page: Page, say: Say = in_english) -> None:
    expect(page.get_by_text("How do you feel?")).to_be_visible(timeout=60_000)
    # Nothing that is left looks at the face.
    expect(page.locator("#camera-words")).to_have_text(say("Camera off"))
    assert page.evaluate("document.getElementById('mirror').srcObject") is None
    go_on = page.get_by_role("button", name=say("Continue"))
    go_on.click()
    expect(page.get_by_text(say("Please answer, then continue."))).to_be_visible()
    # By keyboard alone.
    page.locator("input[name=answer]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Which colour?")).to_be_visible()
    page.get_by_label("blue").check()
    go_on.click()
    expect(page.get_by_text("Anything else?")).to_be_visible()
    page.get_by_label(say("Your answer")).fill("It was fine.")
    go_on.click()


NAMES = ["rest", "words", "red", "quiet", "breath", "mood", "colour", "words-of-mine"]


def look_at(page: Page, width: int, *, is_new: bool = False) -> None:
    """It is right at all widths in both colour schemes, and stays as it was.

    Args:
        is_new: it was just loaded, and keeps to its budget of layout shifts.
    """
    assert page.evaluate("window.violations") == []
    if is_new:
        # Of bytes elsewhere: this site sends its files as they are.
        assert list(over_budget(page, most_bytes=inf)) == []
    widths = [width, *(other for other in WIDTHS if other != width)]
    assert sticks_out(page, SCHEMES[width], widths) == []
    assert axe_finds(page) == []
    page.evaluate("window.violations.length = 0")
    show(page, width, SCHEMES[width])


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("width", "language"), [(WIDE, "en"), (PHONE, "de")])
def test_somebody_takes_part_from_the_link_to_the_end_and_withdraws(
    visit: Visit, browser: Browser, study_site: Site, width: int, language: str
) -> None:
    """In English, and in German, whose words are longer, on a phone."""
    study, say = make_study(study_site, f"Whole {width}"), in_language(language)
    page = visit(browser, study, width, {"en": "en-GB", "de": "de-DE"}[language])
    expect(page.locator("html")).to_have_attribute("lang", language)
    look_at(page, width, is_new=True)
    page.get_by_role("link", name=say("Continue")).click()
    look_at(page, width, is_new=True)
    page.go_back()
    agree(page, say)
    look_at(page, width, is_new=True)
    page.get_by_role("button", name=say("Switch on the camera")).click()
    fine = page.get_by_text(say("Everything is fine. You can start."))
    expect(fine).to_be_visible(timeout=60_000)
    look_at(page, width)
    page.get_by_role("button", name=say("Start the study")).click()
    expect(page.locator(".study-cross")).to_be_visible()
    expect(page.get_by_text("Read these words.")).to_be_visible(timeout=60_000)
    look_at(page, width)
    page.get_by_role("button", name=say("Continue")).click()
    expect(page.get_by_text("How do you feel?")).to_be_visible(timeout=60_000)
    look_at(page, width)
    answer_questions(page, say)
    ended = page.get_by_role("heading", name=say("Thank you!"))
    expect(ended).to_be_visible(timeout=60_000)
    look_at(page, width)

    found = study.read()
    (mine,) = found["participants"]
    assert (mine["state"], mine["place"]) == ("finished", 8)
    assert mine["camera"]["face_share"] > 0.9
    assert [name for name, *_rest in mine["visits"]] == NAMES
    times = [(start, end) for _name, start, end, _events in mine["visits"]]
    assert all(start <= end for start, end in times)
    assert times == sorted(times)
    red = next(v for v in mine["visits"] if v[0] == "red")
    assert 750 <= red[2] - red[1] <= 2500
    quiet = next(v for v in mine["visits"] if v[0] == "quiet")
    assert 900 <= quiet[2] - quiet[1] <= 4000
    assert mine["answers"] == {"mood": 3.0, "colour": "blue", "words-of-mine": "It was fine."}
    assert mine["samples"] > 10
    assert set(NAMES) <= set(mine["markers"])
    assert mine["clocks"] >= 1

    code, end = page.locator("#code").inner_text(), page.url
    assert code in page.request.get(end).text()
    page.goto("/take-part/withdraw/")
    # Whoever sits down next does not find it: the page has told that it was left.
    wait_until(lambda: code not in page.request.get(end).text())
    look_at(page, width, is_new=True)
    page.get_by_label(say("Withdrawal code")).fill(code.lower())
    page.get_by_role("button", name=say("Delete all my data")).click()
    expect(page.get_by_role("heading", name=say("Everything is deleted"))).to_be_visible()
    look_at(page, width, is_new=True)
    after = study.read()
    assert (after["participants"], after["n_withdrawn"]) == ([], 1)
    assert after["recordings"] == found["recordings"] - 1


def test_a_reload_goes_on_and_leaving_ends_cleanly(
    visit: Visit, browser: Browser, study_site: Site
) -> None:
    study = make_study(study_site, "Leaving")
    page = visit(browser, study)
    agree(page)
    pass_check(page)
    expect(page.get_by_text("Read these words.")).to_be_visible(timeout=60_000)
    page.reload()
    expect(page.get_by_role("heading", name="Continue where you were")).to_be_visible()
    expect(page.locator("#camera-words")).to_have_text("Camera off")
    pass_check(page)
    # The block that was cut off is shown anew, and none before it.
    continue_from(page, "Read these words.")
    expect(page.get_by_text("Look at it.")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Stop the study").click()
    expect(page.get_by_role("heading", name="You have stopped")).to_be_visible()
    (mine,) = study.read()["participants"]
    assert mine["state"] == "left"
    assert [name for name, *_rest in mine["visits"]][:2] == ["rest", "words"]
    assert mine["place"] == 2
    restarted = next(v for v in mine["visits"] if v[0] == "words")
    # That a reload hides the page for a moment is told as well, where it is in time.
    assert [event[1] for event in restarted[3] if event[1] != "hidden"] == ["restart"]
    page.get_by_role("button", name="Delete all my data now").click()
    expect(page.get_by_role("heading", name="Everything is deleted")).to_be_visible()
    assert study.read()["participants"] == []


def test_a_web_process_dies_and_the_study_goes_on(
    visit: Visit, browser: Browser, study_site: Site
) -> None:
    study = make_study(study_site, "Killed")
    page = visit(browser, study)
    agree(page)
    pass_check(page)
    expect(page.get_by_text("Read these words.")).to_be_visible(timeout=60_000)
    wait_until(lambda: study.read()["participants"][0]["samples"] > 5)
    study_site.kill("web")
    # What is done meanwhile is reported later.
    expect(page.get_by_text("Connection lost.")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Continue").click()
    study_site.start("web")
    answer_questions(page)
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible(timeout=60_000)
    (mine,) = study.read()["participants"]
    assert [name for name, *_rest in mine["visits"]] == NAMES
    assert mine["state"] == "finished"


def test_without_a_face_nobody_starts_and_hears_why(
    visit: Visit, playwright: Playwright, study_site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "nobody.mjpeg"
    with file.open("wb") as frames:
        portrait = clip.astronaut()
        for index in range(30):
            frames.write(clip.jpeg_frame(portrait, clip.AWAY[0] + 0.5 + index / 60))
    browser = launch(playwright, FAKE_CAMERA, ALLOW, f"--use-file-for-fake-video-capture={file}")
    study = make_study(study_site, "Nobody")
    page = visit(browser, study)
    agree(page)
    page.get_by_role("button", name="Switch on the camera").click()
    expect(page.get_by_text("No face in view.")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Start the study")).to_be_disabled()
    expect(page.get_by_text("you can stop here")).to_be_visible()
    (mine,) = study.read()["participants"]
    assert (mine["state"], mine["place"], mine["visits"]) == ("consented", 0, [])
    browser.close()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [([FAKE_CAMERA], "The camera is not allowed."), ([ALLOW], "No camera was found.")],
    ids=["denied", "none"],
)
def test_a_missing_camera_is_explained(
    visit: Visit, playwright: Playwright, study_site: Site, arguments: list[str], text: str
) -> None:
    browser = launch(playwright, *arguments)
    page = visit(browser, make_study(study_site, text))
    agree(page)
    page.get_by_role("button", name="Switch on the camera").click()
    expect(page.get_by_text(re.compile(re.escape(text)))).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    browser.close()
