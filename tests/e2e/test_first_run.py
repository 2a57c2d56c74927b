"""The first visit: three steps, and a sample photo from every page that is empty."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import LISTEN, check, fits, open_context, sign_up
from tests.support.site import Site


def test_from_sign_up_to_a_result_without_a_photo_of_ones_own(
    page: Page, request: pytest.FixtureRequest
) -> None:
    page.add_init_script(LISTEN)
    sign_up(page, f"first-{request.node.callspec.id}@example.org")
    page.reload()
    expect(page.get_by_role("heading", name="Three steps to start")).to_be_visible()
    check(page)
    for path in ("/uploads/", "/review/", "/statistics/", "/live/sessions/"):
        page.goto(path)
        expect(page.get_by_role("button", name="Try a portrait")).to_be_visible()
        check(page)

    page.get_by_role("button", name="Try many faces").click()
    expect(page.get_by_role("heading", name="Six prints.jpg")).to_be_visible()
    expect(page.locator(".face-box")).to_have_count(5, timeout=60_000)
    expect(page.get_by_text("1 possible face ruled out")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("heading", name="Recent photos")).to_be_visible()
    expect(page.get_by_role("heading", name="Three steps to start")).to_have_count(0)


def test_a_sample_without_javascript_in_german(browser: Browser, site: Site) -> None:
    person = site.sign_up("first-plain@example.org")
    options = {"java_script_enabled": False, "locale": "de-DE"}
    context = open_context(browser, site.url, person, width=320, **options)
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("heading", name="In drei Schritten")).to_be_visible()
    page.get_by_role("button", name="Porträt testen").click()
    expect(page.get_by_role("heading", name="Astronaut.jpg")).to_be_visible()
    person.wait_until_finished()
    page.reload()
    expect(page.get_by_text("Fröhlich").first).to_be_visible()
    assert fits(page)
    context.close()
