"""A page of uploads has so many faces, however many photos are asked for."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from recognition.api.views.uploads import UploadPages
from tests.support.factories import add_face, make_upload


def sizes(client: Client, page_size: int) -> list[int]:
    """Uploads of each page, to the last one."""
    found, url = [], f"/api/v1/uploads/?page_size={page_size}"
    while url:
        page = client.get(url).json()
        found.append(len(page["results"]))
        url = page["next"]
    return found


def test_photos_of_many_faces_come_fewer_at_a_time(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UploadPages, "page_size", 2)
    monkeypatch.setattr(UploadPages, "most_faces", 20)
    uploads = [make_upload(alice, sha256=f"{number:064}") for number in range(9)]
    assert sizes(alice_client, 9) == [9]
    for index in range(5):
        add_face(uploads[0], index=index)
    assert sizes(alice_client, 9) == [4, 4, 1]
    assert sizes(alice_client, 3) == [3, 3, 3]
    # No fewer than where nothing is asked for.
    for index in range(5, 40):
        add_face(uploads[0], index=index)
    assert sizes(alice_client, 9) == [2, 2, 2, 2, 1]


def test_other_peoples_photos_change_nothing(
    alice: User, bob: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UploadPages, "page_size", 2)
    monkeypatch.setattr(UploadPages, "most_faces", 20)
    for number in range(5):
        make_upload(alice, sha256=f"{number:064}")
    crowd = make_upload(bob)
    for index in range(30):
        add_face(crowd, index=index)
    assert sizes(alice_client, 5) == [5]
