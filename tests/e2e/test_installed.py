"""The site as an installed app: its manifest, without a network, and with photos shared into it."""

from __future__ import annotations

import hashlib
import io
import itertools
import re
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.support.browser import check, open_context, sign_up
from tests.support.pictures import no_face_jpeg
from tests.support.site import Site

#: Sends a form with photos as the system does when they are shared: no script reads the answer.
SHARE = """([site, bytes]) => {
  const form = document.createElement("form");
  Object.assign(form, {
    action: `${site}/uploads/shared/`, method: "post", enctype: "multipart/form-data" });
  const field = Object.assign(document.createElement("input"), { type: "file", name: "images" });
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "shared.jpg", { type: "image/jpeg" }));
  field.files = data.files;
  form.append(field);
  document.body.append(form);
  form.submit();
}"""
#: Shares so many photos of so many bytes each, without leaving the page.
SHARE_MANY = """async ([count, bytes]) => {
  const body = new FormData();
  for (let i = 0; i < count; i += 1)
    body.append("images", new File([new Uint8Array(bytes)], `${i}.jpg`));
  await fetch("/uploads/shared/", { method: "POST", body });
}"""
#: Calls `act` with the store of photos that were shared, and returns what its request finds.
WITH_SHARED = """async (act) => {
  const answer = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const database = await answer(indexedDB.open("visage-shared", 1));
  const store = database.transaction("photos", "readwrite").objectStore("photos");
  const found = await answer(act(store));
  database.close();
  return found;
}"""
COUNT_SHARED = f"() => ({WITH_SHARED})((store) => store.getAllKeys()).then((keys) => keys.length)"
#: Makes a photo that was shared eleven minutes ago.
SHARE_LONG_AGO = f"""() => ({WITH_SHARED})((store) => store.add({{
  name: "old.jpg", file: new File(["old"], "old.jpg"), keptAt: Date.now() - 11 * 60 * 1000 }}))"""
NONE_SHARED = """async () =>
  !(await indexedDB.databases()).some((one) => one.name === "visage-shared")"""
TOP_OF_MAIN = """() => document.querySelector("main").getBoundingClientRect().top"""
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


_numbers = itertools.count()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    context = open_context(
        browser, site.url, width=390, color_scheme="dark", service_workers="allow"
    )
    yield context.new_page()
    context.close()


def wait_for_worker(page: Page) -> None:
    """Until it sees what the page asks for."""
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("navigator.serviceWorker.controller !== null")


def shared_photos(page: Page) -> Locator:
    """What the upload page asks about photos that were shared."""
    return page.locator("#shared")


def is_upload(request: Request) -> bool:
    return request.method == "POST" and "/api/" in request.url


def wait_until(page: Page, condition: str) -> None:
    """Wait for a condition that answers later; a promise by itself would count as true."""
    name = f"isTrue{next(_numbers)}"
    page.wait_for_function(
        f"() => {{ ({condition})().then((found) => {{ window.{name} = found; }}); "
        f"return window.{name} === true; }}"
    )


def wait_for_count(page: Page, count: int) -> None:
    wait_until(page, f"async () => await ({COUNT_SHARED})() === {count}")


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


def test_photos_shared_into_the_app_are_uploaded_by_a_click(page: Page) -> None:
    sign_up(page, "sharing@example.org")
    wait_for_worker(page)
    page.goto("/statistics/")
    page.evaluate(SHARE, ["", list(no_face_jpeg())])
    page.wait_for_url("**/")
    expect(shared_photos(page)).to_contain_text("1 photo was shared with Visage.")
    expect(page.locator(".queue-item")).to_have_count(0)
    check(page)
    shared_photos(page).get_by_role("button", name="Upload").click()
    item = page.locator(".queue-item", has_text="shared.jpg")
    expect(item.get_by_role("link", name="Open")).to_be_visible(timeout=60_000)
    expect(shared_photos(page)).to_be_hidden()
    wait_for_count(page, 0)
    page.reload()
    expect(page.locator(".upload-card")).to_have_count(1)
    expect(page.locator(".queue-item")).to_have_count(0)
    expect(shared_photos(page)).to_be_hidden()


