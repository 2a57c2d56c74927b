"""What people do with their own data, in a real browser against the running site."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import fits, open_context
from tests.support.pictures import two_faces_jpeg
from tests.support.site import Person, Site


def open_page(browser: Browser, site: Site, person: Person, *, script: bool = True) -> Page:
    context = open_context(browser, site.url, person, width=390, java_script_enabled=script)
    return context.new_page()


@pytest.fixture
def person(site: Site, request: pytest.FixtureRequest) -> Person:
    """Somebody with a photo of two faces."""
    person = site.sign_up(re.sub(r"\W", "", request.node.name) + "@example.org")
    person.upload(two_faces_jpeg(), "two.jpg")
    person.wait_until_finished()
    return person


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_correcting_faces(browser: Browser, site: Site, person: Person, script: bool) -> None:
    page = open_page(browser, site, person, script=script)
    page.goto(person.uploads()[0]["links"]["page"])
    first, second = (page.locator(f'.face[data-face="{n}"]') for n in (0, 1))
    first.locator("summary").click()
    first.get_by_role("button", name="Correct face 1: Sad").click()
    expect(first.get_by_role("heading", name="Sad")).to_be_visible()
    expect(first).to_contain_text(re.compile(r"Corrected by you\.\s+The model said “Happy”"))
    expect(page.get_by_role("link", name="Face 1: Sad")).to_be_visible()
    if script:
        expect(first.get_by_role("button", name="Correct face 1: Sad")).to_be_focused()
    second.locator("summary").click()
    second.get_by_role("button", name="Confirm face 2: Happy").click()
    expect(second).to_contain_text("Confirmed by you.")
    page.wait_for_load_state()  # Its styles, too.
    assert fits(page)
    first.locator("summary").click()
    first.get_by_role("button", name="Undo correction of face 1").click()
    expect(first.get_by_role("heading", name="Happy")).to_be_visible()
    if not first.evaluate("card => card.open"):
        first.locator("summary").click()
    first.get_by_role("button", name="Correct face 1: Not a face").click()
    expect(first.get_by_role("heading", name="Not a face")).to_be_visible()
    page.goto("/uploads/")
    expect(page.locator(".upload-card .badge")).to_have_count(1)
    page.goto("/statistics/")
    expect(page.get_by_text("You reviewed 2 faces")).to_be_visible()
    assert fits(page)
    page.context.close()


def test_privacy_from_export_to_farewell(browser: Browser, site: Site, person: Person) -> None:
    page = open_page(browser, site, person)
    page.goto("/")
    page.get_by_role("button", name="Account").click()
    page.locator("#account-menu").get_by_role("link", name="Privacy & data").click()
    assert fits(page)
    page.get_by_label("Keep photos").select_option("30 days")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Keep photos")).to_have_value("30")
    page.get_by_role("button", name="I agree").click()
    expect(page.get_by_text("You agreed.")).to_be_visible()
    page.get_by_role("button", name="Export my data").click()
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("link", name="Download").click()
    archive = zipfile.ZipFile(Path(download.value.path()))
    assert archive.testzip() is None
    assert "README.txt" in archive.namelist()
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#export").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Export deleted.")).to_be_visible()
    page.get_by_role("link", name="Delete my account…").click()
    assert fits(page)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_text("incorrect password")).to_be_visible()
    page.get_by_label("Password").fill("a-good-password-7")
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_text("Your account is closed.")).to_be_visible()
    page.goto("/privacy/")
    expect(page.get_by_role("button", name="Sign In")).to_be_visible()
    page.context.close()
