"""Pictures of the pages for the documentation, taken from a running site in a real browser.

``python -m benchmarks.screenshots FOLDER`` starts a site, fills it with pictures that may be shown
(NASA's portrait, and faces composed from it), and writes WebP files: each page on a desktop in
light and on a phone in dark, and an animation in which somebody looks at faces and corrects one.

``--studies`` takes those of a study and of its participants alone; they are among the others, too.
``--before`` takes the pages that were there already in an earlier version, of the same photos, as
``before-….webp``: that version's code comes out of git, and runs with the packages of today.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import django
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.study_screenshots import fill_studies, take_part
from tests.support import clip
from tests.support.browser import launch, open_context
from tests.support.pictures import face_jpeg, two_faces_jpeg
from tests.support.site import ROOT, Person, Site, wait_until
from tests.support.videos import make

EMAIL = "ada@example.org"
SAMPLES = ROOT / "static" / "img" / "samples"
VIDEO_SECONDS = 12
QUALITY = 60
#: Of the animation: width in pixels, milliseconds a picture.
FRAME_WIDTH, FRAME_MS = 800, 900
#: For how long the camera is looked at: its figures come once a second.
LIVE_MS = 2500
#: A player that has never played shows that it is loading.
PLAY_AND_PAUSE = """async () => {
  const video = document.querySelector("video");
  video.muted = true;
  await video.play();
  await new Promise((done) => { video.addEventListener("timeupdate", done, { once: true }); });
  video.pause();
}"""


class Look(NamedTuple):
    """What the pages are looked at with."""

    name: str
    width: int
    height: int
    scheme: str


LOOKS = (Look("desktop", 1280, 860, "light"), Look("phone", 390, 780, "dark"))
#: The last commit before the changes of 0.2.0 and 0.3.0, which docs/BEFORE_AND_AFTER.md shows.
BEFORE = "17d6fe2"
#: Which of its pages are taken on a phone, too.
BEFORE_ON_PHONE = ("history", "photo")
#: Makes the first person who signed up an operator, in every version.
MAKE_OPERATOR = (
    "from accounts.models import User;"
    "User.objects.filter(email='operator@example.org').update(is_staff=True, is_superuser=True)"
)


def sign_up_operator(site: Site) -> Person:
    person = site.sign_up("operator@example.org")
    site.manage("shell", "-c", MAKE_OPERATOR)
    return person


def fill_with_photos(site: Site) -> tuple[Person, dict[str, str]]:
    """Somebody with photos; the URLs of pages by the names of their pictures."""
    person = site.sign_up(EMAIL).accept_camera()
    assert person.upload(face_jpeg(), "at work.jpg").status_code == 201
    assert person.upload(two_faces_jpeg(), "two friends.jpg").status_code == 201
    assert person.upload((SAMPLES / "portrait.jpg").read_bytes(), "portrait.jpg").is_success
    many = person.upload((SAMPLES / "prints.jpg").read_bytes(), "prints.jpg").json()
    person.wait_until_finished()
    return person, {
        "upload": "/",
        "history": "/uploads/",
        "photo": f"/uploads/{many['id']}/",
        "statistics": "/statistics/",
        "live": "/live/",
    }


def fill_with_video(person: Person) -> dict[str, str]:
    """Give somebody a video, too; the URLs of the pages that this adds."""
    frames = [clip.frame(clip.astronaut(), at) for at in np.arange(0, VIDEO_SECONDS, 0.1)]
    files = {"video": ("interview.mp4", make(frames, g="10"), "video/mp4")}
    sent = person.post("/api/v1/videos/", files=files, data={"keep": "true"})
    assert sent.status_code == 201, sent.text
    video = f"/api/v1/videos/{sent.json()['id']}/"
    wait_until(lambda: person.get(video).json()["status"] == "done", timeout=300)
    recording = person.get("/api/v1/recordings/").json()["results"][0]["id"]
    return {"recording": f"/live/sessions/{recording}/", "studies": "/studies/"}


def take(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def write_pages(
    browser: Browser,
    site: Site,
    person: Person,
    pages: dict[str, str],
    folder: Path,
    looks: Sequence[Look] = LOOKS,
    before: str = "",
) -> None:
    """Write ``NAME-LOOK.webp`` for each page and look, after ``before`` in the file's name."""
    for look in looks:
        context = open_context(
            browser,
            site.url,
            person,
            viewport={"width": look.width, "height": look.height},
            color_scheme=look.scheme,
            reduced_motion="reduce",
            locale="en-GB",
        )
        page = context.new_page()
        for name, path in pages.items():
            if name == "welcome":  # As a stranger, so it comes last.
                context.clear_cookies()
            page.goto(path)
            page.wait_for_load_state("networkidle")
            if name == "recording":
                page.evaluate(PLAY_AND_PAUSE)
                page.mouse.move(0, 0)
                page.wait_for_timeout(LIVE_MS)
            if name == "live":
                page.get_by_role("button", name="Start camera").click()
                expect(page.locator(".live-face").first).to_be_visible(timeout=30_000)
                page.wait_for_timeout(LIVE_MS)
            file = folder / f"{before}{name}-{look.name}.webp"
            take(page).save(file, quality=QUALITY, method=6)
        context.close()


