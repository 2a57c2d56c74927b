"""Uploads and predictions: found, acted on, and blurred until somebody asks."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.test import Client
from PIL import Image

from accounts.models import AuditEvent, User
from recognition.models import Prediction, Upload
from recognition.uploads import processing
from tests.support.factories import RESULT

UPLOADS = "/admin/recognition/upload/"
PREDICTIONS = "/admin/recognition/prediction/"


def sharpness(jpeg: bytes) -> float:
    """Mean difference between pixels side by side, in grey levels."""
    gray = np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"), dtype=float)
    return float(np.abs(np.diff(gray, axis=1)).mean())


def views() -> QuerySet[AuditEvent]:
    """What audit trails say about photos that staff looked at."""
    return AuditEvent.objects.filter(action="photo_viewed_by_staff")


def act(client: Client, action: str, *uploads: Upload, **form: Any) -> Any:
    chosen = [str(upload.pk) for upload in uploads]
    return client.post(UPLOADS, {"action": action, "_selected_action": chosen, **form})


def test_the_list_has_blurred_pictures_only(root_client: Client, done_upload: Upload) -> None:
    page = root_client.get(UPLOADS).content.decode()
    pictures = re.findall(r'<img[^>]* src="([^"]+)"', page)
    blurred = [address for address in pictures if "/upload/" in address]
    assert blurred == [f"{UPLOADS}{done_upload.pk}/blurred/"]
    picture = root_client.get(blurred[0])
    assert picture["Content-Type"] == "image/jpeg"
    assert "no-store" in picture["Cache-Control"]
    with done_upload.thumbnail.open() as file:
        sharp = file.read()
    assert sharpness(picture.content) < sharpness(sharp) / 3
    # What is left has no more than ten pixels a side: shrunk to that and back, nothing is lost.
    left = Image.open(io.BytesIO(picture.content)).convert("L")
    few = left.resize((10, 10), Image.Resampling.BOX).resize(left.size, Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(few, float) - np.asarray(left, float)).mean() < 12


def test_showing_a_photo_is_written_down_each_time(
    root_client: Client, root: User, alice: User, done_upload: Upload
) -> None:
    address = f"{UPLOADS}{done_upload.pk}/photo/"
    assert root_client.get(address).status_code == 405
    assert not views().exists()
    page = root_client.post(address)
    (data,) = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page.content.decode())
    with done_upload.thumbnail.open() as file:
        assert sharpness(base64.b64decode(data)) > sharpness(file.read()) / 2
    assert "no-store" in page["Cache-Control"]
    event = views().get()
    assert (event.user, event.actor, event.action) == (alice, root, "photo_viewed_by_staff")
    assert event.target == f"upload:{done_upload.pk}"
    root_client.post(address)
    assert views().count() == 2


def test_a_photo_that_is_gone_is_not_written_down(root_client: Client, done_upload: Upload) -> None:
    default_storage.delete(done_upload.image.name)
    response = root_client.post(f"{UPLOADS}{done_upload.pk}/photo/", follow=True)
    assert "has been deleted" in response.content.decode()
    assert not views().exists()
    default_storage.delete(done_upload.thumbnail.name)
    assert root_client.get(f"{UPLOADS}{done_upload.pk}/blurred/").status_code == 404


def test_the_page_of_an_upload_says_what_was_seen(root_client: Client, done_upload: Upload) -> None:
    page = root_client.get(f"{UPLOADS}{done_upload.pk}/change/").content.decode()
    assert "Happy" in page
    assert "Show photo" in page
    assert "/image/" not in page
    assert "/thumbnail/" not in page


def test_failed_uploads_are_tried_again(root_client: Client, alice_upload: Upload) -> None:
    Upload.objects.update(status=Upload.Status.FAILED, error_code="gave_up")
    page = act(root_client, "retry", alice_upload)
    assert page.status_code == 302
    alice_upload.refresh_from_db()
    assert (alice_upload.status, alice_upload.error_code) == (Upload.Status.PENDING, "")


def test_done_uploads_are_run_again_and_keep_their_faces_meanwhile(
    root_client: Client, done_upload: Upload
) -> None:
    faces = Prediction.objects.filter(upload=done_upload).count()
    assert faces
    act(root_client, "rerun", done_upload)
    done_upload.refresh_from_db()
    assert (done_upload.status, done_upload.attempts) == (Upload.Status.PENDING, 0)
    assert Prediction.objects.filter(upload=done_upload).count() == faces
    claimed = Upload.objects.claim(str(done_upload.pk))
    assert claimed is not None
    assert processing.complete(claimed, RESULT, "another-model")
    done_upload.refresh_from_db()
    assert (done_upload.status, done_upload.model_version) == ("done", "another-model")
    assert Prediction.objects.filter(upload=done_upload).count() == 3


@pytest.mark.parametrize("status", ["pending", "processing", "failed"])
def test_only_what_is_done_is_run_again(
    status: str, root_client: Client, alice_upload: Upload
) -> None:
    Upload.objects.update(status=status)
    act(root_client, "rerun", alice_upload)
    alice_upload.refresh_from_db()
    assert alice_upload.status == status


def test_deleting_takes_the_files_along(
    root_client: Client, root: User, done_upload: Upload, django_capture_on_commit_callbacks: Any
) -> None:
    names = [done_upload.image.name, done_upload.thumbnail.name]
    with django_capture_on_commit_callbacks(execute=True):
        act(root_client, "delete_selected", done_upload, post="yes")
    assert not Upload.objects.exists()
    event = AuditEvent.objects.get(action="upload_deleted")
    assert (event.user, event.actor) == (done_upload.owner, root)
    assert not any(default_storage.exists(name) for name in names)


def test_deleting_one_takes_its_files_along(
    root_client: Client, done_upload: Upload, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        root_client.post(f"{UPLOADS}{done_upload.pk}/delete/", {"post": "yes"})
    assert not Upload.objects.exists()
    assert not default_storage.exists(done_upload.image.name)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1),
        ("?q=alice", 1),
        ("?q=nobody", 0),
        ("?status__exact=done", 1),
        ("?status__exact=failed", 0),
        ("?photo=kept", 1),
        ("?photo=deleted", 0),
        ("?error_code=gave_up", 0),
    ],
)
def test_uploads_are_found(
    query: str, found: int, root_client: Client, done_upload: Upload
) -> None:
    assert root_client.get(UPLOADS + query).context["cl"].result_count == found


def test_an_upload_is_found_by_its_id_and_hash(root_client: Client, done_upload: Upload) -> None:
    for text in (str(done_upload.pk), done_upload.sha256):
        assert root_client.get(UPLOADS, {"q": text}).context["cl"].result_count == 1


@pytest.fixture
def three_predictions(alice_upload: Upload) -> Upload:
    claimed = Upload.objects.claim(str(alice_upload.pk))
    assert claimed is not None
    processing.complete(claimed, RESULT, "model-1")
    Prediction.objects.filter(index=0).update(correction="neutral")
    Prediction.objects.filter(index=1).update(correction="sad")
    return alice_upload


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 3),
        ("?label=happy", 1),
        ("?label=surprise", 1),
        ("?uncertain__exact=1", 1),
        ("?rejected=no", 2),
        ("?rejected=blurred", 1),
        ("?corrected=no", 1),
        ("?corrected=confirmed", 1),
        ("?corrected=changed", 1),
        ("?corrected=not_a_face", 0),
        ("?q=alice", 3),
    ],
)
def test_predictions_are_found(
    query: str, found: int, root_client: Client, three_predictions: Upload
) -> None:
    response = root_client.get(PREDICTIONS + query)
    assert response.context["cl"].result_count == found


def test_a_prediction_has_a_page(root_client: Client, three_predictions: Upload) -> None:
    prediction = Prediction.objects.get(index=1)
    page = root_client.get(f"{PREDICTIONS}{prediction.pk}/change/").content.decode()
    assert "Not sure: Sad or Neutral" in page
    assert "45.0%" in page


@pytest.mark.parametrize("path", [UPLOADS, PREDICTIONS, "/admin/accounts/user/"])
def test_lists_ask_the_database_no_more_for_more_rows(
    path: str, root_client: Client, three_predictions: Upload, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        owner = User.objects.create_user(f"{number}@example.org", "password")
        upload = Upload.objects.create(
            owner=owner, name="x", thumbnail="none", width=1, height=1, byte_size=1,
            sha256="0" * 64, status="done",
        )  # fmt: skip
        for index in range(2):
            Prediction.objects.create(
                upload=upload, index=index, x=0, y=0, width=1, height=1, label="happy",
                confidence=1, probabilities={"happy": 1},
            )  # fmt: skip
    with django_assert_max_num_queries(14):
        assert root_client.get(path).status_code == 200
