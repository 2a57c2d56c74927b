"""Delete stored files: the one place that takes a file out of the storage for its row's sake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import FileField, Model


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
    """Delete stored files once the transaction stands."""
    transaction.on_commit(lambda: delete(*names))


@contextmanager
def deleted_on_failure(*names: str | None) -> Iterator[None]:
    """No row, no files: what was stored for a row that does not come about is not left behind."""
    try:
        yield
    except BaseException:
        delete(*names)
        raise
