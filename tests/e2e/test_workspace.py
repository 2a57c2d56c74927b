"""A photo with many faces, and the review of doubtful ones, by mouse, keyboard and touch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import Connection, HeldPages, check, open_context
from tests.support.looks import WRONG_TAGS
from tests.support.site import Person, Site

EMAIL = "crowd@example.org"


class Crowd(NamedTuple):
    """Somebody, and the ids of their photos of 4, 24 and 2 faces, the last being the newest."""

    person: Person
    four: str
    many: str
    two: str


@pytest.fixture(scope="module")
def crowd(site: Site) -> Crowd:
    person = site.sign_up(EMAIL)
    code = (
        "import json; from tests.support import faces; "
        f"print(json.dumps(faces.write('{EMAIL}', (2, 2), (6, 4), (2, 1))))"
    )
    ids = json.loads(site.manage("shell", "-c", code).stdout.splitlines()[-1])
    return Crowd(person, *ids)


@pytest.fixture
def open_page(browser: Browser, site: Site, crowd: Crowd) -> Iterator[Any]:
    """Opens pages of the person's, and looks at the end whether the policy was kept."""
    pages: list[Page] = []
    complaints: list[str] = []

    def open_one(width: int = 1280, **options: Any) -> Page:
        context = open_context(browser, site.url, crowd.person, width=width, **options)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        page = context.new_page()
        pages.append(page)
        return page

    yield open_one
    for page in pages:
        page.context.close()
    assert complaints == []


def box(page: Page, number: int) -> Locator:
    return page.locator(f'.face-box[data-face="{number - 1}"]')


def card(page: Page, number: int) -> Locator:
    return page.locator(f"#face-{number}")


def name(page: Page, number: int) -> Locator:
    return card(page, number).locator(".face-name")


def said(crowd: Crowd, pk: str) -> list[str | None]:
    """What is stored of what the owner said, face by face."""
    faces = crowd.person.get(f"/api/v1/uploads/{pk}/").json()["faces"]
    return [face["correction"] for face in faces]


def zoom(page: Page) -> float:
    """How much larger than the whole photo."""
    return float(
        page.evaluate(
            """() => {
                const svg = document.querySelector(".photo-canvas");
                return svg.querySelector("image").width.baseVal.value / svg.viewBox.baseVal.width;
            }"""
        )
    )


