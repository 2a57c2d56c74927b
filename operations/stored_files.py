"""Delete stored files: the one place that takes a file out of the storage for its row's sake.

A row goes first, and its file once that is certain. Where the storage then fails, or a bucket
hangs, the file's name is written down, and it is deleted later.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import FileField, Model
from django.utils import timezone

from operations.models import LeftFile

logger = logging.getLogger(__name__)

#: Seconds for which a storage that has failed is not asked by this process: each time may take ten
#: seconds, and somebody may wait for a hundred files.
PAUSE_SECONDS = 30.0
#: Files that are left, and that are tried again at a time; and how many of them may fail.
LEFT_AT_ONCE, MOST_FAILURES = 500, 3

_asked_again_at = 0.0


def names_of(row: Model) -> list[str]:
    """The names of the files that belong to a row, whichever of its fields name them."""
    fields = [field for field in row._meta.fields if isinstance(field, FileField)]
    names = (getattr(row, field.attname).name for field in fields)
    return [name for name in names if name]


def delete(*names: str | None) -> None:
    """Delete stored files now; empty names are no files, and files that are gone are no error."""
    for name in filter(None, names):
        default_storage.delete(name)


def delete_before_rows(*names: str | None) -> None:
    """Delete stored files whose rows go next, in a transaction: what is left goes with those."""
    global _asked_again_at
    if time.monotonic() < _asked_again_at:
        return
    try:
        delete(*names)
    except SoftTimeLimitExceeded:
        raise
    except Exception:  # Whatever a storage raises.
        logger.exception("a stored file could not be deleted; it is tried again")
        _asked_again_at = time.monotonic() + PAUSE_SECONDS


def delete_on_commit(*names: str | None) -> None:
    """Delete stored files once the transaction stands, or note them for :func:`delete_left`."""
    transaction.on_commit(lambda: delete_or_leave(*names))


def delete_or_leave(*names: str | None) -> None:
    """Delete stored files now, or note them for :func:`delete_left`; in no transaction."""
    global _asked_again_at  # What one process knows of its storage.
    left = []
    for name in filter(None, names):
        if time.monotonic() >= _asked_again_at:
            try:
                delete(name)
            except Exception:  # Whatever a storage raises, and SoftTimeLimitExceeded.
                logger.exception("a stored file could not be deleted; it is tried again")
                _asked_again_at = time.monotonic() + PAUSE_SECONDS
            else:
                continue
        left.append(LeftFile(name=name))
    LeftFile.objects.bulk_create(left)


def delete_left(seconds: float = 20.0) -> None:
    """Delete what the storage did not when it was asked: until it fails again, or time is up.

    A few may fail: those that cannot be deleted for years must not keep the others.
    """
    until, n_failed = time.monotonic() + seconds, 0
    for left in LeftFile.objects.order_by("tried_at", "pk")[:LEFT_AT_ONCE]:
        try:
            delete(left.name)
        except Exception:  # Whatever a storage raises.
            logger.exception("a stored file could still not be deleted")
            # Others come first the next time.
            LeftFile.objects.filter(pk=left.pk).update(tried_at=timezone.now())
            n_failed += 1
        else:
            left.delete()
        if n_failed >= MOST_FAILURES or time.monotonic() >= until:
            return


def forget() -> None:
    """Ask the storage again, whatever it did before."""
    global _asked_again_at
    _asked_again_at = 0.0


@contextmanager
def deleted_on_failure(*names: str | None) -> Iterator[None]:
    """No row, no files: what was stored for a row that does not come about is not left behind."""
    try:
        yield
    except BaseException:
        delete(*names)
        raise
