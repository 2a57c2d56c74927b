"""The pages and the API, as their HTML and JSON."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone, translation

from accounts.models import User
from recognition import tasks
from recognition.models import Prediction, Upload
from recognition.templatetags.recognition import percent
from recognition.uploads.actions import create_upload
from recognition.uploads.pages import EXAMPLE
from recognition.vision.manifest import read_manifest
from recognition.vision.recognizer import EmotionRecognizer
from tests.support.pictures import false_face_jpeg, no_face_jpeg, turned_face_png

BAD_FILES = {
    "empty": (b"", 400),
    "format_not_accepted": (b"I am text in a file named .jpg", 415),
    "damaged": (None, 400),
    "too_large": (b"\xff" * (settings.PHOTO_MAXIMUM_BYTES + 1), 413),
}


@pytest.fixture
def done_upload(alice_upload: Upload) -> Upload:
    """Alice's photo, processed by the real recognizer."""
    tasks.process_upload.apply((str(alice_upload.pk),), throw=True)
    alice_upload.refresh_from_db()
    return alice_upload


def photo(data: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/jpeg")


def test_the_largest_photo_is_the_operators_choice(
    alice_client: Client, face_jpeg: bytes, settings: Any
) -> None:
    settings.PHOTO_MAXIMUM_BYTES = 1024 * 1024
    largest = face_jpeg + bytes(1024 * 1024 - len(face_jpeg))
    assert alice_client.post("/api/v1/uploads/", {"image": photo(largest)}).status_code == 201
    refused = alice_client.post("/api/v1/uploads/", {"image": photo(largest + b"\0")})
    assert refused.status_code == 413
    assert refused.json()["detail"] == "Too large: the limit is 1 MB."
    assert alice_client.get("/api/v1/me/").json()["limits"]["maximum_bytes"] == 1024 * 1024
    assert "1 MB" in alice_client.get("/").text


@pytest.mark.parametrize("code", BAD_FILES)
def test_the_api_refuses_bad_files_with_a_code_and_a_sentence(
    code: str, alice_client: Client, face_jpeg: bytes
) -> None:
    data, status = BAD_FILES[code]
    file = photo(face_jpeg[:9000] if data is None else data)
    response = alice_client.post("/api/v1/uploads/", {"image": file})
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["detail"].endswith(".")
    assert not Upload.objects.exists()


def test_the_api_says_which_field_is_missing(alice_client: Client) -> None:
    response = alice_client.post("/api/v1/uploads/", {})
    assert response.status_code == 400
    assert "image" in response.json()["errors"]


def test_the_api_creates_and_tells_where(alice_client: Client, face_jpeg: bytes) -> None:
    response = alice_client.post("/api/v1/uploads/", {"image": photo(face_jpeg)})
    assert response.status_code == 201
    body = response.json()
    assert response["Location"].endswith(f"/api/v1/uploads/{body['id']}/")
    assert (body["status"], body["faces"], body["error"]) == ("pending", [], None)
    assert alice_client.get(response["Location"]).json() == body


def test_the_api_gives_faces_with_probabilities(alice_client: Client, done_upload: Upload) -> None:
    body = alice_client.get(f"/api/v1/uploads/{done_upload.pk}/").json()
    assert body["status"] == "done"
    (face,) = body["faces"]
    assert (face["label"], face["uncertain"], face["rejected"]) == ("happy", False, None)
    assert set(face["box"]) == {"x", "y", "width", "height"}
    assert tuple(face["probabilities"]) == read_manifest(settings.MODEL_MANIFEST).labels
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)


def test_only_a_failed_upload_can_be_tried_again(
    alice_client: Client, alice_upload: Upload
) -> None:
    path = f"/api/v1/uploads/{alice_upload.pk}/retry/"
    response = alice_client.post(path)
    assert (response.status_code, response.json()["code"]) == (409, "not_failed")
    Upload.objects.update(status=Upload.Status.FAILED, error_code="x", attempts=3)
    response = alice_client.post(path)
    assert (response.status_code, response.json()["status"]) == (202, "pending")


def test_the_plain_form_accepts_and_refuses_each_file_on_its_own(
    alice_client: Client, face_jpeg: bytes
) -> None:
    files = [photo(face_jpeg, "good.jpg"), photo(b"text", "bad.jpg"), photo(face_jpeg, "2.jpg")]
    response = alice_client.post("/uploads/new/", {"images": files}, follow=True)
    assert response.redirect_chain == [("/uploads/", 302)]
    text = response.content.decode()
    assert "2 photos uploaded." in text
    assert "bad.jpg: This file type isn’t supported" in text
    assert Upload.objects.count() == 2


