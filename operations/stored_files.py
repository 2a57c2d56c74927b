"""Delete stored files: the one place that takes a file out of the storage for its row's sake."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import FileField, Model

logger = logging.getLogger(__name__)


def names_of(row: Model) -> list[str]:
    """The names of the files that belong to a row, whichever of its fields name them."""
    fields = [field for field in row._meta.fields if isinstance(field, FileField)]
    names = (getattr(row, field.attname).name for field in fields)
    return [name for name in names if name]


def delete(*names: str | None) -> None:
    """Delete stored files now; empty names are no files, and files that are gone are no error."""
    for name in filter(None, names):
        default_storage.delete(name)


def delete_on_commit(*names: str | None) -> None:
    """Delete stored files once the transaction stands; one that cannot be, keeps no other."""

    def delete_each() -> None:
        for name in names:
            try:
                delete(name)
            except Exception:  # Whatever a storage raises; a search for stray files finds it.
                logger.exception("a stored file could not be deleted")

    transaction.on_commit(delete_each)


@contextmanager
def deleted_on_failure(*names: str | None) -> Iterator[None]:
    """No row, no files: what was stored for a row that does not come about is not left behind."""
    try:
        yield
    except BaseException:
        delete(*names)
        raise
