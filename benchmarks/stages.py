"""What each stage of a photo and of a live frame costs one core, and what larger numbers need.

Measured is the processor's time, which other programs on the machine hardly change; the wall's is
beside it. One thread, as in the site's own processes. `make tables` fills docs/CAPACITY.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support import clip
from tests.support.pictures import astronaut, encode
from tests.support.report import machine, show

#: Sides of the square photos: one of the web and one of a phone (12 megapixels).
SIDES = {"1.6 MP": 1280, "12 MP": 3464}
LIVE_SECONDS = 20
#: Share of a core that is planned for: beyond it, queues grow faster than cores work.
UTILISATION = 0.7
PHOTOS_A_DAY, PEAK = 1_000_000, 3.0
VIEWERS, FRAMES_A_SECOND = 1_000, 5.0

Row = dict[str, float]


def cost(work: Callable[[], Any], repeats: int) -> Row:
    """Median times of a call, in milliseconds, and how many of them one core does in a second."""
    work()
    processor, wall = [], []
    for _ in range(repeats):
        begun, started = time.process_time(), time.perf_counter()
        work()
        processor.append(time.process_time() - begun)
        wall.append(time.perf_counter() - started)
    return row(statistics.median(processor), statistics.median(wall))


def row(processor: float, wall: float) -> Row:
    return {"core ms": processor * 1000, "wall ms": wall * 1000, "a second": 1 / processor}


def set_up(folder: str) -> None:
    """A site of its own, in a folder that goes again."""
    os.environ.update(
        DATA_DIR=folder, DEBUG="true", DJANGO_SETTINGS_MODULE="emotion_site.settings",
        RECOGNIZER_THREADS="1", OMP_NUM_THREADS="1", METRICS_TOKEN="", LOG_LEVEL="ERROR",
        REDIS_URL=f"unix://{folder}/none.sock",
    )  # fmt: skip
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    import cv2

    cv2.setNumThreads(1)


def photo_stages(photo: bytes, name: str, repeats: int) -> dict[str, Row]:
    """Accepting a photo in a web process, and each stage of it in a worker."""
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.db import transaction

    from accounts.models import User
    from recognition.model_registry.inference import active_recognizer
    from recognition.models import Upload
    from recognition.uploads import processing
    from recognition.uploads.actions import create_upload
    from recognition.vision import images
    from recognition.vision.recognizer import WORKING_SIDE

    owner, _made = User.objects.get_or_create(email="bench@example.org")

    def accept() -> Upload:
        # The message to the queue is sent after the commit, which does not come: Redis is not
        # part of this.
        with transaction.atomic():
            upload = create_upload(owner, SimpleUploadedFile("photo.jpg", photo))
            transaction.get_connection().run_on_commit.clear()
            return upload

    def save() -> None:
        processing.complete(claimed, seen, "bench")
        Upload.objects.filter(pk=claimed.pk).update(
            status=Upload.Status.PROCESSING, claim=claimed.claim
        )

    recognizer = active_recognizer()
    stored = accept().image.open("rb").read()
    image_gray, _size = images.decode_gray(stored, longest_side=WORKING_SIDE)
    boxes = [face.box for face in recognizer.detector.detect(image_gray)]
    seen = recognizer.recognize(stored)
    Upload.objects.update(queued_at=None)
    claimed = Upload.objects.claim(str(Upload.objects.latest("created_at").pk))
    assert claimed is not None
    assert len(seen.faces) == 1
    return {
        f"{name}: clean (check, re-encode)": cost(lambda: images.clean(photo), repeats),
        f"{name}: accept (clean, store, row)": cost(accept, repeats),
        f"{name}: decode": cost(
            lambda: images.decode_gray(stored, longest_side=WORKING_SIDE), repeats
        ),
        f"{name}: detect": cost(lambda: recognizer.detector.detect(image_gray), repeats),
        f"{name}: classify, one face": cost(
            lambda: recognizer.classify(image_gray, boxes[:1]), repeats
        ),
        f"{name}: save": cost(save, repeats),
        f"{name}: whole recognition": cost(lambda: recognizer.recognize(stored), repeats),
    }


def live_stage() -> dict[str, Row]:
    """The mean over a clip: some frames are searched all over, most are not."""
    from recognition.model_registry.inference import active_recognizer
    from recognition.vision.live import LiveRecognizer, LiveState

    recognizer, state = LiveRecognizer(active_recognizer()), LiveState()
    frames = list(clip.jpeg_frames(clip.astronaut(), seconds=LIVE_SECONDS))
    step = round(clip.FRAMES_PER_SECOND / FRAMES_A_SECOND)
    chosen = [(number, frames[number]) for number in range(0, len(frames), step)]
    recognizer.process(frames[0], LiveState(), 0.0)
    begun, started = time.process_time(), time.perf_counter()
    for number, data in chosen:
        recognizer.process(data, state, number / clip.FRAMES_PER_SECOND)
    n = len(chosen)
    name = f"live frame, 640×480, at {FRAMES_A_SECOND:g} a second"
    return {name: row((time.process_time() - begun) / n, (time.perf_counter() - started) / n)}


def needs(figures: dict[str, Row]) -> list[str]:
    """Cores for the numbers that are planned for, as sentences."""
    said = []
    for name in SIDES:
        rate = PHOTOS_A_DAY / 86_400
        # Photos are cleaned in a process of its own, whose time is not in that of accepting them.
        workers, web = (
            sum(figures[f"{name}: {stage}"]["core ms"] for stage in stages)
            * (rate / 1000 / UTILISATION)
            for stages in (
                ("whole recognition", "save"),
                ("clean (check, re-encode)", "accept (clean, store, row)"),
            )
        )
        said.append(
            f"{PHOTOS_A_DAY:,} photos of {name} a day: {workers:.1f} cores for workers and "
            f"{web:.1f} for web processes; {PEAK * workers:.0f} and {PEAK * web:.0f} where the "
            f"busiest hour is {PEAK:g} times the mean"
        )
    (frame,) = (value for key, value in figures.items() if key.startswith("live frame"))
    cores = frame["core ms"] / 1000 * VIEWERS * FRAMES_A_SECOND / UTILISATION
    said.append(
        f"{VIEWERS:,} live viewers at {FRAMES_A_SECOND:g} frames a second: {cores:.0f} cores"
    )
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--json", type=Path, dest="json_path")
    options = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory() as folder:
        set_up(folder)
        figures: dict[str, Row] = {}
        for name, side in SIDES.items():
            photo = encode(astronaut().resize((side, side)), quality=90)
            figures |= photo_stages(photo, name, options.repeats)
        figures |= live_stage()
    show(figures, about, json_path=options.json_path)
    for sentence in needs(figures):
        sys.stdout.write(sentence + "\n")


if __name__ == "__main__":
    main()
