"""Photos a second through the whole system, beside the bare recognizer loop in one process.

The system is the site as its Procfile runs it: Daphne receives, checks and re-encodes each photo,
Celery workers recognize it, results go to the database. Both are measured in one run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.bare_loop import bare
from tests.support.pictures import astronaut, encode
from tests.support.report import machine, show
from tests.support.site import ROOT, Person, Site, wait_until

#: People uploading at the same time, each one photo after the other.
UPLOADERS = 4


def whole(photo: bytes, n_photos: int, folder: Path) -> tuple[float, float]:
    """Photos a second accepted, and finished, by the running site."""
    with Site(folder) as site:
        people = [site.sign_up(f"person{number}@example.org") for number in range(UPLOADERS)]
        for person in people:
            assert person.upload(photo).status_code == 201
            person.wait_until_finished()

        def upload_many(person: Person) -> None:
            for _ in range(n_photos // UPLOADERS):
                assert person.upload(photo).status_code == 201

        start = time.perf_counter()
        with ThreadPoolExecutor(UPLOADERS) as threads:
            list(threads.map(upload_many, people))
        accepted = time.perf_counter() - start
        for person in people:
            wait_until(lambda person=person: not unfinished(person), timeout=600, every=0.5)
        finished = time.perf_counter() - start
    n_uploaded = n_photos // UPLOADERS * UPLOADERS
    return n_uploaded / accepted, n_uploaded / finished


def unfinished(person: Person) -> int:
    """How many of a person's newest uploads have not ended, without asking for all of them."""
    return sum(
        len(person.get(f"/uploads/?status={status}").text.split("data-upload=")) - 1
        for status in ("pending", "processing")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--side", type=int, default=1280, help="of the square photo, in pixels")
    parser.add_argument("--manifest", type=Path, default=ROOT / "models" / "emotion_vgg16.json")
    parser.add_argument("--json", type=Path, dest="json_path")
    options = parser.parse_args()
    about = machine()
    photo = encode(astronaut().resize((options.side, options.side)), quality=90)
    loop = bare(photo, options.photos, options.manifest)
    with tempfile.TemporaryDirectory() as folder:
        accepted, finished = whole(photo, options.photos, Path(folder))
    show(
        {
            "bare recognizer loop, one process": {"photos/s": loop, "of the loop": 1.0},
            "whole system, accepted": {"photos/s": accepted, "of the loop": accepted / loop},
            "whole system, finished": {"photos/s": finished, "of the loop": finished / loop},
        },
        about,
        json_path=options.json_path,
    )


if __name__ == "__main__":
    main()
