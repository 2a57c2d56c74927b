"""Participants' buttons pressed twice, and pages left open, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browser import open_context
from tests.support.site import Site

#: Makes a study of questions, which need no camera; prints its link.
MAKE = """
import json
from accounts.models import User
from tests.support import studies
owner, _ = User.objects.get_or_create(email="ada@example.org")
study = studies.open_study(owner, {title!r}, information="You answer.")
studies.block(study, "scale", "mood", text="How do you feel?", steps=5, answers=["bad", "good"])
studies.block(study, "open", "effects", text="Anything that troubled you?", is_required=False)
studies.block(study, "choice", "colour", text="Which colour?", answers=["red", "blue"])
print(json.dumps(study.link_key))
"""
COUNT = """
from studies.models import Participation
print(Participation.objects.filter(study__link_key={key!r}).count())
"""

Visit = Callable[..., Page]
#: Milliseconds that every request takes, as to a site in another country.
LATENCY = 200

pytestmark = pytest.mark.site


def shell(site: Site, script: str) -> str:
    made = site.manage("shell", "--verbosity", "0", "--command", script).stdout
    return str(made.splitlines()[-1])


@pytest.fixture
def visit(browser: Browser, study_site: Site) -> Iterator[Visit]:
    """Opens a study's link as somebody new."""
    contexts: list[BrowserContext] = []

    def open_page(key: str, *, scripts: bool = True) -> Page:
        context = open_context(browser, study_site.url, locale="en-GB", java_script_enabled=scripts)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"/take-part/{key}/")
        return page

    yield open_page
    for context in contexts:
        context.close()


def fill_in(page: Page) -> None:
    """The consent form, as far as its button."""
    page.get_by_role("link", name="Continue").click()
    page.get_by_label("Yes").check()
    page.locator("#agrees").check()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_double_click_on_consent_is_one_participant(
    study_site: Site, visit: Visit, scripts: bool
) -> None:
    key = json.loads(shell(study_site, MAKE.format(title=f"Twice {scripts}")))
    page = visit(key, scripts=scripts)
    fill_in(page)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY,
            "downloadThroughput": -1,
            "uploadThroughput": -1,
        },
    )
    page.get_by_role("button", name="Agree and continue").dblclick(delay=30)
    expect(page.locator("#study")).to_be_attached()
    assert shell(study_site, COUNT.format(key=key)) == "1"


def begin(page: Page) -> None:
    """As far as the first question."""
    fill_in(page)
    page.get_by_role("button", name="Agree and continue").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("How do you feel?")).to_be_visible()


@pytest.mark.parametrize("milliseconds", [0, 120, 250])
def test_a_double_click_on_continue_leaves_out_nothing(
    study_site: Site, visit: Visit, milliseconds: int
) -> None:
    page = visit(json.loads(shell(study_site, MAKE.format(title=f"Hasty {milliseconds}"))))
    begin(page)
    page.locator("input[name=answer]").nth(2).check(force=True)
    go_on = page.get_by_role("button", name="Continue")
    expect(go_on).to_be_enabled()
    box = go_on.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for wait in (milliseconds, 0):
        page.mouse.down()
        page.mouse.up()
        page.wait_for_timeout(wait)
    expect(page.get_by_text("Anything that troubled you?")).to_be_visible()
    page.wait_for_timeout(500)
    expect(page.get_by_text("Anything that troubled you?")).to_be_visible()
    go_on.click()
    expect(page.get_by_text("Which colour?")).to_be_visible()


def test_a_code_that_nobody_leaves_goes_after_its_time(study_site: Site, visit: Visit) -> None:
    """Also where the device slept meanwhile, and its timers with it."""
    key = json.loads(shell(study_site, MAKE.format(title="Left open")))
    page = visit(key)
    page.clock.install()
    begin(page)

    def accept(dialog: Any) -> None:
        dialog.accept()

    page.on("dialog", accept)
    page.get_by_role("button", name="Stop the study").click()
    # It lies where the last *Continue* was, on some phones, and cannot be undone.
    expect(page.get_by_role("button", name="Delete all my data now")).to_be_disabled()
    page.clock.run_for(1000)
    questions: list[str] = []
    page.remove_listener("dialog", accept)
    page.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="Delete all my data now").click()
    assert len(questions) == 1
    assert "can’t be undone" in questions[0]
    expect(page.locator("#code")).to_be_visible()
    shown = page.locator("#code").inner_text()
    page.clock.run_for(14 * 60 * 1000)
    expect(page.locator("#code")).to_have_text(shown)
    page.clock.set_fixed_time(page.evaluate("Date.now() + 60 * 1000"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("It is not shown again")).to_be_visible()
    expect(page.get_by_role("button", name="Delete all my data now")).to_have_count(0)
    # Nor by the server, which was told.
    assert shown not in page.request.get(page.url).text()