def test_what_another_site_posts_is_not_sent_and_can_be_discarded(page: Page, site: Site) -> None:
    sign_up(page, "visitor@example.org")
    wait_for_worker(page)
    other = page.context.new_page()
    sent: list[str] = []
    other.on("request", lambda one: sent.append(one.url) if is_upload(one) else None)
    other.evaluate(SHARE, [site.url, list(no_face_jpeg())])
    other.wait_for_url("**/")
    expect(shared_photos(other)).to_contain_text("1 photo was shared with Visage.")
    # The script has come to its end: what it sends by itself would be on its way.
    expect(other.locator(".queue-item")).to_have_count(0)
    other.reload()
    expect(shared_photos(other)).to_be_visible()
    shared_photos(other).get_by_role("button", name="Discard").click()
    expect(shared_photos(other)).to_be_hidden()
    wait_until(other, NONE_SHARED)
    other.reload()
    expect(shared_photos(other)).to_be_hidden()
    expect(other.locator(".queue-item, .upload-card")).to_have_count(0)
    assert sent == []


def test_only_so_many_shared_photos_are_kept(page: Page) -> None:
    sign_up(page, "many@example.org")
    wait_for_worker(page)
    page.evaluate(SHARE_MANY, [60, 1])
    page.evaluate(SHARE_MANY, [60, 1])
    page.reload()
    expect(shared_photos(page)).to_contain_text("100 photos were shared with Visage.")
    expect(shared_photos(page)).to_contain_text("There were too many")
    shared_photos(page).get_by_role("button", name="Discard").click()
    wait_until(page, NONE_SHARED)
    page.evaluate(SHARE_MANY, [3, 40_000_000])
    page.reload()
    expect(shared_photos(page)).to_contain_text("2 photos were shared with Visage.")


def test_photos_shared_ten_minutes_ago_are_deleted(page: Page) -> None:
    sign_up(page, "old@example.org")
    wait_for_worker(page)
    page.evaluate(SHARE_MANY, [1, 1])
    page.evaluate(SHARE_LONG_AGO)
    assert page.evaluate(COUNT_SHARED) == 2
    page.evaluate(SHARE_MANY, [1, 1])
    assert page.evaluate(COUNT_SHARED) == 2  # The worker has put one in the old one's place.
    page.evaluate(SHARE_LONG_AGO)
    page.goto("/statistics/")
    wait_for_count(page, 2)
    page.evaluate(SHARE_LONG_AGO)
    page.context.clear_cookies()
    page.goto("/statistics/")
    page.wait_for_url("**/accounts/login/?next=**")
    wait_for_count(page, 2)


def test_what_is_shared_while_signed_out_waits_for_the_sign_in_or_goes(page: Page) -> None:
    sign_up(page, "later@example.org")
    wait_for_worker(page)
    page.context.clear_cookies()
    page.evaluate(SHARE, ["", list(no_face_jpeg())])
    page.wait_for_url("**/accounts/login/?next=**")
    page.get_by_label("Email").fill("later@example.org")
    page.get_by_label("Password").fill("a-good-password-7")
    page.get_by_role("button", name="Sign in").click()
    shared_photos(page).get_by_role("button", name="Upload").click()
    expect(page.locator(".queue-item", has_text="shared.jpg")).to_have_count(1)
    expect(page.locator(".queue-item.is-sent")).to_have_count(1, timeout=60_000)

    page.context.clear_cookies()
    page.evaluate(SHARE, ["", list(no_face_jpeg())])
    page.wait_for_url("**/accounts/login/?next=**")
    page.goto("/")
    wait_until(page, NONE_SHARED)


def test_a_new_offline_page_makes_a_new_worker(site: Site) -> None:
    """Browsers compare the scripts: one that names another text's hash fetches the page again."""
    caches = {}
    for language in ("en", "de"):
        headers = {"Accept-Language": language}
        page = httpx.get(f"{site.url}/offline/", headers=headers).content
        script = httpx.get(f"{site.url}/service-worker.js", headers=headers).text
        caches[language] = re.search(r"visage-offline (\w+)", script)[1]  # type: ignore[index]
        assert caches[language] == hashlib.sha256(page).hexdigest()[:16]
    assert caches["en"] != caches["de"]


def test_the_offline_page_stays_where_it_is_as_it_comes(site: Site, browser: Browser) -> None:
    """A browser draws the part that has come; its place must not depend on what follows."""
    page = open_context(browser, site.url).new_page()
    page.goto("/offline/")
    top = page.evaluate(f"({TOP_OF_MAIN})()")
    without_the_rest = page.evaluate(f"""() => {{
      document.querySelectorAll("h1, p").forEach((part) => {{ part.hidden = true; }});
      return ({TOP_OF_MAIN})();
    }}""")
    assert without_the_rest == top > 0


def test_a_form_of_another_site_is_not_taken(site: Site) -> None:
    """Without the worker nothing is uploaded without a token."""
    person = site.sign_up("misled@example.org")
    answer = person.http.post("/uploads/shared/", files={"images": ("a.jpg", no_face_jpeg())})
    assert answer.status_code == 403
    assert person.uploads() == []
