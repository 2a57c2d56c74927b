"""Every page, found from the URL resolver, in a real browser.

Two walks. In English each page is loaded wide: it works under the strict policy, keeps to its
budgets of bytes and layout shifts, fits at all widths, and axe finds nothing in either colour
scheme (see `tests.support.looks` for what is asked where). In German, whose words are longer, each
is loaded on a phone in dark colours: it keeps the same policy and budgets there, fits at all
widths, its buttons have names of their own, and no sentence is the English one. Axe is not asked
again: in both languages it sees the same elements in the same colours, and the words are compared.

What only participants of a study see is walked through in `test_taking_part`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import inf
from typing import Any, NamedTuple

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.support.browser import open_context
from tests.support.budgets import LISTEN_FOR_SHIFTS, MOST_BYTES, MOST_SHIFT, over_budget
from tests.support.everything import Arguments
from tests.support.language import left_in_english
from tests.support.looks import PHONE, WIDE, WIDTHS, axe_finds, settle, sticks_out
from tests.support.model_files import CANDIDATE, copy_shipped, write_candidate
from tests.support.pictures import false_face_jpeg, no_face_jpeg, two_faces_jpeg
from tests.support.routes import ALL, PUBLIC, ROUTES, Address
from tests.support.signing_in import SECRET, totp_code
from tests.support.site import Person, Site, wait_until

ALICE, ROOT, PASSWORD = "alice@example.org", "root@example.org", "a-good-password-7"
#: The API's page after somebody asked for Swagger UI.
REFERENCE = "api-docs, with the reference"
#: Names that more than one of the visible buttons has.
SAME_NAMES = """() => {
  const names = [...document.querySelectorAll("button, summary, input[type=submit]")]
    .filter((button) => button.checkVisibility())
    .map((button) => button.ariaLabel || button.textContent.replace(/\\s+/g, " ").trim());
  return names.filter((name, index) => !name || names.indexOf(name) !== index);
}"""
#: Rules of axe that pages of others' making break where it cannot be mended here.
EXCEPTIONS: dict[str, set[str]] = {
    # The two lists for choosing permissions: Django's script gives the icon before each search
    # field a name, which an element of that kind may not have. The field has one of its own.
    "admin:auth_group_add": {"aria-prohibited-attr"},
    "admin:auth_group_change": {"aria-prohibited-attr"},
    "admin:accounts_user_change": {"aria-prohibited-attr"},
    # Swagger UI puts a button to copy an address into the button that opens it, and its main part
    # beside what is above it.
    REFERENCE: {"region", "nested-interactive"},
}
#: Of the administration, in whose lists Django names several buttons alike.
OWN_NAMES = {"admin:recognition_modelchoice_changelist"}
#: What people wrote, in whichever language: `everything` has whose it is in each name.
OWN_WORDS = re.compile(r"\bof Alice\b|^This cannot be read\.$")
#: Pages with words in English: of Django and allauth, whose German has gaps, and of a study that is
#: held in English.
IN_ENGLISH = ("admin:auth_", "admin:mfa_", "admin:accounts_user_", "taking_part:")
#: Parts that a page fetches, and no pages.
FRAGMENTS = {"admin:services"}
#: What opens only soon after the password was given, and so comes first.
SOON_AFTER_PASSWORD = {
    "new_api_token", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
}  # fmt: skip
ROUTES_BY_KEY = {"account_confirm_email", "account_reset_password_from_key"}


class Visit(NamedTuple):
    """A page to open: as whom, with which status it is answered, and the name of its address."""

    who: str
    path: str
    status: int = 200
    name: str = ""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With a candidate among its models."""
    folder = tmp_path_factory.mktemp("models")
    manifest = copy_shipped(folder)
    write_candidate(folder)
    with Site(
        tmp_path_factory.mktemp("every_page"),
        MODEL_MANIFEST=str(manifest),
        DJANGO_SETTINGS_MODULE="tests.e2e.settings",
    ) as running:
        yield running


def sign_in(site: Site, email: str) -> Person:
    """The operator with a code as well, which is good for once."""
    person = Person(site.url)
    answer = person.post("/accounts/login/", data={"login": email, "password": PASSWORD})
    if email == ROOT:
        form = {"code": totp_code(SECRET)}
        answer = person.post(answer.headers["Location"], data=form)
    assert answer.headers["Location"] == "/"
    return person


