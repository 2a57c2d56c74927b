"""What a researcher and a participant do on the pages of a study."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import translation
from playwright.sync_api import Page, expect

#: What a page shows for one of the site's sentences.
Say = Callable[[str], str]


def in_language(language: str) -> Say:
    def say(sentence: str) -> str:
        with translation.override(language):
            return translation.gettext(sentence)

    return say


in_english = in_language("en")


def tab(page: Page, name: str) -> None:
    """Open one of the pages of the researcher's study."""
    navigation = page.get_by_role("navigation", name="Study")
    navigation.get_by_role("link", name=name).click()
    expect(navigation.locator("[aria-current]")).to_have_text(name)


def agree(page: Page, say: Say = in_english) -> None:
    """From the information to the camera check."""
    page.get_by_role("link", name=say("Continue")).click()
    page.get_by_label(say("Yes")).check()
    page.get_by_label(say("I have read the text above, and I agree to it.")).check()
    page.get_by_role("button", name=say("Agree and continue")).click()
    expect(page.locator("#camera-words")).to_have_text(say("Camera off"))


def pass_check(page: Page) -> None:
    """From the camera check to the first block."""
    page.get_by_role("button", name="Switch on the camera").click()
    expect(page.locator("#camera-words")).to_have_text("Camera on", timeout=60_000)
    start = page.get_by_role("button", name="Start the study")
    expect(start).to_be_enabled(timeout=60_000)
    start.click()