def test_the_plain_form_with_one_photo_opens_it(alice_client: Client, face_jpeg: bytes) -> None:
    response = alice_client.post("/uploads/new/", {"images": [photo(face_jpeg)]})
    assert response["Location"] == Upload.objects.get().get_absolute_url()


def test_the_plain_form_without_a_photo_says_so(alice_client: Client) -> None:
    response = alice_client.post("/uploads/new/", {}, follow=True)
    assert "Choose at least one photo." in response.content.decode()


def test_an_uploads_page_shows_box_label_and_probabilities(
    alice_client: Client, done_upload: Upload
) -> None:
    text = alice_client.get(done_upload.get_absolute_url()).content.decode()
    face = done_upload.predictions.get()
    assert f'<rect x="{face.x}" y="{face.y}" width="{face.width}" height="{face.height}"' in text
    assert text.count('<div class="probability">') == len(face.probabilities)
    assert "Happy" in text


def test_pages_say_when_they_are_not_sure(alice_client: Client, alice: User) -> None:
    upload = make(alice, name="doubt.jpg")
    Prediction.objects.create(
        upload=upload, index=0, x=1, y=2, width=3, height=4, label="happy", confidence=0.45,
        probabilities={"happy": 0.45, "sad": 0.05, "surprise": 0.1, "neutral": 0.4},
        uncertain=True,
    )  # fmt: skip
    for path in ("/", "/uploads/", upload.get_absolute_url()):
        text = alice_client.get(path).content.decode()
        assert "Not sure: Happy or Neutral" in text
        assert "Happy 45%" not in text
    (face,) = alice_client.get(f"/api/v1/uploads/{upload.pk}/").json()["faces"]
    assert (face["label"], face["uncertain"]) == ("happy", True)
    (row,) = csv.DictReader(io.StringIO(b"".join(alice_client.get("/uploads/export.csv")).decode()))
    assert (row["label"], row["uncertain"]) == ("happy", "true")


@pytest.fixture
def hub_upload(alice: User) -> Upload:
    """A photo of Alice's with a spot that is rejected, and no face."""
    upload = create_upload(alice, photo(false_face_jpeg(), "hub.jpg"))
    tasks.process_upload.apply((str(upload.pk),), throw=True)
    upload.refresh_from_db()
    return upload


def test_a_rejected_spot_is_no_face_but_can_be_seen(
    alice_client: Client, hub_upload: Upload
) -> None:
    text = alice_client.get(hub_upload.get_absolute_url()).content.decode()
    assert "No face found" in text
    assert "1 possible face ruled out" in text
    assert "probably not a face" in text
    assert text.count("rejected-box") == 1
    assert "<progress" not in text
    assert "No face found" in alice_client.get("/").content.decode()


def test_a_rejected_spot_does_not_match_a_label(alice_client: Client, hub_upload: Upload) -> None:
    (spot,) = hub_upload.predictions.all()
    by_label = alice_client.get(f"/uploads/?label={spot.label}").content.decode()
    assert str(hub_upload.pk) not in by_label
    assert str(hub_upload.pk) in alice_client.get("/uploads/?label=none").content.decode()


def test_api_and_exports_give_the_reason(alice_client: Client, hub_upload: Upload) -> None:
    (spot,) = alice_client.get(f"/api/v1/uploads/{hub_upload.pk}/").json()["faces"]
    assert spot["rejected"] == "not_confirmed"
    (row,) = csv.DictReader(io.StringIO(b"".join(alice_client.get("/uploads/export.csv")).decode()))
    assert row["rejected"] == "not_confirmed"
    (exported,) = json.loads(b"".join(alice_client.get("/uploads/export.json")))
    assert exported["faces"][0]["rejected"] == "not_confirmed"


