"""The site as an installed app: its manifest, without a network, and with photos shared into it."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import LISTEN, check, sign_up
from tests.support.pictures import no_face_jpeg
from tests.support.site import Site

#: Sends a form with photos as the system does when they are shared: no script reads the answer.
SHARE = """(bytes) => {
  const form = document.createElement("form");
  Object.assign(form, {
    action: "/uploads/shared/", method: "post", enctype: "multipart/form-data" });
  const field = Object.assign(document.createElement("input"), { type: "file", name: "images" });
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "shared.jpg", { type: "image/jpeg" }));
  field.files = data.files;
  form.append(field);
  document.body.append(form);
  form.submit();
}"""
#: Every address that is kept, and the text of all that is.
KEPT = """async () => {
  const found = { urls: [], text: "" };
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      found.urls.push(new URL(request.url).pathname);
      found.text += await (await cache.match(request)).text();
    }
  }
  return found;
}"""


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    context = browser.new_context(
        base_url=site.url, viewport={"width": 390, "height": 800}, color_scheme="dark"
    )
    context.add_init_script(LISTEN)
    yield context.new_page()
    context.close()


def wait_for_worker(page: Page) -> None:
    """Until it sees what the page asks for."""
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("navigator.serviceWorker.controller !== null")


def test_the_manifest_names_icons_that_are_there(site: Site) -> None:
    answer = httpx.get(f"{site.url}/manifest.webmanifest", headers={"Accept-Language": "de"})
    assert answer.headers["content-type"] == "application/manifest+json"
    manifest = answer.json()
    assert manifest["lang"] == "de"
    assert {"192x192", "512x512"} == {icon["sizes"] for icon in manifest["icons"]}
    assert manifest["icons"][-1]["purpose"] == "maskable"
    for icon in manifest["icons"]:
        picture = Image.open(io.BytesIO(httpx.get(site.url + icon["src"]).content))
        assert f"{picture.width}x{picture.height}" == icon["sizes"]
    for shortcut in manifest["shortcuts"]:
        assert httpx.get(site.url + shortcut["url"]).status_code in {200, 302}


def test_without_a_network_a_page_says_so_and_nothing_private_is_kept(page: Page) -> None:
    sign_up(page, "offline@example.org")
    wait_for_worker(page)
    page.goto("/accounts/profile/")
    expect(page.get_by_role("strong")).to_have_text("offline@example.org")
    kept = page.evaluate(KEPT)
    assert [url for url in kept["urls"] if not url.startswith("/static/")] == ["/offline/"]
    assert "offline@example.org" not in kept["text"]
    assert "csrf" not in kept["text"]
    page.context.set_offline(True)
    page.goto("/uploads/")
    expect(page.get_by_role("heading", name="You’re offline")).to_be_visible()
    expect(page.locator("main img")).to_have_js_property("complete", True)
    check(page)
    page.context.set_offline(False)
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()


def test_photos_shared_into_the_app_are_uploaded(page: Page) -> None:
    sign_up(page, "sharing@example.org")
    wait_for_worker(page)
    page.goto("/statistics/")
    page.evaluate(SHARE, list(no_face_jpeg()))
    page.wait_for_url("**/")
    item = page.locator(".queue-item", has_text="shared.jpg")
    expect(item.get_by_role("link", name="Open")).to_be_visible(timeout=60_000)
    page.reload()
    expect(page.locator(".upload-card")).to_have_count(1)
    expect(page.locator(".queue-item")).to_have_count(0)


def test_what_is_shared_while_signed_out_waits_for_the_sign_in_or_goes(page: Page) -> None:
    sign_up(page, "later@example.org")
    wait_for_worker(page)
    page.context.clear_cookies()
    page.evaluate(SHARE, list(no_face_jpeg()))
    page.wait_for_url("**/accounts/login/?next=**")
    page.get_by_label("Email").fill("later@example.org")
    page.get_by_label("Password").fill("a-good-password-7")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".queue-item", has_text="shared.jpg")).to_have_count(1)
    expect(page.locator(".queue-item.is-sent")).to_have_count(1, timeout=60_000)

    page.context.clear_cookies()
    page.evaluate(SHARE, list(no_face_jpeg()))
    page.wait_for_url("**/accounts/login/?next=**")
    page.goto("/")
    page.wait_for_function(
        "async () => !(await indexedDB.databases()).some((one) => one.name === 'visage-shared')"
    )


def test_a_form_of_another_site_is_not_taken(site: Site) -> None:
    """Without the worker nothing is uploaded without a token."""
    person = site.sign_up("misled@example.org")
    answer = person.http.post("/uploads/shared/", files={"images": ("a.jpg", no_face_jpeg())})
    assert answer.status_code == 403
    assert person.uploads() == []
