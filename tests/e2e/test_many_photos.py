"""Two hundred photos at once, while some cannot be read, answers get lost, and somebody leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import UNSENT_PHOTOS, check, open_context
from tests.support.pictures import no_face_jpeg
from tests.support.site import Site, wait_until

PHOTOS = 200
#: By their place among the chosen ones.
BROKEN, EMPTY = (4, 24, 44, 64), (10, 50)
#: Of the photos that the server accepts while the first page is open: the answer to each tenth
#: gets lost, and from the hundred and first on none comes.
EACH_LOST, ANSWERED = 10, 100


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    files = [tmp_path / f"photo-{number:03}.jpg" for number in range(PHOTOS)]
    for number, file in enumerate(files):
        file.write_bytes(no_face_jpeg() + number.to_bytes(2))
    for number in BROKEN:
        files[number].write_bytes(b"a text, %d" % number)
    for number in EMPTY:
        files[number].write_bytes(b"")
    return files


def lose_answers(page: Page) -> None:
    """The site gets all that is sent; what it answers comes through in part."""
    browser = page.context.new_cdp_session(page)
    accepted = 0

    def handle(event: dict[str, Any]) -> None:
        nonlocal accepted
        accepted += event.get("responseStatusCode") == 201
        request = {"requestId": event["requestId"]}
        if event.get("responseStatusCode") != 201 or (
            accepted <= ANSWERED and accepted % EACH_LOST
        ):
            browser.send("Fetch.continueRequest", request)
        elif accepted <= ANSWERED:
            browser.send("Fetch.failRequest", request | {"errorReason": "ConnectionReset"})

    browser.on("Fetch.requestPaused", handle)
    pattern = {"urlPattern": "*/api/v1/uploads/*", "requestStage": "Response"}
    browser.send("Fetch.enable", {"patterns": [pattern]})


def test_two_hundred_with_failures_left_and_taken_up_again(
    browser: Browser, site: Site, photos: list[Path]
) -> None:
    person = site.sign_up("two-hundred@example.org")
    context = open_context(browser, site.url, person, width=390, color_scheme="dark")
    page = context.new_page()
    lose_answers(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/")
    page.wait_for_load_state()
    page.set_input_files("#images", photos)
    lines = page.locator(".queue-item")
    expect(lines).to_have_count(PHOTOS)
    refused, lost = len(BROKEN) + len(EMPTY), ANSWERED // EACH_LOST
    expect(page.locator(".queue-item.is-sent")).to_have_count(ANSWERED + refused, timeout=120_000)
    expect(page.locator(".queue-item.can-retry")).to_have_count(lost)
    summary = page.locator("#queue-summary")
    left = PHOTOS - refused - ANSWERED
    expect(summary).to_contain_text(f"{refused + lost} failed")
    expect(summary).to_contain_text(f"{left} still to upload")
    for number, reason in ((BROKEN[0], "file type isn’t supported"), (EMPTY[0], "empty")):
        expect(lines.nth(number)).to_contain_text(reason)
    expect(page.get_by_role("button", name="Retry all failed")).to_be_visible()
    check(page)
    page.locator("h1").click()  # The browser asks only those who have touched the page.
    with page.expect_event("close"):
        page.close(run_before_unload=True)

    page = context.new_page()
    page.goto("/")
    lines = page.locator(".queue-item")
    expect(lines).to_have_count(left + lost)
    expect(page.locator(".queue-item[data-finished]")).to_have_count(left + lost, timeout=120_000)
    expect(summary := page.locator("#queue-summary")).to_have_text(
        f"{left + lost} of {left + lost} done"
    )
    expect(summary).not_to_contain_text("failed")
    expect(page.locator(".queue-duplicate:visible")).to_have_count(0)
    wait_until(lambda: page.evaluate(UNSENT_PHOTOS) == 0)
    check(page)

    page.goto("/")
    expect(page.get_by_role("heading", name="Recent photos")).to_be_visible()
    expect(page.locator(".queue-item")).to_have_count(0)
    good = [file.name for number, file in enumerate(photos) if number not in BROKEN + EMPTY]
    assert sorted(upload["name"] for upload in person.uploads()) == good
    context.close()
