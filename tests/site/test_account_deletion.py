"""An account is deleted while its photos are being worked on: nothing of it is left anywhere."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
import redis

from recognition.jobs import broker
from tests.support.page_client import PageClient
from tests.support.pictures import face_jpeg, two_faces_jpeg
from tests.support.site import Person, Site, wait_until
from tests.support.sockets import close_code

EMAIL = "leaving@example.org"
N_PHOTOS = 24
COUNT_ROWS = """
import json
from django.apps import apps
skipped = {"ContentType", "Permission", "Migration", "Site"}
models = [m for m in apps.get_models() if m.__name__ not in skipped]
print(json.dumps({m.__name__: n for m in models if (n := m._default_manager.count())}))
"""


def rows(site: Site) -> dict[str, int]:
    """Number of rows that are about somebody, by model."""
    output = site.manage("shell", "--no-imports", "-c", COUNT_ROWS).stdout
    result: dict[str, int] = json.loads(output.splitlines()[-1])
    return result


def redis_url(site: Site) -> str:
    code = "from django.conf import settings; print(settings.REDIS_URL)"
    return site.manage("shell", "--no-imports", "-c", code).stdout.splitlines()[-1]


def contents(client: redis.Redis) -> str:
    """All that Redis holds, keys and values, as text."""
    read: dict[str, Any] = {
        "string": client.get,
        "list": lambda key: client.lrange(key, 0, -1),
        "hash": client.hgetall,
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
    }
    kinds = {key: client.type(key).decode() for key in client.scan_iter()}
    return "\n".join(f"{key!r}: {read[kind](key)!r}" for key, kind in kinds.items())


def stored(site: Site) -> list[Path]:
    return [path for path in (site.data_dir / "media").rglob("*") if path.is_file()]


def close_account(person: Person) -> None:
    person.get("/privacy/delete-account/")
    form = {"password": "a-good-password-7"}
    assert person.post("/privacy/delete-account/", data=form).status_code == 302


@pytest.mark.timeout(240)
async def test_nothing_is_left_of_a_deleted_account(own_site: Site) -> None:
    person = await asyncio.to_thread(own_site.sign_up, EMAIL)
    await asyncio.to_thread(person.accept_camera)
    cookie = f"sessionid={person.http.cookies['sessionid']}"
    async with PageClient(own_site.url, cookie) as live:
        assert (await live.receive())["type"] == "ready"
        await live.label(face_jpeg())
        await live.command(type="record")
        assert (await live.receive())["type"] == "recording"
        ids = await asyncio.to_thread(leave_in_the_middle_of_work, own_site, person)
        closed_at = time.monotonic()
        assert await close_code(live) == 4401
    await asyncio.to_thread(nothing_is_left, own_site, ids, closed_at + 60)


def leave_in_the_middle_of_work(site: Site, person: Person) -> list[str]:
    """Close the account with some photos done and others in the queue; returns their ids."""

    def upload(n: int) -> str:
        response = person.upload(two_faces_jpeg(), f"{n}.jpg")
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    ids = [upload(n) for n in range(N_PHOTOS // 2)]
    wait_until(lambda: sum(u["status"] == "done" for u in person.uploads()) >= 1)
    # A worker may be as fast as whoever uploads; one that is away leaves work undone.
    site.stop("worker")
    ids += [upload(n) for n in range(N_PHOTOS // 2, N_PHOTOS)]
    with redis.Redis.from_url(redis_url(site)) as client:
        assert n_messages(client, "interactive") > 3, "there is no queued work to speak of"
    site.start("worker")
    close_account(person)
    assert person.get("/uploads/").status_code == 302
    return ids


def n_messages(client: redis.Redis, queue: str) -> int:
    """In all priorities."""
    return sum(int(client.llen(part)) for part in broker.lists(queue))


def nothing_is_left(site: Site, ids: list[str], deadline: float) -> None:
    wait_until(lambda: rows(site) == {}, timeout=deadline - time.monotonic(), every=1)
    with redis.Redis.from_url(redis_url(site)) as client:
        wait_until(
            lambda: not any(name in contents(client) for name in ids),
            timeout=deadline - time.monotonic(),
        )
        assert n_messages(client, "interactive") == n_messages(client, "urgent") == 0
        assert EMAIL not in contents(client)
    time.sleep(5)  # Whatever was on its way has had its time.
    assert rows(site) == {}
    assert stored(site) == []
