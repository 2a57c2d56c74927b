"""The camera's picture on the full screen and in a small window, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support import clip
from tests.support.browser import launch, open_context
from tests.support.site import Person, Site

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose camera shows a face."""
    file = tmp_path_factory.mktemp("camera") / "face.mjpeg"
    clip.write_mjpeg(file, clip.astronaut())
    with sync_playwright() as playwright:
        browser = launch(playwright, *CAMERA, f"--use-file-for-fake-video-capture={file}")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def person(site: Site) -> Person:
    return site.sign_up("screens@example.org")


@pytest.fixture
def page(browser: Browser, site: Site, person: Person) -> Iterator[Page]:
    context = open_context(browser, site.url, person)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert page.evaluate("window.violations") == []
    context.close()
    assert complaints == []


def start(page: Page) -> None:
    page.goto("/live/")
    page.get_by_role("button", name="start camera").click()
    expect(page.locator("#live")).to_have_attribute("data-state", "running")


def test_the_picture_fills_the_screen(page: Page) -> None:
    start(page)
    expect(page.locator(".live-box")).to_have_count(1)
    page.get_by_role("button", name="Full screen").click()
    is_full = "() => document.fullscreenElement?.className === 'live-stage'"
    page.wait_for_function(is_full)
    stage = page.locator(".live-stage").bounding_box()
    assert stage is not None
    screen = page.evaluate("[innerWidth, innerHeight]")
    assert [stage["width"], stage["height"]] == screen
    expect(page.locator("#live")).to_have_attribute("data-state", "running")
    expect(page.locator(".live-box")).to_have_count(1)
    page.get_by_role("button", name="Leave full screen").click()
    page.wait_for_function("() => !document.fullscreenElement")
    page.keyboard.press("f")
    page.wait_for_function(is_full)
    page.keyboard.press("F")
    page.wait_for_function("() => !document.fullscreenElement")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Full screen")
    page.keyboard.press("Escape")
    # The camera goes off, and so does what shows it.
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function(is_full)
    page.evaluate("document.getElementById('stop').click()")
    page.wait_for_function("() => !document.fullscreenElement")


def test_the_picture_floats_with_its_boxes(page: Page) -> None:
    start(page)
    expect(page.locator(".live-box")).to_have_count(1)
    button = page.get_by_role("button", name="Picture in picture")
    if not page.evaluate("document.pictureInPictureEnabled"):
        expect(button).to_be_hidden()
        return
    button.click()
    page.wait_for_function("() => document.pictureInPictureElement?.videoWidth > 0")
    expect(page.get_by_role("button", name="Close picture in picture")).to_be_visible()
    # What floats is the mirrored picture with the box over it, and goes on.
    page.wait_for_function(
        """() => {
          const canvas = document.createElement("canvas");
          const floating = document.pictureInPictureElement;
          const box = document.querySelector(".live-box rect");
          if (!floating || !box) return false;
          const { width } = document.getElementById("overlay").viewBox.baseVal;
          const scale = floating.videoWidth / width;
          [canvas.width, canvas.height] = [floating.videoWidth, floating.videoHeight];
          const context = canvas.getContext("2d");
          context.drawImage(floating, 0, 0);
          const colour = getComputedStyle(box).stroke.match(/\\d+/g).map(Number);
          const at = (name) => Number(box.getAttribute(name)) * scale;
          const [x, y] = [at("x") - 20, at("y") + at("height") / 2];
          const { data } = context.getImageData(Math.max(0, x), y, 40, 1);
          for (let i = 0; i < data.length; i += 4) {
            if (colour.every((value, c) => Math.abs(data[i + c] - value) < 40)) return true;
          }
          return false;
        }"""
    )
    page.keyboard.press("p")
    page.wait_for_function("() => !document.pictureInPictureElement")
    expect(button).to_be_visible()
    expect(page.locator("#live")).to_have_attribute("data-state", "running")


def test_what_the_browser_cannot_do_is_not_offered(
    browser: Browser, site: Site, person: Person
) -> None:
    context = open_context(browser, site.url, person)
    context.add_init_script(
        """for (const name of ["fullscreenEnabled", "pictureInPictureEnabled"]) {
          Object.defineProperty(Document.prototype, name, { get: () => false });
        }"""
    )
    page = context.new_page()
    start(page)
    expect(page.locator(".live-screens button:visible")).to_have_count(0)
    page.keyboard.press("f")
    page.keyboard.press("p")
    expect(page.locator("#live")).to_have_attribute("data-state", "running")
    context.close()
