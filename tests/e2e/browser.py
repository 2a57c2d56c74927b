"""The browser that tests drive: the system's Chromium, else the one Playwright downloaded."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

#: Chromium asks the world for updates at every start; tests must not.
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """Start a headless browser; the caller closes it."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return playwright.chromium.launch(
        executable_path=next(filter(None, found), None), args=[*ARGUMENTS, *arguments]
    )
