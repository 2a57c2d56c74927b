"""The tutorial of docs/STUDIES.md, as somebody follows it who has never seen the site."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support.newcomer import Newcomer, Step, steps_of
from tests.support.pictures import encode, meadow
from tests.support.site import ROOT

PASSWORD = "a-good-password-7"


def tutorial() -> list[Step]:
    """Its ten steps; the first one includes the lines above it."""
    text = (ROOT / "docs" / "STUDIES.md").read_text()
    section = text[text.index("## From sign-up") : text.index("For the ethics board")]
    steps = steps_of(section)
    steps[0].words += len(section[: section.index("1. ")].split())
    return steps


def follow(
    page: Page, email: str, on_page: Callable[[Page], None] = lambda page: None
) -> list[Step]:
    """From an empty browser to an open study; what each step took, and before them, as step 0,
    the welcome page.

    Raises:
        AssertionError: a page does not have what a step says, or a step says what it is not about.
    """
    steps = tutorial()
    newcomer = Newcomer(page, on_page)
    newcomer.open("/")
    welcome = newcomer.step
    for step, act in zip(steps, ACTS, strict=True):
        newcomer.begin(step)
        act(newcomer, email)
        assert step.bold | step.code == step.used, step.number
    return [welcome, *steps]


def sign_up(newcomer: Newcomer, email: str) -> None:
    newcomer.choose("Studies by webcam")
    newcomer.type("Email", email, own=True)
    newcomer.type("Password", PASSWORD, own=True)
    newcomer.type("Password (again)", PASSWORD, own=True)
    newcomer.tick("I agree")
    newcomer.choose("Sign up")


def find_studies(newcomer: Newcomer, email: str) -> None:
    newcomer.see("Studies")
    newcomer.choose("Create your first study")


def create(newcomer: Newcomer, email: str) -> None:
    newcomer.type("Title", "Puppies")
    newcomer.type("Research question", "Do pictures of puppies make people smile?")
    newcomer.see("Languages for participants")
    newcomer.see("English")
    newcomer.type("Person responsible", "Dr Ada Example")
    newcomer.type("Institution", "University of Examples")
    assert newcomer.look_at("Contact email") == email
    assert newcomer.look_at("Minimum age") == "18"
    assert newcomer.look_at("Delete everything on")
    newcomer.tick("This study is not about people at work")
    newcomer.choose("Create study")


def check_details(newcomer: Newcomer, email: str) -> None:
    newcomer.choose("Details")
    assert newcomer.look_at("Information for participants")
    assert "numbers, never pictures" in newcomer.look_at("Consent text")
    newcomer.type("Ethics reference", "2026-17", own=True)
    newcomer.choose("Save")


def add_baseline(newcomer: Newcomer, email: str) -> None:
    newcomer.choose("Blocks")
    newcomer.choose("Baseline")
    newcomer.choose("Add block")


def add_text(newcomer: Newcomer, email: str) -> None:
    newcomer.choose("Text")
    newcomer.type("Text", "Next you will see a picture. Just look at it.")
    newcomer.choose("Add block")


def add_image(newcomer: Newcomer, email: str) -> None:
    newcomer.choose("Image")
    newcomer.type("Name", "puppy")
    newcomer.choose("Continue to the file")
    newcomer.pick_file("Choose a file", "puppy.jpg", "image/jpeg", encode(meadow(), "JPEG"))
    newcomer.choose("Upload file")
    newcomer.choose("Back to the list")


def add_question(newcomer: Newcomer, email: str) -> None:
    newcomer.choose("Question: scale")
    newcomer.type("Text", "How much did you like the picture?")
    newcomer.type("Lowest step", "not at all")
    newcomer.type("Highest step", "very much")
    newcomer.choose("Add block")
    expect(newcomer.page.locator(".study-block")).to_have_count(4)


def open_it(newcomer: Newcomer, email: str) -> None:
    newcomer.choose("Overview")
    newcomer.see("Ready to open")
    newcomer.choose("Open the study")


def invite(newcomer: Newcomer, email: str) -> None:
    newcomer.see("Invite")
    newcomer.choose("Copy link", opens=False)
    newcomer.choose("Progress")


ACTS: list[Callable[[Newcomer, str], None]] = [
    sign_up, find_studies, create, check_details, add_baseline, add_text, add_image, add_question,
    open_it, invite,
]  # fmt: skip
