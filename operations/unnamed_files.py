"""Files of a request that are too large for the memory: on the disk, but under no name.

Django's own have one, and stay for good where a process is killed in the middle of a request.
"""

from __future__ import annotations

import tempfile
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class UnnamedFileUploadHandler(FileUploadHandler):
    """Keeps a file until its request is over, however that ends."""

    file: UploadedFile

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file = UploadedFile(
            # Django closes it with the request.
            tempfile.TemporaryFile(),  # noqa: SIM115
            self.file_name, self.content_type, 0, self.charset, self.content_type_extra,
        )  # fmt: skip

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        self.file.seek(0)
        self.file.size = file_size
        return self.file

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()