def test_a_turned_face_is_shown_upright(alice_client: Client, alice: User) -> None:
    upload = create_upload(alice, photo(turned_face_png(90), "side.png"))
    tasks.process_upload.apply((str(upload.pk),), throw=True)
    face = upload.predictions.get()
    assert (face.label, face.found_by) == ("happy", "both")
    assert face.roll == pytest.approx(90, abs=10)
    text = alice_client.get(upload.get_absolute_url()).content.decode()
    assert f"Face tilted {face.roll:g}°" in text
    assert f'transform="rotate({-face.roll:g} {face.x + face.width / 2:g}' in text
    (row,) = csv.DictReader(io.StringIO(b"".join(alice_client.get("/uploads/export.csv")).decode()))
    assert (float(row["roll"]), row["found_by"]) == (face.roll, "both")


@pytest.mark.parametrize(
    ("detector", "found_by", "told"),
    [("both", "both", False), ("both", "blazeface", True), ("both", "", False),
     ("haar", "haar", False), ("blazeface", "blazeface", False)],
)  # fmt: skip
def test_what_one_of_two_detectors_sees_is_told(
    alice_client: Client, alice_upload: Upload, monkeypatch: pytest.MonkeyPatch,
    detector: str, found_by: str, told: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(settings, "DETECTOR", detector)
    tasks.process_upload.apply((str(alice_upload.pk),), throw=True)
    alice_upload.predictions.update(found_by=found_by)
    text = alice_client.get(alice_upload.get_absolute_url()).content.decode()
    assert ("Only one of the two detectors" in text) is told


def test_no_face_is_said_plainly(alice_client: Client, alice: User) -> None:
    upload = create_upload(alice, photo(no_face_jpeg()))
    tasks.process_upload.apply((str(upload.pk),), throw=True)
    text = alice_client.get(upload.get_absolute_url()).content.decode()
    assert "No face found" in text
    assert "Try a brighter photo" in text


def test_a_failed_upload_says_why_and_can_be_tried_again(
    alice_client: Client, alice_upload: Upload
) -> None:
    Upload.objects.update(status="failed", error_code="damaged", error_message="It is broken.")
    text = alice_client.get(alice_upload.get_absolute_url()).content.decode()
    assert "It is broken." in text
    alice_client.post(f"/uploads/{alice_upload.pk}/retry/")
    alice_upload.refresh_from_db()
    assert alice_upload.status == Upload.Status.PENDING


def test_a_hostile_file_name_is_only_text(
    alice_client: Client, alice: User, face_jpeg: bytes
) -> None:
    upload = create_upload(alice, photo(face_jpeg, "<script>alert(1)<.jpg"))
    assert "<script>alert" not in alice_client.get(upload.get_absolute_url()).content.decode()


def make(owner: User, **fields: Any) -> Upload:
    defaults = {"width": 9, "height": 9, "byte_size": 9, "name": "x.jpg", "status": "done"}
    created_at = fields.pop("created_at", None)
    label = fields.pop("label", None)
    upload = Upload.objects.create(owner=owner, **{**defaults, **fields})
    if created_at:
        Upload.objects.filter(pk=upload.pk).update(created_at=created_at)
    if label:
        Prediction.objects.create(
            upload=upload, index=0, x=1, y=2, width=3, height=4,
            label=label, confidence=0.9, probabilities={label: 0.9},
        )  # fmt: skip
    return upload


def test_the_history_is_filtered_by_label_status_and_date(
    alice_client: Client, alice: User
) -> None:
    long_ago = timezone.now() - timedelta(days=30)
    made = {
        "happy.jpg": make(alice, name="happy.jpg", label="happy"),
        "sad.jpg": make(alice, name="sad.jpg", label="sad", created_at=long_ago),
        "empty.jpg": make(alice, name="empty.jpg"),
        "failed.jpg": make(alice, name="failed.jpg", status="failed"),
    }

    def shown(query: str) -> set[str]:
        text = alice_client.get(f"/uploads/?{query}").content.decode()
        return {name for name, upload in made.items() if f'data-upload="{upload.pk}"' in text}

    week_ago = (timezone.now() - timedelta(days=7)).date()
    assert shown("") == set(made)
    assert shown("label=happy") == {"happy.jpg"}
    assert shown("label=none") == {"empty.jpg"}
    assert shown("status=failed") == {"failed.jpg"}
    assert shown(f"until={week_ago}") == {"sad.jpg"}
    assert shown(f"since={week_ago}") == set(made) - {"sad.jpg"}
    assert shown("label=happy&status=failed") == set()
    assert shown("label=nonsense&since=yesterday") == set(made)


def test_the_history_is_paginated_newest_first(alice_client: Client, alice: User) -> None:
    now = timezone.now()
    for number in range(30):
        make(alice, name=f"n{number}.jpg", created_at=now - timedelta(minutes=number))
    first = alice_client.get("/uploads/").content.decode()
    second = alice_client.get("/uploads/?page=2").content.decode()
    assert first.index("n0.jpg") < first.index("n23.jpg")
    assert "n24.jpg" not in first
    assert "n24.jpg" in second
    assert "n29.jpg" in second


def test_selected_uploads_are_deleted(alice_client: Client, alice: User) -> None:
    keep, *go = (make(alice) for _ in range(3))
    form = {"upload": [str(upload.pk) for upload in go], "action": "delete", "sure": "yes"}
    alice_client.post("/uploads/selected/", form)
    assert Upload.objects.get() == keep


def test_choosing_nothing_changes_nothing_and_says_so(alice_client: Client, alice: User) -> None:
    make(alice)
    page = alice_client.post("/uploads/selected/", {"action": "delete"}, follow=True)
    assert "Select some photos first." in page.content.decode()
    assert Upload.objects.count() == 1


def test_trying_again_is_offered_where_something_failed(alice_client: Client, alice: User) -> None:
    upload = make(alice)
    assert "Retry failed" not in alice_client.get("/uploads/").content.decode()
    Upload.objects.filter(pk=upload.pk).update(status=Upload.Status.FAILED, error_code="gave_up")
    assert "Retry failed" in alice_client.get("/uploads/").content.decode()


def test_the_first_page_shows_what_the_model_says() -> None:
    data = (settings.BASE_DIR / "static/img/example.jpg").read_bytes()
    recognizer = EmotionRecognizer(settings.MODEL_MANIFEST)
    (face,) = recognizer.recognize(data).faces
    shown = {label: percent(share) for label, share in face.probabilities.items()}
    assert shown == {label: percent(share) for label, share in EXAMPLE.items()}


@pytest.mark.parametrize("action", ["delete", "retry"])
def test_a_selection_reaches_only_ones_own(
    action: str, bob_client: Client, alice_upload: Upload
) -> None:
    Upload.objects.update(status=Upload.Status.FAILED)
    form = {"upload": [str(alice_upload.pk)], "action": action}
    bob_client.post("/uploads/selected/", form)
    alice_upload.refresh_from_db()
    assert alice_upload.status == Upload.Status.FAILED


def test_a_selection_that_is_no_id_is_not_found(alice_client: Client, alice: User) -> None:
    assert alice_client.post("/uploads/selected/", {"upload": ["x'--"]}).status_code == 404


def test_exports_hold_every_face_as_csv_and_json(alice_client: Client, done_upload: Upload) -> None:
    make(done_upload.owner, name="=cmd|' /C calc'!A0.jpg")
    text = b"".join(alice_client.get("/uploads/export.csv")).decode()
    empty, face = csv.DictReader(io.StringIO(text))
    assert empty["name"].startswith("'=")
    assert (face["label"], face["name"], face["face"]) == ("happy", "party.jpg", "0")
    assert float(face["p_happy"]) == pytest.approx(float(face["confidence"]), abs=1e-4)
    exported = json.loads(b"".join(alice_client.get("/uploads/export.json")))
    assert [len(upload["faces"]) for upload in exported] == [0, 1]
    assert exported[1]["faces"][0]["label"] == "happy"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_name_is_run_as_a_formula(alice_client: Client, alice: User, sign: str) -> None:
    make(alice, name=f"{sign}1+1.jpg")
    text = b"".join(alice_client.get("/uploads/export.csv")).decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["name"] == f"'{sign}1+1.jpg"


def test_an_empty_export_is_valid(alice_client: Client) -> None:
    assert json.loads(b"".join(alice_client.get("/uploads/export.json"))) == []


def test_an_unknown_export_format_is_not_found(alice_client: Client) -> None:
    assert alice_client.get("/uploads/export.exe").status_code == 404


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0%"), (0.001, "<1%"), (0.5, "50%"), (0.994, "99%"), (0.9999, ">99%")],
)
def test_percentages_claim_no_certainty(share: float, text: str) -> None:
    assert percent(share) == text
    with translation.override("de"):
        german = percent(share)
    assert german.replace("\u00a0", "") == text
    assert " " not in german, "a line would break there"
    assert german.endswith("\u00a0%")
