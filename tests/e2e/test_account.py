"""The account's pages in a real browser, from two-factor sign-in to the list of activity."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browser import fits, open_context, sign_up
from tests.support.signing_in import totp_code
from tests.support.site import Site

PASSWORD = "a-good-password-7"


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def context(
    browser: Browser, site: Site, request: pytest.FixtureRequest
) -> Iterator[BrowserContext]:
    width, scheme = request.param
    context = open_context(browser, site.url, width=width, color_scheme=scheme)
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "console",
        lambda message: (
            complaints.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield context
    context.close()
    assert complaints == []


def go(page: Page, name: str) -> None:
    """To one of the account's pages, by its navigation."""
    navigation = page.get_by_role("navigation", name="Account")
    navigation.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    expect(navigation.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
    assert fits(page)


def sign_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_from_two_factors_to_activity(
    context: BrowserContext, site: Site, request: pytest.FixtureRequest
) -> None:
    email = re.sub(r"\W", "", request.node.name) + "@example.org"
    page = context.new_page()
    sign_up(page, email)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("link", name="Account settings").click()
    page.get_by_label("First name").fill("Alex")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Name saved.")).to_be_visible()
    assert fits(page)

    go(page, "Two-factor sign-in")
    page.get_by_role("link", name="Turn on").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("img", name="QR code for")).to_be_visible()
    assert page.locator(".qr-code").evaluate("image => image.naturalWidth") > 0
    assert fits(page)
    secret = page.locator("#totp-secret").inner_text()
    page.get_by_label("Code from the app").fill(totp_code(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    codes = page.locator(".recovery-codes code").all_inner_texts()
    assert len(codes) == 10
    assert fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_text().split() == codes
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()

    sign_in(page, email)
    expect(page.get_by_role("heading", name="Two-factor sign-in")).to_be_visible()
    assert fits(page)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Upload photos")).to_be_visible()
    assert context.browser is not None
    elsewhere = open_context(context.browser, site.url)
    other = elsewhere.new_page()
    sign_in(other, email)
    other.get_by_label("Code").fill(totp_code(secret))
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", name="Upload photos")).to_be_visible()

    page.goto("/accounts/")
    go(page, "API tokens")
    page.get_by_role("link", name="New token").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("Holiday script")
    page.get_by_label("Access").select_option("write")
    page.get_by_role("button", name="Create token").click()
    key = page.get_by_label("Key for").input_value()
    page.wait_for_load_state()  # The button's script, too.
    assert fits(page)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    headers = {"Authorization": f"Bearer {key}"}
    assert httpx.get(f"{site.url}/api/v1/uploads/", headers=headers).status_code == 200
    page.get_by_role("link", name="Done").click()
    expect(page.locator("[data-token]")).to_contain_text("Holiday script")
    page.wait_for_load_state()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete Holiday script").click()
    expect(page.locator("[data-token]")).to_have_count(0)
    assert httpx.get(f"{site.url}/api/v1/uploads/", headers=headers).status_code == 401

    go(page, "Sessions")
    expect(page.locator("[data-session]")).to_have_count(2)
    page.get_by_role("button", name="Sign out all other sessions").click()
    expect(page.locator("[data-session]")).to_have_count(1)
    other.goto("/uploads/")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    elsewhere.close()

    go(page, "Activity")
    for text in (
        "The account was created",
        "Two-factor sign-in was turned on",
        "An API token was deleted",
        "Consent was given: Processing of photos",
    ):
        expect(page.get_by_text(text)).to_have_count(1)
    expect(page.get_by_text("Signed in", exact=False).first).to_be_visible()

    go(page, "Password")
    page.get_by_label("Current Password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("another-good-7")
    page.get_by_label("New Password (again)").fill("another-good-7")
    page.get_by_role("button", name="Change Password").click()
    expect(page.get_by_role("alert").first).to_contain_text("Password successfully changed.")
