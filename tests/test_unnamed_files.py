"""What is being sent is on the disk under no name."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory


@pytest.mark.parametrize("n_bytes", [10, 5_000_000])
def test_a_file_of_a_request_has_no_name(
    n_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    content = bytes(range(10)) * (n_bytes // 10)
    sent = SimpleUploadedFile("a.jpg", content, "image/jpeg")
    request = RequestFactory().post("/uploads/new/", {"images": sent, "name": "x"})
    file = request.FILES["images"]
    assert list(tmp_path.iterdir()) == []
    assert (file.name, file.size, file.content_type) == ("a.jpg", n_bytes, "image/jpeg")
    assert file.read() == content
    assert b"".join(file.chunks()) == content
    assert request.POST["name"] == "x"
    request.close()
    assert file.closed
