"""The header's menus: at the lower edge on phones, closed by Escape and by a click beside them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import check, fits, open_context
from tests.support.site import Person, Site

NAMES = {"Upload": "/", "Live": "/live/", "History": "/uploads/", "Statistics": "/statistics/",
         "Studies": "/studies/"}  # fmt: skip


@pytest.fixture(scope="module")
def person(site: Site) -> Person:
    return site.sign_up("menus@example.org")


def opened(browser: Browser, site: Site, person: Person, width: int, **options: Any) -> Page:
    size = {"width": width, "height": 640}
    page = open_context(browser, site.url, person, viewport=size, **options).new_page()
    page.goto("/statistics/")
    return page


@pytest.mark.parametrize("width", [320, 390, 640])
def test_on_a_phone_the_menu_is_a_bar_below(
    browser: Browser, site: Site, person: Person, width: int
) -> None:
    page = opened(browser, site, person, width)
    menu = page.get_by_role("navigation", name="Main menu")
    bar = menu.bounding_box()
    assert bar is not None
    assert bar["x"] == 0
    assert bar["width"] == width
    assert bar["y"] + bar["height"] == 640
    for name, path in NAMES.items():
        link = menu.get_by_role("link", name=name)
        size = link.bounding_box()
        assert size is not None
        assert size["height"] >= 44
        link.click()
        page.wait_for_url(f"**{path}")
        expect(menu.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
    # The end of the page can be scrolled to above the bar.
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    footer = page.locator("footer").bounding_box()
    assert footer is not None
    assert footer["y"] + footer["height"] <= bar["y"] + 1
    check(page)
    page.context.close()


def test_letters_of_twice_the_size_fit(browser: Browser, site: Site, person: Person) -> None:
    page = opened(browser, site, person, 640)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert fits(page)
    page.context.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_the_account_menu_closes_as_menus_do(
    browser: Browser, site: Site, person: Person, width: int, script: bool
) -> None:
    page = opened(browser, site, person, width, java_script_enabled=script)
    button = page.get_by_role("button", name="Account")
    settings = page.get_by_role("link", name="Account settings")
    expect(settings).to_be_hidden()
    button.click()
    expect(settings).to_be_visible()
    page.keyboard.press("Escape")
    expect(settings).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(settings).to_be_focused()
    page.mouse.click(20, 500)
    expect(settings).to_be_hidden()
    button.click()
    assert fits(page)
    if script:
        check(page)
    settings.click()
    page.wait_for_url("**/accounts/profile/")
    page.context.close()


def test_signing_out_from_the_menu(browser: Browser, site: Site) -> None:
    page = opened(browser, site, site.sign_up("leaving-by-menu@example.org"), 390)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Get started")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main menu")).to_be_in_viewport()
    assert fits(page)
    page.context.close()
