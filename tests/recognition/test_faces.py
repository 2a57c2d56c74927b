"""One face, told the same by every output."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from recognition import faces
from recognition.live.stream import Answer, labels_message
from recognition.models import Prediction, Upload, Webhook, WebhookDelivery
from recognition.vision.live import LiveFrame
from recognition.vision.tracking import TrackedFace
from recognition.vision.types import BoundingBox, Face, FoundBy, Recognition
from tests.support.factories import run

SEEN = Face(
    BoundingBox(12, 34, 56, 78),
    {"happy": 0.123456, "sad": 0.5, "surprise": 0.3, "neutral": 0.076544},
    uncertain=True,
    roll=-12.5,
    found_by=FoundBy.HAAR,
)


@pytest.fixture
def face(alice: User, alice_upload: Upload) -> Prediction:
    """A corrected face; a webhook was told of it before it was corrected."""
    Webhook.objects.create(owner=alice, url="https://receiver.example/", secret="s")
    (prediction,) = run(alice_upload, Recognition(200, 200, (SEEN,)))
    return prediction


def correct(face: Prediction, label: str) -> None:
    Prediction.objects.filter(pk=face.pk).update(correction=label)


def api(client: Client, face: Prediction) -> dict[str, Any]:
    uploads = client.get(f"/api/v1/uploads/{face.upload_id}/").json()
    listed = client.get(f"/api/v1/predictions/{face.pk}/").json()
    (nested,) = uploads["faces"]
    assert {name: listed[name] for name in nested} == nested
    return dict(nested)


def json_download(client: Client) -> dict[str, Any]:
    text = b"".join(client.get("/uploads/export.json"))
    ((face,),) = (upload["faces"] for upload in json.loads(text))
    return dict(face)


def csv_download(client: Client) -> dict[str, str]:
    text = b"".join(client.get("/uploads/export.csv")).decode()
    (row,) = csv.DictReader(io.StringIO(text))
    return row


def webhook() -> dict[str, Any]:
    (told,) = WebhookDelivery.objects.get().payload["upload"]["faces"]
    return dict(told)


def live() -> dict[str, Any]:
    tracked = TrackedFace(
        1, SEEN.box, SEEN.label, SEEN.probabilities, SEEN.uncertain, SEEN.found_by, roll=SEEN.roll
    )
    seen = LiveFrame(200, 200, (tracked,))
    (told,) = labels_message(Answer(1, time.monotonic(), 0.0, seen), seen, 0)["faces"]
    return dict(told)


@pytest.mark.parametrize("correction", ["", "surprise"])
def test_every_output_tells_the_same_of_a_face(
    correction: str, face: Prediction, alice_client: Client
) -> None:
    told_before = webhook()
    correct(face, correction)
    whole = api(alice_client, face)
    assert list(whole) == list(faces.API_FIELDS)
    assert whole["box"] == {"x": 12, "y": 34, "width": 56, "height": 78}
    assert (whole["label"], whole["predicted_label"]) == (correction or "sad", "sad")
    assert (whole["roll"], whole["found_by"], whole["rejected"]) == (-12.5, "haar", None)

    downloaded = json_download(alice_client)
    assert downloaded == {name: whole[name] for name in faces.DOWNLOAD_FIELDS}
    assert list(downloaded) == list(faces.DOWNLOAD_FIELDS)

    row = csv_download(alice_client)
    assert list(row)[-len(faces.CSV_COLUMNS) :] == list(faces.CSV_COLUMNS)
    for name in ("label", "predicted_label", "correction", "rejected", "found_by"):
        assert row[name] == (whole[name] or "")
    for name, value in whole["box"].items():
        assert row[name] == str(value)
    assert row["confidence"] == f"{whole['confidence']:.4f}"
    assert row["uncertain"] == str(whole["uncertain"]).lower()
    assert float(row["roll"]) == whole["roll"]
    for label, share in whole["probabilities"].items():
        assert row[f"p_{label}"] == f"{share:.4f}"

    # Told when the upload was finished: the model's word, which no correction changes. PostgreSQL
    # keeps what waits to be told in an order of its own.
    assert sorted(told_before) == sorted(faces.WEBHOOK_FIELDS)
    for name in ("id", "predicted_label", "confidence", "uncertain"):
        assert told_before[name] == whole[name]

    shown = live()
    assert list(shown) == list(faces.LIVE_FIELDS)
    assert shown["label"] == whole["predicted_label"]
    for name in ("box", "uncertain", "found_by"):
        assert shown[name] == whole[name]
    assert shown["confidence"] == round(whole["confidence"], 4)
    rounded = {label: round(share, 4) for label, share in whole["probabilities"].items()}
    assert shown["probabilities"] == rounded


def test_a_webhook_tells_what_its_owner_said_once_it_is_run_again(
    face: Prediction, alice_client: Client
) -> None:
    correct(face, "surprise")
    face.refresh_from_db()
    assert faces.stored(face, faces.WEBHOOK_FIELDS) == {
        name: api(alice_client, face)[name] for name in faces.WEBHOOK_FIELDS
    }
