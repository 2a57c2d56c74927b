"""Archives that are no backups of ours are refused before anything is changed."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from operations import backup, databases
from operations.management.commands import restore

pytestmark = pytest.mark.django_db

DATA = b"what was stored"
NAMES = ["../outside", "photos/../../outside", "/tmp/outside", "photos//../..", ""]


def archive(path: Path, *members: tuple[str, bytes, str], **manifest: Any) -> Path:
    """A tar file that is right but for these members (name, type, target) and parts."""
    database = b"not looked at"
    whole = {
        "engine": databases.engine(), "migrations": {}, "created_at": "2026-01-01", "format": 1,
        "django": "6", "database_sha256": hashlib.sha256(database).hexdigest(), "files": {},
        "missing": [], **manifest,
    }  # fmt: skip
    with tarfile.open(path, "w") as written:
        for name, data in (("database", database), ("manifest.json", json.dumps(whole).encode())):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            written.addfile(member, io.BytesIO(data))
        for name, kind, target in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            member.size = len(DATA) if kind == tarfile.REGTYPE else 0
            written.addfile(member, io.BytesIO(DATA))
    return path


@pytest.mark.parametrize("name", NAMES)
def test_names_stay_within_the_storage(name: str, tmp_path: Path) -> None:
    files = {name: hashlib.sha256(DATA).hexdigest()}
    odd = archive(tmp_path / "odd.tar", (f"files/{name}", tarfile.REGTYPE, ""), files=files)
    with pytest.raises(backup.BackupError):
        backup.verify(odd)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE]
)
@pytest.mark.parametrize("target", ["/etc/passwd", "../database", "database"])
def test_only_files_are_taken(kind: bytes, target: str, tmp_path: Path) -> None:
    files = {"photos/link": hashlib.sha256(b"not looked at").hexdigest()}
    odd = archive(tmp_path / "odd.tar", ("files/photos/link", kind, target), files=files)
    with pytest.raises(backup.BackupError):
        backup.verify(odd)


@pytest.mark.parametrize("files", [["photos/a"], None, 7, "x"])
def test_a_manifest_of_another_shape_is_none(files: Any, tmp_path: Path) -> None:
    with pytest.raises(backup.BackupError):
        backup.verify(archive(tmp_path / "odd.tar", files=files))


def test_an_ordinary_archive_is_taken(tmp_path: Path) -> None:
    files = {"photos/a/b.jpg": hashlib.sha256(DATA).hexdigest()}
    member = ("files/photos/a/b.jpg", tarfile.REGTYPE, "")
    assert backup.verify(archive(tmp_path / "right.tar", member, files=files)).files == files


def test_files_with_holes_are_refused_unread(tmp_path: Path) -> None:
    """Ten kilobytes that would be read as an exabyte."""
    odd = tmp_path / "odd.tar"
    with tarfile.open(odd, "w", format=tarfile.PAX_FORMAT) as written:
        member = tarfile.TarInfo("manifest.json")
        sizes = {
            "GNU.sparse.size": str(2**60),
            "GNU.sparse.numblocks": "1",
            "GNU.sparse.map": "0,0",
        }
        member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", **sizes}
        written.addfile(member)
    with tarfile.open(odd) as read:
        assert [one.issparse() for one in read] == [True]
    with pytest.raises(backup.BackupError, match="is not a backup"):
        backup.verify(odd)


@pytest.mark.parametrize("name", ["photos/gone.jpg", "photos/a//b.jpg", "x" * 300])
def test_a_restore_that_fails_leaves_no_file(
    name: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database would be the old one, and nobody could delete photos that no row names."""
    settings.MEDIA_ROOT = tmp_path / "media"
    default_storage.save("photos/kept.jpg", ContentFile(DATA))
    monkeypatch.setattr(databases, "stored_names", lambda: {"photos/kept.jpg"})
    monkeypatch.setattr(databases, "engine", lambda: "postgresql")
    monkeypatch.setenv("PATH", str(tmp_path))  # No program that loads it.
    names = ["photos/kept.jpg", "photos/first.jpg", name]
    members = [(f"files/{one}", tarfile.REGTYPE, "") for one in names]
    files = dict.fromkeys(names, hashlib.sha256(DATA).hexdigest())
    whole = archive(tmp_path / "whole.tar", *members, files=files)
    with pytest.raises(backup.BackupError):
        backup.restore(whole)
    left = [one.name for one in settings.MEDIA_ROOT.rglob("*") if one.is_file()]
    assert left == ["kept.jpg"]


def test_a_file_that_cannot_be_deleted_keeps_no_others(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    replaced = {f"photos/{number}.jpg" for number in range(5)}
    for name in replaced:
        default_storage.save(name, ContentFile(DATA))
    named = {*replaced}
    monkeypatch.setattr(databases, "stored_names", lambda: set(named))
    monkeypatch.setattr(databases, "load", lambda _dump: named.clear())
    delete = default_storage.delete

    def refuse_one(name: str) -> None:
        if name == "photos/2.jpg":
            raise PermissionError
        delete(name)

    monkeypatch.setattr(default_storage, "delete", refuse_one)
    migrated: list[str] = []
    monkeypatch.setattr(restore, "call_command", lambda name, **_options: migrated.append(name))
    whole = archive(tmp_path / "whole.tar", files={})
    with pytest.raises(CommandError, match=r"restored, but 1 file.*delete_stray_files"):
        call_command("restore", str(whole), force=True)
    # What the message tells to run reads the tables as this version has them.
    assert migrated == ["migrate"]
    left = [one.name for one in settings.MEDIA_ROOT.rglob("*") if one.is_file()]
    assert left == ["2.jpg"]


def test_one_that_is_interrupted_once_the_database_is_replaced_keeps_its_files(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    named: set[str] = set()
    monkeypatch.setattr(databases, "stored_names", lambda: set(named))

    def load(_dump: Path) -> None:
        named.add("photos/first.jpg")
        raise KeyboardInterrupt

    monkeypatch.setattr(databases, "load", load)
    members = [("files/photos/first.jpg", tarfile.REGTYPE, "")]
    files = {"photos/first.jpg": hashlib.sha256(DATA).hexdigest()}
    whole = archive(tmp_path / "whole.tar", *members, files=files)
    with pytest.raises(KeyboardInterrupt):
        backup.restore(whole)
    assert default_storage.exists("photos/first.jpg")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's dump has rows alone")
def test_a_copy_has_nothing_of_what_was_deleted_before_pages_were_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the first version of the site did, in a database that is still in use."""
    path = tmp_path / "db.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA secure_delete=OFF")
        database.execute("CREATE TABLE faces (what TEXT)")
        database.executemany("INSERT INTO faces VALUES (?)", [("needle" * 100,)] * 400)
        database.commit()
        database.execute("DELETE FROM faces WHERE rowid > 1")
        database.commit()
    assert path.read_bytes().count(b"needleneedle") > 100
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", str(path))
    databases._dump_sqlite(tmp_path / "copy")
    copy = (tmp_path / "copy").read_bytes()
    assert 0 < copy.count(b"needleneedle") <= 100
