"""Files on a disk that may be full: whole, or not there."""

from __future__ import annotations

import errno

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError


class WholeFileStorage(FileSystemStorage):
    """Django's own, which keeps what was written of a file when there is no room for the rest.

    Buckets need nothing of the kind: an object is there once all of it is.
    """

    def _save(self, name: str, content: File) -> str:
        try:
            return str(super()._save(name, content))  # type: ignore[misc]
        except BaseException:
            # `save` has just seen that the name is free: what stands there is of this file.
            self.delete(name)
            raise


def is_full(error: BaseException) -> bool:
    """Whether the disk or the share of it is used up, by files or by the database."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return isinstance(error, OperationalError) and "disk is full" in str(error)
