"""Buttons for files: their names, their use by mouse and key, and what they say is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import check, fits, open_context
from tests.support.site import Person, Site

PAGES = [("/", "Add photos", "Choose photos"), ("/videos/new/", "Video", "Choose a video")]


@pytest.fixture(scope="module")
def person(site: Site) -> Person:
    return site.sign_up("file-buttons@example.org")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three files that are neither photos nor videos."""
    folder = tmp_path_factory.mktemp("files")
    found = [folder / name for name in ("one.txt", "two.txt", "three.txt")]
    for file in found:
        file.write_text(file.name)
    return found


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize(("path", "label", "button"), PAGES)
def test_files_are_chosen_by_mouse_and_key(
    browser: Browser, site: Site, person: Person, files: list[Path],
    width: int, scheme: str, path: str, label: str, button: str,
) -> None:  # fmt: skip
    context = open_context(browser, site.url, person, width=width, color_scheme=scheme)
    page = context.new_page()
    # Choosers are caught as long as somebody listens: it must not end between the two below.
    page.on("filechooser", lambda _chooser: None)
    page.goto(path)
    page.wait_for_load_state()  # Its script, too.
    check(page)
    field = page.get_by_label(label, exact=True)
    expect(field).to_have_accessible_name(f"{label} {button}")
    chosen = page.locator("[data-chosen]")
    with page.expect_file_chooser() as by_mouse:
        page.locator(".file-button").get_by_text(button).click()
    assert by_mouse.value.is_multiple() == (path == "/")
    by_mouse.value.set_files(files[0])
    expect(chosen).to_have_text("one.txt")
    if by_mouse.value.is_multiple():
        field.set_input_files(files)
        expect(chosen).to_have_text("3 files chosen")
    field.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(field).to_be_focused()
    outline = "element => getComputedStyle(element).outlineStyle"
    assert page.locator(".file-button .btn").evaluate(outline) == "solid"
    with page.expect_file_chooser() as by_key:
        page.keyboard.press("Space")
    by_key.value.set_files(files[1])
    expect(chosen).to_have_text("two.txt")
    assert fits(page)
    context.close()


@pytest.mark.parametrize(("path", "label", "button"), PAGES)
def test_without_javascript(
    browser: Browser, site: Site, person: Person, path: str, label: str, button: str
) -> None:
    """The browser's own field, which says itself what is chosen."""
    context = open_context(browser, site.url, person, width=390, java_script_enabled=False)
    page = context.new_page()
    page.goto(path)
    field = page.get_by_label(label, exact=True)
    expect(field).to_be_visible()
    box = field.bounding_box()
    assert box is not None
    assert box["width"] > 100
    expect(page.locator(".file-button").get_by_text(button)).to_be_hidden()
    assert fits(page)
    context.close()


def test_photos_and_folders_are_side_by_side_and_what_is_chosen_is_below(
    browser: Browser, site: Site, person: Person, files: list[Path]
) -> None:
    context = open_context(browser, site.url, person, width=1280)
    page = context.new_page()
    page.goto("/")
    page.wait_for_load_state()  # Its script, too.
    page.locator("#images").set_input_files(files[0])
    chosen = page.locator("[data-chosen]")
    expect(chosen).to_have_text("one.txt")
    parts = (page.get_by_text(name, exact=True) for name in ("Choose photos", "Choose a folder"))
    photos, folder, text = (part.bounding_box() or {} for part in (*parts, chosen))
    assert photos["y"] == pytest.approx(folder["y"], abs=1)
    assert photos["x"] + photos["width"] < folder["x"]
    assert text["y"] >= photos["y"] + photos["height"]
    context.close()