@pytest.fixture(scope="module")
def people(site: Site, things: Arguments) -> dict[str, Person]:
    return {"alice": sign_in(site, ALICE), "operator": sign_in(site, ROOT)}


def give_password_again(people: dict[str, Person]) -> None:
    """As some pages want it, for some minutes."""
    for person in people.values():
        assert person.post("/accounts/reauthenticate/", data={"password": PASSWORD}).is_redirect


@pytest.fixture(scope="module")
def things(site: Site) -> Arguments:
    """One of everything, Alice's; a photo with faces, one without, one that failed, and one with
    a spot that is none; a comparison that ended."""
    alice = site.sign_up(ALICE, PASSWORD).accept_camera()
    root = site.sign_up(ROOT, PASSWORD)
    photos = {"two": two_faces_jpeg, "none": no_face_jpeg, "hub": false_face_jpeg}
    for name, picture in photos.items():
        alice.upload(picture(), f"{name}.jpg")
    alice.upload(no_face_jpeg(), "failed.jpg")
    ids = {upload["name"]: upload["id"] for upload in alice.wait_until_finished()}
    code = f"from tests.support import everything; everything.write('{ROOT}')"
    found: Arguments = json.loads(site.manage("shell", "-c", code).stdout.splitlines()[-1])
    answer = root.post(
        "/admin/recognition/modelchoice/compare/", data={"name": CANDIDATE, "count": 3}
    )
    path = answer.headers["Location"]
    wait_until(lambda: "Labels:" in root.get(path).text, timeout=120)
    found["comparison, administered"] = {"object_id": path.split("/")[-3]}
    found |= {f"photo {name}": {"pk": pk} for name, pk in ids.items()}
    return found


def visits(things: Arguments) -> Iterator[Visit]:
    for address in sorted(ALL, key=lambda address: address.name not in SOON_AFTER_PASSWORD):
        if address.name in FRAGMENTS:
            continue
        who = "operator" if address.is_administration else "alice"
        page = (*_path_and_status(address, who, things), address.name)
        is_public = address.name in PUBLIC or address.name in ROUTES_BY_KEY
        if not is_public or not address.pattern.startswith("accounts/"):
            yield Visit(who, *page)
        if is_public:
            yield Visit("anonymous", *page)
        if address.name.startswith("mfa_"):
            yield Visit("operator", *page)  # Who has a second factor.
    yield Visit("alice", "/accounts/logout/")
    for name in ("none", "hub", "failed"):
        pk = things[f"photo {name}.jpg"]["pk"]
        yield Visit("alice", f"/uploads/{pk}/")
        yield Visit("operator", f"/admin/recognition/upload/{pk}/change/")
    yield Visit("alice", "/uploads/?label=sad&status=failed")
    yield Visit("alice", "/no/such/page/", 404)
    yield Visit("anonymous", "/no/such/page/", 404)
    yield Visit("operator", "/admin/accounts/auditevent/add/", 403)


def _path_and_status(address: Address, who: str, things: Arguments) -> tuple[str, int]:
    if not address.takes_an_argument:
        return address.path(), 200
    route = ROUTES[address.name]
    person = "operator" if who == "operator" else "owner"
    get = route.answers.get("GET")
    return address.path(**things[route.thing]), int(getattr(get, person)) if get else 405


@pytest.fixture(scope="module")
def pages(site: Site, things: Arguments, people: dict[str, Person]) -> list[Visit]:
    """Visits of pages: of no file, no redirect, and no refusal that looks as all others."""
    give_password_again(people)
    everybody = {"anonymous": Person(site.url), **people}
    return [v for v in dict.fromkeys(visits(things)) if _is_page(everybody[v.who], v)]


def _is_page(person: Person, visit: Visit) -> bool:
    answer = person.get(visit.path)
    return (
        answer.status_code
        in {200, visit.status if visit.path.endswith(("/page/", "/add/")) else 200}
        and answer.headers.get("Content-Type", "").startswith("text/html")
        and "attachment" not in answer.headers.get("Content-Disposition", "")
    )


