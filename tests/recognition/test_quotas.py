"""What people may use, and what they are told when it is used up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, User
from recognition import quotas
from recognition.live import consumer
from recognition.models import LiveUsage, Upload
from recognition.uploads.actions import create_upload
from tests.support.pictures import face_jpeg as make_face
from tests.support.sockets import open_live


def send(client: Client, name: str = "a.jpg") -> Any:
    file = SimpleUploadedFile(name, make_face(), "image/jpeg")
    return client.post("/api/v1/uploads/", {"image": file})


def test_without_settings_there_is_no_limit(alice: User, alice_client: Client) -> None:
    assert send(alice_client).status_code == 201
    used = quotas.of(alice)
    assert (used.uploads_today.used, used.uploads_today.limit) == (1, None)
    assert used.bytes.used == Upload.objects.get().stored_bytes


def test_uploads_a_day_also_count_those_deleted_again(
    settings: Any, alice: User, alice_client: Client
) -> None:
    settings.QUOTA_UPLOADS_A_DAY = 2
    for _ in range(2):
        assert send(alice_client).status_code == 201
    alice_client.post(f"/uploads/{Upload.objects.first().pk}/delete/", {"sure": "yes"})  # type: ignore[union-attr]
    response = send(alice_client)
    assert response.status_code == 429
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "quota_exceeded"
    assert "limit of 2 photos" in response.json()["detail"]
    assert 0 < int(response["Retry-After"]) <= 24 * 60 * 60
    assert Upload.objects.count() == 1
    AuditEvent.objects.update(at=timezone.now() - timedelta(days=1))
    assert send(alice_client).status_code == 201


def test_storage_is_limited_by_photos_that_are_still_there(
    alice: User, alice_client: Client
) -> None:
    assert send(alice_client).status_code == 201
    alice.quota_bytes = Upload.objects.get().stored_bytes + 1000
    alice.save()
    response = send(alice_client)
    assert (response.status_code, response.json()["code"]) == (403, "quota_exceeded")
    assert "Retry-After" not in response
    Upload.objects.all().delete()
    assert send(alice_client).status_code == 201


def test_ones_own_quota_goes_before_the_default(
    settings: Any, alice: User, bob_client: Client, alice_client: Client
) -> None:
    settings.QUOTA_UPLOADS_A_DAY = 5
    alice.quota_uploads_a_day = 0
    alice.save()
    assert send(alice_client).status_code == 429
    assert send(bob_client).status_code == 201


def test_the_form_says_it_in_a_sentence_and_keeps_what_fits(
    settings: Any, alice_client: Client
) -> None:
    settings.QUOTA_UPLOADS_A_DAY = 2
    files = [SimpleUploadedFile(f"{n}.jpg", make_face()) for n in range(4)]
    text = alice_client.post("/uploads/new/", {"images": files}, follow=True).content.decode()
    assert "2 photos uploaded." in text
    assert text.count("You’ve reached today’s limit of 2 photos.") == 1


def test_nothing_is_created_for_a_closed_account(alice: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(quotas.AccountClosed):
        create_upload(alice, SimpleUploadedFile("a.jpg", make_face()))
    assert not Upload.objects.exists()
    assert not AuditEvent.objects.filter(action="upload_created").exists()


def test_the_page_shows_what_is_used(settings: Any, alice: User, alice_client: Client) -> None:
    settings.QUOTA_UPLOADS_A_DAY, settings.QUOTA_LIVE_MINUTES_A_DAY = 10, 30
    send(alice_client)
    quotas.add_live_seconds(alice.pk, 65)
    quotas.add_live_seconds(alice.pk, 10)
    text = alice_client.get("/privacy/").content.decode()
    assert "1 of 10" in text
    assert "1:15 of 30:00" in text
    assert text.count("<progress") == 2


def test_days_are_those_of_utc_wherever_the_site_is(
    settings: Any, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    now = datetime(2026, 3, 2, 20, tzinfo=UTC)  # There it is the 3rd.
    monkeypatch.setattr(timezone, "now", lambda: now)
    for hours in (10, 21):  # Today, and yesterday.
        audit.record("upload_created", alice, alice, "upload:x")
        AuditEvent.objects.filter(at=now).update(at=now - timedelta(hours=hours))
    quotas.add_live_seconds(alice.pk, 65)
    assert LiveUsage.objects.get().day == now.date()
    used = quotas.of(alice)
    assert (used.uploads_today.used, used.live_seconds_today.used) == (1, 65)


@pytest.mark.django_db(transaction=True)
def test_use_of_somebody_who_is_gone_is_not_counted() -> None:
    quotas.add_live_seconds(4711, 10)
    assert not LiveUsage.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_live_minutes_are_counted_and_end(
    settings: Any, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.QUOTA_LIVE_MINUTES_A_DAY = 1
    monkeypatch.setattr(consumer, "CHECK_SECONDS", 0.2)
    today = timezone.now().astimezone(UTC).date()
    await LiveUsage.objects.acreate(owner=alice, day=today - timedelta(days=1), seconds=999)
    usage = await LiveUsage.objects.acreate(owner=alice, day=today, seconds=59.5)
    live = await open_live(alice)
    assert (await live.receive_json_from(timeout=10))["type"] == "ready"
    code = None
    while code is None:
        await live.send_to(bytes_data=make_face())
        message = await live.receive_output(timeout=10)
        code = message.get("code")
    assert code == consumer.QUOTA_USED_UP
    await live.disconnect()
    await usage.arefresh_from_db()
    assert 60 <= usage.seconds < 65
    again = await open_live(alice)
    assert (await again.receive_output(timeout=10))["code"] == consumer.QUOTA_USED_UP
    await again.disconnect()


@pytest.mark.django_db(transaction=True)
async def test_a_short_visit_counts_too(alice: User) -> None:
    live = await open_live(alice)
    assert (await live.receive_json_from(timeout=10))["type"] == "ready"
    await live.send_to(bytes_data=make_face())
    assert (await live.receive_json_from(timeout=10))["type"] == "labels"
    await live.disconnect()
    assert 0 < (await LiveUsage.objects.aget()).seconds < 10