def test_a_crowd_by_mouse(open_page: Any, crowd: Crowd) -> None:
    page = open_page()
    page.goto(f"/uploads/{crowd.many}/")
    assert page.evaluate(WRONG_TAGS) == [24, 0, 0]
    expect(page.locator(".face-box .face-tag-label").first).to_be_hidden()
    check(page)

    # Box and card light up together; the label is there while the box is pointed at.
    card(page, 2).hover()
    expect(box(page, 2)).to_have_class("face-box emotion-sad is-lit")
    box(page, 3).hover()
    expect(card(page, 3)).to_have_class("face emotion-surprise is-lit")
    expect(page.locator(".photo-front text").last).to_have_text("Surprised")
    box(page, 24).click()
    expect(card(page, 24).get_by_role("button", name="Correct face 24: Sad")).to_be_in_viewport()
    expect(page.locator(".photo-canvas")).to_be_in_viewport(ratio=1)
    assert page.locator(".face[open]").count() == 1

    # One click corrects; what is stored is what is shown.
    card(page, 24).get_by_role("button", name="Correct face 24: Happy").click()
    expect(name(page, 24)).to_have_text("Happy")
    expect(page.get_by_role("link", name="Face 24: Happy")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Face 24: Happy")
    assert said(crowd, crowd.many)[23] == "happy"
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(name(page, 24)).to_have_text("Neutral")
    expect(page.get_by_role("status")).to_contain_text("Face 24: your answer was taken back.")
    assert said(crowd, crowd.many)[23] is None

    page.get_by_role("button", name="Sad").first.click()
    expect(page.locator(".face:visible")).to_have_count(5)
    page.get_by_role("button", name="All 24").click()
    expect(page.locator(".face:visible")).to_have_count(24)

    page.evaluate("scrollTo(0, 0)")
    page.locator(".photo-canvas").hover(position={"x": 200, "y": 200})
    page.mouse.wheel(0, -400)
    assert zoom(page) > 1.5
    assert page.evaluate(WRONG_TAGS)[2] == 0
    page.locator(".photo-canvas").dblclick(position={"x": 5, "y": 300})
    assert zoom(page) == 1
    check(page)


def test_a_crowd_by_keyboard(open_page: Any, crowd: Crowd) -> None:
    page = open_page(color_scheme="dark")
    connection = Connection(page, "**/correction/")
    page.goto(f"/uploads/{crowd.many}/")
    box(page, 1).focus()
    page.keyboard.press("ArrowDown")
    expect(box(page, 2)).to_be_focused()
    page.keyboard.press("1")
    expect(name(page, 2)).to_have_text("Happy")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("0")
    expect(name(page, 3)).to_have_text("Not a face")
    expect(page.get_by_role("status")).to_contain_text("Face 3: Not a face")
    assert said(crowd, crowd.many)[:3] == [None, "happy", "not_a_face"]
    page.keyboard.press("z")
    expect(name(page, 3)).to_have_text("Surprised")
    page.keyboard.press("z")
    expect(name(page, 2)).to_have_text("Sad")
    expect(page.get_by_role("status")).to_contain_text("Face 2: your answer was taken back.")
    assert said(crowd, crowd.many)[:3] == [None] * 3
    page.keyboard.press("Enter")
    expect(card(page, 3)).to_have_attribute("open", "")

    # What could not be saved is taken back, with a sentence.
    connection.lost = True
    page.keyboard.press("4")
    expect(page.get_by_role("status")).to_contain_text("Face 3 wasn’t saved. Connection lost.")
    expect(name(page, 3)).to_have_text("Surprised")
    connection.lost = False

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    check(page)
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    box(page, 5).focus()
    page.keyboard.press("+")
    assert zoom(page) == 1
    page.evaluate("localStorage.clear()")
    page.keyboard.press("+")
    assert zoom(page) > 1
    page.keyboard.press("Escape")
    assert zoom(page) == 1
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/uploads/{crowd.four}/")
    expect(page.locator(".face-box .face-tag-label").first).to_be_visible()
    assert page.evaluate(WRONG_TAGS) == [4, 0, 0]
    check(page)
    page.goto(f"/uploads/{crowd.four}/?label=happy")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/uploads/{crowd.many}/?label=happy")


@pytest.mark.parametrize("width", [320, 390])
def test_a_crowd_by_touch(open_page: Any, crowd: Crowd, width: int) -> None:
    page = open_page(width, has_touch=True, is_mobile=True, color_scheme="dark")
    page.goto(f"/uploads/{crowd.many}/")
    assert page.evaluate(WRONG_TAGS) == [24, 0, 0]
    check(page)
    box(page, 8).tap()
    expect(card(page, 8)).to_have_attribute("open", "")
    expect(card(page, 8).locator("summary")).to_be_in_viewport()
    # The photo came along as a strip, and shows the face.
    card(page, 20).locator("summary").tap()
    expect(page.locator(".photo-frame.is-strip")).to_have_count(1)
    expect(page.locator(".photo-canvas")).to_be_in_viewport(ratio=1)
    assert zoom(page) > 2
    card(page, 20).get_by_role("button", name="Correct face 20: Surprised").tap()
    expect(name(page, 20)).to_have_text("Surprised")
    check(page)
    page.keyboard.press("z")
    expect(page.get_by_role("status")).to_contain_text("Face 20: your answer was taken back.")
    page.get_by_role("button", name="Back to the photo").tap()
    expect(page.locator(".photo-frame.is-strip")).to_have_count(0)
    assert zoom(page) == 1

    fingers = page.context.new_cdp_session(page)
    middle = width / 2

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers.send(
            "Input.dispatchTouchEvent",
            {
                "type": kind,
                "touchPoints": [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)],
            },
        )

    def height_of_photo() -> float:
        """Where the middle of the photo is now: a tap may have scrolled the page."""
        page.locator(".photo-canvas").scroll_into_view_if_needed()
        place = page.locator(".photo-canvas").bounding_box()
        assert place is not None
        return place["y"] + place["height"] / 2

    y = height_of_photo()
    touch("touchStart", (middle - 20, y), (middle + 20, y))
    for spread in (40, 60, 80):
        touch("touchMove", (middle - spread, y), (middle + spread, y))
    touch("touchEnd")
    expect(page.get_by_role("button", name="Show the whole photo")).to_be_visible()
    assert zoom(page) > 2
    page.get_by_role("button", name="Show the whole photo").tap()
    assert zoom(page) == 1
    y = height_of_photo()
    touch("touchStart", (middle + 100, y))
    for step in (60, 20, -20):
        touch("touchMove", (middle + step, y))
    touch("touchEnd")
    page.wait_for_url(f"**/uploads/{crowd.four}/")


