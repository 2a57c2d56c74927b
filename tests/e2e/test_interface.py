"""The interface's documentation, webhooks and limits, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import fits, sign_up
from tests.support.pictures import no_face_jpeg
from tests.support.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site on which one page uploads faster than it may."""
    folder = tmp_path_factory.mktemp("limited")
    with Site(folder, API_UPLOAD_RATE="2/s", WEBHOOK_ALLOW_PRIVATE="true") as running:
        yield running


def test_the_documentation_works_under_the_sites_own_policy(
    page: Page,
    request: pytest.FixtureRequest,
) -> None:
    sign_up(page, f"docs-{request.node.callspec.id}@example.org")
    response = page.goto("/api/v1/docs/")
    assert response is not None
    assert "unsafe" not in response.headers["content-security-policy"]
    operation = page.locator("#operations-me-me")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text("maximum_bytes")


def test_a_webhook_from_its_page(
    page: Page,
    site: Site,
    request: pytest.FixtureRequest,
) -> None:
    sign_up(page, f"hooks-{request.node.callspec.id}@example.org")
    page.goto("/webhooks/")
    page.get_by_label("URL").fill("ftp://example.org")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Use a URL such as")).to_be_visible()
    page.get_by_label("URL").fill(f"{site.url}/no-such-page")
    page.get_by_role("button", name="Add").click()
    assert page.get_by_label("Secret").input_value().startswith("whsec_")
    assert fits(page)
    page.get_by_role("button", name="Send test").click()
    expect(page.get_by_role("cell", name="ping")).to_be_visible()
    answer = page.get_by_text("The response was 404.")
    deadline = time.monotonic() + 60
    while answer.count() == 0 and time.monotonic() < deadline:
        page.wait_for_timeout(500)
        page.reload()
    expect(answer).to_be_visible()
    assert fits(page)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Webhook deleted.")).to_be_visible()


def test_photos_that_come_too_fast_wait_and_are_all_accepted(
    page: Page,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    sign_up(page, f"fast-{request.node.callspec.id}@example.org")
    for number in range(7):
        (tmp_path / f"{number}.jpg").write_bytes(no_face_jpeg() + bytes([number]))
    page.set_input_files("#images", sorted(tmp_path.iterdir()))
    expect(page.locator(".queue-item.is-sent")).to_have_count(7, timeout=60_000)
    expect(page.locator(".queue-item.is-refused")).to_have_count(0)