class Walker:
    """A browser with a profile for each person, in which pages are opened and complaints heard."""

    def __init__(self, url: str, people: dict[str, Person], browser: Browser, **options: Any):
        give_password_again(people)
        self._complaints: list[str] = []
        self.failed: dict[str, list[str]] = {}
        self._pages: dict[str, Page] = {}
        for who in ("anonymous", *people):
            context = open_context(
                browser, url, people.get(who), reduced_motion="reduce", **options
            )
            context.add_init_script(LISTEN_FOR_SHIFTS)
            context.on("weberror", lambda error: self._complaints.append(str(error.error)))
            context.on("console", self._listen)
            self._pages[who] = context.new_page()

    def open(self, visit: Visit) -> Page:
        """Load a page, and wait until its scripts have arranged it."""
        self._complaints.clear()
        page = self._pages[visit.who]
        response = page.goto(visit.path)
        assert response is not None
        if visit.path == "/admin/":  # It fetches the rest.
            page.wait_for_load_state("networkidle")
        settle(page)
        if response.status != visit.status:
            self._complaints.append(f"status {response.status}")
        return page

    def heard(self, visit: Visit, page: Page) -> list[str]:
        """What the page complained of since it was opened, and where it is over its budgets."""
        # Django's own scripts fold the menu of the administration while its pages come; and what
        # was asked for by a button moves what is below.
        may_shift = visit.path.startswith("/admin/") or visit.name == REFERENCE
        violations: list[str] = page.evaluate("window.violations")
        limits = (
            inf if visit.name == REFERENCE else MOST_BYTES, inf if may_shift else MOST_SHIFT
        )  # fmt: skip
        return [*self._complaints, *violations, *over_budget(page, *limits)]

    def note(self, visit: Visit, found: list[str]) -> None:
        if found:
            self.failed[f"{visit.path} as {visit.who} ({visit.name})"] = found

    def _listen(self, message: ConsoleMessage) -> None:
        # A page that is not there is told as an error, too; its status is looked at.
        is_the_page = message.page is not None and message.location["url"] == message.page.url
        if message.type == "error" and not is_the_page:
            self._complaints.append(message.text)


@pytest.mark.timeout(1200)
def test_every_page(
    site: Site, things: Arguments, people: dict[str, Person], pages: list[Visit], browser: Browser
) -> None:
    walker = Walker(site.url, people, browser, width=WIDE, color_scheme="light", locale="en-GB")
    for visit in pages:
        _look(walker, visit, walker.open(visit))
    change = f"/admin/recognition/upload/{things['upload']['pk']}/change/"
    photo = Visit("operator", change, name="with the photo")
    page = walker.open(photo)
    page.locator("button[form=show-photo]").click()
    expect(page.locator("img.sharp")).to_be_visible()
    _look(walker, photo, page)
    reference = Visit("anonymous", "/api/v1/docs/", name=REFERENCE)
    page = walker.open(reference)
    page.locator("#open-reference").click()
    expect(page.locator(".opblock").first).to_be_visible(timeout=60_000)
    _look(walker, reference, page)
    assert walker.failed == {}, json.dumps(walker.failed, indent=1, ensure_ascii=False)
    assert len(pages) > 100
    assert {reverse(name) for name in SOON_AFTER_PASSWORD} <= {visit.path for visit in pages}


def _look(walker: Walker, visit: Visit, page: Page) -> None:
    found = walker.heard(visit, page) + sticks_out(page, "light")
    walker.note(visit, found + axe_finds(page, EXCEPTIONS.get(visit.name, set())))


@pytest.mark.timeout(1200)
def test_every_page_in_german(
    site: Site, people: dict[str, Person], pages: list[Visit], browser: Browser
) -> None:
    walker = Walker(site.url, people, browser, width=PHONE, color_scheme="dark", locale="de-DE")
    for visit in pages:
        page = walker.open(visit)
        widths = [PHONE, *(width for width in WIDTHS if width != PHONE)]
        found = walker.heard(visit, page) + sticks_out(page, "dark", widths)
        if visit.who == "alice" or visit.name in OWN_NAMES:
            found += [f"two buttons are named {name!r}" for name in page.evaluate(SAME_NAMES)]
        if not visit.name.startswith(IN_ENGLISH):
            left = [words for words in left_in_english(page) if not OWN_WORDS.search(words)]
            found += [f"left in English: {left}"] if left else []
        walker.note(visit, found)
    assert walker.failed == {}, json.dumps(walker.failed, indent=1, ensure_ascii=False)
