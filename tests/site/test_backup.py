"""Backup and restore, on whichever database the tests run with."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.pictures import face_jpeg, no_face_jpeg
from tests.support.site import Person, Site, own_database

pytestmark = pytest.mark.site

if "DATABASE_URL" in os.environ and shutil.which("pg_dump") is None:
    pytest.skip("pg_dump is not installed", allow_module_level=True)

PASSWORD = "a-good-password-7"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("original")) as site:
        person = site.sign_up("kept@example.org")
        person.upload(face_jpeg(), "face.jpg")
        person.upload(no_face_jpeg(), "none.jpg")
        person.wait_until_finished()
        yield site


@pytest.fixture(scope="module")
def saved(original: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup, taken while the site runs."""
    output = tmp_path_factory.mktemp("backups") / "backup.tar"
    said = original.manage("backup", str(output)).stdout
    assert "database and 4 files, 0 missing" in said
    return output


def refused(site: Site, *arguments: str) -> str:
    result = site.manage(*arguments, check=False)
    assert result.returncode == 1
    return result.stderr


def sign_in(site: Site) -> Person:
    person = Person(site.url)
    form = {"login": "kept@example.org", "password": PASSWORD}
    assert person.post("/accounts/login/", data=form).status_code == 302
    return person


def changed(source: Path, target: Path, change: Any) -> Path:
    """A copy of the backup in which `change` has had its hands: name and bytes to bytes."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old:
            data = change(member.name, old.extractfile(member).read())  # type: ignore[union-attr]
            if data is not None:
                member.size = len(data)
                new.addfile(member, io.BytesIO(data))
    return target


def test_only_its_owner_can_read_it(saved: Path) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in saved.parent.iterdir()] == ["backup.tar"]


def test_what_was_deleted_for_good_comes_into_no_backup(original: Site, tmp_path: Path) -> None:
    """Not even in those parts of SQLite's file that hold no row any more."""
    if "DATABASE_URL" in os.environ:
        pytest.skip("pg_dump writes rows, compressed: there are no such parts to look into")
    person = original.sign_up("gone@example.org")
    name = "a-name-that-nothing-else-has"
    ids = [person.upload(no_face_jpeg(), f"{name}.jpg").json()["id"] for _ in range(20)]
    person.wait_until_finished()

    def database(output: Path) -> bytes:
        original.manage("backup", str(output))
        with tarfile.open(output) as archive:
            return archive.extractfile("database").read()  # type: ignore[union-attr]

    assert name.encode() in database(tmp_path / "before.tar")
    for pk in ids:
        person.delete_for_good(pk)
    assert name.encode() not in database(tmp_path / "after.tar")


def test_a_site_comes_back_after_a_wipe(saved: Path, tmp_path: Path) -> None:
    """On a new machine: people, photos, predictions, and work goes on."""
    site = Site(tmp_path / "new")
    said = site.manage("restore", str(saved)).stdout
    assert "is restored: 4 files, 0 missing" in said
    with site:
        person = sign_in(site)
        uploads = {upload["name"]: upload for upload in person.uploads()}
        assert set(uploads) == {"face.jpg", "none.jpg"}
        (face,) = uploads["face.jpg"]["faces"]
        assert face["label"] == "happy"
        for upload in uploads.values():
            seen = person.get(f"/uploads/{upload['id']}/image/")
            assert (seen.status_code, seen.content[:2]) == (200, b"\xff\xd8")
        person.upload(face_jpeg(), "new.jpg")
        assert person.wait_until_finished()[0]["status"] == "done"


def test_a_site_with_people_in_it_is_replaced_by_force_alone(
    original: Site, saved: Path, tmp_path: Path
) -> None:
    with Site(tmp_path / "used") as site:
        other = site.sign_up("replaced@example.org")
        other.upload(face_jpeg())
        other.wait_until_finished()
        assert "--force" in refused(site, "restore", str(saved))
        assert other.uploads()
        # One whose photo was deleted, and that the storage has not deleted yet.
        left = site.data_dir / "media" / "photos" / "left" / "left.jpg"
        left.parent.mkdir()
        left.write_bytes(face_jpeg())
        row = "LeftFile.objects.create(name='photos/left/left.jpg')"
        site.manage("shell", "--command", f"from operations.models import LeftFile; {row}")
        site.manage("restore", "--force", str(saved))
        assert len(sign_in(site).uploads()) == 2
        assert other.get("/uploads/").status_code == 302
        with tarfile.open(saved) as archive:
            kept = {n.removeprefix("files/") for n in archive.getnames() if "photos/" in n}
        media = site.data_dir / "media"
        assert {str(file.relative_to(media)) for file in media.rglob("*.jpg")} == kept
        # Also by a backup of the database alone: whose photos are replaced has them nowhere.
        assert sign_in(site).upload(face_jpeg(), "later.jpg").status_code == 201
        bare = tmp_path / "bare.tar"
        original.manage("backup", "--no-files", str(bare))
        site.manage("restore", "--force", str(bare))
        assert {str(file.relative_to(media)) for file in media.rglob("*.jpg")} == kept


