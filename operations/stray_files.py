"""Stored files that no row speaks of.

A process that is killed between a file and its row leaves one; deleting a row and its file cannot
be one step either. They show people's faces, so they must not lie about for good.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from django.apps import apps
from django.core.files.storage import default_storage
from django.db.models import FileField
from django.utils import timezone

#: Where the site keeps files. What else is in the storage is not the site's.
FOLDERS = ("photos", "exports", "videos", "studies")
#: A file comes before its row: a younger one may be somebody's photo on its way.
SMALLEST_AGE = timedelta(days=1)
#: Names that are looked up at once.
BATCH = 500


def find() -> Iterator[str]:
    """Names of files older than a day that no row speaks of."""
    before = timezone.now() - SMALLEST_AGE
    for folder in FOLDERS:
        files = _files(folder)
        while names := tuple(islice(files, BATCH)):
            owned = _owned(names)
            for name in names:
                if name not in owned and _is_older(name, before):
                    yield name


def _files(folder: str) -> Iterator[str]:
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in names)
    for inner in folders:
        yield from _files(f"{folder}/{inner}")


def _owned(names: tuple[str, ...]) -> set[str]:
    owned: set[str] = set()
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, FileField):
                rows = model._base_manager.filter(**{f"{field.name}__in": names})
                owned.update(rows.values_list(field.name, flat=True))
    return owned


def _is_older(name: str, moment: datetime) -> bool:
    try:
        return default_storage.get_modified_time(name) < moment
    except FileNotFoundError:
        return False  # Gone since the list was made.
