"""A backup: one tar file with the database, the stored files and a manifest with checksums.

The database comes first, as it is at one moment, then each file that its rows speak of. What is
deleted in between is missing then, and the manifest says so; what comes in between is not part of
this backup. So each row's file is there or is reported.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import django
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from operations import databases, whole_copies

logger = logging.getLogger(__name__)

FORMAT = 1
MANIFEST, DATABASE, FILES = "manifest.json", "database", "files/"
_CHUNK = 1024 * 1024


class BackupError(Exception):
    """Nothing was changed; the message says why, for the operator."""


@dataclass
class Manifest:
    """What is in a backup.

    Attributes:
        engine: of the database; a backup goes back into the same one.
        migrations: last one applied by each app; this code must know them.
        database_sha256: of the database's file.
        files: name in the storage to SHA-256.
        missing: names that rows speak of and that were not stored.
    """

    engine: str
    migrations: dict[str, str]
    created_at: str = field(default_factory=lambda: timezone.now().isoformat())
    format: int = FORMAT
    django: str = field(default_factory=django.get_version)
    database_sha256: str = ""
    files: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def write(output: Path, *, with_files: bool = True) -> Manifest:
    """Write a backup, for its owner's eyes alone; `output` appears once it is whole.

    Raises:
        BackupError: it did not work; there is no file.
    """
    manifest = Manifest(databases.engine(), _applied())
    partial = output.with_name(output.name + ".partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with (
            os.fdopen(descriptor, "wb") as stream,
            tarfile.open(fileobj=stream, mode="w") as archive,
            tempfile.TemporaryDirectory(dir=output.parent) as folder,
        ):
            dump = Path(folder) / DATABASE
            with databases.dumped(dump) as names:
                with dump.open("rb") as database:
                    manifest.database_sha256 = _add(archive, DATABASE, database)
                for name in sorted(set(names)) if with_files else ():
                    _add_stored(archive, name, manifest)
            text = json.dumps(asdict(manifest), indent=1).encode()
            _add(archive, MANIFEST, io.BytesIO(text))
        partial.rename(output)
    except (OSError, databases.DatabaseError) as error:
        raise BackupError(str(error)) from error
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def _add_stored(archive: tarfile.TarFile, name: str, manifest: Manifest) -> None:
    with ExitStack() as held:
        try:
            stored = held.enter_context(whole_copies.opened(name))
        except FileNotFoundError:
            manifest.missing.append(name)
            return
        manifest.files[name] = _add(archive, FILES + name, stored)


def _add(archive: tarfile.TarFile, name: str, stream: IO[bytes]) -> str:
    """Add a member; returns its SHA-256."""
    member = tarfile.TarInfo(name)
    member.mode = 0o600
    member.size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    hashing = _Hashing(stream)
    archive.addfile(member, hashing)
    return hashing.sha256.hexdigest()


class _Hashing:
    """A stream that takes the checksum of what passes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.sha256.update(data)
        return data


def verify(source: Path) -> Manifest:
    """Read a backup from end to end.

    Raises:
        BackupError: it is damaged, incomplete, or not for this site's code or database.
    """
    checksums: dict[str, str] = {}
    content = b""
    with _opened(source) as archive:
        for member in archive:
            if not _is_ours(member):
                raise BackupError(f"{source} is not a backup: {member.name} is no file of one.")
            stream = archive.extractfile(member)
            assert stream is not None  # It is a file.
            if member.name == MANIFEST:
                content = stream.read()
            else:
                checksums[member.name] = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    manifest = _read_manifest(source, content)
    expected = {FILES + name: checksum for name, checksum in manifest.files.items()}
    expected[DATABASE] = manifest.database_sha256
    for name in sorted(expected.keys() | checksums.keys()):
        if expected.get(name) != checksums.get(name):
            raise BackupError(f"{source} is damaged: {name} is not what the manifest says.")
    if manifest.engine != databases.engine():
        raise BackupError(
            f"The backup is of {manifest.engine}, this site's database is {databases.engine()}."
        )
    known = MigrationLoader(None).disk_migrations
    newer = [f"{a}.{n}" for a, n in manifest.migrations.items() if (a, n) not in known]
    if newer:
        raise BackupError(f"The backup is of a newer version of the site: {', '.join(newer)}.")
    return manifest


