"""Review mode while the connection comes and goes."""

from __future__ import annotations

from playwright.sync_api import Browser, Route, expect

from tests.support.browser import open_context
from tests.support.site import Site

EMAIL = "reviewing@example.org"


def test_an_answer_that_fails_before_the_next_face_came_keeps_its_own(
    browser: Browser, site: Site
) -> None:
    person = site.sign_up(EMAIL)
    code = f"from tests.support import faces; faces.write('{EMAIL}', (6, 4))"
    site.manage("shell", "-c", code)
    context = open_context(browser, site.url, person)
    page = context.new_page()
    held: list[Route] = []

    def handle(route: Route) -> None:
        if route.request.method == "POST":
            route.abort()
        elif route.request.resource_type == "document":
            route.continue_()
        else:
            held.append(route)

    page.route("**/review/?*", handle)
    page.goto("/review/?of=unsure")
    stage = page.locator("#review > *")
    first = stage.get_attribute("data-face") or ""
    expect(page.locator("#review [data-count]")).to_have_text("4 left")
    page.keyboard.press("2")
    expect(page.get_by_role("status")).to_contain_text("Your answer wasn’t saved.")
    for route in held:
        route.continue_()
    page.unroute("**/review/?*")

    # The next face has come as soon as one can skip to it; before that, it is still the first.
    expect(page.locator("#review-next [data-face]")).to_have_count(1)
    expect(stage).to_have_attribute("data-face", first)
    page.keyboard.press("2")
    expect(page.locator("#review [data-count]")).to_have_text("3 left")
    expect(stage).not_to_have_attribute("data-face", first)
    context.close()
