"""Corrected faces for training: whose they are, what they show, and what they do not tell."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from accounts import consent
from accounts.models import Consent, User
from accounts.purposes import ACCOUNT
from recognition import tasks
from recognition.model_registry.inference import active_recognizer
from recognition.models import Prediction, Upload
from recognition.people import TRAINING
from recognition.training.dataset import LABELS, read_records
from recognition.uploads import corrections, retention
from recognition.uploads.actions import create_upload
from recognition.vision.images import decode_gray
from recognition.vision.preprocessing import crop_face
from recognition.vision.types import BoundingBox
from tests.support.pictures import two_faces_jpeg


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "corrections.zip"


@pytest.fixture
def faces(alice: User) -> list[Prediction]:
    """Two faces of Alice's; she has corrected the first and calls the second none."""
    upload = create_upload(alice, SimpleUploadedFile("two.jpg", two_faces_jpeg()))
    tasks.process_upload.apply((str(upload.pk),), throw=True)
    first, *others = upload.predictions.faces()
    corrections.correct(first, "surprise", alice)
    for other in others:
        corrections.correct(other, "not_a_face", alice)
    return [first, *others]


def exported(archive: Path) -> dict[str, bytes]:
    call_command("export_corrections", str(archive), stdout=io.StringIO())
    with zipfile.ZipFile(archive) as file:
        assert {info.date_time for info in file.infolist()} <= {(1980, 1, 1, 0, 0, 0)}
        return {name: file.read(name) for name in file.namelist()}


def test_a_corrected_face_becomes_a_crop_as_the_classifier_sees_it(
    alice: User, faces: list[Prediction], archive: Path
) -> None:
    consent.give(alice, TRAINING)
    ((name, data),) = exported(archive).items()
    assert re.fullmatch(r"train/surprise/[0-9a-f]{24}\.png", name)
    image = Image.open(io.BytesIO(data))
    assert (image.size, image.mode, image.info) == ((48, 48), "L", {})
    face = faces[0]
    with face.upload.image.open() as file:
        gray, _size = decode_gray(file.read())
    box = BoundingBox(face.x, face.y, face.width, face.height)
    margin = active_recognizer().manifest.crop_margin
    assert np.array_equal(np.asarray(image), crop_face(gray, box, 48, margin, face.roll))
    assert "surprise" in LABELS
    (record,) = read_records(archive, frozenset({"train"}))
    assert record.folder == "surprise"


def test_nothing_tells_whose_it_is(alice: User, faces: list[Prediction], archive: Path) -> None:
    consent.give(alice, TRAINING)
    exported(archive)
    content = archive.read_bytes()
    for secret in (str(faces[0].upload_id), faces[0].upload_id.hex, "two.jpg", "alice"):
        assert secret.encode() not in content


@pytest.mark.parametrize("why", ["never", "withdrawn", "another purpose", "an old text", "closed"])
def test_without_a_standing_consent_nothing_is_taken(
    why: str, alice: User, faces: list[Prediction], archive: Path
) -> None:
    if why == "another purpose":
        consent.give(alice, ACCOUNT)
    elif why != "never":
        consent.give(alice, TRAINING)
    if why == "withdrawn":
        consent.withdraw(alice, TRAINING)
    elif why == "an old text":
        Consent.objects.update(version="0")
    elif why == "closed":
        User.objects.update(is_active=False)
    assert exported(archive) == {}


def test_only_corrected_faces_of_photos_that_are_there_are_taken(
    alice: User, bob: User, faces: list[Prediction], archive: Path, face_jpeg: bytes
) -> None:
    for person in (alice, bob):
        consent.give(person, TRAINING)
    upload = create_upload(bob, SimpleUploadedFile("b.jpg", face_jpeg))
    tasks.process_upload.apply((str(upload.pk),), throw=True)
    assert len(exported(archive)) == 1
    corrections.correct(upload.predictions.get(), "happy", bob)
    assert sorted(name.split("/")[1] for name in exported(archive)) == ["happy", "surprise"]
    assert retention.remove_photo(str(faces[0].upload_id))
    assert [name.split("/")[1] for name in exported(archive)] == ["happy"]
    with upload.image.storage.open(upload.image.name, "wb") as file:
        file.write(b"broken")
    assert exported(archive) == {}


def test_an_archive_that_cannot_be_written_is_told(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_corrections", str(tmp_path / "missing" / "x.zip"))


def test_people_give_and_withdraw_on_their_page(alice: User, alice_client: Client) -> None:
    def answer(agree: str) -> Any:
        return alice_client.post("/privacy/training/", {"agree": agree}, follow=True)

    assert "Nothing is shared" in alice_client.get("/privacy/").content.decode()
    assert "You agreed." in answer("yes").content.decode()
    assert consent.has(alice, TRAINING)
    assert "Nothing is shared" in answer("no").content.decode()
    assert not consent.has(alice, TRAINING)
    assert not Upload.objects.exists()
