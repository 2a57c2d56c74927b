"""A video that is uploaded in a real browser over a line that breaks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.support.browser import Connection, check, sign_up
from tests.support.videos import make, pictures

#: As the site tells it.
PART_BYTES = 1_000_000
PARTS = re.compile(r"/api/v1/video-transfers/[^/]+/part/")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short film with room at its end, which makes several parts of it."""
    path = tmp_path_factory.mktemp("film") / "interview.avi"
    path.write_bytes(make(pictures(3.0), "avi", "mjpeg") + bytes(5 * PART_BYTES))
    return path


def test_a_line_that_breaks_near_the_end_costs_one_part(page: Page, film: Path) -> None:
    width = page.viewport_size["width"]  # type: ignore[index]
    sign_up(page, f"parts{width}@example.org")
    page.goto("/videos/new/")
    sent: list[str] = []
    broken: list[str] = []

    def pass_or_break(route: Route) -> None:
        offset = re.findall(r"offset=(\d+)", route.request.url)[0]
        if int(offset) == 4 * PART_BYTES and len(broken) < 2:
            broken.append(offset)
            route.abort("connectionreset")
        else:
            sent.append(offset)
            route.continue_()

    def finished(request: Request) -> bool:
        return request.url.endswith("/finish/")

    page.route(PARTS, pass_or_break)
    page.get_by_label("Video", exact=True).set_input_files(film)
    with page.expect_request(finished):
        page.get_by_role("button", name="Upload").click()
        expect(page.get_by_text("The connection was lost. It goes on by itself.")).to_be_visible()
        check(page)
    expect(page.get_by_role("heading", name="interview.avi")).to_be_visible()
    assert len(broken) == 2
    # Nothing that had arrived was sent again.
    n_parts = -(-film.stat().st_size // PART_BYTES)
    assert sent == [str(number * PART_BYTES) for number in range(n_parts)]
    expect(page.locator('[data-status="done"]')).to_be_visible(timeout=120_000)


def test_what_is_no_video_is_refused_at_its_first_part_and_one_can_cancel(
    page: Page, film: Path, tmp_path: Path
) -> None:
    width = page.viewport_size["width"]  # type: ignore[index]
    connection = Connection(page, PARTS)
    sign_up(page, f"cancel{width}@example.org")
    page.goto("/videos/new/")
    text = tmp_path / "letter.mp4"
    text.write_bytes(b"To whom it may concern: this is no video." * 100)
    page.get_by_label("Video", exact=True).set_input_files(text)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not a video that can be read")
    # The second part never arrives, until somebody cancels.
    connection.lost = True
    page.get_by_label("Video", exact=True).set_input_files(film)
    page.get_by_role("button", name="Upload").click()
    with page.expect_request(lambda request: request.method == "DELETE"):
        page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Upload")).to_be_enabled()
