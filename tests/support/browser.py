"""The browser that tests drive, Chromium of the system or of Playwright, and what they do in it."""

from __future__ import annotations

import re
import shutil
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, expect

from tests.support.site import Person

#: Written beside the page's own scripts, before them.
LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""

#: How many photos wait in the browser to be sent, as a script of the page.
UNSENT_PHOTOS = """async () => {
  const names = (await indexedDB.databases()).map((database) => database.name);
  if (!names.includes("visage-unsent")) return 0;
  const database = await new Promise((resolve) => {
    const request = indexedDB.open("visage-unsent");
    request.onupgradeneeded = () => request.transaction.abort();  // It was just deleted.
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  });
  if (!database) return 0;
  const count = await new Promise((resolve) => {
    const request = database.transaction("photos").objectStore("photos").count();
    request.onsuccess = () => resolve(request.result);
  });
  database.close();
  return count;
}"""

# How long a page may take where the machine has much else to do; what is there ends the wait.
expect.set_options(timeout=20_000)

#: Chromium asks the world for updates at every start; tests must not.
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """Start a headless browser; the caller closes it."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return playwright.chromium.launch(
        executable_path=next(filter(None, found), None), args=[*ARGUMENTS, *arguments]
    )


def open_context(
    browser: Browser, url: str, person: Person | None = None, *, width: int = 1280, **options: Any
) -> BrowserContext:
    """Open a profile of its own at the site, signed in as ``person``; the caller closes it.

    Without the site's service worker, unless ``service_workers="allow"``: while that takes a page
    over, requests pass by ``page.route``.
    """
    options = {"viewport": {"width": width, "height": 800}, "service_workers": "block"} | options
    context = browser.new_context(base_url=url, **options)
    context.add_init_script(LISTEN)
    if person:
        session = person.http.cookies["sessionid"]
        context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    return context


class Connection:
    """Requests of a page that fail while ``lost``.

    Made before the page opens: a browser that is to watch requests tells the page's process so
    without waiting for it, and a key pressed right afterwards may get there first.
    """

    def __init__(self, page: Page, url: str | re.Pattern[str]) -> None:
        self.lost = False
        page.route(url, self._handle)

    def _handle(self, route: Route) -> None:
        if self.lost and route.request.method != "GET":
            route.abort()
        else:
            route.continue_()


class HeldPages:
    """Pages that a script fetches, which come late while `is_held`; made before they are asked."""

    def __init__(self, page: Page, url: str) -> None:
        self.is_held = True
        self._held: list[Route] = []
        page.route(url, self._handle)

    def let_come(self) -> None:
        self.is_held = False
        for route in self._held:
            route.continue_()

    def _handle(self, route: Route) -> None:
        if self.is_held and route.request.method == "GET":
            self._held.append(route)
        else:
            route.fallback()


def sign_up(page: Page, email: str) -> None:
    page.goto("/")
    page.get_by_role("link", name="Get started").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill("a-good-password-7")
    page.get_by_label("Password (again)").fill("a-good-password-7")
    page.get_by_label("I agree").check()
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Upload photos")).to_be_visible()
    page.wait_for_load_state()  # Its script, too.


def fits(page: Page) -> bool:
    """Nothing sticks out to the side, once its styles are there."""
    page.wait_for_load_state()
    return bool(
        page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
    )


def check(page: Page) -> None:
    """It fits, keeps the policy, and shuts nobody out."""
    assert fits(page)
    assert page.evaluate("window.violations") == []
    # A button that is changing its colours has any contrast in between.
    page.evaluate(
        """Promise.allSettled(document.getAnimations()
        .filter((one) => one instanceof CSSTransition).map((one) => one.finished))"""
    )
    # Last: the checker writes styles of its own into the page, which the policy refuses.
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
    page.evaluate("window.violations.length = 0")
