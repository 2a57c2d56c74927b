"""Files in a bucket are read piece by piece, from a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ResponseStreamingError
from botocore.response import StreamingBody
from django.core.files.base import ContentFile

from operations.bucket_storage import PIECE_BYTES, BucketStorage
from tests.support.s3 import running_s3

BUCKET = "files"
CONTENT = bytes(range(256)) * (10 * PIECE_BYTES // 256)
NAME = "photos/a.jpg"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running_s3() as address:
        yield address


@pytest.fixture
def storage(endpoint: str) -> BucketStorage:
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    bucket = session.resource("s3", endpoint_url=endpoint).Bucket(BUCKET)
    bucket.create()
    storage = BucketStorage(
        access_key="testing",
        secret_key="testing",
        bucket_name=BUCKET,
        endpoint_url=endpoint,
        region_name="us-east-1",
        location="visage",
    )
    storage.save(NAME, ContentFile(CONTENT))
    return storage


@pytest.fixture
def asked(storage: BucketStorage) -> list[int]:
    """How many bytes were asked for with each request for some."""
    found: list[int] = []

    def note(request: Any, **_others: Any) -> None:
        first, last = request.headers["Range"].decode().removeprefix("bytes=").split("-")
        found.append(int(last) - int(first) + 1)

    storage.connection.meta.client.meta.events.register("before-send.s3.GetObject", note)
    return found


def test_a_byte_costs_a_piece(storage: BucketStorage, asked: list[int]) -> None:
    with storage.open(NAME) as file:
        assert file.size == len(CONTENT)
        assert asked == []
        file.seek(7 * PIECE_BYTES + 3)
        assert file.read(1) == CONTENT[7 * PIECE_BYTES + 3 :][:1]
        assert file.read(100) == CONTENT[7 * PIECE_BYTES + 4 :][:100]
    assert asked == [PIECE_BYTES]


def test_all_of_it_is_one_request(storage: BucketStorage, asked: list[int]) -> None:
    with storage.open(NAME) as file:
        assert file.read() == CONTENT
        assert file.read() == b""
    assert asked == [len(CONTENT)]


@pytest.mark.parametrize("n_bytes", [1000, 64 * 1024, PIECE_BYTES, 3 * PIECE_BYTES + 5])
def test_pieces_of_any_size_make_the_whole(
    storage: BucketStorage, asked: list[int], n_bytes: int
) -> None:
    with storage.open(NAME) as file:
        assert b"".join(file.chunks(n_bytes)) == CONTENT
        assert max(asked) <= max(PIECE_BYTES, n_bytes)
        file.seek(-5, 2)
        assert file.read(10) == CONTENT[-5:]
        assert file.read(10) == b""
    file.open()
    assert file.read(10) == CONTENT[:10]


def test_a_piece_whose_answer_is_cut_is_asked_for_again(
    storage: BucketStorage, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = StreamingBody.read
    n_read = 0

    def cut_now_and_then(body: StreamingBody, amt: int | None = None) -> bytes:
        nonlocal n_read
        n_read += 1
        if n_read % 3:
            raise ResponseStreamingError(error="the line is cut")
        return bytes(read(body, amt))

    monkeypatch.setattr(StreamingBody, "read", cut_now_and_then)
    with storage.open(NAME) as file:
        assert file.read() == CONTENT
    assert asked == [len(CONTENT)] * 3


def test_what_is_not_there_is_not_found(storage: BucketStorage) -> None:
    with pytest.raises(FileNotFoundError):
        storage.open("photos/b.jpg")
    file = storage.open(NAME)
    storage.delete(NAME)
    with pytest.raises(FileNotFoundError):
        file.read(1)


@pytest.mark.parametrize("mode", ["wb", "r"])
def test_files_are_only_read(storage: BucketStorage, mode: str) -> None:
    with pytest.raises(ValueError, match="to be read"):
        storage.open(NAME, mode)
