"""Sample photos: uploaded to one's own account, once, and counted like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from recognition import tasks
from recognition.models import Upload
from recognition.uploads.samples import SAMPLES


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_is_read_like_any_photo(sample: str, alice: User, alice_client: Client) -> None:
    answer = alice_client.post("/uploads/sample/", {"sample": sample})
    upload = Upload.objects.get(owner=alice)
    assert answer.headers["Location"] == upload.get_absolute_url()
    assert upload.name == SAMPLES[sample]
    tasks.process_upload.apply((str(upload.pk),), throw=True)
    upload.refresh_from_db()
    assert upload.status == "done"
    assert len(upload.faces) == (1 if sample == "portrait" else 5)


def test_a_second_time_leads_to_the_same_photo(alice: User, alice_client: Client) -> None:
    first, again = (
        alice_client.post("/uploads/sample/", {"sample": "portrait"}).headers["Location"]
        for _time in range(2)
    )
    assert first == again
    assert Upload.objects.filter(owner=alice).count() == 1
    Upload.objects.update(trashed_at="2026-01-01T00:00Z")
    fresh = alice_client.post("/uploads/sample/", {"sample": "portrait"}).headers["Location"]
    assert fresh != first


def test_a_sample_of_somebody_else_is_not_shown(
    alice_client: Client, bob: User, bob_client: Client
) -> None:
    of_alice = alice_client.post("/uploads/sample/", {"sample": "portrait"}).headers["Location"]
    of_bob = bob_client.post("/uploads/sample/", {"sample": "portrait"}).headers["Location"]
    assert of_alice != of_bob
    assert Upload.objects.filter(owner=bob).count() == 1


def test_a_sample_counts_against_the_quota(alice: User, alice_client: Client) -> None:
    alice.quota_uploads_a_day = 0
    alice.save()
    answer = alice_client.post("/uploads/sample/", {"sample": "portrait"}, follow=True)
    assert "You’ve reached today’s limit of 0 photos." in answer.text
    assert not Upload.objects.exists()


@pytest.mark.parametrize("sample", ["", "other", "../samples/portrait"])
def test_nothing_else_can_be_asked_for(sample: str, alice_client: Client) -> None:
    assert alice_client.post("/uploads/sample/", {"sample": sample}).status_code == 404
    assert not Upload.objects.exists()


@pytest.mark.parametrize("path", ["/", "/uploads/", "/review/", "/statistics/", "/live/sessions/"])
def test_empty_pages_offer_samples_until_there_is_a_photo(path: str, alice_client: Client) -> None:
    assert "Try many faces" in alice_client.get(path).text
    alice_client.post("/uploads/sample/", {"sample": "portrait"})
    assert "Try many faces" not in alice_client.get(path).text
