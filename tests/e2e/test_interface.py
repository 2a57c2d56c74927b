"""The interface's documentation, webhooks and limits, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import fits, open_context, sign_up
from tests.support.budgets import sent_bytes
from tests.support.pictures import no_face_jpeg
from tests.support.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site on which one page uploads faster than it may."""
    folder = tmp_path_factory.mktemp("limited")
    with Site(folder, API_UPLOAD_RATE="2/s", WEBHOOK_ALLOW_PRIVATE="true") as running:
        yield running


DOCS = "/api/v1/docs/"


def test_the_documentation_is_light_and_opens_the_reference_under_the_sites_own_policy(
    page: Page,
    request: pytest.FixtureRequest,
) -> None:
    sign_up(page, f"docs-{request.node.callspec.id}@example.org")
    response = page.goto(DOCS)
    assert response is not None
    assert "unsafe" not in response.headers["content-security-policy"]
    page.wait_for_load_state()
    assert [path for _size, path in sent_bytes(page) if "swagger" in path] == []
    assert fits(page)
    page.get_by_role("button", name="Open the interactive reference").click()
    heading = page.get_by_role("heading", name="Interactive reference")
    expect(heading).to_be_focused(timeout=60_000)
    operation = page.locator("#operations-me-me")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text("maximum_bytes")
    assert page.evaluate("window.violations") == []


def test_a_link_to_an_operation_opens_it_in_the_reference(page: Page) -> None:
    page.goto(f"{DOCS}#/live%20sessions/live_sessions_destroy")
    for tag, operation in (
        ("live_sessions", "live_sessions_destroy"),
        ("uploads", "uploads_create"),
    ):
        block = page.locator(f"#operations-{tag}-{operation}")
        control = block.locator(".opblock-summary-control")
        expect(control).to_be_focused(timeout=60_000)
        expect(control).to_have_attribute("aria-expanded", "true")
        expect(block).to_be_in_viewport()
        assert fits(page)
        # The next one, from the list below the reference, which is open now.
        page.get_by_role("link", name="Upload one photo or several").click()


def test_what_could_not_be_fetched_is_tried_again(page: Page) -> None:
    bundle = "**/swagger-ui-bundle*.js"
    page.route(bundle, lambda route: route.abort())
    page.goto(DOCS)
    button = page.get_by_role("button", name="Open the interactive reference")
    button.click()
    expect(page.get_by_text("could not be loaded. Try again.")).to_be_visible(timeout=60_000)
    page.unroute(bundle)
    button.click()
    expect(page.locator("#operations-me-me")).to_be_visible(timeout=60_000)
    expect(button).to_be_hidden()


def test_operations_are_listed_without_javascript(browser: Browser, site: Site) -> None:
    context = open_context(browser, site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(DOCS)
    expect(page.get_by_role("button", name="Open the interactive reference")).to_be_hidden()
    row = page.get_by_role("table", name="Uploads").get_by_role("row").filter(has_text="POST")
    expect(row.first).to_contain_text("/api/v1/uploads/")
    row.first.get_by_role("link", name="Upload one photo or several").click()
    expect(page.locator("tr:target")).to_contain_text("/api/v1/uploads/")
    context.close()


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
