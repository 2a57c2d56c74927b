"""A whole study: planned, opened, taken part in by six with cameras, read, downloaded, deleted."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from operations.waiting_line import EXPIRY_SECONDS
from tests.support import clip
from tests.support.browser import check, launch, open_context, sign_up
from tests.support.pictures import encode, meadow
from tests.support.site import Site, wait_until
from tests.support.study_pages import agree, pass_check, tab

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
STIMULI = ("calm", "storm", "ending")
#: What names a study, its participants and their recordings.
NAMES = """
from studies.models import Participation
people = Participation.objects.filter(study="{study}").values_list("pk", "recording")
print("{study}".replace("-", ""), *(name.hex for pair in people for name in pair if name))
"""
#: Whether anything in Redis has one of these in its key or its value.
IN_REDIS = """
from operations.redis_client import connect
redis = connect()
def read(key):
    kind = redis.type(key).decode()
    read_all = {{"string": redis.get, "hash": redis.hgetall, "set": redis.smembers}}
    read_all |= {{"list": lambda key: redis.lrange(key, 0, -1)}}
    read_all |= {{"zset": lambda key: redis.zrange(key, 0, -1, withscores=True)}}
    return read_all[kind](key) if kind in read_all else kind
kept = {{key: str((key, read(key))).replace("-", "") for key in redis.scan_iter()}}
names = "{names}".split()
print([key for key, text in kept.items() if any(name in text for name in names)])
"""
#: What is left of a study, and recordings that belong to nobody and to no participant.
COUNT = """
from django.core.files.storage import default_storage
from recognition.models import Recording
from studies.models import Block, Condition, Participation, Study
study = "{study}"
of_it = (Block, Condition, Participation)
n_rows = sum(model.objects.filter(study=study).count() for model in of_it)
n_rows += Study.objects.filter(pk=study).count()
n_rows += Recording.objects.filter(owner=None, participation=None).count()
print(n_rows, default_storage.exists("studies/" + study))
"""


def launch_with_camera(playwright: Playwright, file: Path, start: float) -> Browser:
    """A browser whose camera shows two seconds of the clip over and over."""
    with file.open("wb") as frames:
        portrait = clip.astronaut()
        for index in range(60):
            frames.write(clip.jpeg_frame(portrait, start + 0.5 * index / 60))
    return launch(playwright, *CAMERA, f"--use-file-for-fake-video-capture={file}")


def add_block(page: Page, kind: str, name: str, **fields: str) -> None:
    page.get_by_role("main").get_by_role("link", name=kind, exact=True).click()
    page.get_by_label("Name").fill(name)
    for label, value in fields.items():
        field = page.locator(f"#id_{label}")
        if label == "condition":
            field.select_option(value)
        else:
            field.fill(value)
    page.get_by_role("button", name=re.compile("Add block|Continue to the file")).click()


def plan(page: Page) -> str:
    """A study of two conditions and three stimuli, opened; its link."""
    page.goto("/studies/new/")
    page.get_by_label("Title").fill("Weather and faces")
    page.get_by_label("Research question").fill("Does weather change faces?")
    page.get_by_label("Person responsible").fill("Dr Ada Example")
    page.get_by_label("Institution").fill("University of Examples")
    page.get_by_label("This study is not about people at work").check()
    page.get_by_role("button", name="Create study").click()
    tab(page, "Blocks")
    for name in ("sunny", "stormy"):
        page.get_by_label("Name").fill(name)
        page.get_by_role("button", name="Add condition").click()
        expect(page.get_by_role("button", name=f"Delete condition {name}")).to_be_visible()
    add_block(page, "Baseline", "rest", seconds="1")
    add_block(page, "Text", "calm", text="The sea is calm.", seconds="2", condition="sunny")
    add_block(page, "Text", "storm", text="A storm comes.", seconds="2", condition="stormy")
    add_block(page, "Image", "ending", seconds="2")
    picture = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": encode(meadow(), "JPEG")}
    page.get_by_label("Choose a file").set_input_files(picture)  # type: ignore[arg-type]
    page.get_by_role("button", name="Upload file").click()
    expect(page.get_by_role("img", name="What participants see")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    ends = {"low": "bad", "high": "good"}
    add_block(page, "Question: scale", "mood", text="How do you feel?", **ends)
    tab(page, "Overview")
    page.get_by_role("button", name="Open the study").click()
    return page.get_by_label("Link for participants").input_value()


def database_of(site: Site, backup: Path) -> tuple[str, str]:
    """What a backup that is made now has: the database, on SQLite as text, and its manifest."""
    site.manage("backup", str(backup))
    with tarfile.open(backup) as archive:
        kept = [archive.extractfile(name) for name in ("database", "manifest.json")]
        database, manifest = (file.read() for file in kept if file)
    return database.decode("latin-1"), manifest.decode()


def take_part(page: Page) -> None:
    """From the link to the thanks."""
    agree(page)
    pass_check(page)
    expect(page.get_by_text("How do you feel?")).to_be_visible(timeout=60_000)
    page.locator("input[name=answer]").first.check(force=True)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible(timeout=60_000)


def test_from_the_plan_to_the_curve_and_the_end(
    playwright: Playwright, site: Site, tmp_path: Path
) -> None:
    with_face = launch_with_camera(playwright, tmp_path / "face.mjpeg", 1.5)
    nobody = launch_with_camera(playwright, tmp_path / "nobody.mjpeg", clip.AWAY[0] + 0.5)
    researcher = open_context(with_face, site.url).new_page()
    sign_up(researcher, "whole-study@example.org")
    study_link = plan(researcher)

    contexts: list[BrowserContext] = []

    def come(browser: Browser) -> Page:
        contexts.append(open_context(browser, site.url, width=390 if len(contexts) % 2 else 1280))
        page = contexts[-1].new_page()
        page.goto(study_link)
        return page

    for _ in range(3):
        take_part(come(with_face))
    # One finishes and withdraws, one leaves, one has no face before the camera.
    page = come(with_face)
    take_part(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete all my data now").click()
    expect(page.get_by_role("heading", name="Everything is deleted")).to_be_visible()
    page = come(with_face)
    agree(page)
    pass_check(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Stop the study").click()
    expect(page.get_by_role("heading", name="You have stopped")).to_be_visible()
    page = come(nobody)
    agree(page)
    page.get_by_role("button", name="Switch on the camera").click()
    expect(page.get_by_text("No face in view.")).to_be_visible(timeout=60_000)
    for context in contexts:
        context.close()

    tab(researcher, "Results")
    expect(researcher.get_by_text("3 participants in the results")).to_be_visible()
    check(researcher)
    shown = {}
    for name in STIMULI:
        heading = researcher.get_by_role("heading", name=name, exact=True)
        section = researcher.locator("section", has=heading)
        expect(section.locator(".results-chart svg").first).to_be_visible()
        cells = section.locator("tr[data-label=happy]").first.locator("td > span:first-child")
        shown[name] = float(cells.first.inner_text())
    with researcher.expect_download() as download:
        researcher.get_by_role("link", name="study.zip").click()
    archive = zipfile.ZipFile(Path(download.value.path()))
    blocks = pd.read_csv(io.BytesIO(archive.read("blocks.csv")))
    kept = blocks[(blocks["excluded"] == "none") & (blocks["label"] == "happy")]
    means = {name: round(kept[kept["block"] == name]["mean"].mean(), 2) for name in STIMULI}
    assert means == shown
    # Each of the two conditions has seen its own stimulus.
    seen = kept.groupby("block")["participant"].nunique()
    assert seen["calm"] + seen["storm"] == 3 == seen["ending"]
    assert {1, 2} == {seen["calm"], seen["storm"]}

    tab(researcher, "Overview")
    pk = researcher.url.rstrip("/").rpartition("/")[2]
    names = site.manage("shell", "--verbosity", "0", "--command", NAMES.format(study=pk)).stdout
    names = names.splitlines()[-1]
    # The study, six who came less one who withdrew, and a recording of each.
    assert len(names.split()) == 1 + 5 + 5
    database, manifest = database_of(site, tmp_path / "before.tar")
    assert all(name in database for name in names.split())
    assert f"studies/{pk}/" in manifest
    researcher.get_by_role("link", name="Delete the study").click()
    researcher.get_by_role("button", name="Delete everything").click()
    expect(researcher.get_by_text("everything in it is deleted")).to_be_visible()
    left = site.manage("shell", "--verbosity", "0", "--command", COUNT.format(study=pk)).stdout
    assert left.splitlines()[-1] == "0 False"

    def is_forgotten() -> bool:
        search = IN_REDIS.format(names=names)
        found = site.manage("shell", "--verbosity", "0", "--command", search)
        return found.stdout.splitlines()[-1] == "[]"

    # A place is kept for a reload.
    wait_until(is_forgotten, timeout=3 * EXPIRY_SECONDS, every=1)
    database, manifest = database_of(site, tmp_path / "after.tar")
    assert [name for name in names.split() if name in database] == []
    assert pk not in manifest
    with_face.close()
    nobody.close()