def test_without_javascript_boxes_lead_to_cards(open_page: Any, crowd: Crowd) -> None:
    page = open_page(390, java_script_enabled=False)
    page.goto(f"/uploads/{crowd.many}/")
    box(page, 9).click(force=True)
    page.wait_for_url("**#face-9")
    card(page, 9).locator("summary").click()
    card(page, 9).get_by_role("button", name="Correct face 9: Sad").click()
    expect(name(page, 9)).to_have_text("Sad")
    card(page, 9).get_by_role("button", name="Undo correction of face 9").click()
    expect(name(page, 9)).to_have_text("Neutral")


def test_drawing_a_missed_face(open_page: Any, crowd: Crowd) -> None:
    page = open_page()
    page.goto(f"/uploads/{crowd.two}/")
    add = page.get_by_role("button", name="Add a missed face")
    question = page.get_by_role("dialog", name="What does this face show?")
    add.focus()
    for key in ("Enter", "ArrowUp", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(question).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(add).to_have_attribute("aria-pressed", "false")

    add.click()
    photo = page.locator(".photo-canvas").bounding_box()
    assert photo is not None
    for x, y, act in ((0.85, 0.6, page.mouse.down), (0.97, 0.9, page.mouse.up)):
        page.mouse.move(photo["x"] + x * photo["width"], photo["y"] + y * photo["height"], steps=3)
        act()
    question.get_by_role("button", name="Sad").click()
    expect(name(page, 3)).to_have_text("Sad")
    expect(card(page, 3)).to_contain_text("Named by you.")
    face = crowd.person.get(f"/api/v1/uploads/{crowd.two}/").json()["faces"][2]
    assert (face["rejected"], face["predicted_label"]) == ("drawn", None)
    # The photo is 400 pixels wide.
    assert face["box"]["x"] == pytest.approx(340, abs=2)
    assert face["box"]["width"] == pytest.approx(48, abs=2)
    check(page)
    card(page, 3).get_by_role("button", name="Remove face 3").click()
    expect(card(page, 3)).to_have_count(0)


def count(page: Page) -> Locator:
    return page.locator("#review [data-count]")


def test_reviewing_by_keyboard(open_page: Any, crowd: Crowd) -> None:
    page = open_page()
    connection = Connection(page, "**/review/?*")
    page.goto("/uploads/")
    page.get_by_role("link", name="Review").click()
    expect(count(page)).to_have_text("4 left")
    check(page)
    # Enter: as the model says, whatever its doubt.
    page.keyboard.press("Enter")
    expect(count(page)).to_have_text("3 left")
    page.keyboard.press("2")
    expect(count(page)).to_have_text("2 left")
    page.keyboard.press("s")
    expect(page.get_by_role("img", name="Face 20 of 24 people.jpg")).to_be_visible()
    expect(count(page)).to_have_text("2 left")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("img", name="Face 15 of 24 people.jpg")).to_be_visible()
    next_faces = HeldPages(page, "**/review/?*")
    page.keyboard.press("z")
    expect(page.get_by_role("img", name="Face 10 of 24 people.jpg")).to_be_visible()
    expect(count(page)).to_have_text("3 left")
    expect(page.get_by_role("status")).to_contain_text("Your answer was taken back.")

    connection.lost = True
    page.keyboard.press("0")
    expect(page.get_by_role("status")).to_contain_text("Your answer wasn’t saved. Connection lost.")
    expect(page.get_by_role("img", name="Face 10 of 24 people.jpg")).to_be_visible()
    expect(count(page)).to_have_text("3 left")
    connection.lost = False
    # The next face has not come yet.
    page.keyboard.press("0")
    expect(page.get_by_role("status")).to_contain_text("Not a face")
    next_faces.let_come()
    expect(page.get_by_role("img", name="Face 15 of 24 people.jpg")).to_be_visible()
    expect(count(page)).to_have_text("2 left")
    page.keyboard.press(" ")
    expect(count(page)).to_have_text("1 left")
    page.keyboard.press("3")
    expect(page.get_by_role("heading", name="All done")).to_be_visible()
    check(page)
    answers = list(filter(None, said(crowd, crowd.many)))
    assert answers == ["neutral", "not_a_face", "neutral", "surprise"]
    page.keyboard.press("z")
    expect(page.get_by_role("img", name="Face 20 of 24 people.jpg")).to_be_visible()
    expect(count(page)).to_have_text("1 left")


