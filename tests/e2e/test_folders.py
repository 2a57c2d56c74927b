"""Photos by whole folders and archives, chosen or dropped, and from a phone's camera."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import check, open_context, sign_up
from tests.support.pictures import no_face_jpeg
from tests.support.site import Site

#: More than the hundred that a browser reads of a folder at a time.
MANY = 103


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photos, one of them in a folder below, and three files that are none."""
    folder = tmp_path / "holiday"
    below = folder / "day 2"
    below.mkdir(parents=True)
    for number, file in enumerate((folder / "a10.jpg", folder / "a9.jpg", below / "b.JPG")):
        file.write_bytes(no_face_jpeg() + bytes([number]))
    (folder / "._a9.jpg").write_bytes(b"details")
    (folder / "notes.txt").write_text("sunny")
    (below / "table.csv").write_text("1,2")
    return folder


def drop(page: Page, *paths: Path) -> None:
    """Drop files or folders of the disk, as from a file manager."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 150, "y": 300, "data": data})


def names(page: Page) -> list[str]:
    return page.locator(".queue-name").all_inner_texts()


def test_a_chosen_folder(page: Page, folder: Path, request: pytest.FixtureRequest) -> None:
    sign_up(page, re.sub(r"\W", "", request.node.name) + "@example.org")
    check(page)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(folder)
    note = page.get_by_text("Photos found: 3. Other files left out: 3.")
    expect(note).to_be_visible()
    assert names(page) == ["a9.jpg", "a10.jpg", "b.JPG"]
    expect(page.get_by_role("link", name="Open", exact=True)).to_have_count(3)
    expect(page.locator(".queue-item.is-refused")).to_have_count(0)
    check(page)


def test_a_dropped_folder(page: Page, folder: Path, request: pytest.FixtureRequest) -> None:
    """With what lies below it; beside it a file of its own, which is not left out but refused."""
    sign_up(page, re.sub(r"\W", "", request.node.name) + "@example.org")
    drop(page, folder, folder / "notes.txt")
    expect(page.get_by_text("Photos found: 3. Other files left out: 3.")).to_be_visible()
    assert names(page) == ["notes.txt", "a9.jpg", "a10.jpg", "b.JPG"]
    expect(page.get_by_role("link", name="Open", exact=True)).to_have_count(3)
    expect(page.locator(".is-refused .queue-name")).to_have_text(["notes.txt"])


def test_a_large_folder_and_one_without_photos(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    person = site.sign_up("many-in-a-folder@example.org")
    context = open_context(browser, site.url, person)
    page = context.new_page()
    page.route("**/api/v1/uploads/*", lambda route: None)
    page.goto("/")
    page.wait_for_load_state()
    many, none = tmp_path / "many", tmp_path / "none"
    for parent in (many, none):
        parent.mkdir()
    for number in range(MANY):
        (many / f"{number}.png").write_bytes(b"photo")
    (none / "notes.txt").write_text("rainy")
    drop(page, many)
    expect(page.get_by_text(f"Photos found: {MANY}. Other")).to_be_visible()
    assert names(page) == [f"{number}.png" for number in range(MANY)]
    drop(page, none)
    expect(page.get_by_text("No photos were found there.")).to_be_visible()
    assert len(names(page)) == MANY
    context.close()


def test_a_zip_archive(page: Page, folder: Path, request: pytest.FixtureRequest) -> None:
    """Its photos, as if its folder were chosen; but not what claims to be small and is large."""
    archive = folder.parent / "holiday.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        for path in sorted(folder.rglob("*")):
            stored = zipfile.ZIP_STORED if path.name == "a9.jpg" else None
            written.write(path, path.relative_to(folder.parent), stored)
        written.writestr("bomb.jpg", bytes(10_000_000))
    data = archive.read_bytes()
    size = (10_000_000).to_bytes(4, "little")
    assert data.count(size) == 2
    archive.write_bytes(data.replace(size, (1000).to_bytes(4, "little")))
    broken = folder.parent / "broken.zip"
    broken.write_bytes(data[:200])
    sign_up(page, re.sub(r"\W", "", request.node.name) + "@example.org")
    page.get_by_label("Add photos").set_input_files([archive, broken])
    expect(page.get_by_text("Photos found: 3. Other files left out: 4.")).to_be_visible()
    expect(page.get_by_role("link", name="Open", exact=True)).to_have_count(3)
    assert sorted(names(page)) == ["a10.jpg", "a9.jpg", "b.JPG", "broken.zip"]
    expect(page.locator(".is-refused .queue-name")).to_have_text(["broken.zip"])
    check(page)


def test_a_photo_from_the_camera(browser: Browser, site: Site, folder: Path) -> None:
    """Offered where a finger points; a mouse has no camera beside it."""
    person = site.sign_up("camera-of-the-phone@example.org")
    context = open_context(browser, site.url, person)
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("button", name="Choose a folder")).to_be_visible()
    expect(page.get_by_role("button", name="Take photo")).to_be_hidden()
    context.close()

    context = open_context(browser, site.url, person, width=390, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto("/")
    page.wait_for_load_state()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Take photo").tap()
    expect(page.locator("#camera")).to_have_attribute("capture", "user")
    chooser.value.set_files(folder / "a9.jpg")
    item = page.locator(".queue-item", has_text="a9.jpg")
    expect(item.get_by_role("link", name="Open")).to_be_visible()
    check(page)
    context.close()
