"""Files in a bucket that are read piece by piece.

django-storages fetches the whole object with the first byte that is asked for, into memory, and
keeps it for as long as the file is open: every download of a video would take its size.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from django.core.files.base import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

#: What is asked for at once where less is read, in bytes: all that an open file takes.
PIECE_BYTES = 256 * 1024
#: How often a piece is asked for whose answer is cut, and what tells so.
ATTEMPTS = 3
CUT = (HTTPClientError, IncompleteReadError, OSError)


class BucketStorage(S3Storage):
    """Opens a file as one that asks for each piece; writes as its base does."""

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            raise ValueError("files of a bucket are opened to be read, in binary")
        key = self._normalize_name(clean_name(name))
        return _StoredFile(self.bucket.Object(key), name)


class _StoredFile(File):
    """An object of a bucket, open from the start; it can be opened again.

    Raises:
        FileNotFoundError: there is none.
    """

    def __init__(self, stored: Any, name: str) -> None:
        self._stored = stored
        super().__init__(self._opened(), name)
        self.size: int = stored.content_length

    def open(self, mode: str | None = None, *_args: Any, **_options: Any) -> _StoredFile:
        if self.closed:
            self.file = self._opened()
        else:
            self.seek(0)
        return self

    def _opened(self) -> Any:
        return io.BufferedReader(_Pieces(self._stored), PIECE_BYTES)


class _Pieces(io.RawIOBase):
    """Asks the bucket for each piece that is read, so that nothing is open in between."""

    def __init__(self, stored: Any) -> None:
        self._stored = stored
        with _missing_as_such():
            self._size: int = stored.content_length
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("there is nothing before the start of a file")
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        data = self._piece(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        return self._piece(self._size)

    def _piece(self, n_bytes: int) -> bytes:
        end = min(self._size, self._place + n_bytes)
        if self._place >= end:
            return b""
        data = self._fetched(f"bytes={self._place}-{end - 1}")
        self._place += len(data)
        return data

    def _fetched(self, span: str) -> bytes:
        """The library's own retries end where the answer begins; a line may be cut after that."""
        for attempt in range(1, ATTEMPTS + 1):
            with _missing_as_such():
                body = self._stored.get(Range=span)["Body"]
            try:
                data: bytes = body.read()
            except CUT:
                if attempt == ATTEMPTS:
                    raise
            else:
                break
        return data


@contextmanager
def _missing_as_such() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise FileNotFoundError("there is no such file") from error
        raise
