"""A video in a real browser: sent, followed, watched in step with what was seen."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas
import pytest
from playwright.sync_api import Page, expect

from recognition.wording import LABEL_NAMES
from tests.support import clip
from tests.support.browser import check, sign_up
from tests.support.site import Site, wait_until
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
    sign_up(page, f"watch{page.viewport_size['width']}@example.org")  # type: ignore[index]
    send(page, film, keep=True)
    video = page.locator("video")
    expect(video).to_be_visible()
    page.wait_for_function("() => document.querySelector('video').readyState >= 2")
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
    page.wait_for_function(f"() => Math.abs({NOW} - 3.96) < 0.1")
    expect(page.locator(".player-face")).to_have_count(1)

    # It plays, and what is drawn goes along.
    page.evaluate("document.querySelector('video').muted = true")
    seek(page, 1.0)
    page.evaluate("document.querySelector('video').play()")
    page.wait_for_function(f"() => {NOW} > 2.5")
    page.evaluate("document.querySelector('video').pause()")
    now = round(page.evaluate(NOW) * 1000)
    page.wait_for_function(
        f"() => Math.abs(document.querySelector('.player > svg').dataset.shown - {now}) <= 150"
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


def painted(page: Page) -> tuple[int, int]:
    """The part of the recording that the chart shows, in milliseconds."""
    expect(page.locator("#series")).to_have_attribute("data-painted", re.compile(r"^\d+-\d+$"))
    told = page.locator("#series").get_attribute("data-painted") or ""
    begin, end = map(int, told.split("-"))
    return begin, end


def by_api(site: Site, film: Path) -> str:
    """The CSV of a film that a program sent."""
    person = site.sign_up("film-program@example.org")
    with film.open("rb") as file:
        video = person.post("/api/v1/videos/", files={"video": (film.name, file)}).json()

    def is_done() -> bool:
        return bool(person.get(f"/api/v1/videos/{video['id']}/").json()["status"] == "done")

    wait_until(is_done, timeout=PATIENCE / 1000)
    return person.get(video["links"]["csv"]).text


def assert_same_numbers(one: pandas.DataFrame, other: pandas.DataFrame) -> None:
    """But for what is said of where they came from; stored values have three digits."""
    names = [n for n in one.columns if n not in {"recording", "path", "answer"}]
    pandas.testing.assert_frame_equal(one[names], other[names], rtol=1e-3, atol=1e-3)


def test_a_stretch_is_corrected_and_the_csv_read_back(page: Page, film: Path, site: Site) -> None:
    """By key and by pointer; the same film by API and command line gives the same numbers."""
    sign_up(page, f"chart{page.viewport_size['width']}@example.org")  # type: ignore[index]
    send(page, film, keep=False)
    charts = page.locator("[data-charts]")
    begin, end = painted(page)
    assert (begin, end > 9000) == (0, True)
    expect(charts.locator(".of-face")).to_have_count(1)
    areas = charts.locator(".of-face .series-area").evaluate_all(
        "(all) => all.map((a) => a.getAttribute('d'))"
    )
    assert len(areas) == len(LABEL_NAMES)
    assert not any("NaN" in area for area in areas)
    # The face was away once: two areas.
    assert all(area.count("M") == 2 for area in areas)

    # Keys: a moment, zoom, pan, and the whole again.
    charts.focus()
    for _press in range(20):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    expect(page.locator("#series")).not_to_have_attribute("data-painted", f"{begin}-{end}")
    near = painted(page)
    assert near[1] - near[0] < end * 0.6
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#series")).not_to_have_attribute("data-painted", f"{near[0]}-{near[1]}")
    page.keyboard.press("0")
    expect(page.locator("#series")).to_have_attribute("data-painted", f"{begin}-{end}")

    # The same in numbers.
    page.get_by_text("Chart as a table").click()
    expect(page.locator("[data-table] tbody tr")).to_have_count(10)
    check(page)

    # A stretch by pointer, as baseline: shown beside the raw values.
    chart = charts.locator(".of-face svg")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 20, steps=5)
    page.mouse.up()
    expect(page.get_by_label("From (s)")).not_to_have_value("")
    assert float(page.get_by_label("To (s)").input_value()) == pytest.approx(
        0.3 * end / 1000, abs=0.2
    )
    page.get_by_role("button", name="Use as baseline").click()
    expect(charts.locator(".of-change")).to_have_count(1)
    expect(charts.locator(".of-face")).to_have_count(1)
    page.get_by_role("button", name="No baseline").click()
    expect(charts.locator(".of-change")).to_have_count(0)

    # From here to here: neutral.
    page.get_by_label("From (s)").fill("1.5")
    page.get_by_label("To (s)").fill("2.5")
    page.get_by_label("showed").select_option("neutral")
    page.get_by_role("button", name="Correct", exact=True).click()
    expect(page.get_by_text("Face 1, 1.50–2.50 s: Neutral")).to_be_visible()
    painted(page)
    expect(charts.locator(".series-answer")).to_have_count(1)
    page.get_by_label("Time (s)").fill("5")
    page.get_by_label("Name").fill("halfway")
    page.get_by_role("button", name="Set marker").click()
    check(page)

    page.get_by_role("button", name="Download", exact=True).click()
    check(page)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="All samples (CSV)").click()
    table = pandas.read_csv(downloading.value.path())
    assert table.dtypes["time_ms"] == table.dtypes["face"] == "int64"
    is_meant = table["time_ms"].between(1500, 2499)
    assert set(table["answer"][is_meant]) == {"neutral"}
    assert set(table["answer"][~is_meant]) == {"none"}
    assert set(table["label"]) == {"happy"}
    if page.viewport_size == {"width": 1280, "height": 800}:
        assert_same_numbers(table, pandas.read_csv(io.StringIO(by_api(site, film))))
        told = site.manage("recognize", str(film), "--format", "csv").stdout
        assert_same_numbers(table, pandas.read_csv(io.StringIO(told)))

    page.get_by_role("link", name="Means from marker to marker").click()
    expect(page.locator("tr[data-face]")).to_have_count(2)
    expect(page.get_by_role("rowheader", name="halfway")).to_be_visible()
    check(page)


def test_results_only_is_the_default(page: Page, film: Path) -> None:
    sign_up(page, f"results{page.viewport_size['width']}@example.org")  # type: ignore[index]
    page.goto("/videos/new/")
    expect(page.get_by_label("Keep the video")).not_to_be_checked()
    send(page, film, keep=False)
    expect(page.get_by_text("The video has been deleted; these are its results.")).to_be_visible()
    expect(page.locator("video")).to_have_count(0)