def test_a_backup_of_an_earlier_version_is_migrated(tmp_path: Path) -> None:
    earlier, later = Site(tmp_path / "earlier"), Site(tmp_path / "later")
    earlier.manage("migrate", "--verbosity", "0")
    # The newest of them changes no table.
    earlier.manage("migrate", "accounts", "0011", "--verbosity", "0")
    assert earlier.manage("migrate", "--check", check=False).returncode == 1
    earlier.manage("backup", str(tmp_path / "earlier.tar"))
    later.manage("restore", str(tmp_path / "earlier.tar"))
    assert later.manage("migrate", "--check", check=False).returncode == 0


def test_a_file_that_is_not_there_is_reported(original: Site, tmp_path: Path) -> None:
    (file, *_) = (original.data_dir / "media").rglob("*.jpg")
    hidden = file.rename(tmp_path / "hidden.jpg")
    try:
        result = original.manage("backup", str(tmp_path / "a.tar"))
    finally:
        hidden.rename(file)
    assert "3 files, 1 missing" in result.stdout
    assert f"missing: photos/{file.parent.name}/{file.name}" in result.stderr


def test_a_backup_that_is_there_is_not_written_over(original: Site, saved: Path) -> None:
    assert "exists" in refused(original, "backup", str(saved))


def test_the_database_alone(original: Site, tmp_path: Path) -> None:
    said = original.manage("backup", "--no-files", str(tmp_path / "a.tar")).stdout
    assert "database and 0 files" in said


@pytest.mark.parametrize("fault", ["photo", "database", "cut", "no_manifest", "text", "newer"])
def test_a_backup_that_is_not_whole_changes_nothing(
    fault: str, original: Site, saved: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.tar"

    def change(name: str, data: bytes) -> bytes | None:
        if fault == "photo" and name.startswith("files/"):
            return data[:-1] + b"?"
        if fault == "database" and name == "database":
            return data[:5000] + b"?" + data[5001:]
        if name == "manifest.json":
            if fault == "no_manifest":
                return None
            if fault == "newer":
                manifest = json.loads(data)
                manifest["migrations"]["recognition"] = "0999_of_next_year"
                return json.dumps(manifest).encode()
        return data

    changed(saved, bad, change)
    if fault == "cut":
        bad.write_bytes(saved.read_bytes()[:-40_000])
    elif fault == "text":
        bad.write_text("no backup")
    assert "backup" in refused(original, "restore", "--force", str(bad)).lower() or fault == "text"
    assert refused(original, "restore", "--check", str(bad))
    assert len(sign_in(original).uploads()) == 2


def test_a_backup_of_the_other_engine_is_refused(
    original: Site, saved: Path, tmp_path: Path
) -> None:
    def change(name: str, data: bytes) -> bytes:
        if name == "manifest.json":
            return data.replace(b'"sqlite3"', b'"?"').replace(b'"postgresql"', b'"sqlite3"')
        return data

    bad = changed(saved, tmp_path / "other.tar", change)
    assert "this site's database is" in refused(original, "restore", "--force", str(bad))


def test_rows_of_a_backup_are_of_one_moment(original: Site, tmp_path: Path) -> None:
    """The dump can be read by the database's own tools."""
    output = tmp_path / "moment.tar"
    original.manage("backup", str(output))
    with tarfile.open(output) as archive:
        packed = archive.extractfile("database")
        assert packed
        dump = tmp_path / "database"
        dump.write_bytes(packed.read())
    if "DATABASE_URL" not in original.environment:
        with sqlite3.connect(dump) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert copy.execute("SELECT count(*) FROM recognition_upload").fetchone() == (2,)
        return
    url = own_database(os.environ["DATABASE_URL"])
    program = shutil.which("pg_restore")
    assert program is not None
    subprocess.run([program, "--no-owner", "-d", url, str(dump)], check=True)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM recognition_upload").fetchone() == (2,)