def _is_ours(member: tarfile.TarInfo) -> bool:
    """Whether it is a file, no link, with a name that stays within the storage.

    Nor one with holes, which an archive of ours never has: 10 kB would be read as gigabytes.
    """
    name = member.name.removeprefix(FILES)
    is_inside = ".." not in PurePosixPath(name).parts and not name.startswith("/")
    return member.isreg() and not member.issparse() and bool(name) and is_inside


def restore(source: Path) -> tuple[Manifest, int]:
    """Put a backup in the place of all that the site has.

    Returns:
        What is in it, and how many files of the replaced site could not be deleted.

    Raises:
        BackupError: it did not work. As long as the database is not replaced, nothing is.
    """
    manifest = verify(source)
    before = databases.stored_names() | databases.left_names()
    put_there: list[str] = []
    try:
        with _opened(source) as archive, tempfile.TemporaryDirectory() as folder:
            dump = Path(folder) / DATABASE
            # Files first: a row whose file is not there yet would be looked at in vain.
            for member in archive:
                stream = archive.extractfile(member)
                assert stream is not None  # `verify` has seen it.
                if member.name == DATABASE:
                    with dump.open("wb") as target:
                        while data := stream.read(_CHUNK):
                            target.write(data)
                elif member.name.startswith(FILES):
                    name = member.name.removeprefix(FILES)
                    if not _is_stored(name, manifest.files[name]):
                        put_there.append(name)
                        _store(name, stream)
            databases.load(dump)
    except BaseException as error:
        # Photos of people who have been deleted since, and whom no row names. Unless it failed once
        # the database was replaced, as a key that interrupts can.
        for name in {*put_there} - before - databases.stored_names():
            with suppress(OSError, ValueError, SuspiciousOperation):
                default_storage.delete(name)
        if isinstance(error, (ValueError, SuspiciousOperation, databases.DatabaseError)):
            raise BackupError(str(error)) from error
        raise
    # What the replaced site alone had is nobody's now, whether or not files came with the backup.
    left = [name for name in before - databases.stored_names() if not _is_deleted(name)]
    return manifest, len(left)


def _is_deleted(name: str) -> bool:
    try:
        default_storage.delete(name)
    except Exception:  # Whatever a storage raises; the others are deleted all the same.
        logger.exception("a stored file could not be deleted")
        return False
    return True


def _is_stored(name: str, checksum: str) -> bool:
    try:
        with default_storage.open(name, "rb") as stored:
            return hashlib.file_digest(cast("Any", stored), "sha256").hexdigest() == checksum
    except FileNotFoundError:
        return False


def _store(name: str, stream: IO[bytes]) -> None:
    # Names are random: one that is there already is the same file, damaged.
    default_storage.delete(name)
    stored = default_storage.save(name, File(stream))
    if stored != name:
        default_storage.delete(stored)
        raise ValueError(f"The storage keeps {name} under another name, {stored}.")


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source, "r:") as archive:
            yield archive
    except (OSError, tarfile.TarError) as error:
        raise BackupError(f"{source} cannot be read: {error}") from error


def _read_manifest(source: Path, content: bytes) -> Manifest:
    try:
        values: dict[str, Any] = json.loads(content)
        if values["format"] != FORMAT:
            raise BackupError(f"{source} has format {values['format']}; this is {FORMAT}.")
        manifest = Manifest(**values)
        if not (isinstance(manifest.files, dict) and isinstance(manifest.migrations, dict)):
            raise TypeError("not a manifest's parts")
        return manifest
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{source} is no whole backup: it has no manifest.") from error


def _applied() -> dict[str, str]:
    applied = MigrationLoader(connection).applied_migrations
    return dict(sorted(applied))
