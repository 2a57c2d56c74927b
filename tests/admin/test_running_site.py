"""The operator's work on the real site: another model, compared and made active, in a browser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from recognition.vision.manifest import read_manifest
from tests.support.browser import launch, open_context
from tests.support.model_files import (
    CANDIDATE,
    CANDIDATE_VERSION,
    DEFAULT,
    SHIPPED,
    copy_shipped,
    write_candidate,
)
from tests.support.pictures import face_jpeg
from tests.support.site import Person, Site, wait_until
from tests.support.sockets import Viewer

pytestmark = pytest.mark.site

ROOT = "root@example.org"
SHIPPED_VERSION = read_manifest(SHIPPED).version


@pytest.fixture(scope="module")
def models_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose folder of models has a candidate, with an operator."""
    folder = tmp_path_factory.mktemp("models")
    manifest = copy_shipped(folder)
    write_candidate(folder)
    data = tmp_path_factory.mktemp("models_site")
    with Site(data, MODEL_MANIFEST=str(manifest)) as site:
        yield site


@pytest.fixture(scope="module")
def root(models_site: Site) -> Person:
    """The operator, signed in."""
    person = models_site.sign_up(ROOT)
    code = (
        "from accounts.models import User;"
        f"User.objects.filter(email='{ROOT}').update(is_staff=True, is_superuser=True)"
    )
    models_site.manage("shell", "-c", code)
    return person


def activate(root: Person, name: str) -> None:
    response = root.post("/admin/recognition/modelchoice/activate/", data={"name": name})
    assert response.status_code == 302


def version(site: Site) -> str:
    result: str = httpx.get(f"{site.url}/healthz", timeout=10).json()["model_version"]
    return result


def label_one(person: Person) -> dict[str, Any]:
    """Upload a photo and wait for it: which model labelled it, and how sure that was."""
    person.upload(face_jpeg(), "a.jpg")
    newest = person.wait_until_finished()[0]
    (exported,) = person.get(f"/uploads/{newest['id']}/export.json").json()
    (face,) = newest["faces"]
    return {"version": exported["model_version"], "confidence": face["confidence"]}


def test_running_workers_take_another_model_within_seconds(models_site: Site, root: Person) -> None:
    person = models_site.sign_up("alice@example.org")
    first = label_one(person)
    assert first["version"] == version(models_site) == SHIPPED_VERSION

    activate(root, CANDIDATE)
    wait_until(lambda: version(models_site) == CANDIDATE_VERSION, timeout=10)
    # Each worker process asks for itself; a few photos reach all of them.
    wait_until(lambda: label_one(person)["version"] == CANDIDATE_VERSION, timeout=15)
    time.sleep(4)
    changed = [label_one(person) for _ in range(4)]
    assert {one["version"] for one in changed} == {CANDIDATE_VERSION}
    assert all(one["confidence"] < first["confidence"] - 0.2 for one in changed)

    activate(root, DEFAULT)
    time.sleep(4)
    again = label_one(person)
    assert again["version"] == SHIPPED_VERSION
    assert again["confidence"] == pytest.approx(first["confidence"])


async def test_an_open_live_socket_takes_another_model_within_seconds(
    models_site: Site, root: Person
) -> None:
    person = await asyncio.to_thread(models_site.sign_up, "live@example.org")
    await asyncio.to_thread(person.accept_camera)

    async def confidence() -> float:
        for _ in range(10):  # What is shown is a mean over a face's last frames.
            answer = await live.label(face_jpeg())
            await asyncio.sleep(0.1)
        (face,) = answer["faces"]
        return float(face["confidence"])

    try:
        async with Viewer(models_site, person).open() as live, asyncio.timeout(60):
            assert (await live.receive())["model_version"] == SHIPPED_VERSION
            before = await confidence()
            await asyncio.to_thread(activate, root, CANDIDATE)
            while await confidence() > before - 0.2:
                pass
    finally:
        await asyncio.to_thread(activate, root, DEFAULT)


WIDTHS_AND_SCHEMES = pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (390, "dark")], ids=["desktop", "phone"]
)


@contextmanager
def operators_page(root: Person, width: int, scheme: Any) -> Iterator[Page]:
    """A page on which the operator is signed in."""
    url = str(root.http.base_url)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = open_context(browser, url, root, width=width, color_scheme=scheme)
        yield context.new_page()
        browser.close()


@WIDTHS_AND_SCHEMES
def test_the_operators_round(models_site: Site, root: Person, width: int, scheme: str) -> None:
    owner = models_site.sign_up(f"owner-{width}@example.org")
    owner.upload(face_jpeg(), "a.jpg")
    owner.wait_until_finished()
    complaints: list[str] = []
    with operators_page(root, width, scheme) as page:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if message.type == "error" else None,
        )
        walk(page)
    assert complaints == []


def walk(page: Page) -> None:
    """Dashboard, a photo, the audit trail, a comparison, another model and back."""

    page.goto("/admin/")
    services = page.locator("#services")
    expect(services.get_by_text("Live workers")).to_be_visible()
    expect(services.locator("dl > div", has_text="Live workers").locator("dd")).to_have_text("1")
    expect(page.get_by_role("heading", name="Active model")).to_be_visible()
    page.get_by_text("Show as table").click()
    expect(page.locator("details tbody tr")).to_have_count(14)

    page.goto("/admin/recognition/upload/")
    page.locator("#result_list tbody th a").first.click()
    blurred = page.locator("img.blurred").first
    assert blurred.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    page.get_by_role("button", name="Show photo").click()
    sharp = page.locator("img.sharp")
    assert sharp.evaluate("image => image.decode().then(() => image.naturalWidth)") == 512
    page.get_by_role("link", name="Hide photo").click()
    expect(page.locator("img.sharp")).to_have_count(0)

    page.goto("/admin/accounts/auditevent/?action=photo_viewed_by_staff")
    expect(page.locator("#result_list tbody tr").first).to_contain_text(ROOT)

    page.goto("/admin/recognition/modelchoice/")
    candidate = page.locator("section.model", has_text=CANDIDATE_VERSION)
    candidate.get_by_label("most recent photos").fill("3")
    candidate.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("Done", exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name="Labels: 0 of")).to_be_visible()
    page.get_by_role("link", name="All models").click()
    candidate.get_by_role("button", name="Activate").click()
    expect(page.get_by_text(f"New faces are now labelled by {CANDIDATE_VERSION}")).to_be_visible()
    expect(candidate.get_by_text("Active", exact=True)).to_be_visible()
    shipped = page.locator("section.model", has_text=SHIPPED_VERSION)
    shipped.get_by_role("button", name="Activate").click()
    expect(shipped.get_by_text("Active", exact=True)).to_be_visible()
