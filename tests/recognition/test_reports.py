"""Downloads of the history have few faces in memory, however many there are."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Callable, Iterable, Iterator

import pytest
from django.test import Client

from accounts.models import User
from recognition.models import Upload
from recognition.uploads import reports
from tests.support.factories import make_crowd, make_upload


@pytest.mark.parametrize("write", [reports.csv_export, reports.json_export])
def test_a_download_has_few_faces_in_memory(
    write: Callable[[Iterable[reports.Reported]], Iterator[str]], alice: User
) -> None:
    def peak() -> int:
        """Bytes that were held at most, while each piece was thrown away."""
        tracemalloc.start()
        for _piece in write(reports.in_pieces(Upload.objects.for_owner(alice))):
            pass
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    make_crowd(alice, "first", 300)
    peak()  # What is loaded once.
    one = peak()
    for number in range(60):
        make_crowd(alice, f"{number}", 300)
    assert peak() - one < 3e6


def test_all_come_in_order_whatever_fits_together(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "UPLOADS_AT_ONCE", 3)
    monkeypatch.setattr(reports, "FACES_AT_ONCE", 4)
    for name, n_faces in (("a", 1), ("b", 9), ("c", 2), ("d", 2), ("e", 1), ("f", 4), ("g", 5)):
        make_crowd(alice, name, n_faces)
    make_upload(alice, name="none")
    text = b"".join(alice_client.get("/uploads/export.csv")).decode()
    rows = [row["name"] for row in csv.DictReader(io.StringIO(text))]
    assert "".join(rows) == "none" + "g" * 5 + "f" * 4 + "e" + "dd" + "cc" + "b" * 9 + "a"