@pytest.mark.parametrize("width", [320, 390])
def test_reviewing_by_touch(open_page: Any, crowd: Crowd, width: int) -> None:
    page = open_page(width, has_touch=True, is_mobile=True, color_scheme="dark")
    page.goto(f"/review/?of=sad&photo={crowd.many}")
    before = int(count(page).inner_text().split()[0])
    check(page)
    for button in page.locator("#review .choice[value]").all():
        size = button.bounding_box()
        assert size is not None
        assert 44 <= size["height"] <= 800 - size["y"]
    first = page.locator("#review > *").get_attribute("data-face")
    next_faces = HeldPages(page, "**/review/?*")
    page.get_by_role("button", name="Neutral").tap()
    expect(count(page)).to_have_text(f"{before - 1} left")
    # What comes once the answer was taken back is not shown any more.
    page.get_by_role("link", name="Skip", exact=True).tap()
    page.get_by_role("status").get_by_role("button", name="Undo").tap()
    expect(count(page)).to_have_text(f"{before} left")
    expect(page.get_by_role("status")).to_contain_text("Your answer was taken back.")
    with page.expect_response("**/review/?*"):
        next_faces.let_come()
    page.wait_for_load_state("networkidle")
    assert page.locator("#review > *").get_attribute("data-face") == first
    page.get_by_role("link", name="Open the photo 24 people.jpg").tap()
    expect(card(page, 2)).to_have_attribute("open", "")


def test_trash_and_undo(open_page: Any, crowd: Crowd) -> None:
    page = open_page(390, color_scheme="dark")
    page.goto(f"/uploads/{crowd.two}/")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_url("**/uploads/")
    expect(page.get_by_role("status")).to_contain_text("1 photo moved to the trash.")
    expect(page.locator("[data-upload]")).to_have_count(2)
    check(page)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url(f"**/uploads/{crowd.two}/")
    expect(page.get_by_text("1 photo restored.")).to_be_visible()

    plain = open_page(320, java_script_enabled=False)
    plain.goto(f"/uploads/{crowd.two}/")
    plain.get_by_role("button", name="Delete", exact=True).click()
    expect(plain.get_by_role("heading", name="Move 1 photo to the trash?")).to_be_visible()
    plain.get_by_role("button", name="Move to trash").click()
    expect(plain.locator("[data-upload]")).to_have_count(2)

    page.goto("/uploads/")
    page.get_by_role("link", name="Trash").click()
    expect(page.get_by_text("30 days left")).to_be_visible()
    expect(page.get_by_role("button", name="Restore selected")).to_be_disabled()
    check(page)
    page.get_by_label("2 people.jpg").first.check()
    page.get_by_role("button", name="Delete selected permanently").click()
    expect(page.get_by_role("button", name="Delete permanently")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Delete permanently").click()
    expect(page.get_by_text("The trash is empty.")).to_be_visible()
