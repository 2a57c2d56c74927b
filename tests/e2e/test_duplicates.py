"""A file that is there already: nothing is stored twice unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import check, open_context, sign_up
from tests.support.pictures import no_face_jpeg
from tests.support.site import Site


def choose_again(page: Page, *files: Path) -> None:
    page.goto("/")
    page.wait_for_load_state()
    page.set_input_files("#images", files)
    expect(page.locator(".queue-state", has_text="Already uploaded.")).to_have_count(len(files))


def test_the_same_file_is_uploaded_twice_only_if_wanted(
    page: Page, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    sign_up(page, f"same-file-{request.node.callspec.id}@example.org")
    files = [tmp_path / name for name in ("first.jpg", "second.jpg")]
    for number, file in enumerate(files):
        file.write_bytes(no_face_jpeg() + bytes([number]))
    page.set_input_files("#images", files)
    links = page.get_by_role("link", name="Open", exact=True)
    expect(page.locator(".queue-item[data-finished]")).to_have_count(2, timeout=60_000)
    lines = {file: page.locator(".queue-item", has_text=file.name) for file in files}
    pages = {file: lines[file].get_by_role("link").get_attribute("href") or "" for file in files}

    choose_again(page, *files)
    expect(page.locator(".is-refused")).to_have_count(0)
    expect(page.locator("#queue-summary")).to_have_text("2 of 2 done")
    check(page)
    for file in files:
        expect(lines[file].get_by_role("link")).to_have_js_property("href", pages[file])
    lines[files[0]].get_by_role("button", name="Skip").click()
    expect(page.locator(".queue-name")).to_have_text(["second.jpg"])
    anyway = lines[files[1]].get_by_role("button", name="Upload anyway")
    expect(anyway).to_be_focused()
    page.keyboard.press("Enter")
    expect(lines[files[1]]).to_contain_text("No face found", timeout=60_000)
    expect(anyway).to_be_hidden()
    assert links.get_attribute("href") != pages[files[1]]
    links.click()
    page.goto("/uploads/")
    expect(page.locator(".upload-card", has_text="first.jpg")).to_have_count(1)
    expect(page.locator(".upload-card", has_text="second.jpg")).to_have_count(2)


def test_what_is_in_the_trash_or_somebody_elses_is_no_duplicate(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(no_face_jpeg())
    other, person = (site.sign_up(f"same-file-{who}@example.org") for who in ("other", "own"))
    other.upload(file.read_bytes())
    context = open_context(browser, site.url, person)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/")
    page.wait_for_load_state()
    page.set_input_files("#images", file)
    expect(page.locator(".queue-state", has_text="No face found")).to_be_visible(timeout=60_000)
    page.goto("/uploads/")
    page.wait_for_load_state()
    page.get_by_role("button", name="Select all").click()
    page.get_by_role("button", name="Delete selected").click()
    expect(page.get_by_text("1 photo moved to the trash.")).to_be_visible()
    page.goto("/")
    page.wait_for_load_state()
    page.set_input_files("#images", file)
    expect(page.locator(".queue-state", has_text="No face found")).to_be_visible(timeout=60_000)
    expect(page.locator(".queue-state", has_text="Already uploaded.")).to_have_count(0)
    context.close()
