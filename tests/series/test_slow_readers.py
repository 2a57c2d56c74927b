"""Who downloads slowly gets all of it, though the database's connection is closed meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.site import Site

pytestmark = pytest.mark.site

#: In a process of the site, whose database is a real one: of one in memory nothing can be closed.
SCRIPT = """
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connections
from django.utils import timezone
from accounts.models import User
from operations import streaming
from recognition.models import Recording
from recognition.series import downloads, storing
from recognition.uploads import reports
from tests.support.factories import make_upload
from tests.support.series import write_series
owner = User.objects.create_user("reader@example.org")
now = timezone.now()
recording = Recording.objects.create(owner=owner, started_at=now, ended_at=now)
storing.CHUNK_SAMPLES, storing.CHUNKS_AT_ONCE = 5, 2
write_series(recording, 50)
recording.refresh_from_db()
reports.ROWS_AT_ONCE, streaming.PIECE = 2, 1
for _ in range(7):
    make_upload(owner)

async def read(pieces):
    n_lines = 0
    async for piece in streaming.piecewise(pieces):
        n_lines += piece.count(chr(10))
        await sync_to_async(connections.close_all)()
    return n_lines

downloads.LINES_A_PIECE = 1
print(async_to_sync(read)(downloads.as_csv(recording)))
print(async_to_sync(read)(reports.csv_export(reports.in_pieces(owner.uploads.all()))))
"""


def test_a_closed_connection_ends_no_download(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.prepare()
    said = site.manage("shell", "--verbosity", "0", "--no-imports", "--command", SCRIPT)
    assert said.stdout.split() == [str(1 + 50), str(1 + 7)]
