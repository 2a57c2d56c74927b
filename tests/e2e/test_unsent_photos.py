"""Leaving the upload page while photos are being sent: none is lost, and nobody else gets them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect, sync_playwright

from tests.support.browser import UNSENT_PHOTOS, Connection, launch, open_context, sign_up
from tests.support.pictures import no_face_jpeg
from tests.support.site import Site, wait_until


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    context = open_context(browser, site.url)
    yield context
    context.close()


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    files = [tmp_path / f"photo-{number}.jpg" for number in range(6)]
    for number, file in enumerate(files):
        file.write_bytes(no_face_jpeg() + bytes([number]))
    return files


def cut_off(page: Page) -> None:
    """What is sent arrives nowhere, and nothing is answered; before the page opens."""
    page.route("**/api/v1/uploads/*", lambda route: None)


def choose(page: Page, photos: list[Path]) -> None:
    page.set_input_files("#images", photos)
    expect(page.locator("#queue-summary")).to_contain_text(f"{len(photos)} still to upload")
    wait_until(lambda: page.evaluate(UNSENT_PHOTOS) == len(photos))


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Get started")).to_be_visible()


def test_what_was_not_sent_is_sent_at_the_next_visit(
    context: BrowserContext, photos: list[Path]
) -> None:
    page = context.new_page()
    cut_off(page)
    sign_up(page, "leaver@example.org")
    choose(page, photos)
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    # The browser asks only those who have touched the page.
    page.locator("h1").click()
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    assert asked == ["beforeunload"]

    page = context.new_page()
    page.goto("/")
    lines = page.locator(".queue-item")
    expect(lines).to_have_count(len(photos))
    assert lines.locator(".queue-name").all_inner_texts() == [photo.name for photo in photos]
    expect(page.locator(".queue-item[data-finished]")).to_have_count(len(photos), timeout=60_000)
    expect(page.locator("#queue-summary")).to_have_text("6 of 6 done")
    assert page.evaluate(UNSENT_PHOTOS) == 0
    page.goto("/uploads/")
    expect(page.locator(".upload-card")).to_have_count(len(photos))


def test_a_lost_connection_can_be_tried_again(context: BrowserContext, photos: list[Path]) -> None:
    page = context.new_page()
    connection = Connection(page, "**/api/v1/uploads/*")
    connection.lost = True
    sign_up(page, "retrier@example.org")
    page.set_input_files("#images", photos[:2])
    expect(page.locator(".queue-state", has_text="Connection lost.")).to_have_count(2)
    expect(page.locator("#queue-summary")).to_contain_text("2 failed")
    connection.lost = False
    page.get_by_role("button", name="Retry all failed").click()
    expect(page.locator(".queue-item[data-finished]")).to_have_count(2, timeout=60_000)
    expect(page.get_by_role("link", name="Open")).to_have_count(2)
    assert page.evaluate(UNSENT_PHOTOS) == 0


def test_nobody_else_gets_them_and_signing_out_takes_them(
    context: BrowserContext, photos: list[Path]
) -> None:
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    cut_off(page)
    sign_up(page, "first@example.org")
    choose(page, photos[:2])
    sign_out(page)
    wait_until(lambda: page.evaluate(UNSENT_PHOTOS) == 0)

    sign_up(page, "second@example.org")
    choose(page, photos[:2])
    context.clear_cookies()  # Signed out by time, not by choice: they stay for their owner …
    page.close()
    page = context.new_page()
    page.goto("/accounts/login/?next=/")
    assert page.evaluate(UNSENT_PHOTOS) == 2
    page.goto("/accounts/signup/?next=/statistics/")
    page.get_by_label("Email").fill("third@example.org")
    page.get_by_label("Password", exact=True).fill("a-good-password-7")
    page.get_by_label("Password (again)").fill("a-good-password-7")
    page.get_by_label("I agree").check()
    page.get_by_role("button", name="Sign up").click()
    # … and nobody else, whatever page they come to.
    expect(page.get_by_role("heading", name="Statistics")).to_be_visible()
    wait_until(lambda: page.evaluate(UNSENT_PHOTOS) == 0)
    page.goto("/")
    expect(page.get_by_role("heading", name="Upload photos")).to_be_visible()
    expect(page.locator(".queue-item")).to_have_count(0)
