"""Stored files that stay whole while they are read, though somebody deletes them meanwhile.

On a disk an open file stays. Of a bucket each piece is asked for: there all of it is fetched first.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files.storage import default_storage

#: Bytes that are fetched at once.
PIECE_BYTES = 8 * 1024 * 1024


def _now(fetch: Callable[[], object]) -> object:
    return fetch()


@contextmanager
def opened(
    name: str, fetched: Callable[[Callable[[], object]], object] = _now
) -> Iterator[IO[bytes]]:
    """A stored file, open from its beginning; it has a descriptor.

    The copy of one that is stored elsewhere has no name: it would stay for good where a process is
    killed.

    Args:
        name: in the storage.
        fetched: calls what fetches it, which asks nothing of the database, and may do something
            else while that takes its time.

    Raises:
        FileNotFoundError: it is not stored, or was deleted before all of it was fetched.
    """
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:
        with tempfile.TemporaryFile(dir=settings.DATA_DIR) as copy:
            with default_storage.open(name, "rb") as stored:
                fetched(partial(shutil.copyfileobj, stored, copy, PIECE_BYTES))
            copy.seek(0)
            yield copy
        return
    with path.open("rb") as file:
        yield file
