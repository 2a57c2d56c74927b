"""What is stored of a photo is bounded, keeps its coordinates, and counts in its owner's quota."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import User
from recognition import quotas
from recognition.model_registry import inference
from recognition.models import Prediction, Upload
from recognition.personal_data import export as data_export
from recognition.uploads import heat_maps, processing, retention
from recognition.uploads.actions import create_upload
from recognition.vision import images
from recognition.vision.pixels import fitting, shrunk
from tests.support.pictures import astronaut, encode, face_jpeg
from tests.support.site import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def noisy_webp() -> bytes:
    """A picture that WebP says in a few bytes, and JPEG does not."""
    rng = np.random.default_rng(0)
    tile = rng.integers(0, 256, (64, 64, 3), np.uint8)
    return encode(Image.fromarray(np.tile(tile, (40, 40, 1))), "WEBP", lossless=True)


def test_what_is_kept_is_not_much_larger_than_what_came() -> None:
    data = noisy_webp()
    assert len(data) < 100_000
    clean = images.clean(data)
    assert len(clean.jpeg) <= images.STORED_BYTES_ALWAYS_ALLOWED
    assert (clean.width, clean.height) == (2560, 2560)


def test_a_usual_photo_is_kept_in_full_and_well() -> None:
    clean = images.clean(face_jpeg())
    with Image.open(io.BytesIO(clean.jpeg)) as kept:
        assert kept.size == (512, 512)
        error = np.abs(np.asarray(kept, int) - np.asarray(astronaut(), int))
    assert error.mean() < 4


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16"])
def test_shrinking_by_strips_leaves_no_seams(mode: str) -> None:
    levels = np.tile(np.linspace(0, 255, 1_800), (900, 1)).T
    if mode == "I;16":
        tall = Image.fromarray((levels * 257).astype(np.uint16))
    else:
        tall = Image.fromarray(levels.astype(np.uint8)).convert(mode)
    small = np.asarray(shrunk(tall, fitting(tall.size, 500_000)).convert("L"), int)
    assert small.shape == (1000, 500)
    expected = np.tile(np.linspace(0, 255, 1000), (500, 1)).T
    assert np.abs(small - expected).max() <= 2


def large_face() -> bytes:
    """A face in the right upper part of 14.4 megapixels."""
    photo = Image.new("RGB", (4_800, 3_000), "gray")
    photo.paste(astronaut().resize((2_000, 2_000)), (2_700, 100))
    return encode(photo, quality=85)


def test_boxes_and_heat_maps_are_in_pixels_of_the_photo_as_it_came(alice: User) -> None:
    upload = create_upload(alice, SimpleUploadedFile("large.jpg", large_face()))
    assert (upload.width, upload.height) == (4_800, 3_000)
    with upload.image.open("rb") as file, Image.open(file) as kept:
        assert kept.width * kept.height <= images.MAXIMUM_STORED_PIXELS
        assert kept.width < 4_800
    claimed = Upload.objects.claim(upload.pk)
    assert claimed is not None
    processing.process(claimed)
    (face,) = Prediction.objects.filter(upload=upload, rejected="")
    scale = 2_000 / 512
    middle = (face.x + face.width / 2, face.y + face.height / 2)
    assert middle == pytest.approx((2_700 + 225 * scale, 100 + 115 * scale), abs=100)
    # The heat map is drawn on the face and not on the grey beside it.
    with Image.open(io.BytesIO(inference.draw_heat_map(face))) as drawn:
        assert np.asarray(drawn.convert("L")).std() > 20


def stored_files(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_the_quota_counts_what_is_written(alice: User, media: Path) -> None:
    upload = create_upload(alice, SimpleUploadedFile("a.jpg", face_jpeg()))
    assert quotas.stored_bytes(alice).used == stored_files(media)
    claimed = Upload.objects.claim(upload.pk)
    assert claimed is not None
    processing.process(claimed)
    (face,) = Prediction.objects.filter(upload=upload)
    heat_maps.store(face, inference.draw_heat_map(face))
    assert quotas.stored_bytes(alice).used == stored_files(media)
    data_export.build(str(data_export.start(alice).pk))
    assert quotas.stored_bytes(alice).used == stored_files(media)
    retention.remove_photo(str(upload.pk))
    alice.data_exports.all().delete()
    assert 0 < quotas.stored_bytes(alice).used < 20_000


def test_an_upload_that_grows_is_counted_as_it_is_stored(
    alice: User, alice_client: Client, media: Path
) -> None:
    data = noisy_webp()
    alice.quota_bytes = 2 * len(data)
    alice.save()
    file = SimpleUploadedFile("a.webp", data, "image/webp")
    answer = alice_client.post("/api/v1/uploads/", {"image": file})
    assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")
    assert not Upload.objects.exists()
    assert stored_files(media) == 0
    assert default_storage.listdir("photos")[1] == []


@pytest.mark.parametrize(
    ("environment", "quota"),
    [
        ({}, "500 2000000000 None"),
        ({"SIGNUP": "closed"}, "None None None"),
        ({"QUOTA_UPLOADS_A_DAY": "", "QUOTA_BYTES": "7"}, "None 7 None"),
        ({"SIGNUP": "closed", "QUOTA_UPLOADS_A_DAY": "9"}, "9 None None"),
    ],
)
def test_there_is_a_quota_where_anybody_may_sign_up(
    environment: dict[str, str], quota: str, tmp_path: Path
) -> None:
    code = (
        "from emotion_site import settings as s;"
        "print(s.QUOTA_UPLOADS_A_DAY, s.QUOTA_BYTES, s.QUOTA_LIVE_MINUTES_A_DAY)"
    )
    unset = {name: value for name, value in os.environ.items() if not name.startswith("QUOTA_")}
    found: Any = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**unset, "DEBUG": "true", "DATA_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == quota
