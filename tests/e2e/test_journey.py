"""A person's first visit, in a real browser against the running site."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from recognition.vision.manifest import read_manifest
from tests.support.browser import fits, open_context, sign_up
from tests.support.pictures import astronaut, encode, face_jpeg, no_face_jpeg
from tests.support.site import Site, wait_until


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    contents = {
        "portrait.jpg": face_jpeg(),
        "drawing.png": no_face_jpeg(),
        "fake.jpg": b"just text",
        "empty.jpg": b"",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    return {name: tmp_path / name for name in contents}


def test_from_sign_up_to_deleted(
    page: Page, files: dict[str, Path], request: pytest.FixtureRequest
) -> None:
    email = re.sub(r"\W", "", request.node.name) + "@example.org"
    sign_up(page, email)
    assert fits(page)

    page.set_input_files("#images", list(files.values()))
    item = {name: page.locator(".queue-item", has_text=name) for name in files}
    expect(item["fake.jpg"]).to_contain_text("This file type isn’t supported.")
    expect(item["empty.jpg"]).to_contain_text("The file is empty.")
    expect(item["portrait.jpg"].locator(".badge")).to_have_text(re.compile(r"Happy >?\d+%"))
    expect(item["drawing.png"]).to_contain_text("No face found")
    assert fits(page)

    item["portrait.jpg"].get_by_role("link", name="Open").click()
    expect(page.get_by_role("heading", name="Happy")).to_be_visible()
    assert fits(page)
    photo, box = page.locator(".photo image").bounding_box(), page.locator(".face-line")
    expect(box).to_have_count(1)
    drawn = box.bounding_box()
    assert photo is not None
    assert drawn is not None
    # The face is at (225, 115) of 512×512 pixels, about 97 wide.
    scale = photo["width"] / 512
    assert drawn["x"] + drawn["width"] / 2 - photo["x"] == pytest.approx(225 * scale, abs=8)
    assert drawn["y"] + drawn["height"] / 2 - photo["y"] == pytest.approx(115 * scale, abs=8)
    bars = page.locator(".probability progress")
    expect(bars).to_have_count(len(read_manifest(settings.MODEL_MANIFEST).labels))
    values = [float(bar.get_attribute("value") or 0) for bar in bars.all()]
    assert sum(values) == pytest.approx(1, abs=0.01)
    assert max(values) == values[0] > 0.7
    expect(page.get_by_role("button", name="Correct face 1: Not a face")).to_be_visible()
    assert fits(page)

    page.get_by_role("link", name="History").first.click()
    expect(page.locator(".upload-card")).to_have_count(2)
    chips = page.get_by_role("navigation", name="Filter by expression")
    chips.get_by_role("link", name="Happy").click()
    expect(page.locator(".upload-card")).to_have_count(1)
    assert fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    text = download.value.path().read_text()
    assert "portrait.jpg" in text
    assert "drawing.png" not in text

    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Clear").click()
    expect(page).to_have_url(re.compile("/uploads/$"))
    page.wait_for_load_state()
    expect(page.get_by_role("button", name="Delete selected")).to_be_disabled()
    page.get_by_role("button", name="Select all").click()
    page.get_by_role("button", name="Delete selected").click()
    expect(page.get_by_text("2 photos moved to the trash.")).to_be_visible()
    expect(page.get_by_text("No photos yet.")).to_be_visible()

    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Get started")).to_be_visible()


def test_times_are_the_readers_own(browser: Browser, site: Site) -> None:
    """The site writes UTC; in Kathmandu it is 5:45 h later."""
    context = open_context(browser, site.url, locale="en-GB", timezone_id="Asia/Kathmandu")
    page = context.new_page()
    sign_up(page, "kathmandu@example.org")
    page.goto("/accounts/activity/")
    time = page.locator("time").first
    expect(time).to_have_attribute("data-local", "")
    written = datetime.fromisoformat(time.get_attribute("datetime") or "")
    there = written.astimezone(ZoneInfo("Asia/Kathmandu"))
    assert time.inner_text() == f"{there.day} {there:%b %Y, %H:%M}"
    context.close()


def test_an_open_page_follows_the_worker(browser: Browser, own_site: Site, tmp_path: Path) -> None:
    """With the worker stopped the page waits; when it is back, the result appears by itself."""
    context = open_context(browser, own_site.url)
    page = context.new_page()
    sign_up(page, "waiting@example.org")
    own_site.kill("worker")
    portrait = tmp_path / "portrait.jpg"
    portrait.write_bytes(face_jpeg())
    page.set_input_files("#images", portrait)
    page.get_by_role("link", name="Open").click()
    expect(page.get_by_text("This page updates automatically.")).to_be_visible()
    history = context.new_page()
    history.goto("/uploads/")
    expect(history.locator(".badge", has_text="Waiting")).to_be_visible()
    own_site.start("worker")
    expect(page.locator(".face-box")).to_have_count(1, timeout=60_000)
    expect(history.locator(".badge", has_text="Happy")).to_be_visible(timeout=30_000)
    context.close()


def test_dropping_and_pasting_photos(page: Page, request: pytest.FixtureRequest) -> None:
    sign_up(page, re.sub(r"\W", "", request.node.name) + "@example.org")
    for event, side in (("drop", 128), ("paste", 120)):
        picture = list(encode(astronaut().resize((side, side)), "PNG"))
        page.evaluate(
            """([event, bytes]) => {
                const data = new DataTransfer();
                const name = `${event}.png`;
                data.items.add(new File([new Uint8Array(bytes)], name, {type: "image/png"}));
                const made = event === "drop"
                    ? new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true})
                    : new ClipboardEvent("paste", {clipboardData: data, bubbles: true});
                document.getElementById("drop-zone").dispatchEvent(made);
            }""",
            [event, picture],
        )
        item = page.locator(".queue-item", has_text=f"{event}.png")
        expect(item.get_by_role("link", name="Open")).to_be_visible()


def test_the_form_works_without_javascript(
    browser: Browser, site: Site, files: dict[str, Path]
) -> None:
    person = site.sign_up("plain@example.org")
    context = open_context(browser, site.url, person, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.set_input_files("#images", [files["portrait.jpg"], files["fake.jpg"]])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("1 photo uploaded.")).to_be_visible()
    expect(page.get_by_text("fake.jpg: This file type isn’t supported.")).to_be_visible()
    person.wait_until_finished()
    page.reload()
    expect(page.locator(".badge", has_text="Happy")).to_be_visible()
    context.close()


def test_why_shows_a_heat_map_without_leaving_the_page(
    page: Page, files: dict[str, Path], request: pytest.FixtureRequest
) -> None:
    sign_up(page, re.sub(r"\W", "", request.node.name) + "@example.org")
    page.set_input_files("#images", files["portrait.jpg"])
    page.get_by_role("link", name="Open").click()
    why = page.get_by_role("button", name="Why Happy? Show which parts of face 1 mattered")
    why.click()
    picture = page.get_by_role("img", name="Heat map of face 1; the bottom centre")
    expect(picture).to_be_visible(timeout=30_000)
    expect(picture).to_have_js_property("naturalWidth", 256)
    expect(page.get_by_text("The bottom centre mattered most")).to_be_visible()
    expect(page.locator(".explanation")).to_be_focused()
    expect(why).to_have_count(0)
    assert page.url.endswith("/")
    assert fits(page)


def test_why_works_without_javascript(browser: Browser, site: Site, files: dict[str, Path]) -> None:
    person = site.sign_up("plain-why@example.org")
    person.upload(files["portrait.jpg"].read_bytes())
    (upload,) = person.wait_until_finished()
    context = open_context(browser, site.url, person, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/uploads/{upload['id']}/")
    page.get_by_role("button", name="Why Happy?").click()
    wait_until(
        lambda: person.get(f"/uploads/{upload['id']}/faces/0/heat-map.png").status_code == 200
    )
    page.reload()
    expect(page.get_by_role("img", name="Heat map of face 1; the bottom centre")).to_be_visible()
    context.close()
