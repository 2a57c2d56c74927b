"""Photos in an S3 bucket, on a real server: from the upload to the deletion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
import pytest

from operations.private_files import CHUNK_BYTES
from tests.support.pictures import astronaut, encode, face_jpeg
from tests.support.s3 import running_s3
from tests.support.site import Person, Site

pytestmark = pytest.mark.site

BUCKET = "photos-of-people"
#: Of a file whose readers take their time.
N_MEGABYTES = 100
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running_s3() as address:
        yield address


@pytest.fixture(scope="module")
def bucket(endpoint: str) -> Any:
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    bucket = session.resource("s3", endpoint_url=endpoint).Bucket(BUCKET)
    bucket.create()
    return bucket


@pytest.fixture(scope="module")
def s3_site(endpoint: str, bucket: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(
        tmp_path_factory.mktemp("s3"),
        S3_BUCKET=BUCKET,
        S3_ENDPOINT_URL=endpoint,
        S3_PREFIX="visage",
        **CREDENTIALS,
    ) as running:
        yield running


def names(bucket: Any) -> list[str]:
    return [entry.key for entry in bucket.objects.all()]


def path_of(link: str) -> str:
    return str(httpx.URL(link).raw_path, "ascii")


def test_a_photo_lives_in_the_bucket_and_nowhere_else(s3_site: Site, bucket: Any) -> None:
    owner, stranger = s3_site.sign_up("owner@example.org"), s3_site.sign_up("other@example.org")
    upload = owner.upload(face_jpeg()).json()
    (done,) = owner.wait_until_finished()
    assert (done["status"], [face["label"] for face in done["faces"]]) == ("done", ["happy"])

    stored = names(bucket)
    assert len(stored) == 2
    assert all(name.startswith("visage/photos/") and "photo.jpg" not in name for name in stored)
    assert not (s3_site.data_dir / "media").exists()

    for kind in ("image", "thumbnail"):
        path = path_of(upload["links"][kind])
        seen = owner.get(path)
        assert (seen.status_code, seen.headers["Content-Type"]) == (200, "image/jpeg")
        assert seen.headers["Cache-Control"] == "private, no-store"
        assert seen.content in {entry.get()["Body"].read() for entry in bucket.objects.all()}
        assert stranger.get(path).status_code == 404

    owner.delete_for_good(upload["id"])
    assert names(bucket) == []


def test_objects_are_private(s3_site: Site, bucket: Any, endpoint: str) -> None:
    owner = s3_site.sign_up("private@example.org")
    owner.upload(face_jpeg())
    for entry in bucket.objects.all():
        grants = entry.Acl().grants
        assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]


def test_a_large_photo_comes_whole(s3_site: Site) -> None:
    owner = s3_site.sign_up("large@example.org")
    large = encode(astronaut().resize((3000, 3000)), quality=95)
    assert len(large) > 3 * CHUNK_BYTES
    upload = owner.upload(large).json()
    seen = owner.get(path_of(upload["links"]["image"]))
    assert seen.status_code == 200
    assert len(seen.content) > 2 * CHUNK_BYTES
    assert seen.content.startswith(b"\xff\xd8")
    assert seen.content.endswith(b"\xff\xd9")


def test_a_photo_that_vanished_from_the_bucket_is_not_found(s3_site: Site, bucket: Any) -> None:
    owner: Person = s3_site.sign_up("vanished@example.org")
    upload = owner.upload(face_jpeg()).json()
    owner.wait_until_finished()
    bucket.objects.all().delete()
    assert owner.get(path_of(upload["links"]["image"])).status_code == 404


def test_a_file_that_is_read_slowly_stays_in_the_bucket(s3_site: Site, bucket: Any) -> None:
    owner: Person = s3_site.sign_up("slow@example.org")
    before = set(names(bucket))
    upload = owner.upload(face_jpeg()).json()
    owner.wait_until_finished()
    path = path_of(upload["links"]["image"])
    assert owner.get(path).status_code == 200
    for name in set(names(bucket)) - before:
        bucket.put_object(Key=name, Body=bytes(N_MEGABYTES * 1024**2))

    web = psutil.Process(s3_site.pid("web"))
    used = web.memory_info().rss
    with ExitStack() as held:
        for _ in range(4):
            answer = held.enter_context(owner.http.stream("GET", path))
            pieces = answer.iter_raw(CHUNK_BYTES)
            assert next(pieces)
        assert web.memory_info().rss - used < N_MEGABYTES * 1024**2


def test_local_files_stay_local(tmp_path: Path) -> None:
    """Without a bucket, no S3 library is loaded."""
    site = Site(tmp_path / "local")
    code = "import sys; from django.conf import settings; settings.STORAGES; print(*sys.modules)"
    assert "boto" not in site.manage("shell", "--no-imports", "--command", code).stdout


def test_a_backup_takes_photos_out_of_the_bucket_and_a_restore_puts_them_back(
    s3_site: Site, bucket: Any, tmp_path: Path
) -> None:
    owner = s3_site.sign_up("backup@example.org")
    bucket.objects.all().delete()
    upload = owner.upload(face_jpeg()).json()
    owner.wait_until_finished()
    before = {entry.key: entry.get()["Body"].read() for entry in bucket.objects.all()}
    saved = str(tmp_path / "backup.tar")
    assert "database and 2 files" in s3_site.manage("backup", saved).stdout
    bucket.objects.all().delete()
    s3_site.manage("restore", "--force", saved)
    assert {entry.key: entry.get()["Body"].read() for entry in bucket.objects.all()} == before
    assert owner.get(path_of(upload["links"]["image"])).status_code == 200
