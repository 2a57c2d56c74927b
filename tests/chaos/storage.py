"""Where rows and files go: many writers at once, and a disk that fills."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.chaos.watching import (
    error_code,
)
from tests.support.pictures import encode
from tests.support.site import Site


@dataclass(frozen=True)
class Writers:
    """Outcome of :func:`writers`."""

    rows: int
    errors: int
    integrity: str


_WRITE = """
from django.db import transaction
from django.db.models import F
from accounts.models import AuditEvent, User
user = User.objects.get(email="writer@example.org")
errors = 0
for number in range({n_writes}):
    try:
        with transaction.atomic():
            User.objects.filter(pk=user.pk).update(first_name=str(number))
            AuditEvent.objects.create(user=user, action="written")
    except Exception as error:
        errors += 1
print(errors)
"""


def writers(site: Site, n_processes: int, n_writes: int) -> Writers:
    """Several processes write as fast as they can; the site need not be running."""
    site.manage("migrate", "--verbosity", "0")
    make = "from accounts.models import User; User.objects.create_user('writer@example.org')"
    site.manage("shell", "--verbosity", "0", "--command", make)
    script = _WRITE.format(n_writes=n_writes)
    with ThreadPoolExecutor(n_processes) as threads:
        outputs = list(
            threads.map(
                lambda _: site.manage("shell", "--verbosity", "0", "--command", script).stdout,
                range(n_processes),
            )
        )
    errors = sum(int(output.strip().splitlines()[-1]) for output in outputs)
    count = (
        "from django.db import connection; from accounts.models import AuditEvent;"
        "c = connection.cursor();"
        "ok = connection.vendor != 'sqlite' or "
        "c.execute('PRAGMA integrity_check').fetchone()[0];"
        "print(AuditEvent.objects.filter(action='written').count(), 'ok' if ok is True else ok)"
    )
    shown = site.manage("shell", "--verbosity", "0", "--command", count).stdout.split()
    return Writers(int(shown[-2]), errors, shown[-1])


@dataclass(frozen=True)
class FullDisk:
    """Outcome of :func:`full_disk`.

    Attributes:
        refused_codes: status and code of each refusal.
        strays: files that belong to no upload.
        afterwards: status of an upload once there is space again.
    """

    accepted: int
    refused_codes: tuple[tuple[int, str], ...]
    strays: int
    afterwards: int


def can_mount() -> bool:
    """Whether this process may mount a small file system."""
    probe = ["unshare", "--mount", "true"]
    return os.geteuid() == 0 and subprocess.run(probe, check=False).returncode == 0


def full_disk(folder: Path, n_uploads: int) -> FullDisk:
    """Photos go to a file system of 5 MB until it is full."""
    media = folder / "media"
    media.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(media)], check=True)
    try:
        noise = np.random.default_rng(0).integers(0, 255, (900, 900, 3), np.uint8)
        photo = encode(Image.fromarray(noise), quality=80)
        with Site(folder) as site:
            person = site.sign_up("full@example.org")
            answers = [person.upload(photo, f"{number}.jpg") for number in range(n_uploads)]
            page = person.post("/uploads/new/", files={"images": ("full.jpg", photo)})
            assert page.status_code in {200, 302, 507}, page.status_code
            person.wait_until_finished()
            n_files = sum(path.is_file() for path in media.rglob("*"))
            accepted = sum(answer.status_code == 201 for answer in answers)
            subprocess.run(["mount", "-o", "remount,size=50m", str(media)], check=True)
            afterwards = person.upload(photo, "after.jpg").status_code
            person.wait_until_finished()
        refused = tuple(
            (answer.status_code, error_code(answer))
            for answer in answers
            if answer.status_code != 201
        )
        return FullDisk(accepted, refused, n_files - 2 * accepted, afterwards)
    finally:
        subprocess.run(["umount", str(media)], check=True)
