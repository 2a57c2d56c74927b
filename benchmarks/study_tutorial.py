"""How long somebody who has never seen the site takes from sign-up to an open study.

The tutorial of docs/STUDIES.md is followed word for word in a real browser. A person's time is
reckoned (:mod:`tests.support.newcomer`), that of the pages is measured.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support.browser import launch, open_context
from tests.support.newcomer import Step
from tests.support.report import Figure, show_figures
from tests.support.study_site import StudySite
from tests.support.study_tutorial import follow

WANTED_MINUTES = 10
WIDTHS = {"laptop": 1280, "phone": 390}


def spoken(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _counts(steps: list[Step]) -> dict[str, float]:
    names = ("words", "characters", "targets", "files", "page_seconds", "seconds")
    return {name: round(sum(getattr(step, name) for step in steps), 1) for name in names}


def _measured(counts: dict[str, float]) -> str:
    return (
        f"{spoken(counts['seconds'])}: {counts['words']:.0f} words read, "
        f"{counts['characters']:.0f} characters typed, {counts['targets']:.0f} things pressed or "
        f"looked at, {counts['page_seconds']:.1f} s of pages"
    )


def measure() -> Iterator[Figure]:
    """Each step on a laptop, and the sums on a laptop and on a phone."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        sync_playwright() as playwright,
        StudySite(Path(scratch) / "site") as site,
    ):
        browser = launch(playwright)
        for device, width in WIDTHS.items():
            context = open_context(browser, site.url, width=width, locale="en-GB")
            context.grant_permissions(["clipboard-write"])
            steps = follow(context.new_page(), f"{device}@example.org")
            context.close()
            for step in steps if device == "laptop" else ():
                counts = _counts([step])
                name = f"step {step.number}" if step.number else "before sign-up: the welcome page"
                yield Figure(name, "", _measured(counts), None, counts)
            counts = _counts(steps[1:])
            yield Figure(
                f"from sign-up to an open study, on a {device}",
                f"{WANTED_MINUTES} min",
                _measured(counts),
                counts["seconds"] <= 60 * WANTED_MINUTES,
                counts,
            )
        browser.close()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, dest="json_path")
    show_figures(measure(), json_path=parser.parse_args(arguments).json_path)


if __name__ == "__main__":
    main()
