"""A video in a real browser: sent, followed, watched in step with what was seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.support import clip
from tests.support.browser import LISTEN, check, sign_up
from tests.support.videos import make

#: Until a worker has looked at ten seconds, beside whatever else the machine does.
PATIENCE = 120_000
NOW = "document.querySelector('video').currentTime"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds that every Chromium can play: a face that moves, leaves and comes back."""
    frames = [clip.frame(clip.astronaut(), second) for second in np.arange(0, 10, 0.1)]
    path = tmp_path_factory.mktemp("film") / "interview.webm"
    path.write_bytes(make(frames, "webm", "libvpx", g="10"))
    return path


def send(page: Page, film: Path, *, keep: bool) -> None:
    """Upload a video by the form, and wait until a worker has looked at it."""
    page.goto("/videos/new/")
    page.get_by_label("Video", exact=True).set_input_files(film)
    page.get_by_label("Keep the video").set_checked(keep)
    check(page)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="interview.webm")).to_be_visible()
    expect(page.locator('[data-status="done"]')).to_be_visible(timeout=PATIENCE)


def seek(page: Page, seconds: float) -> None:
    """Move the video and wait until what is drawn over it belongs to that moment."""
    page.evaluate(f"{NOW} = {seconds}")
    shown = page.locator(f'.player > svg[data-shown="{round(seconds * 1000)}"]')
    expect(shown).to_have_count(1)


def box_of(page: Page) -> dict[str, float]:
    """The box that is drawn, in pixels of the video's pictures."""
    names = "['x', 'y', 'width', 'height']"
    found: dict[str, float] = page.locator(".player-face rect").evaluate(
        f"(rect) => Object.fromEntries({names}.map((n) => [n, Number(rect.getAttribute(n))]))"
    )
    return found


def test_a_kept_video_plays_in_step_with_what_was_seen(page: Page, film: Path) -> None:
    page.add_init_script(LISTEN)
    sign_up(page, f"watch{page.viewport_size['width']}@example.org")  # type: ignore[index]
    send(page, film, keep=True)
    video = page.locator("video")
    expect(video).to_be_visible()
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    samples = page.request.get(
        page.locator("[data-player]").get_attribute("data-boxes") or ""
    ).json()

    # Wherever the video is, the box drawn is that of the sample.
    for seconds in (2.0, 4.5, 9.5):
        seek(page, seconds)
        expect(page.locator(".player-face")).to_have_count(1)
        (sample,) = [s for s in samples["samples"] if s[0] == round(seconds * 1000)]
        assert list(box_of(page).values()) == sample[2:6]
        expect(page.locator(".player-face")).to_contain_text("Happy")
        playhead = float(page.locator(".timeline-playhead").first.get_attribute("x1") or 0)
        length = float(page.locator("#seen").get_attribute("data-length") or 0)
        assert playhead == pytest.approx(seconds * 1000 / length * 500, abs=1)
    seek(page, 7.8)  # It has left.
    expect(page.locator(".player-face")).to_have_count(0)

    # A click on the timeline leads to that moment.
    chart = page.locator(".timeline > svg").first
    size = chart.bounding_box()
    assert size is not None
    chart.click(position={"x": size["width"] * 0.4, "y": 5})
    page.wait_for_function(f"Math.abs({NOW} - 3.96) < 0.1")
    expect(page.locator(".player-face")).to_have_count(1)

    # It plays, and what is drawn goes along.
    page.evaluate("document.querySelector('video').muted = true")
    seek(page, 1.0)
    page.evaluate("document.querySelector('video').play()")
    page.wait_for_function(f"{NOW} > 2.5")
    page.evaluate("document.querySelector('video').pause()")
    now = round(page.evaluate(NOW) * 1000)
    page.wait_for_function(
        f"Math.abs(document.querySelector('.player > svg').dataset.shown - {now}) <= 150"
    )

    # A marker at the video's moment.
    seek(page, 4.5)
    page.get_by_role("button", name="Take this moment").click()
    expect(page.get_by_label("Time (s)")).to_have_value("4.50")
    page.get_by_label("Name").fill("smile")
    page.get_by_role("button", name="Set marker").click()
    expect(page.get_by_role("cell", name="smile", exact=True)).to_be_visible()
    check(page)

    # The video goes, what was seen stays.
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete the video, keep its results").click()
    expect(
        page.get_by_text("The video has been deleted; its results are still here.")
    ).to_be_visible()
    expect(page.locator("video")).to_have_count(0)
    expect(page.locator(".timeline")).to_have_count(1)


def test_results_only_is_the_default(page: Page, film: Path) -> None:
    sign_up(page, f"results{page.viewport_size['width']}@example.org")  # type: ignore[index]
    page.goto("/videos/new/")
    expect(page.get_by_label("Keep the video")).not_to_be_checked()
    send(page, film, keep=False)
    expect(page.get_by_text("The video has been deleted; these are its results.")).to_be_visible()
    expect(page.locator("video")).to_have_count(0)
