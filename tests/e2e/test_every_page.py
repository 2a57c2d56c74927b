"""Every page, found from the URL resolver, in a real browser: it works under the strict policy,
shuts nobody out, and fits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.support.browser import fits, launch, open_context
from tests.support.everything import Arguments
from tests.support.model_files import CANDIDATE, copy_shipped, write_candidate
from tests.support.pictures import false_face_jpeg, no_face_jpeg, two_faces_jpeg
from tests.support.routes import ALL, PUBLIC, ROUTES, Address
from tests.support.signing_in import SECRET, totp_code
from tests.support.site import Person, Site, wait_until

ALICE, ROOT, PASSWORD = "alice@example.org", "root@example.org", "a-good-password-7"
#: Written beside the page's own scripts, before them.
LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
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
    # Swagger UI puts its title before its main part, an h3 after the h1, and a button to copy an
    # address into the button that opens it.
    "api-docs": {"region", "heading-order", "nested-interactive"},
}
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
    """The operator with a code as well; and the password once more, as some pages want it."""
    person = Person(site.url)
    answer = person.post("/accounts/login/", data={"login": email, "password": PASSWORD})
    if email == ROOT:
        form = {"code": totp_code(SECRET)}
        answer = person.post(answer.headers["Location"], data=form)
    assert answer.headers["Location"] == "/"
    assert person.post("/accounts/reauthenticate/", data={"password": PASSWORD}).is_redirect
    return person


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


def is_page(context: BrowserContext, visit: Visit) -> bool:
    """Not a file, a redirect, or a refusal that looks as all others."""
    answer = context.request.get(visit.path, max_redirects=0)
    headers = answer.headers
    return (
        answer.status in {200, visit.status if visit.path.endswith(("/page/", "/add/")) else 200}
        and headers.get("content-type", "").startswith("text/html")
        and "attachment" not in headers.get("content-disposition", "")
    )


def problems(page: Page, visit: Visit, complaints: list[str]) -> list[str]:
    """Everything that is wrong with a page."""
    complaints.clear()
    response = page.goto(visit.path)
    assert response is not None
    if visit.path in {"/admin/", "/api/v1/docs/"}:  # They fetch the rest.
        page.wait_for_load_state("networkidle")
    found = [f"status {response.status}"] if response.status != visit.status else []
    return found + wrong_with(page, visit.name, complaints)


def wrong_with(page: Page, name: str, complaints: list[str]) -> list[str]:
    """What is wrong with what is shown."""
    found = complaints + page.evaluate("window.violations")
    if not fits(page):
        found.append("sticks out to the side")
    # Last: the checker writes styles of its own into the page, which the policy refuses.
    options = {"resultTypes": ["violations"]}
    for violation in Axe().run(page, options=options).response["violations"]:
        if violation["id"] not in EXCEPTIONS.get(name, set()):
            first = violation["nodes"][0]["html"][:200]
            found.append(f"{violation['id']} ({len(violation['nodes'])}×): {first}")
    return found


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (390, "dark")], ids=["desktop", "phone"]
)
def test_every_page(site: Site, things: Arguments, width: int, scheme: Any) -> None:
    people = {"alice": sign_in(site, ALICE), "operator": sign_in(site, ROOT)}
    with sync_playwright() as playwright:
        browser = launch(playwright)
        pages: dict[str, tuple[Page, list[str]]] = {}
        for who in ("anonymous", *people):
            context = open_context(
                browser, site.url, people.get(who), width=width, color_scheme=scheme
            )
            page, complaints = context.new_page(), []
            context.on("weberror", lambda error, c=complaints: c.append(str(error.error)))
            context.on("console", lambda message, c=complaints: _listen(message, c))
            pages[who] = page, complaints
        opened, failed = [], {}
        for visit in dict.fromkeys(visits(things)):
            page, complaints = pages[visit.who]
            if is_page(page.context, visit):
                opened.append(visit.path)
                if found := problems(page, visit, complaints):
                    failed[f"{visit.path} as {visit.who}"] = found
        page, complaints = pages["operator"]
        page.goto(f"/admin/recognition/upload/{things['upload']['pk']}/change/")
        page.get_by_role("button", name="Show photo").click()
        expect(page.locator("img.sharp")).to_be_visible()
        if found := wrong_with(page, "photo", complaints):
            failed["the photo, shown to the operator"] = found
        browser.close()
    assert failed == {}, json.dumps(failed, indent=1)
    assert len(opened) > 100
    assert {reverse(name) for name in SOON_AFTER_PASSWORD} <= set(opened)


@pytest.mark.parametrize("width", [320, 640])
def test_every_page_fits_when_narrow(site: Site, things: Arguments, width: int) -> None:
    """320 pixels, and 1280 at 200 %, in German; and no two buttons share a name."""
    person = sign_in(site, ALICE)
    wrong = {}
    with sync_playwright() as playwright:
        browser = launch(playwright)
        size = {"width": width, "height": 640}
        context = open_context(browser, site.url, person, viewport=size, locale="de-DE")
        page = context.new_page()
        for visit in dict.fromkeys(visits(things)):
            if visit.who == "alice" and is_page(context, visit):
                page.goto(visit.path)
                found = [] if fits(page) else ["sticks out to the side"]
                if visit.name not in EXCEPTIONS:
                    found += page.evaluate(SAME_NAMES)
                if found:
                    wrong[visit.path] = found
        browser.close()
    assert wrong == {}, json.dumps(wrong, indent=1)


def _listen(message: ConsoleMessage, complaints: list[str]) -> None:
    # A page that is not there is told as an error, too; its status is looked at.
    is_the_page = message.page is not None and message.location["url"] == message.page.url
    if message.type == "error" and not is_the_page:
        complaints.append(message.text)
