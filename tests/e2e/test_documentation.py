"""The documentation in the running site: it keeps the site's policy, and its search finds."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.browser import LISTEN, fits
from tests.support.documentation import build
from tests.support.site import Site

PAGES = ("index.html", "SETTINGS.html", "CAPACITY.html", "tutorial/photos.html")
PAGES += ("project/models/MODEL_CARD.html", "SCREENSHOTS.html")


def test_it_is_read_and_searched_under_the_strict_policy(page: Page, site: Site) -> None:
    folder = site.data_dir / "documentation"
    if not (folder / "index.html").exists():
        build(folder)
    page.add_init_script(LISTEN)
    page.goto("/about/")
    page.get_by_role("contentinfo").get_by_role("link", name="Documentation").click()
    expect(page.get_by_role("heading", name="Visage", exact=False).first).to_be_visible()
    failed: list[str] = []
    page.on("response", lambda one: failed.append(one.url) if one.status >= 400 else None)
    for name in PAGES:
        page.goto(f"/docs/{name}")
        expect(page.locator("h1").first).to_be_visible()
        assert fits(page), name
        assert page.evaluate("window.violations") == [], name
        # What the theme's scripts do to a page, they have done.
        expect(page.locator("html.js")).to_have_count(1)
    cell = page.goto("/docs/CAPACITY.html") and page.locator("td.number").first
    assert cell
    expect(cell).to_have_css("text-align", "right")

    page.keyboard.press("/")
    # The theme seeks at each key that is let go, once it has its index.
    ready = page.locator(".md-search-result__meta")
    expect(ready).to_have_text("Type to start searching", timeout=60_000)
    page.get_by_role("textbox", name="Search").press_sequentially("DOCUMENTATION_ROOT")
    result = page.locator(".md-search-result__link").first
    expect(result).to_be_visible(timeout=60_000)
    result.click()
    page.wait_for_url("**/docs/SETTINGS.html*")
    assert page.evaluate("window.violations") == []
    assert failed == []
