"""Files of the site are for its own user, and nobody else's folder is taken for its own."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from operations.private_folders import NotPrivate, close_to_others, private_folder
from tests.support.site import ROOT, Site, wait_until

STRONG = "a-secret-key-of-this-test-alone-0123456789-abcdefghijkl"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def check(data_dir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(data_dir), "SECRET_KEY": STRONG,
             "SITE_URL": "https://photos.example.org", **environment},
        capture_output=True,
        text=True,
    )  # fmt: skip


def test_the_running_site_leaves_nothing_open(site: Site) -> None:
    person = site.sign_up("files@example.org")
    assert person.get("/").status_code == 200
    site.manage("shell", "-c", "from operations.redis_client import connect; connect().save()")
    wait_until((site.data_dir / "redis.rdb").exists)
    assert mode(site.data_dir) == 0o700
    names = {"redis.rdb", "secret_key", *(file.name for file in site.data_dir.glob("*.sqlite3*"))}
    for name in names:
        assert mode(site.data_dir / name) == 0o600, name
    assert mode(site.data_dir / "redis.sock") & 0o077 == 0


def test_an_older_folder_is_closed(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o755)
    (data_dir / "db.sqlite3").touch(mode=0o644)
    data_dir.chmod(0o755)
    (data_dir / "db.sqlite3").chmod(0o644)
    assert check(data_dir).returncode == 0
    assert mode(data_dir) == 0o700
    assert mode(data_dir / "db.sqlite3") == 0o600
    data_dir.chmod(0o755)
    assert check(data_dir, BEHIND_PROXY="true").returncode == 0
    assert mode(data_dir) == 0o750, "a web server in front sends files from there"


def test_a_folder_for_everybody_stays_one(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    close_to_others(tmp_path, 0o700)
    assert mode(tmp_path) == 0o1777


def test_a_folder_under_the_temporary_one_must_be_ours(tmp_path: Path) -> None:
    folder = tmp_path / "emotion-1-x"
    assert private_folder(folder) == folder
    assert mode(folder) == 0o700
    assert private_folder(folder) == folder
    folder.chmod(0o755)
    with pytest.raises(NotPrivate, match="open to others"):
        private_folder(folder)
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(NotPrivate, match="somebody else"):
        private_folder(link)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives a folder to somebody else")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    with pytest.raises(NotPrivate, match="somebody else"):
        private_folder(folder)


def test_a_site_with_a_long_path_refuses_such_a_folder(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long" * 25)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {"TMPDIR": str(temporary)}
    assert check(data_dir, **environment).returncode == 0
    (made,) = temporary.iterdir()
    assert mode(made) == 0o700
    made.rmdir()
    made.mkdir()
    made.chmod(0o777)
    refused = check(data_dir, **environment)
    assert refused.returncode != 0
    assert "is open to others" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("key", ["x", "short", "a" * 60, "abcabc" * 10, "1" * 31])
def test_a_weak_key_does_not_start(key: str, tmp_path: Path) -> None:
    refused = check(tmp_path, SECRET_KEY=key)
    assert refused.returncode != 0
    assert re.search(r"SECRET_KEY.* too weak", refused.stderr)
    assert key not in refused.stderr or len(key) == 1
    assert check(tmp_path, SECRET_KEY=key, DEBUG="true").returncode == 0
