"""A researcher plans a study in a browser, by the tutorial of docs/STUDIES.md; also without scripts
and with a colleague."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import check, fits, open_context, sign_up
from tests.support.pictures import encode, meadow
from tests.support.site import ROOT, Site

PUPPY = {"name": "puppy.jpg", "mimeType": "image/jpeg", "buffer": b""}


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def page(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, scheme = request.param
    context = open_context(browser, site.url, width=width, color_scheme=scheme)
    yield context.new_page()
    context.close()


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Study").get_by_role("link", name=name).click()
    expect(page.get_by_role("navigation", name="Study").locator("[aria-current]")).to_have_text(
        name
    )


def create(page: Page) -> None:
    page.get_by_role("navigation", name="Main menu").get_by_role("link", name="Studies").click()
    page.get_by_role("link", name="Create your first study").click()
    check(page)
    page.get_by_label("Title").fill("Puppies")
    page.get_by_label("Research question").fill("Do pictures of puppies make people smile?")
    expect(page.get_by_label("English")).to_be_checked()
    page.get_by_label("Person responsible").fill("Dr Ada Example")
    page.get_by_label("Institution").fill("University of Examples")
    expect(page.get_by_label("Contact email")).to_have_value(re.compile("@example.org"))
    expect(page.get_by_label("Minimum age")).to_have_value("18")
    expect(page.get_by_label("Delete everything on")).to_have_value(re.compile(r"\d{4}-\d\d-\d\d"))
    page.get_by_label("This study is not about people at work").check()
    page.get_by_role("button", name="Create study").click()
    expect(page.get_by_role("heading", name="Before it can open")).to_be_visible()
    expect(page.get_by_role("button", name="Open the study")).to_be_disabled()


def add_blocks(page: Page) -> None:
    tab(page, "Blocks")
    page.get_by_role("link", name="Baseline").click()
    page.get_by_role("button", name="Add block").click()
    page.get_by_role("main").get_by_role("link", name="Text", exact=True).click()
    page.get_by_label("Text").fill("Next you will see a picture. Just look at it.")
    page.get_by_role("button", name="Add block").click()
    page.get_by_role("link", name="Image").click()
    page.get_by_label("Name").fill("puppy")
    page.get_by_role("button", name="Continue to the file").click()
    picture = {**PUPPY, "buffer": encode(meadow(), "JPEG")}
    page.get_by_label("Choose a file").set_input_files(picture)  # type: ignore[arg-type]
    page.get_by_role("button", name="Upload file").click()
    image = page.get_by_role("img", name="What participants see")
    expect(image).to_be_visible()
    page.wait_for_function("document.querySelector('main img').naturalWidth > 0")
    check(page)
    page.get_by_role("link", name="Back to the list").click()
    page.get_by_role("link", name="Question: scale").click()
    page.get_by_label("Text").fill("How much did you like the picture?")
    page.get_by_label("Lowest step").fill("not at all")
    page.get_by_label("Highest step").fill("very much")
    page.get_by_role("button", name="Add block").click()
    expect(page.locator(".study-block")).to_have_count(4)
    check(page)


def test_the_tutorial_leads_to_an_open_study(page: Page, site: Site) -> None:
    sign_up(page, f"tutorial-{page.viewport_size['width']}@example.org")  # type: ignore[index]
    create(page)
    check(page)
    tab(page, "Details")
    expect(page.get_by_label("Consent text")).to_have_value(re.compile("numbers, never pictures"))
    page.get_by_label("Ethics reference").fill("2026-17")
    check(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    add_blocks(page)
    tab(page, "Overview")
    expect(page.get_by_role("heading", name="Ready to open")).to_be_visible()
    page.get_by_role("link", name="Data-protection sheet").click()
    expect(page.get_by_text("2026-17")).to_be_visible()
    check(page)
    page.go_back()
    page.get_by_role("link", name="Preview as a participant").click()
    expect(page.get_by_text("Do pictures of puppies make people smile?").first).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Open the study").click()
    expect(page.get_by_text("Now invite people.")).to_be_visible()
    link = page.get_by_label("Link for participants").input_value()
    assert link.startswith(f"{site.url}/take-part/")
    page.get_by_label("Codes").fill("code,age\nA1,31\nB2,40")
    page.get_by_role("button", name="Make links").click()
    expect(page.get_by_role("button", name="Delete the link of A1")).to_be_visible()
    check(page)
    tab(page, "Progress")
    expect(page.get_by_text("Nobody has taken part yet.")).to_be_visible()
    check(page)
    tab(page, "Team")
    check(page)
    tab(page, "Blocks")
    expect(page.get_by_text("can’t be changed")).to_be_visible()
    check(page)
    page.goto("/studies/")
    check(page)


def test_the_tutorial_says_what_is_on_the_pages() -> None:
    """What is bold in its ten steps is what the test above clicks and fills in."""
    text = (ROOT / "docs" / "STUDIES.md").read_text()
    steps = text[text.index("## From sign-up") : text.index("For the ethics board")]
    source = Path(__file__).read_text() + (ROOT / "tests/support/browser.py").read_text()
    bold = {" ".join(name.split()) for name in re.findall(r"\*\*(.+?)\*\*", steps, re.DOTALL)}
    assert len(bold) > 25
    seen = {"Invite", "Copy link", "Name", "Information for participants",
            "Languages for participants", "Details", "Blocks", "Overview", "Progress"}  # fmt: skip
    assert [name for name in bold - seen if name not in source] == []


def test_blocks_are_ordered_without_scripts(browser: Browser, site: Site) -> None:
    person = site.sign_up("plain-study@example.org")
    context = open_context(browser, site.url, person, java_script_enabled=False)
    page = context.new_page()
    page.goto("/studies/new/")
    page.get_by_label("Title").fill("Plain")
    page.get_by_label("This study is not about people at work").check()
    page.get_by_role("button", name="Create study").click()
    tab(page, "Blocks")
    for name in ("first", "second"):
        page.get_by_role("main").get_by_role("link", name="Text", exact=True).click()
        page.get_by_label("Name").fill(name)
        page.get_by_label("Text").fill(name)
        page.get_by_role("button", name="Add block").click()
    page.get_by_role("button", name="Move second up").click()
    expect(page.locator(".study-block .fw-semibold")).to_have_text(["second", "first"])
    page.get_by_role("button", name="Duplicate first").click()
    page.get_by_role("button", name="Delete second").click()
    expect(page.locator(".study-block .fw-semibold")).to_have_text(["first", "first-1"])
    page.get_by_label("Name").fill("happy music")
    page.get_by_role("button", name="Add condition").click()
    expect(page.get_by_role("button", name="Delete condition happy music")).to_be_visible()
    tab(page, "Overview")
    page.get_by_role("link", name="Delete the study").click()
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_text("everything in it is deleted")).to_be_visible()
    assert fits(page)
    context.close()
