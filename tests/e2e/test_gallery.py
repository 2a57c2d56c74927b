"""The history in a browser: filter by one click, choose with Shift, choose all that match."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import check, fits, open_context
from tests.support.site import Person, Site

EMAIL = "gallery@example.org"
#: Thirty photos of two days without a picture each: what is tried is the page around them.
WRITE = f"""
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from recognition.models import Upload
from tests.support import faces
from tests.support.factories import add_face, make_upload
faces.write("{EMAIL}", (6, 4), (2, 1))
owner = User.objects.get(email="{EMAIL}")
for number in range(28):
    upload = make_upload(owner, f"{{number:02}}.jpg")
    add_face(upload, "happy" if number % 2 else "sad")
    past = timezone.now() - timedelta(days=2, minutes=number)
    Upload.objects.filter(pk=upload.pk).update(created_at=past)
"""


@pytest.fixture(scope="module")
def person(site: Site) -> Person:
    person = site.sign_up(EMAIL)
    site.manage("shell", "-c", WRITE)
    return person


@pytest.fixture
def open_page(browser: Browser, site: Site, person: Person) -> Iterator[Any]:
    contexts = []

    def open_one(width: int = 1280, **options: Any) -> Page:
        context = open_context(browser, site.url, person, width=width, **options)
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()


def chips(page: Page) -> Any:
    return page.get_by_role("navigation", name="Filter by expression")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark"), (320, "light")])
def test_filters_apply_at_once(open_page: Any, width: int, scheme: str) -> None:
    page = open_page(width, color_scheme=scheme)
    page.goto("/uploads/")
    expect(page.locator(".gallery-day")).to_have_count(2)
    expect(page.locator(".upload-card")).to_have_count(24)
    crowd = page.locator(".upload-card", has_text="24 people.jpg")
    expect(crowd.locator(".badge").first).to_have_text("Happy ×5")
    check(page)
    chips(page).get_by_role("link", name="Surprised").click()
    expect(page.locator(".upload-card")).to_have_count(1)
    expect(crowd.locator(".badge").first).to_have_text("Surprised ×5")
    check(page)
    chips(page).get_by_role("link", name="All").click()
    expect(page.locator(".upload-card")).to_have_count(24)
    page.wait_for_load_state()  # Its script, too.
    page.get_by_label("Sort by").select_option("File name")
    expect(page.locator(".upload-name").first).to_have_text("00.jpg")
    page.locator("#shown").scroll_into_view_if_needed()
    expect(page.locator(".upload-card")).to_have_count(30)
    if width < 576:
        expect(page.get_by_label("From")).to_be_hidden()
        page.get_by_label("More filters").check()
    expect(page.get_by_label("From")).to_be_visible()
    assert fits(page)
    page.get_by_label("File name").fill("people")
    page.keyboard.press("Enter")
    expect(page.locator(".upload-card")).to_have_count(2)


def test_choosing_with_shift_and_all_that_match(open_page: Any) -> None:
    page = open_page()
    page.goto("/uploads/?sort=name")
    expect(page.get_by_role("button", name="Delete selected")).to_be_disabled()
    page.get_by_label("Select 03.jpg").check()
    page.get_by_label("Select 07.jpg").click(modifiers=["Shift"])
    expect(page.locator(".upload-check:checked")).to_have_count(5)
    expect(page.get_by_text("· 5 selected")).to_be_visible()
    everything = page.get_by_label("Select all 30 photos that match")
    everything.check()
    expect(page.locator(".upload-check:checked")).to_have_count(24)
    page.get_by_label("Select 05.jpg").uncheck()
    expect(everything).not_to_be_checked()
    everything.check()
    page.get_by_role("button", name="Delete selected").click()
    expect(page.get_by_role("status")).to_contain_text("30 photos moved to the trash.")
    expect(page.locator(".upload-card")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("30 photos restored.")).to_be_visible()
    expect(page.locator(".upload-card")).to_have_count(24)


def test_without_javascript(open_page: Any) -> None:
    page = open_page(320, java_script_enabled=False)
    page.goto("/uploads/?label=happy")
    expect(page.locator(".upload-card")).to_have_count(16)
    chips(page).get_by_role("link", name="All").click()
    expect(page.get_by_label("Select all 30 photos that match")).to_be_visible()
    assert fits(page)
    page.get_by_label("Select all 30 photos that match").check()
    page.get_by_role("button", name="Delete selected").click()
    expect(page.get_by_role("heading", name="Move 30 photos to the trash?")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**page=2**")
    expect(page.locator(".upload-card")).to_have_count(6)


def tops(page: Page) -> Any:
    """Where each photo is in the window, by name."""
    return page.evaluate("""() => Object.fromEntries([...document.querySelectorAll(".upload-card")]
        .map((card) => [card.innerText.split("\\n")[0], card.getBoundingClientRect().top]))""")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_goes_on_while_one_scrolls_and_back_keeps_the_place(
    open_page: Any, width: int, scheme: str
) -> None:
    # Without scrolling smoothly: the page rests wherever it is looked at.
    page = open_page(width, color_scheme=scheme, reduced_motion="reduce")
    page.goto("/uploads/")
    cards, shown = page.locator(".upload-card"), page.locator("#shown")
    expect(shown).to_have_text("Showing 24 of 30 photos")
    assert shown.get_attribute("aria-live") == "polite"
    page.get_by_label("Select all 30 photos that match").focus()
    shown.scroll_into_view_if_needed()
    expect(cards).to_have_count(30)
    expect(shown).to_have_text("Showing 30 of 30 photos")
    expect(page.get_by_label("Select all 30 photos that match")).to_be_focused()
    expect(page.get_by_role("link", name="Older")).to_be_hidden()
    # Those that came belong to the day above them.
    expect(page.locator(".gallery-day")).to_have_count(2)
    check(page)
    last = page.get_by_label("Select 27.jpg")
    page.get_by_label("Select 20.jpg").check()
    last.click(modifiers=["Shift"])
    expect(page.locator(".upload-check:checked")).to_have_count(8)
    last.scroll_into_view_if_needed()
    # What is written down is where the page has come to rest.
    page.wait_for_function(
        """() => { const place = history.state?.place; const card = place &&
        document.querySelector(`[data-upload="${place.upload}"]`);
        return card && Math.abs(card.getBoundingClientRect().top - place.top) < 1; }"""
    )
    before = tops(page)
    # Clicked where it is, without being scrolled to first.
    page.locator(".upload-card", has_text="27.jpg").get_by_role("link").evaluate(
        "link => link.click()"
    )
    expect(page.locator("h1")).to_contain_text("27.jpg")
    page.go_back()
    expect(cards).to_have_count(30)
    page.wait_for_function(
        """top => { const last = [...document.querySelectorAll(".upload-card")].at(-1);
        return Math.abs(last.getBoundingClientRect().top - top) < 2; }""",
        arg=list(before.values())[-1],
    )
    assert tops(page) == pytest.approx(before, abs=2)
    page.reload()
    expect(cards).to_have_count(30)


def test_more_are_chosen_and_sought_by_key(open_page: Any) -> None:
    page = open_page()
    page.goto("/uploads/?sort=name")
    page.wait_for_load_state()  # Its script, too.
    page.get_by_label("Select all 30 photos that match").check()
    page.get_by_role("link", name="Older").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".upload-card")).to_have_count(30)
    expect(page.locator(".upload-check:checked")).to_have_count(30)
    # The link that was pressed is gone: the focus is on the first photo that it brought.
    names = page.locator(".upload-name").all_text_contents()
    assert names == sorted(names)
    expect(page.locator(".upload-picture").nth(24)).to_be_focused()
    page.get_by_label("Select 05.jpg").uncheck()
    expect(page.get_by_label("Select all 30 photos that match")).not_to_be_checked()
    expect(page.get_by_text("· 29 selected")).to_be_visible()
    page.get_by_role("button", name="Select those shown").click()
    expect(page.get_by_text("· 30 selected")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_the_table_of_statistics_leads_here_and_fits(open_page: Any, width: int) -> None:
    page = open_page(width)
    page.goto("/statistics/")
    page.get_by_text("Show as table").first.click()
    check(page)
    link = page.locator("#uploads table").get_by_role("link").last
    number = (link.text_content() or "").split()[0]
    link.click()
    expect(page.locator("[data-count-all]")).to_have_text(re.compile(rf"{number} photos?"))