def write_participant_pages(browser: Browser, site: Site, way_in: str, folder: Path) -> None:
    """Take part in a study, without an account."""
    for look in LOOKS:
        context = open_context(
            browser,
            site.url,
            viewport={"width": look.width, "height": look.height},
            color_scheme=look.scheme,
            reduced_motion="reduce",
            locale="en-GB",
        )
        for page, name in take_part(context.new_page(), way_in):
            page.wait_for_load_state("networkidle")
            file = folder / f"{name}-{look.name}.webp"
            take(page).save(file, quality=QUALITY, method=6)
        context.close()


def write_operator_pages(browser: Browser, site: Site, folder: Path, before: str = "") -> None:
    pages = {"account": "/accounts/profile/", "admin": "/admin/", "api": "/api/v1/docs/"}
    write_pages(browser, site, sign_up_operator(site), pages, folder, LOOKS[:1], before)


def write_before(browser: Browser, commit: str, folder: Path, scratch: Path) -> None:
    """Write the pages of an earlier version as ``before-….webp``."""
    code = scratch / "code"
    archive = subprocess.run(
        ["git", "archive", commit], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(code, filter="data")
    with Site(scratch / "site", code=code) as site:
        person, pages = fill_with_photos(site)
        on_phone = {name: pages[name] for name in BEFORE_ON_PHONE}
        on_desktop = pages | {"welcome": "/"}
        write_pages(browser, site, person, on_desktop, folder, LOOKS[:1], "before-")
        write_pages(browser, site, person, on_phone, folder, LOOKS[1:], "before-")
        write_operator_pages(browser, site, folder, "before-")


def write_animation(browser: Browser, site: Site, person: Person, path: str, file: Path) -> None:
    """Hover over faces of a photo with many, then correct one."""
    context = open_context(
        browser,
        site.url,
        person,
        viewport={"width": 1200, "height": 800},
        reduced_motion="reduce",
        locale="en-GB",
    )
    page = context.new_page()
    page.goto(path)
    page.wait_for_load_state("networkidle")
    pictures = [take(page)]
    for face in (0, 3, 2):
        page.locator(f'.face-box[data-face="{face}"]').hover()
        pictures.append(take(page))
    page.locator('.face-box[data-face="2"]').click()
    pictures.append(take(page))
    page.keyboard.press("2")
    page.wait_for_load_state("networkidle")
    pictures += [take(page), take(page)]
    context.close()
    height = round(FRAME_WIDTH * pictures[0].height / pictures[0].width)
    small = [
        picture.resize((FRAME_WIDTH, height), Image.Resampling.LANCZOS) for picture in pictures
    ]
    small[0].save(
        file, save_all=True, append_images=small[1:], duration=FRAME_MS, loop=0,
        quality=QUALITY, method=6,
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "docs" / "screenshots")
    parser.add_argument("--studies", action="store_true", help="take the pages of studies alone")
    parser.add_argument(
        "--before",
        metavar="COMMIT",
        nargs="?",
        const=BEFORE,
        help=f"take the pages of an earlier version instead ({BEFORE} unless another is named)",
    )
    options = parser.parse_args(arguments)
    # What is pressed on a participant's pages is found by the site's own sentences.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        camera = Path(scratch) / "face.mjpeg"
        clip.write_mjpeg(camera, clip.astronaut())
        browser = launch(
            playwright,
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
        )
        if options.before:
            write_before(browser, options.before, folder, Path(scratch))
        elif options.studies:
            with Site(Path(scratch) / "site") as site:
                person = site.sign_up(EMAIL)
                studies, way_in = fill_studies(site, EMAIL)
                write_pages(browser, site, person, studies, folder)
                write_participant_pages(browser, site, way_in, folder)
        else:
            with Site(Path(scratch) / "site") as site:
                person, pages = fill_with_photos(site)
                studies, way_in = fill_studies(site, EMAIL)
                pages |= fill_with_video(person) | studies | {"welcome": "/"}
                write_participant_pages(browser, site, way_in, folder)
                write_pages(browser, site, person, pages, folder)
                write_operator_pages(browser, site, folder)
                write_animation(browser, site, person, pages["photo"], folder / "correct.webp")
        browser.close()


if __name__ == "__main__":
    main()
