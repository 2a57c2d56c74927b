"""The time that photos are kept is that of kept videos, too: pages say so where it is chosen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import AuditEvent, User
from recognition.models import Recording, Upload, Video
from recognition.uploads.actions import create_upload
from recognition.uploads.retention import FOR_EVER


@pytest.fixture
def kept(alice: User) -> Video:
    """As if it had been looked at, forty days ago."""
    now = timezone.now()
    recording = Recording.objects.create(owner=alice, source="video", started_at=now, ended_at=now)
    video = Video(owner=alice, recording=recording, name="a film", container="mov", keep=True)
    video.status, video.byte_size = Video.Status.DONE, 6
    video.file.save("video", SimpleUploadedFile("video", b"a film"))
    Video.objects.update(created_at=now - timedelta(days=40))
    return video


def choose(client: Client, days: str) -> str:
    return client.post(reverse("choose_retention"), {"days": days}, follow=True).text


def test_the_choice_names_videos(alice_client: Client) -> None:
    page = alice_client.get(reverse("privacy")).text
    section = page.split('id="retention-heading"')[1].split("</section>")[0]
    assert "How long photos and videos are kept" in section
    assert "the photo, or the video that you kept, is deleted" in section
    assert "applies to existing photos and videos too" in section


def test_the_answer_says_how_much_goes(
    kept: Video, alice_client: Client, alice_upload: Upload, bob: User, face_jpeg: bytes
) -> None:
    create_upload(bob, SimpleUploadedFile("bob.jpg", face_jpeg))
    Upload.objects.update(status=Upload.Status.DONE)
    Upload.objects.update(created_at=timezone.now() - timedelta(days=50))
    assert "Saved. Nothing has to be deleted." in choose(alice_client, "90")
    assert "Saved. To be deleted within ten minutes: 1 photo and 1 video." in choose(
        alice_client, "30"
    )
    Video.objects.update(file="")
    assert "Saved. To be deleted within ten minutes: 1 photo." in choose(alice_client, "7")
    Upload.objects.all().delete()
    assert "Saved. Nothing has to be deleted." in choose(alice_client, "1")


def test_a_change_of_the_choice_is_in_the_activity_list(alice: User, alice_client: Client) -> None:
    events = AuditEvent.objects.filter(user=alice, actor=alice, action="retention_changed")
    choose(alice_client, "")
    choose(alice_client, "8")
    assert not events.exists(), "nothing was changed"
    choose(alice_client, "30")
    assert events.count() == 1
    choose(alice_client, "90")
    assert events.count() == 1, "each hour one is enough"
    page = alice_client.get("/accounts/activity/").text
    assert "The time that photos and videos are kept was changed" in page


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (FOR_EVER, "until you delete it, or for as long as you keep photos"),
        (30, "for 30 days, as long as your photos"),
    ],
)
def test_who_uploads_one_reads_for_how_long(
    alice: User, alice_client: Client, days: int, words: str
) -> None:
    User.objects.update(photo_retention_days=days)
    assert words in alice_client.get(reverse("new_video")).text


@pytest.mark.parametrize("days", [FOR_EVER, 90])
def test_its_page_says_until_when(kept: Video, alice_client: Client, days: int) -> None:
    User.objects.update(photo_retention_days=days)
    page = alice_client.get(kept.recording.get_absolute_url()).text
    kept.refresh_from_db()
    until = timezone.localtime(kept.created_at + timedelta(days=90))
    sentence = f"Kept until {date_format(until, 'DATE_FORMAT')}, as long as your photos."
    assert (sentence in page) == (days == 90)
    assert ("Kept until" in page) == (days == 90)
