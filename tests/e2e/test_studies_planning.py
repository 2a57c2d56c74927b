"""A researcher plans a study in a browser, by the tutorial of docs/STUDIES.md; also without scripts
and with a colleague."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import check, fits, open_context, sign_up
from tests.support.pictures import encode, meadow
from tests.support.site import Site
from tests.support.study_pages import tab
from tests.support.study_tutorial import follow


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def page(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, scheme = request.param
    context = open_context(browser, site.url, width=width, color_scheme=scheme)
    yield context.new_page()
    context.close()


def test_the_tutorial_leads_to_an_open_study_in_ten_minutes(page: Page, site: Site) -> None:
    """Word for word; as long as a person takes, the pages aside."""
    width = page.viewport_size["width"]  # type: ignore[index]
    steps = follow(page, f"tutorial-{width}@example.org", check)
    assert sum(step.own_seconds for step in steps[1:]) < 10 * 60
    expect(page.get_by_text("Nobody has taken part yet.")).to_be_visible()
    tab(page, "Invite")
    link = page.get_by_label("Link for participants").input_value()
    assert link.startswith(f"{site.url}/take-part/")
    page.get_by_label("Codes").fill("code,age\nA1,31\nB2,40")
    page.get_by_role("button", name="Make links").click()
    expect(page.get_by_role("button", name="Delete the link of A1")).to_be_visible()
    check(page)
    tab(page, "Team")
    check(page)
    tab(page, "Blocks")
    expect(page.get_by_text("can’t be changed")).to_be_visible()
    check(page)
    tab(page, "Overview")
    page.get_by_role("link", name="Data-protection sheet").click()
    expect(page.get_by_text("2026-17")).to_be_visible()
    check(page)
    page.go_back()
    page.get_by_role("link", name="Preview as a participant").click()
    expect(page.get_by_text("Do pictures of puppies make people smile?").first).to_be_visible()
    page.goto("/studies/")
    check(page)


def test_a_study_says_what_is_missing(page: Page, site: Site) -> None:
    sign_up(page, f"missing-{page.viewport_size['width']}@example.org")  # type: ignore[index]
    page.goto("/studies/new/")
    page.get_by_label("Title").fill("Puppies")
    page.get_by_label("This study is not about people at work").check()
    page.get_by_role("button", name="Create study").click()
    expect(page.get_by_role("heading", name="Before it can open")).to_be_visible()
    expect(page.get_by_role("link", name="Say who is responsible.")).to_be_visible()
    expect(page.get_by_role("button", name="Open the study")).to_be_disabled()


def test_mistakes_are_caught_before_they_cost_anything(page: Page, site: Site) -> None:
    sign_up(page, f"mistakes-{page.viewport_size['width']}@example.org")  # type: ignore[index]
    page.goto("/studies/new/")
    page.get_by_label("Title").fill("Puppies")
    page.get_by_label("This study is not about people at work").check()
    page.get_by_role("button", name="Create study").click()
    tab(page, "Blocks")
    page.get_by_role("link", name="Image").click()
    page.get_by_label("Name").fill("my puppy")
    page.get_by_role("button", name="Continue to the file").click()
    page.wait_for_load_state()  # Its script, too.
    field = page.get_by_label("Choose a file")
    expect(page.get_by_text("At most 25.0")).to_be_visible()
    huge = {"name": "huge.jpg", "mimeType": "image/jpeg", "buffer": bytes(25 * 1024**2 + 1)}
    field.set_input_files(huge)  # type: ignore[arg-type]
    said = field.evaluate("field => field.validationMessage")
    assert said.startswith("This file is too large")
    page.get_by_role("button", name="Upload file").click()
    assert field.evaluate("field => field.matches(':invalid')")
    picture = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": encode(meadow(), "JPEG")}
    field.set_input_files(picture)  # type: ignore[arg-type]
    page.get_by_role("button", name="Upload file").click()
    expect(page.get_by_role("img", name="What participants see")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    page.wait_for_load_state()
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="Delete my-puppy").click()
    expect(page.locator(".study-block")).to_have_count(1)
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    page.get_by_role("button", name="Delete my-puppy").click()
    expect(page.locator(".study-block")).to_have_count(0)
    assert asked == ["Delete “my-puppy” with its file?"] * 2


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
