"""What a browser gets of the pages: how soon, how much, and how still they stay.

The history with a thousand photos above all: its first paint in a real browser with an empty cache,
and what it asks the database.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import launch, open_context
from tests.support.budgets import LISTEN_FOR_SHIFTS, MOST_BYTES, MOST_SHIFT, sent_bytes, shift
from tests.support.report import Figure, show_figures
from tests.support.site import Person, Site

EMAIL = "bench@example.org"
#: Milliseconds until something is painted; queries of a page.
MOST_MS, MOST_QUERIES = 1000, 40
PHONE, DESKTOP = 390, 1280
#: Photos of half a year, as rows and files, without a worker: each a portrait with one face. Prints
#: how often the history asks the database, and the address of a photo.
_FILL = """
import json
from datetime import timedelta
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from accounts.models import User
from recognition.models import Prediction, Upload
from recognition.vision import images
from tests.support.pictures import face_jpeg
owner, photo = User.objects.get(email={email!r}), face_jpeg()
first = Upload(owner=owner, name="1.jpg", byte_size=len(photo), width=512, height=512)
first.image.save("photo.jpg", ContentFile(photo), save=False)
rows = [first] + [
    Upload(owner=owner, name=f"{{n}}.jpg", byte_size=len(photo), width=512, height=512,
           image=first.image.name)
    for n in range(2, {n} + 1)
]
for n, row in enumerate(rows):
    row.sha256, row.status = f"{{n:064x}}", Upload.Status.DONE
Upload.objects.bulk_create(rows)
now, labels = timezone.now(), ("happy", "neutral", "sad", "surprise")
for n, row in enumerate(rows):
    row.created_at = now - timedelta(hours=4 * n)
Upload.objects.bulk_update(rows, ["created_at"], batch_size=200)
Prediction.objects.bulk_create(
    Prediction(upload=row, index=0, x=150, y=60, width=180, height=180, label=labels[n % 4],
               confidence=0.7, probabilities={{name: 0.7 if name == labels[n % 4] else 0.1
                                               for name in labels}})
    for n, row in enumerate(rows)
)
client = Client(HTTP_HOST="localhost")
client.force_login(owner)
with CaptureQueriesContext(connection) as queries:
    assert client.get("/uploads/").status_code == 200
print(json.dumps([len(queries), str(first.pk)]))
"""
_FIRST_PAINT = """() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime"""


class PageSite(Site):
    """The web process and Redis; a worker would only want the processor."""

    PROCESSES = ("redis", "web")

    def is_healthy(self) -> bool:
        self.wait_for_web()
        return True


def fill(site: Site, n_photos: int) -> tuple[int, str]:
    """Give the person photos; queries of the history with them, and the id of a photo."""
    script = _FILL.format(email=EMAIL, n=n_photos)
    made = site.manage("shell", "--verbosity", "0", "--command", script).stdout
    queries, photo = json.loads(made.splitlines()[-1])
    return queries, photo


def first_paints(
    browser: Browser, site: Site, person: Person, width: int, repeats: int
) -> list[float]:
    """Milliseconds from the click to the first paint of the history, each with an empty cache."""
    found = []
    for _ in range(repeats):
        context = open_context(browser, site.url, person, width=width)
        page = context.new_page()
        page.goto("/uploads/")
        page.wait_for_function(f"({_FIRST_PAINT})() !== undefined")
        found.append(float(page.evaluate(_FIRST_PAINT)))
        context.close()
    return found


def looked_at(
    browser: Browser, site: Site, person: Person, paths: dict[str, str]
) -> dict[str, tuple[int, float]]:
    """Of each page by its name: bytes, and how far it shifted at the worse of two widths."""
    found: dict[str, tuple[int, float]] = {}
    for width in (DESKTOP, PHONE):
        for name, path in paths.items():
            # One each, so that nothing comes from a cache.
            context = open_context(browser, site.url, person, width=width)
            context.add_init_script(LISTEN_FOR_SHIFTS)
            page = context.new_page()
            page.goto(path)
            page.wait_for_load_state("networkidle")
            weight, shifted = sum(size for size, _path in sent_bytes(page)), shift(page)["sum"]
            before = found.get(name, (0, 0.0))
            found[name] = max(before[0], weight), max(before[1], shifted)
            context.close()
    return found


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """All figures, one after the other."""
    with (
        tempfile.TemporaryDirectory(prefix="visage-bench-") as folder,
        PageSite(Path(folder) / "site", DJANGO_SETTINGS_MODULE="tests.e2e.settings") as site,
        sync_playwright() as playwright,
    ):
        person = site.sign_up(EMAIL).accept_camera()
        queries, photo = fill(site, options.photos)
        browser = launch(playwright)
        yield from _history(browser, site, person, queries, options)
        yield from _pages(looked_at(browser, site, person, {
                "upload": "/", "history": "/uploads/", "photo": f"/uploads/{photo}/",
                "review": "/review/?of=all", "statistics": "/statistics/", "live": "/live/",
                "new video": "/videos/new/", "studies": "/studies/", "privacy": "/privacy/",
                "about": "/about/", "API": "/api/v1/docs/",
            }))  # fmt: skip
        browser.close()


def _history(
    browser: Browser, site: Site, person: Person, queries: int, options: argparse.Namespace
) -> Iterator[Figure]:
    n = options.photos
    yield Figure(
        f"history with {n:,} photos: queries of the database",
        f"{MOST_QUERIES}", f"{queries}", queries <= MOST_QUERIES, {"queries": queries},
    )  # fmt: skip
    for name, width in (("desktop", DESKTOP), ("phone", PHONE)):
        times = first_paints(browser, site, person, width, options.repeats)
        median, worst = statistics.median(times), max(times)
        yield Figure(
            f"history with {n:,} photos, {name}, empty cache: first paint, median and worst of "
            f"{len(times)}",
            f"{MOST_MS} ms",
            f"{median:.0f}, {worst:.0f} ms",
            worst <= MOST_MS,
            {"milliseconds": [round(time) for time in times]},
        )


def _pages(found: dict[str, tuple[int, float]]) -> Iterator[Figure]:
    values: dict[str, Any] = {name: weight for name, (weight, _shift) in found.items()}
    heaviest = max(values, key=lambda name: values[name])
    yield Figure(
        f"{len(found)} pages, as they are sent, without people's photos: the heaviest; the median",
        f"{MOST_BYTES // 1000} kB",
        f"{values[heaviest] / 1000:.0f} kB ({heaviest}); "
        f"{statistics.median(values.values()) / 1000:.0f} kB",
        values[heaviest] <= MOST_BYTES,
        values,
    )
    shifts = {name: round(shifted, 4) for name, (_weight, shifted) in found.items()}
    worst = max(shifts, key=lambda name: shifts[name])
    yield Figure(
        "the same pages: how far parts shift while they load (layout shift), the worst",
        f"{MOST_SHIFT}",
        f"{shifts[worst]:.3f} ({worst})",
        shifts[worst] <= MOST_SHIFT,
        shifts,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--json", type=Path, dest="json_path")
    options = parser.parse_args(arguments)
    sys.exit(0 if show_figures(measure(options), json_path=options.json_path) else 1)


if __name__ == "__main__":
    main()
