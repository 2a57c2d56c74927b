"""People who wait come first, on a real worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.pictures import astronaut, encode, face_jpeg
from tests.support.site import Person, Site, wait_until

pytestmark = pytest.mark.site

#: Put copies of the person's first photo into the queue for bulk work.
_QUEUE_BULK = """
from django.core.files.uploadedfile import SimpleUploadedFile
from accounts.models import User
from recognition.uploads import actions

owner = User.objects.get(email="batch@example.org")
data = owner.uploads.last().image.read()
for number in range({n_photos}):
    file = SimpleUploadedFile(f"bulk-{{number}}.jpg", data)
    actions.create_upload(owner, file, of_batch=True)
"""
N_BULK = 24


@pytest.fixture
def busy_site(tmp_path: Path) -> Iterator[tuple[Site, Person]]:
    """One worker process, and a batch in the queue that it has not begun."""
    with Site(tmp_path / "site", WORKERS="1") as site:
        batch = site.sign_up("batch@example.org")
        large = encode(astronaut().resize((2048, 2048)))
        assert batch.upload(large, "first.jpg").status_code == 201
        batch.wait_until_finished()
        site.kill("worker")
        site.manage("shell", "--command", _QUEUE_BULK.format(n_photos=N_BULK))
        yield site, batch


def done(person: Person) -> list[dict[str, Any]]:
    return [u for u in person.uploads() if u["status"] == "done" and u["name"] != "first.jpg"]


def test_a_photo_that_somebody_waits_for_overtakes_a_batch(
    busy_site: tuple[Site, Person],
) -> None:
    site, batch = busy_site
    person = site.sign_up("waiting@example.org")
    site.start("worker")
    wait_until(lambda: len(done(batch)) >= 2, every=0.05)
    n_before = len(done(batch))
    assert N_BULK - n_before > 20, "the batch is too small for this machine"
    person.upload(face_jpeg())
    (own,) = person.wait_until_finished()
    assert own["status"] == "done"
    finished = batch.wait_until_finished()
    n_after = sum(own["finished_at"] < u["finished_at"] for u in finished)
    # The one that was being worked on, the one the worker already held, and a moment to ask.
    assert n_after >= N_BULK - n_before - 5
    assert [u["status"] for u in finished] == ["done"] * (N_BULK + 1)


def test_a_worker_may_serve_one_queue_alone(busy_site: tuple[Site, Person]) -> None:
    site, batch = busy_site
    site.environment["QUEUES"] = "interactive"
    site.start("worker")
    person = site.sign_up("quick@example.org")
    person.upload(face_jpeg())
    assert person.wait_until_finished()[0]["status"] == "done"
    assert done(batch) == []
    site.kill("worker")
    site.environment["QUEUES"] = "bulk"
    site.start("worker")
    wait_until(lambda: done(batch))
