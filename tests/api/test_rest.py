"""Faces, sessions, statistics, and who one is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from recognition.model_registry import catalogue
from recognition.models import Prediction, Recording, Upload
from tests.support.factories import add_face, make_upload
from tests.support.model_files import CANDIDATE, CANDIDATE_VERSION, copy_shipped, write_candidate
from tests.support.requests import send_json

PREDICTIONS = "/api/v1/predictions/"


@pytest.fixture
def face(alice: User) -> Prediction:
    return add_face(make_upload(alice), "happy")


def ids(client: Client, query: str = "") -> list[int]:
    response = client.get(f"{PREDICTIONS}?{query}")
    assert response.status_code == 200, response.content
    return [found["id"] for found in response.json()["results"]]


def test_faces_are_listed_with_their_upload(
    alice_client: Client, bob_client: Client, face: Prediction
) -> None:
    (found,) = alice_client.get(PREDICTIONS).json()["results"]
    assert (found["upload"], found["label"]) == (str(face.upload_id), "happy")
    assert found == alice_client.get(f"{PREDICTIONS}{face.pk}/").json()
    assert ids(bob_client) == []


def test_faces_are_filtered(alice: User, alice_client: Client, face: Prediction) -> None:
    corrected = add_face(face.upload, "happy", 1, correction="sad", uncertain=True)
    rejected = add_face(face.upload, "happy", 2, rejected="blurred")
    other = add_face(make_upload(alice), "neutral")
    assert ids(alice_client, "label=happy") == [face.pk]
    assert ids(alice_client, "label=sad") == [corrected.pk]
    assert ids(alice_client, "corrected=true") == [corrected.pk]
    assert ids(alice_client, "uncertain=false&corrected=false") == [other.pk, face.pk]
    assert ids(alice_client, "rejected=true") == [rejected.pk]
    assert ids(alice_client, f"upload={other.upload_id}") == [other.pk]
    assert ids(alice_client, "order=uploaded_at")[-1] == other.pk
    tomorrow = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ids(alice_client, f"uploaded_after={tomorrow}") == []
    assert len(ids(alice_client, f"uploaded_before={tomorrow}")) == 3
    yesterday = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ids(alice_client, f"uploaded_before={yesterday}") == []


def test_pages_of_faces_hold_every_face_once(alice_client: Client, face: Prediction) -> None:
    for index in range(1, 6):
        add_face(face.upload, index=index)
    found: list[int] = []
    path: str | None = f"{PREDICTIONS}?page_size=2"
    while path:
        page = alice_client.get(path).json()
        found += [result["id"] for result in page["results"]]
        path = page["next"]
    assert len(found) == len(set(found)) == 6


@pytest.mark.parametrize("correction", ["sad", "happy", "not_a_face"])
def test_a_correction_is_kept_and_taken_back(
    correction: str, alice_client: Client, face: Prediction
) -> None:
    path = f"{PREDICTIONS}{face.pk}/"
    body = send_json(alice_client, "PATCH", path, {"correction": correction}).json()
    assert (body["label"], body["correction"]) == (correction, correction)
    assert body["predicted_label"] == "happy"
    assert body["corrected_at"] is not None
    body = send_json(alice_client, "PATCH", path, {"correction": ""}).json()
    assert (body["label"], body["correction"], body["corrected_at"]) == ("happy", None, None)


@pytest.mark.parametrize("body", [{}, {"correction": "angry"}, {"correction": None}, "sad", []])
def test_what_is_no_correction_is_refused(
    body: Any, alice_client: Client, face: Prediction
) -> None:
    response = send_json(alice_client, "PATCH", f"{PREDICTIONS}{face.pk}/", body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    face.refresh_from_db()
    assert face.correction == ""


def test_a_rejected_spot_becomes_a_face_by_being_named(
    alice_client: Client, face: Prediction
) -> None:
    Prediction.objects.update(rejected="blurred")
    assert alice_client.get(PREDICTIONS).json()["results"] == []
    path = f"{PREDICTIONS}{face.pk}/"
    response = send_json(alice_client, "PATCH", path, {"correction": "sad"})
    assert (response.json()["label"], response.json()["rejected"]) == ("sad", "blurred")
    assert [one["id"] for one in alice_client.get(PREDICTIONS).json()["results"]] == [face.pk]


def test_live_sessions(alice: User, alice_client: Client) -> None:
    now = timezone.now()
    session = Recording.objects.create(
        owner=alice,
        started_at=now - timedelta(seconds=90),
        ended_at=now,
        samples=[[1, "happy", 0.0, 60.0, 0.9], [1, "sad", 60.0, 80.0, 0.6]],
    )
    (listed,) = alice_client.get("/api/v1/live-sessions/").json()["results"]
    assert listed["seconds"] == pytest.approx(90)
    assert listed["shares"]["happy"] == pytest.approx(0.75)
    assert "stretches" not in listed
    path = f"/api/v1/live-sessions/{session.pk}/"
    assert [s["label"] for s in alice_client.get(path).json()["stretches"]] == ["happy", "sad"]
    assert alice_client.delete(path).status_code == 204
    assert not Recording.objects.exists()


def test_statistics(alice_client: Client, face: Prediction) -> None:
    body = alice_client.get("/api/v1/statistics/").json()
    assert body["uploads"]["counts"]["happy"] == 1
    assert len(body["uploads"]["periods"]) == 30
    weeks = alice_client.get("/api/v1/statistics/?period=week&start=2026-01-01&end=2026-02-01")
    assert weeks.json()["period"] == "week"


@pytest.mark.parametrize(
    "query",
    ["period=year", "start=x", "end=2026-02-30", "start=2026-02-01&end=2026-01-01",
     "start=0001-01-01", "end=0001-01-01", "end=9999-12-31", "start=9999-12-31&end=9999-12-31"],
)  # fmt: skip
def test_statistics_that_cannot_be_had_are_refused(query: str, alice_client: Client) -> None:
    response = alice_client.get(f"/api/v1/statistics/?{query}")
    assert response.status_code in {200, 400}, response.content
    assert response.status_code == 400 or query.startswith("end=")


def test_me(alice_client: Client, alice_upload: Upload) -> None:
    body = alice_client.get("/api/v1/me/").json()
    assert body["email"] == "alice@example.org"
    assert set(body["quotas"]) == {"uploads_today", "bytes", "live_seconds_today"}
    assert body["quotas"]["bytes"]["used"] == alice_upload.stored_bytes
    assert body["labels"] == ["happy", "sad", "surprise", "neutral", "other"]
    assert body["limits"]["maximum_bytes"] == 25 * 1024 * 1024
    assert body["model_version"]


def test_me_tells_the_model_that_the_operator_chose(
    alice_client: Client, alice: User, tmp_path: Path, settings: Any
) -> None:
    settings.MODEL_MANIFEST = copy_shipped(tmp_path)
    write_candidate(tmp_path)
    catalogue.choose(CANDIDATE, alice)
    assert alice_client.get("/api/v1/me/").json()["model_version"] == CANDIDATE_VERSION
