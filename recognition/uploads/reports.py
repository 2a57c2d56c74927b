"""A person's predictions as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count

from recognition import faces
from recognition.models import Prediction, Upload, UploadQuerySet

#: Of an upload; those of a face follow.
UPLOAD_COLUMNS = (
    "upload", "name", "uploaded_at", "status", "error", "photo_width", "photo_height",
)  # fmt: skip
#: A cell that starts with one of these is run as a formula by spreadsheet programs; in languages
#: with full-width signs, with one of those as well.
_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
FORMULA_STARTS = (*_SIGNS, "\t", "\r", "\n")
#: Before one of the signs, or before the white space that a cell begins with.
_FORMULA = re.compile(rf'(^(?=[\t\r\n])|(?:^|[;\t\r\n])[" ]*(?=[{re.escape(_SIGNS)}]))')


#: Uploads that are read at once, and their faces, but for those of one upload alone: they stay in
#: memory for as long as a reader takes for them.
UPLOADS_AT_ONCE, FACES_AT_ONCE = 100, 500


#: An upload and what was seen in it, in the order of its faces. Not by its own `predictions`: what
#: refers to each other waits for the garbage collector.
Reported = tuple[Upload, list[Prediction]]


def in_pieces(uploads: UploadQuerySet) -> Iterator[Reported]:
    """Uploads with their faces, in the same order, those that are still there when they are due.

    No query stays open from one to the next.
    """
    ids = list(uploads.values_list("pk", flat=True))
    for first in range(0, len(ids), UPLOADS_AT_ONCE):
        for some in _few_faces(ids[first : first + UPLOADS_AT_ONCE]):
            seen: dict[UUID, list[Prediction]] = {pk: [] for pk in some}
            for face in Prediction.with_trash.filter(upload__in=some).order_by("index"):
                seen[face.upload_id].append(face)
            for upload in uploads.filter(pk__in=some):
                yield upload, seen.pop(upload.pk)


def _few_faces(ids: Sequence[UUID]) -> Iterator[list[UUID]]:
    """The same ids, in parts that have :data:`FACES_AT_ONCE` together."""
    faces_of = Prediction.with_trash.filter(upload__in=ids).values("upload").order_by()
    counts = dict(faces_of.values_list("upload", Count("pk")))
    part: list[UUID] = []
    n_faces = 0
    for pk in ids:
        n_faces += counts.get(pk, 0)
        if part and n_faces > FACES_AT_ONCE:
            yield part
            part, n_faces = [], counts.get(pk, 0)
        part.append(pk)
    if part:
        yield part


def as_dict(upload: Upload, seen: Iterable[Prediction]) -> dict[str, Any]:
    """One upload with its faces, in the shape of the JSON export."""
    return {
        "id": str(upload.pk),
        "name": upload.name,
        "uploaded_at": upload.created_at.isoformat(),
        "status": upload.status,
        "error": upload.error_message or None,
        "width": upload.width,
        "height": upload.height,
        "model_version": upload.model_version,
        "faces": [faces.stored(face, faces.DOWNLOAD_FIELDS) for face in seen],
    }


def json_export(uploads: Iterable[Reported]) -> Iterator[str]:
    """The text of a JSON array, piece by piece."""
    return json_array(json.dumps(as_dict(*one), ensure_ascii=False) for one in uploads)


def csv_export(uploads: Iterable[Reported]) -> Iterator[str]:
    """CSV with one row a face or rejected spot, and one for a photo without any."""
    yield csv_line([*UPLOAD_COLUMNS, *faces.CSV_COLUMNS])
    for upload, seen in uploads:
        start = [
            str(upload.pk), safe_cell(upload.name), upload.created_at.isoformat(), upload.status,
            upload.error_message, upload.width, upload.height,
        ]  # fmt: skip
        for face in seen:
            yield csv_line([*start, *faces.csv_cells(face)])
        if not seen:
            yield csv_line([*start, *[""] * len(faces.CSV_COLUMNS)])


def json_array(values: Iterable[str]) -> Iterator[str]:
    """The text of a JSON array, of values that are JSON already."""
    separator = "[\n"
    for value in values:
        yield separator + value
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def csv_line(cells: Iterable[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet program runs as a formula, however it divides the line.

    Where it divides at semicolons, as in German, or does not know of quotes, what comes after one
    is a cell of its own, and what comes after a line break a row.
    """
    return _FORMULA.sub(r"\1'", text)
