"""Requests that wait for something slow have half of the turns at most."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse
from pytest_django import Settings

from emotion_site.page_turns import IN_BUCKET, WITH_MAIL, WITH_PASSWORD, FairTurns

AT_ONCE = 6
PHOTO, FACE = [UUID(int=7)], [UUID(int=7), 3]
#: Views that last for as long as a bucket that says nothing: how they are asked, and of what.
VIEWS: dict[str, tuple[str, list[Any]]] = {
    # It reads what heat maps say of themselves.
    "upload_detail": ("GET", PHOTO),
    "upload_image": ("GET", PHOTO),
    "upload_thumbnail": ("GET", PHOTO),
    "face_heat_map": ("GET", FACE),
    "video_file": ("GET", PHOTO),
    "download_export": ("GET", PHOTO),
    "api-upload-image": ("GET", PHOTO),
    "api-upload-thumbnail": ("GET", PHOTO),
    "api-video-file": ("GET", PHOTO),
    "api-video-transfer-part": ("PUT", PHOTO),
    "api-video-transfer-finish": ("POST", PHOTO),
    "studies:block_file": ("GET", FACE),
    "studies:change_block": ("POST", FACE),
    "studies:delete_study": ("POST", PHOTO),
    "studies:download": ("GET", [UUID(int=7), "study.zip"]),
    "taking_part:stimulus": ("GET", FACE),
    "admin:recognition_upload_blurred": ("GET", PHOTO),
    "admin:recognition_upload_photo": ("POST", PHOTO),
}
Ask = Callable[..., Awaitable[None]]


@pytest.fixture
def inside() -> list[str]:
    """Paths of the requests that are being worked on."""
    return []


@pytest.fixture
def ask(inside: list[str], settings: Settings) -> Ask:
    """Send a request that is worked on for ever, from an address of its own."""
    settings.PAGES_AT_ONCE = AT_ONCE
    addresses = (f"192.0.2.{number}" for number in range(1, 255))

    async def work(scope: dict[str, Any], receive: Any, send: Any) -> None:
        inside.append(scope["path"])
        await asyncio.Event().wait()

    application = FairTurns(work)
    tasks = []

    async def ask(path: str, method: str = "GET") -> None:
        scope = {"method": method, "path": path, "headers": [], "client": [next(addresses), 1]}
        tasks.append(asyncio.create_task(application(scope, None, None)))
        await asyncio.sleep(0.01)

    return ask


@pytest.mark.parametrize("view", sorted({*VIEWS, *IN_BUCKET}))
async def test_files_of_a_bucket_leave_turns_to_pages(
    view: str, ask: Ask, inside: list[str], settings: Settings
) -> None:
    settings.S3_BUCKET = "photos"
    method, arguments = VIEWS[view]
    for _ in range(AT_ONCE):
        await ask(reverse(view, args=arguments), method)
    assert len(inside) == AT_ONCE // 2
    for page in ("/uploads/", "/no/such/page"):
        await ask(page)
        assert inside[-1] == page


async def test_those_on_a_disk_have_all_of_them(ask: Ask, inside: list[str]) -> None:
    for _ in range(AT_ONCE):
        await ask(reverse("upload_image", args=PHOTO))
    assert len(inside) == AT_ONCE


@pytest.mark.parametrize("name", sorted(WITH_MAIL))
async def test_mails_that_wait_for_their_server_leave_turns_to_pages(
    name: str, ask: Ask, inside: list[str]
) -> None:
    for _ in range(AT_ONCE):
        await ask(reverse(name, args=PHOTO if name == "studies:team" else []), "POST")
    assert len(inside) == AT_ONCE // 2
    await ask("/uploads/")
    assert inside[-1] == "/uploads/"


#: Forms with a password, and what their addresses name.
FORMS: dict[str, list[Any]] = {
    "account_login": [],
    "account_signup": [],
    "account_reauthenticate": [],
    "account_change_password": [],
    "account_set_password": [],
    "account_reset_password_from_key": ["1", "set-password"],
    "delete_account": [],
    "admin:accounts_user_add": [],
    "admin:auth_user_password_change": [7],
}


@pytest.mark.parametrize("name", sorted({*FORMS, *WITH_PASSWORD}))
async def test_passwords_that_wait_for_their_hash_leave_turns_to_pages(
    name: str, ask: Ask, inside: list[str]
) -> None:
    for _ in range(AT_ONCE):
        await ask(reverse(name, args=FORMS[name]), "POST")
    assert len(inside) == AT_ONCE // 3
    await ask("/uploads/")
    assert inside[-1] == "/uploads/"
    # Nor do they wait for photos, or the other way round.
    await ask("/uploads/new/", "POST")
    assert inside[-1] == "/uploads/new/"
