"""A study's results in a browser: curves beside the stimulus, switches, rules, downloads."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import check, fits, open_context
from tests.support.site import Person, Site

EMAIL = "results@example.org"
#: Eight who took part in a study of an image, a video and a text, as the owner's.
WRITE = f"""
import json
from django.core.files.base import ContentFile
from accounts.models import User
from tests.support import pictures, videos
from tests.support.study_results import with_data
from studies.models import Block
study = with_data(User.objects.get(email="{EMAIL}"), title="Sea and storm")
for name, kind, media_type, content in (
    ("sea", "image", "image/jpeg", pictures.encode(pictures.meadow())),
    ("storm", "video", "video/webm", videos.make(videos.pictures(), "webm", "libvpx")),
):
    block = study.blocks.get(name=name)
    block.kind, block.media_type = kind, media_type
    block.file.save("stimulus", ContentFile(content), save=False)
    block.save()
print(json.dumps(str(study.pk)))
"""


@pytest.fixture(scope="module")
def person(site: Site) -> Person:
    return site.sign_up(EMAIL)


@pytest.fixture(scope="module")
def study(site: Site, person: Person) -> str:
    return str(json.loads(site.manage("shell", "-c", WRITE).stdout.splitlines()[-1]))


@pytest.fixture
def open_page(browser: Browser, site: Site, person: Person) -> Iterator[Any]:
    contexts = []

    def open_one(width: int = 1280, **options: Any) -> Page:
        context = open_context(browser, site.url, person, width=width, **options)
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()


def happy(section: Locator) -> list[float]:
    """Mean, peak, seconds to the peak and share of `happy` in a section's first table."""
    cells = section.locator("tr[data-label=happy]").first.locator("td > span:first-child")
    return [float(text) for text in cells.all_text_contents()]


def section(page: Page, name: str) -> Locator:
    return page.locator("section", has=page.get_by_role("heading", name=name, exact=True))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_at_both_widths(open_page: Any, study: str, width: int, scheme: str) -> None:
    page = open_page(width, color_scheme=scheme)
    page.goto(f"/studies/{study}/results/")
    expect(page.get_by_text("7 of 50 finished")).to_be_visible()
    sea = section(page, "sea")
    expect(sea.get_by_role("img", name="Stimulus sea")).to_be_visible()
    expect(sea.locator(".curve-band")).to_have_count(5)
    assert happy(sea) == [0.53, 0.53, 0.0, 1.0] or happy(sea) == [0.54, 0.54, 0.0, 1.0]
    check(page)
    sea.get_by_role("link", name=re.compile("Each participant *: sea")).click()
    expect(page.get_by_role("heading", name="Each participant: sea")).to_be_visible()
    expect(page.locator(".results-people figure")).to_have_count(7)
    expect(page.locator("#P001 polyline").first).to_be_attached()
    check(page)


def test_switches_work_without_javascript(open_page: Any, study: str) -> None:
    page = open_page(390, java_script_enabled=False)
    page.goto(f"/studies/{study}/results/")
    before = happy(section(page, "sea"))
    page.get_by_label("Values").select_option("Change from the baseline")
    page.get_by_role("button", name="Apply").click()
    assert page.url.endswith("values=corrected")
    assert happy(section(page, "sea"))[:2] == [0.4, 0.4] != before[:2]
    page.get_by_label("Compare").select_option("By condition")
    page.get_by_role("button", name="Apply").click()
    sea = section(page, "sea")
    expect(sea.locator("figure")).to_have_count(2)
    expect(sea.get_by_text("too few for intervals").first).to_be_visible()
    # The switches stay as they are from page to page.
    sea.get_by_role("link", name=re.compile("Each participant *: sea")).click()
    expect(page.get_by_label("Compare")).to_have_value("condition")


def test_the_video_and_the_curve_go_together(open_page: Any, study: str) -> None:
    page = open_page()
    page.goto(f"/studies/{study}/results/")
    storm = section(page, "storm")
    video, cursor = storm.locator("video"), storm.locator(".curve-cursor")
    expect(cursor).to_have_attribute("visibility", "hidden")
    page.wait_for_function("document.querySelector('video').readyState >= 1")
    box = storm.locator(".results-chart svg").bounding_box()
    assert box is not None
    # The visit lasted 5 seconds and the film 2: a fifth of the way is its first second.
    storm.locator(".results-chart svg").click(position={"x": box["width"] / 5, "y": 20})
    expect(cursor).to_have_attribute("visibility", "visible")
    expect(cursor).to_have_attribute("x1", re.compile(r"^1(19|20|21)"))
    assert video.evaluate("video => video.currentTime") == pytest.approx(1.0, abs=0.02)


def test_rules_and_the_archive(open_page: Any, study: str) -> None:
    page = open_page()
    page.goto(f"/studies/{study}/results/")
    page.get_by_label("Least share of frames with a face (%)").fill("60")
    page.get_by_role("button", name="Save rules").click()
    expect(page.get_by_text("6 participants in the results")).to_be_visible()
    expect(
        page.get_by_role("row", name=re.compile("P008 too few frames with a face"))
    ).to_be_visible()
    shown = {name: happy(section(page, name)) for name in ("sea", "storm")}
    page.wait_for_load_state()  # What is clicked while a page loads may end its loading.
    with page.expect_download() as download:
        page.get_by_role("link", name="study.zip").click()
    archive = zipfile.ZipFile(Path(download.value.path()))
    assert archive.testzip() is None
    blocks = pd.read_csv(io.BytesIO(archive.read("blocks.csv")))
    kept = blocks[(blocks["excluded"] == "none") & (blocks["label"] == "happy")]
    assert kept["participant"].nunique() == 6
    for name, figures in shown.items():
        means = kept[kept["block"] == name][["mean", "peak", "latency", "share"]].mean()
        assert figures == [round(value, 2) for value in means]
    curves = pd.read_csv(io.BytesIO(archive.read("curves.csv")))
    curves = curves[(curves["excluded"] == "none") & (curves["block"] == "sea")]
    mean = curves.groupby("participant")["p_happy"].mean().mean()
    assert round(mean, 2) == shown["sea"][0]
    assert "6 were analysed" in archive.read("methods.txt").decode()
    assert fits(page)
    page.context.close()
