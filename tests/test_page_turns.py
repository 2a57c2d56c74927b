"""Requests that wait for something slow have half of the turns at most."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse
from pytest_django import Settings

from emotion_site.page_turns import FairTurns

AT_ONCE = 6
PHOTO, FACE = UUID(int=7), [UUID(int=7), 3]
#: Each lasts for as long as a bucket that says nothing.
IN_BUCKET = [
    reverse("upload_image", args=[PHOTO]),
    reverse("upload_thumbnail", args=[PHOTO]),
    reverse("face_heat_map", args=FACE),
    reverse("video_file", args=[PHOTO]),
    reverse("download_export", args=[PHOTO]),
    reverse("api-upload-image", args=[PHOTO]),
    reverse("api-upload-thumbnail", args=[PHOTO]),
    reverse("studies:block_file", args=FACE),
    reverse("taking_part:stimulus", args=FACE),
]
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


@pytest.mark.parametrize("path", IN_BUCKET)
async def test_files_of_a_bucket_leave_turns_to_pages(
    path: str, ask: Ask, inside: list[str], settings: Settings
) -> None:
    settings.S3_BUCKET = "photos"
    for _ in range(AT_ONCE):
        await ask(path)
    assert len(inside) == AT_ONCE // 2
    await ask("/uploads/")
    assert inside[-1] == "/uploads/"


async def test_those_on_a_disk_have_all_of_them(ask: Ask, inside: list[str]) -> None:
    for _ in range(AT_ONCE):
        await ask(IN_BUCKET[0])
    assert len(inside) == AT_ONCE
