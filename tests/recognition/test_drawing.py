"""A face that the model missed, drawn by its owner: theirs, and never the model's."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from recognition import quotas
from recognition.models import Prediction, Upload
from recognition.uploads import corrections, drawing
from recognition.vision.types import BoundingBox
from tests.support.factories import LEFT, RIGHT, recognition, run

BOX = {"x": 300, "y": 300, "width": 80, "height": 90}


@pytest.fixture
def upload(alice_upload: Upload) -> Upload:
    """A photo of 512×512 pixels with a face, and a spot that was rejected."""
    return run(alice_upload, recognition(LEFT, rejected=(RIGHT,)))[0].upload


def draw(client: Client, upload: Upload, label: str = "sad", **box: Any) -> str:
    """Draw a face on the photo's page; returns the page."""
    form = {**BOX, **box, "label": label}
    response = client.post(f"/uploads/{upload.pk}/faces/new/", form, follow=True)
    assert response.status_code == 200
    return response.text


def drawn(upload: Upload) -> list[Prediction]:
    return list(upload.predictions.filter(rejected=Prediction.DRAWN))


def test_a_drawn_face_is_the_persons(alice_client: Client, upload: Upload) -> None:
    page = draw(alice_client, upload)
    assert "Named by you." in page
    assert page.count('<details class="face ') == 2
    (face,) = drawn(upload)
    assert (face.label, face.confidence, face.probabilities) == ("", 0, {})
    assert (face.correction, face.corrected_at is not None) == ("sad", True)
    assert face.box == BoundingBox(300, 300, 80, 90)
    assert str(upload.pk) in alice_client.get("/uploads/?label=sad").text
    # The model said nothing: there is nothing to agree with, to explain or to review.
    statistics = alice_client.get("/api/v1/statistics/").json()
    assert (statistics["uploads"]["counts"]["sad"], statistics["agreement"]["corrected"]) == (1, 0)
    assert f"/faces/{face.index}/explain/" not in page
    assert f'value="{face.pk}"' not in alice_client.get("/review/?of=all").text
    (event,) = AuditEvent.objects.filter(action="face_drawn")
    assert event.details == {"face": face.index}, "it outlives the photo"
    assert "A face was drawn" in alice_client.get("/accounts/activity/").text


def test_api_and_reports_say_so(alice_client: Client, upload: Upload) -> None:
    draw(alice_client, upload)
    (face,) = drawn(upload)
    told = alice_client.get(f"/api/v1/predictions/{face.pk}/").json()
    (exported,) = json.loads(b"".join(alice_client.get("/uploads/export.json")))
    for shown in (told, exported["faces"][2]):
        assert (shown["rejected"], shown["label"], shown["correction"]) == ("drawn", "sad", "sad")
        assert (shown["predicted_label"], shown["probabilities"]) == (None, {})
    rows = csv.DictReader(io.StringIO(b"".join(alice_client.get("/uploads/export.csv")).decode()))
    row = list(rows)[2]
    assert (row["rejected"], row["label"], row["predicted_label"]) == ("drawn", "sad", "")
    assert row["p_happy"] == ""


@pytest.mark.parametrize("label", ["", "not_a_face"])
def test_taken_back_it_is_gone(alice_client: Client, upload: Upload, label: str) -> None:
    draw(alice_client, upload)
    (face,) = drawn(upload)
    path = f"/uploads/{upload.pk}/faces/{face.pk}/correction/"
    assert alice_client.post(path, {"label": "happy"}).status_code == 302
    assert drawn(upload)[0].correction == "happy"
    assert alice_client.post(path, {"label": label}).status_code == 302
    assert drawn(upload) == []
    assert upload.predictions.count() == 2


def test_it_stays_when_the_photo_is_looked_at_again(alice_client: Client, upload: Upload) -> None:
    draw(alice_client, upload)
    after = run(upload, recognition(LEFT))
    assert [(face.index, face.rejected, face.correction) for face in after] == [
        (0, "", ""),
        (1, "drawn", "sad"),
    ]
    found = run(upload, recognition(LEFT, BoundingBox(305, 300, 80, 85)))
    assert [(face.label, face.rejected, face.correction) for face in found] == [
        ("happy", "", ""),
        ("happy", "", "sad"),
    ]


def test_so_does_a_face_that_was_named_and_is_not_found_again(alice: User, upload: Upload) -> None:
    """Not one that is none, nor one of which nothing was said."""
    seen = run(upload, recognition(LEFT, RIGHT, BoundingBox(305, 300, 80, 85)))
    corrections.correct(seen[0], "sad", alice)
    corrections.correct(seen[1], "not_a_face", alice)
    (face,) = run(upload, recognition())
    assert (face.rejected, face.label, face.correction) == ("drawn", "", "sad")
    assert face.box == LEFT
    assert face.corrected_at is not None
    (again,) = run(upload, recognition(LEFT))
    assert (again.rejected, again.label, again.correction) == ("", "happy", "sad")


def test_of_two_named_faces_that_one_is_found_for_none_is_lost(alice: User, upload: Upload) -> None:
    first, second = BoundingBox(200, 300, 80, 80), BoundingBox(252, 300, 80, 80)
    for face, label in zip(
        run(upload, recognition(first, second)), ("sad", "neutral"), strict=True
    ):
        corrections.correct(face, label, alice)
    between = BoundingBox(228, 300, 80, 80)
    after = run(upload, recognition(between))
    assert [(face.rejected, face.correction) for face in after] == [
        ("", "neutral"), ("drawn", "sad"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("box", "label", "sentence"),
    [
        ({}, "angry", "a label that a face can have"),
        ({}, "not_a_face", "a label that a face can have"),
        ({}, "", "a label that a face can have"),
        ({"width": 7}, "sad", "too small"),
        ({"x": 480}, "sad", "not inside the photo"),
        ({"y": -1}, "sad", "not inside the photo"),
        ({"x": "x"}, "sad", "not inside the photo"),
        ({"width": 10**30}, "sad", "not inside the photo"),
        ({"x": 10, "y": 15, "width": 100, "height": 95}, "sad", "already a face"),
    ],
)
def test_what_cannot_be_drawn(
    alice_client: Client, upload: Upload, box: dict[str, Any], label: str, sentence: str
) -> None:
    assert sentence in draw(alice_client, upload, label, **box)
    assert drawn(upload) == []


def test_not_on_a_photo_that_is_gone_or_full_or_not_done(
    alice: User, alice_client: Client, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "MAXIMUM_FACES", 2)
    assert "as many faces" in draw(alice_client, upload)
    monkeypatch.undo()
    for fields in ({"status": "pending"}, {"status": "done", "photo_deleted_at": timezone.now()}):
        Upload.objects.filter(pk=upload.pk).update(**fields)
        assert "done and still there" in draw(alice_client, upload)
    assert drawn(upload) == []


def test_drawn_faces_take_storage(alice: User, alice_client: Client, upload: Upload) -> None:
    before = quotas.stored_bytes(alice).used
    draw(alice_client, upload)
    assert quotas.stored_bytes(alice).used == before + quotas.DRAWN_FACE_BYTES
    User.objects.filter(pk=alice.pk).update(quota_bytes=before + 2 * quotas.DRAWN_FACE_BYTES - 1)
    page = draw(alice_client, upload, x=10, y=300)
    assert "You’ve used your" in page
    assert len(drawn(upload)) == 1
