"""Pictures of a study for the documentation: its researcher's pages, and a participant's.

Its data are made up; the only face is that of the fake camera, NASA's portrait of Eileen Collins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from playwright.sync_api import Page, expect

from tests.support.site import Site
from tests.support.study_pages import agree

#: Pages of a study by the names of their pictures, and the rest of their address.
PAGES = {
    "blocks": "blocks/",
    "invitations": "invite/",
    "progress": "progress/",
    "results": "results/",
    "data-protection": "data-protection/",
}


def fill_studies(site: Site, email: str) -> tuple[dict[str, str], str]:
    """Give somebody the studies; pages by the names of their pictures, and the way in."""
    script = f"from benchmarks.study_pictures import make; make({email!r})"
    made = site.manage("shell", "--verbosity", "0", "--command", script).stdout
    pk, key = json.loads(made.splitlines()[-1])
    pages = {"studies": "/studies/"} | {
        f"study-{name}": f"/studies/{pk}/{part}" for name, part in PAGES.items()
    }
    return pages, f"/take-part/{key}/"


def take_part(page: Page, path: str) -> Iterator[tuple[Page, str]]:
    """Take part; what is worth a picture, and the name of that."""
    page.goto(path)
    yield page, "participant-information"
    agree(page)
    page.get_by_role("button", name="Switch on the camera").click()
    start = page.get_by_role("button", name="Start the study")
    expect(start).to_be_enabled(timeout=60_000)
    yield page, "participant-camera"
    expect(start).to_be_enabled(timeout=60_000)
    start.click()
    expect(page.get_by_text("Think of the last time")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("How do you feel now?")).to_be_visible(timeout=60_000)
    page.locator("input[name=answer]").nth(4).check(force=True)
    yield page, "participant-question"
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible(timeout=60_000)
    yield page, "participant-end"
