"""Whoever downloads a study slowly keeps none of its curves in memory meanwhile."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.support.site import Person, Site, wait_until

pytestmark = pytest.mark.site

#: Long participants, of whom hardly anything is known: their curves take as much memory as any.
PARTICIPANTS, MINUTES = 12, 110
READERS = 40
#: What they and the site's work for them may take; all curves, once, are 8 MB at two bytes a value,
#: and were 32 at eight.
MEGABYTES = 200
SCRIPT = f"""
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from recognition.models import Recording
from studies.models import Visit
from tests.support import studies
from tests.support.series import write_series
owner = User.objects.get(email="researcher@example.org")
study = studies.open_study(owner, most_participants=100)
block = studies.block(study, "page", "page", url="https://example.org/")
now = timezone.now()
for number in range({PARTICIPANTS}):
    recording = Recording.objects.create(
        started_at=now - timedelta(minutes={MINUTES}), ended_at=now, model_version="vgg16-1"
    )
    write_series(recording, 30)
    part = studies.participation(study, state="finished", recording=recording)
    Visit.objects.create(
        participation=part, block=block, start_ms=0, end_ms={MINUTES} * 60_000
    )
print(study.pk)
"""


def test_who_reads_a_study_slowly_keeps_no_curves_in_memory(tmp_path: Path) -> None:
    # Fewer are let wait by default.
    with Site(tmp_path, READERS_MEGABYTES_PER_ADDRESS="20") as site, ExitStack() as stack:
        person = site.sign_up("researcher@example.org")
        made = site.manage("shell", "--verbosity", "0", "--no-imports", "--command", SCRIPT)
        path = f"/studies/{made.stdout.split()[-1]}/results/curves.csv"
        # Curves are made once, by whoever comes first.
        whole = person.get(path)
        assert whole.text.count("\n") == 1 + PARTICIPANTS * MINUTES * 60 * 10
        process = psutil.Process(site.pid("web"))
        before = process.memory_info().rss
        readers = [stack.enter_context(_begun(site, person, path)) for _ in range(READERS)]
        for reader in readers:
            assert reader.recv(15) == b"HTTP/1.1 200 OK"
        # The last answer has begun, and as much of it waits as the site lets wait.
        wait_until(lambda: person.get("/about/").status_code == 200)
        assert process.memory_info().rss - before < MEGABYTES * 1024**2


def _begun(site: Site, person: Person, path: str) -> socket.socket:
    """A download of which nothing more is read than its beginning."""
    reader = socket.create_connection(("127.0.0.1", site.port), timeout=60)
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nCookie: {person.session}\r\n\r\n"
    reader.sendall(head.encode())
    return reader
