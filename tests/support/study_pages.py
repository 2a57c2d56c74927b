"""What a researcher and a participant do on the pages of a study."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def tab(page: Page, name: str) -> None:
    """Open one of the pages of the researcher's study."""
    navigation = page.get_by_role("navigation", name="Study")
    navigation.get_by_role("link", name=name).click()
    expect(navigation.locator("[aria-current]")).to_have_text(name)


def agree(page: Page) -> None:
    """From the information to the camera check."""
    page.get_by_role("link", name="Continue").click()
    page.get_by_label("Yes").check()
    page.get_by_label("I have read the text above").check()
    page.get_by_role("button", name="Agree and continue").click()
    expect(page.locator("#camera-words")).to_have_text("Camera off")


def pass_check(page: Page) -> None:
    """From the camera check to the first block."""
    page.get_by_role("button", name="Switch on the camera").click()
    expect(page.locator("#camera-words")).to_have_text("Camera on", timeout=60_000)
    start = page.get_by_role("button", name="Start the study")
    expect(start).to_be_enabled(timeout=60_000)
    start.click()
