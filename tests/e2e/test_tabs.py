"""Several tabs of one browser, in which people take turns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_context, sign_up
from tests.support.site import Site


@pytest.fixture
def tabs(browser: Browser, site: Site) -> Iterator[tuple[Page, Page]]:
    context = open_context(browser, site.url)
    yield context.new_page(), context.new_page()
    context.close()


@pytest.mark.parametrize("path", ["/", "/live/"])
def test_a_tab_does_not_stay_somebody_elses(path: str, tabs: tuple[Page, Page]) -> None:
    """What the next person did there would be kept as the first one's, and the other way round."""
    old, new = tabs
    name = path.strip("/") or "home"
    sign_up(old, f"first-{name}@example.org")
    old.goto(path)
    first = old.locator("body").get_attribute("data-user")
    assert first
    new.goto("/")
    new.get_by_role("button", name="Account").click()
    new.get_by_role("button", name="Sign out").click()
    expect(new.locator("body")).to_have_attribute("data-user", "")
    expect(old.locator("body")).to_have_attribute("data-user", "")
    sign_up(new, f"second-{name}@example.org")
    second = new.locator("body").get_attribute("data-user")
    assert second not in {None, "", first}
    expect(old.locator("body")).to_have_attribute("data-user", str(second))
