"""What people say about their faces, beside what the model said."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, User
from recognition.models import Prediction, Upload
from recognition.uploads import corrections
from recognition.vision.types import BoundingBox
from tests.support.factories import LEFT, RIGHT, recognition, run


@pytest.fixture
def faces(alice_upload: Upload) -> list[Prediction]:
    return run(alice_upload, recognition(LEFT, RIGHT, rejected=(BoundingBox(0, 300, 50, 50),)))


def path(face: Prediction) -> str:
    return f"/uploads/{face.upload_id}/faces/{face.pk}/correction/"


def say(client: Client, face: Prediction, label: str) -> str:
    """Correct a face on its page; returns the page."""
    response = client.post(path(face), {"label": label}, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_a_correction_is_shown_with_what_the_model_said(
    alice_client: Client, faces: list[Prediction]
) -> None:
    text = say(alice_client, faces[0], "sad")
    assert "Corrected by you." in text
    assert "The model said “Happy”, 70%." in text
    faces[0].refresh_from_db()
    assert (faces[0].label, faces[0].correction) == ("happy", "sad")
    assert faces[0].effective_label == "sad"
    assert faces[0].corrected_at is not None


def test_a_prediction_can_be_confirmed_and_a_correction_taken_back(
    alice_client: Client, faces: list[Prediction]
) -> None:
    assert "Confirmed by you." in say(alice_client, faces[0], "happy")
    text = say(alice_client, faces[0], "")
    assert "Confirmed by you." not in text
    faces[0].refresh_from_db()
    assert (faces[0].correction, faces[0].corrected_at) == ("", None)


def test_cards_and_filters_go_by_the_correction(
    alice_client: Client, faces: list[Prediction]
) -> None:
    def is_found(label: str) -> bool:
        text = alice_client.get(f"/uploads/?label={label}").content.decode()
        return str(faces[0].upload_id) in text

    assert not is_found("corrected")
    say(alice_client, faces[0], "sad")
    say(alice_client, faces[1], "not_a_face")
    assert is_found("sad")
    assert is_found("corrected")
    assert not is_found("happy")
    text = alice_client.get("/uploads/").content.decode()
    assert "badge emotion-sad" in text
    assert "badge emotion-happy" not in text
    say(alice_client, faces[0], "not_a_face")
    assert is_found("none")
    assert "No face found" in alice_client.get("/uploads/").content.decode()


def test_exports_and_api_give_both(alice_client: Client, faces: list[Prediction]) -> None:
    say(alice_client, faces[0], "not_a_face")
    text = b"".join(alice_client.get("/uploads/export.csv")).decode()
    corrected, other, _rejected = csv.DictReader(io.StringIO(text))
    columns = ("label", "predicted_label", "correction")
    assert [corrected[name] for name in columns] == ["not_a_face", "happy", "not_a_face"]
    assert [other[name] for name in columns] == ["happy", "happy", ""]
    (exported,) = json.loads(b"".join(alice_client.get("/uploads/export.json")))
    told = alice_client.get(f"/api/v1/uploads/{faces[0].upload_id}/").json()
    for face in (exported["faces"][0], told["faces"][0]):
        assert [face[name] for name in columns] == ["not_a_face", "happy", "not_a_face"]
        assert face["confidence"] == face["probabilities"]["happy"]
    assert exported["faces"][1]["correction"] is None


@pytest.mark.parametrize("label", ["angry", "<script>", "x" * 500])
def test_other_labels_are_refused(
    label: str, alice_client: Client, faces: list[Prediction]
) -> None:
    assert "isn’t a label that a face can have" in say(alice_client, faces[0], label)
    faces[0].refresh_from_db()
    assert faces[0].correction == ""


def test_a_rejected_spot_becomes_a_face_by_being_named(
    alice: User, alice_client: Client, faces: list[Prediction]
) -> None:
    spot = faces[2]
    assert "This is a face…" in alice_client.get(faces[0].upload.get_absolute_url()).text
    page = say(alice_client, spot, "sad")
    assert page.count('<details class="face ') == 3
    assert "The model had ruled it out: too blurry." in page
    assert 'class="rejected-box"' not in page
    assert str(spot.upload_id) in alice_client.get("/uploads/?label=sad").text
    # There is no prediction to explain, nor one to agree with.
    assert f"/faces/{spot.index}/explain/" not in page
    assert "You reviewed" not in alice_client.get("/statistics/").text
    page = say(alice_client, spot, "not_a_face")
    assert page.count('<details class="face ') == 2
    assert 'class="rejected-box"' in page
    say(alice_client, spot, "sad")
    page = say(alice_client, spot, "")
    assert page.count('<details class="face ') == 2


def test_a_face_of_another_photo_does_not_exist(
    alice_client: Client, bob_client: Client, faces: list[Prediction]
) -> None:
    assert bob_client.post(path(faces[0]), {"label": "sad"}).status_code == 404
    assert (
        alice_client.post(path(faces[0]).replace(f"/{faces[0].pk}/", "/99999/")).status_code == 404
    )


def test_corrections_are_on_the_record(
    alice: User, alice_client: Client, faces: list[Prediction]
) -> None:
    say(alice_client, faces[1], "sad")
    say(alice_client, faces[1], "sad")
    (event,) = AuditEvent.objects.filter(action="correction_made")
    assert (event.user, event.actor, event.target) == (alice, alice, f"upload:{faces[1].upload_id}")
    assert event.details == {"face": 1}


def test_to_and_fro_is_one_event_an_hour(
    alice: User, alice_client: Client, faces: list[Prediction]
) -> None:
    """Events count in no quota."""
    events = AuditEvent.objects.filter(action="correction_made")
    for label in ("sad", "surprise", "sad"):
        say(alice_client, faces[1], label)
    assert events.count() == 1
    say(alice_client, faces[0], "sad")
    assert events.count() == 2, "another face"
    events.update(at=timezone.now() - audit.TOGETHER)
    say(alice_client, faces[1], "surprise")
    assert events.count() == 3


def test_another_run_keeps_what_was_said(alice: User, faces: list[Prediction]) -> None:
    corrections.correct(faces[0], "sad", alice)
    corrections.correct(faces[1], "not_a_face", alice)
    moved = BoundingBox(LEFT.x + 20, LEFT.y, 100, 100)
    new = BoundingBox(400, 400, 100, 100)
    after = run(faces[0].upload, recognition(new, moved))
    assert [face.correction for face in after] == ["", "sad"]
    assert after[1].corrected_at is not None


def test_a_correction_goes_to_the_box_that_overlaps_most_and_to_no_other(
    alice: User, faces: list[Prediction]
) -> None:
    corrections.correct(faces[0], "sad", alice)
    near, nearer = BoundingBox(20, 10, 100, 100), BoundingBox(12, 10, 100, 100)
    after = run(faces[0].upload, recognition(near, nearer))
    assert [face.correction for face in after] == ["", "sad"]
    far = BoundingBox(LEFT.x + 60, LEFT.y, 100, 100)
    after = run(faces[0].upload, recognition(far))
    # What somebody said of a face is not lost with it.
    assert [(face.rejected, face.correction) for face in after] == [("", ""), ("drawn", "sad")]
