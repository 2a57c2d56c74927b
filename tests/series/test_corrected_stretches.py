"""A stretch of a recording is corrected, by page and by API; the model's values stay."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from recognition import quotas
from recognition.models import Recording, StretchAnswer
from recognition.series import answers, markers
from tests.support.series import recorded

BODY = {"face": 1, "start_ms": 1500, "end_ms": 2500, "label": "neutral"}


@pytest.fixture
def recording(alice: User) -> Recording:
    return recorded(alice)


def download(client: Client, recording: Recording, ending: str) -> str:
    response: Any = client.get(reverse("download_recording", args=[recording.pk, ending]))
    return b"".join(response).decode()


def correct(client: Client, recording: Recording, **changed: Any) -> Any:
    form = {"face": 1, "start": "1.5", "end": "2.5", "label": "neutral", **changed}
    return client.post(reverse("add_answer", args=[recording.pk]), form, follow=True)


def test_by_page_it_is_in_the_downloads_beside_the_models_values(
    alice_client: Client, alice: User, recording: Recording
) -> None:
    before = list(csv.DictReader(io.StringIO(download(alice_client, recording, "csv"))))
    used = quotas.stored_bytes(alice).used
    page = correct(alice_client, recording)
    assert "Corrected." in page.text
    assert "Face 1, 1.50–2.50 s: Neutral" in page.text
    rows = list(csv.DictReader(io.StringIO(download(alice_client, recording, "csv"))))
    assert {row["answer"] for row in before} == {"none"}
    for row, old in zip(rows, before, strict=True):
        is_meant = row["face"] == "1" and 1500 <= int(row["time_ms"]) < 2500
        assert row == {**old, "answer": "neutral" if is_meant else "none"}
    found = json.loads(download(alice_client, recording, "json"))["answers"]
    assert [{**BODY, "id": found[0]["id"]}] == found
    assert quotas.stored_bytes(alice).used == used + answers.STORED_BYTES
    event = AuditEvent.objects.get(action="correction_made")
    assert event.target == f"recording:{recording.pk}"
    # And taken back.
    answer = StretchAnswer.objects.get()
    gone = reverse("delete_answer", args=[recording.pk, answer.pk])
    assert "Correction deleted." in alice_client.post(gone, follow=True).text
    assert list(csv.DictReader(io.StringIO(download(alice_client, recording, "csv")))) == before
    assert quotas.stored_bytes(alice).used == used


@pytest.mark.parametrize(
    "changed",
    [
        {"label": "angry"},
        {"start": "3"},
        {"start": ""},
        {"face": 0},
        {"end": "nan"},
        {"end": "1e9"},
    ],
)
def test_what_is_wrong_is_refused(
    alice_client: Client, recording: Recording, changed: dict[str, Any]
) -> None:
    page = correct(alice_client, recording, **changed)
    assert "Give a face" in page.text or "begins before it ends" in page.text
    assert not StretchAnswer.objects.exists()


def test_by_api(alice_client: Client, recording: Recording, monkeypatch: Any) -> None:
    address = f"/api/v1/recordings/{recording.pk}/answers/"
    made = alice_client.post(address, BODY, content_type="application/json")
    assert made.status_code == 201
    assert made.json().items() >= BODY.items()
    assert alice_client.get(address).json()["results"] == [made.json()]
    for body, code in (
        ({**BODY, "start_ms": 2500}, "invalid_answer"),
        ({**BODY, "label": "angry"}, "invalid"),
        ({}, "invalid"),
    ):
        answer = alice_client.post(address, body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    monkeypatch.setattr(answers, "MAXIMUM_ANSWERS", 1)
    answer = alice_client.post(address, BODY, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_answers")
    assert alice_client.delete(f"{address}{made.json()['id']}/").status_code == 204
    assert alice_client.get(address).json()["results"] == []


def test_a_full_storage_takes_none(alice: User, alice_client: Client, recording: Recording) -> None:
    alice.quota_bytes = 1
    alice.save()
    assert "storage" in correct(alice_client, recording).text
    assert not StretchAnswer.objects.exists()


def test_the_page_of_means(alice_client: Client, recording: Recording) -> None:
    markers.add(recording.pk, 2000, "film <b>")
    correct(alice_client, recording, label="not_a_face")
    address = reverse("recording_stretches", args=[recording.pk])
    page = alice_client.get(address).text
    assert page.count("<tr data-face") == 4
    assert "film &lt;b&gt;" in page
    assert "Not a face" in page
    assert "data-change" not in page
    page = alice_client.get(address, {"from": "1", "to": "2"}).text
    assert page.count("data-change") == 4 * 5
    assert "+0.000" in page
    for wrong in ({"from": "2", "to": "1"}, {"from": "x", "to": "1"}, {"from": "nan", "to": "2"}):
        assert "A stretch begins before it ends." in alice_client.get(address, wrong).text


def test_the_overview_takes_what_makes_sense(alice_client: Client, recording: Recording) -> None:
    address = reverse("recording_overview", args=[recording.pk])
    whole = alice_client.get(address).json()
    assert [face["face"] for face in whole["faces"]] == [1, 2]
    assert sum(whole["faces"][0]["n"]) == 30
    part = alice_client.get(address, {"from_ms": 1000, "to_ms": 2000, "places": 1}).json()
    assert part["faces"][0]["n"] == [10]
    for wrong in ({"places": 0}, {"places": 10**9}, {"from_ms": -1}, {"to_ms": "x"}):
        assert alice_client.get(address, wrong).json() == whole


def test_it_goes_with_the_recording(alice_client: Client, recording: Recording) -> None:
    correct(alice_client, recording)
    alice_client.post(reverse("delete_live_session", args=[recording.pk]))
    assert not StretchAnswer.objects.exists()
