"""A video on the pages and by API: sent, followed, stopped, read, exported and deleted."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from recognition.models import DataExport, Recording, Video
from recognition.personal_data import account_deletion, export
from recognition.videos import processing
from recognition.videos.forms import NewVideo
from tests.support.videos import Sending


def upload(client: Client, data: bytes, **fields: Any) -> Any:
    file = SimpleUploadedFile("interview.mp4", data, "video/mp4")
    return client.post(reverse("new_video"), {"video": file, **fields}, follow=True)


def series_of(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(response).decode())))


def test_the_form_leads_to_the_recording_which_tells_how_far_it_is(
    alice_client: Client, film: bytes
) -> None:
    page = upload(alice_client, film)
    video = Video.objects.get()
    assert page.redirect_chain == [(video.recording.get_absolute_url(), 302)]
    assert "interview.mp4" in page.text
    assert "Waiting for its turn" in page.text
    assert 'data-every="3"' in page.text
    processing.run_slice(str(video.pk), seconds=0.0)
    processing.run_slice(str(video.pk), seconds=0.0)
    Video.objects.update(position_ms=2000)
    page = alice_client.get(video.recording.get_absolute_url())
    assert "Looked at 0:02 of 0:05" in page.text
    assert 'value="0.400"' in page.text
    assert 'data-face="1"' in page.text  # What was seen so far.
    assert "running" in alice_client.get(reverse("live_sessions")).text


def test_without_a_choice_ten_frames_a_second_are_looked_at(film: bytes) -> None:
    form = NewVideo({}, {"video": SimpleUploadedFile("interview.mp4", film)})
    assert form.is_valid()
    assert form.cleaned_data["frames_per_second"] == 10


def test_a_finished_one_shows_its_timeline_and_downloads(alice_client: Client, film: bytes) -> None:
    upload(alice_client, film, frames_per_second=5)
    video = Video.objects.get()
    assert processing.run_slice(str(video.pk), seconds=600)
    page = alice_client.get(video.recording.get_absolute_url())
    assert "The video has been deleted; these are its results." in page.text
    assert "data-every" not in page.text
    rows = series_of(
        alice_client.get(reverse("download_recording", args=[video.recording_id, "csv"]))
    )
    assert {row["label"] for row in rows} == {"happy"}
    assert {int(row["time_ms"]) % 200 for row in rows} == {0}


@pytest.mark.parametrize("data", [b"", b"not a video at all, but text"])
def test_the_form_says_what_is_wrong(alice_client: Client, data: bytes) -> None:
    page = upload(alice_client, data)
    assert not Video.objects.exists()
    assert "Choose a video" in page.text or "This is not a video that can be read" in page.text


def test_it_can_be_stopped(alice_client: Client, send: Sending) -> None:
    video = send()
    page = alice_client.post(reverse("cancel_video", args=[video.pk]), follow=True)
    assert "Stopped. What was seen so far is kept." in page.text
    assert "Stopped before its end." in page.text


def test_by_api_and_command_line_it_gives_the_same_numbers(
    alice_client: Client, film: bytes, tmp_path: Any
) -> None:
    file = SimpleUploadedFile("interview.mp4", film, "video/mp4")
    created = alice_client.post("/api/v1/videos/", {"video": file, "frames_per_second": 10})
    assert created.status_code == 201
    assert created["Location"].endswith(f"/api/v1/videos/{created.json()['id']}/")
    assert created.json()["status"] == "pending"
    while processing.run_slice(created.json()["id"], seconds=1.0):
        pass
    told = alice_client.get(created["Location"]).json()
    assert (told["status"], told["error"]) == ("done", None)
    assert (told["progress"]["seconds"], told["progress"]["of_seconds"]) == (4.9, 5.0)
    by_api = series_of(alice_client.get(told["links"]["csv"]))
    path = tmp_path / "film.mp4"
    path.write_bytes(film)
    stdout = io.StringIO()
    call_command("recognize", str(path), "--format", "csv", stdout=stdout)
    by_command = list(csv.DictReader(io.StringIO(stdout.getvalue())))
    assert len(by_api) == len(by_command)
    for one, other in zip(by_api, by_command, strict=True):
        for column in set(one) - {"recording"}:
            if column.startswith("p_") or column in {"sharpness", "turn"}:
                # Stored with three digits.
                assert float(one[column]) == pytest.approx(float(other[column]), rel=1e-3, abs=1e-3)
            else:
                assert one[column] == other[column]


def test_the_api_refuses_what_is_no_video(alice_client: Client) -> None:
    file = SimpleUploadedFile("a.mp4", b"text", "video/mp4")
    answer = alice_client.post("/api/v1/videos/", {"video": file})
    assert (answer.status_code, answer.json()["code"]) == (415, "format_not_accepted")
    assert alice_client.post("/api/v1/videos/", {}).json()["errors"].keys() == {"video"}
    for number in (0, 31):
        file.seek(0)
        body = {"video": file, "frames_per_second": number}
        assert alice_client.post("/api/v1/videos/", body).json()["code"] == "invalid"


def test_deleting_it_by_api_deletes_everything(
    alice_client: Client, send: Sending, django_capture_on_commit_callbacks: Any
) -> None:
    video = send()
    processing.run_slice(str(video.pk), seconds=0.0)
    with django_capture_on_commit_callbacks(execute=True):
        answer = alice_client.delete(f"/api/v1/videos/{video.pk}/")
    assert answer.status_code == 204
    assert not Video.objects.exists()
    assert not Recording.objects.exists()
    assert not default_storage.exists(str(video.file.name))


def test_it_is_in_the_export(alice: User, send: Sending) -> None:
    video = send()
    processing.run_slice(str(video.pk), seconds=600)
    made = export.start(alice)
    assert export.build(str(made.pk))
    made = DataExport.objects.get()
    with zipfile.ZipFile(made.file.open("rb")) as archive:
        assert "interview.mp4" in archive.read("videos.csv").decode()
        assert f"recordings/{video.recording_id}.csv" in archive.namelist()


def test_it_goes_with_the_account(alice: User, send: Sending) -> None:
    video = send()
    account_deletion.close(alice)
    assert account_deletion.delete(alice.pk)
    assert not Video.objects.exists()
    assert not default_storage.exists(str(video.file.name))
