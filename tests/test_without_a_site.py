"""Commands that read files need no site: no variables are asked for, and nothing is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pictures import face_jpeg

ROOT = Path(__file__).resolve().parent.parent


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of `manage.py` in an environment with nothing but a folder that is not there."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        cwd=folder,
        env={"DATA_DIR": str(folder / "data"), **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def photo(tmp_path: Path) -> str:
    file = tmp_path / "photo.jpg"
    file.write_bytes(face_jpeg())
    return str(file)


def test_a_photo_is_labelled(tmp_path: Path, photo: str) -> None:
    ran = run(tmp_path, "recognize", photo, "--format", "json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["faces"][0]["label"]
    assert not (tmp_path / "data").exists()


def test_a_photo_is_explained(tmp_path: Path, photo: str) -> None:
    ran = run(tmp_path, "explain", photo, "--output", str(tmp_path / "maps"))
    assert ran.returncode == 0, ran.stderr
    assert list((tmp_path / "maps").glob("*.png"))
    assert not (tmp_path / "data").exists()


def test_figures_are_printed(tmp_path: Path) -> None:
    ran = run(tmp_path, "model_figures")
    assert ran.returncode == 0, ran.stderr
    assert "met" in ran.stdout
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("command", "data"),
    [
        ("evaluate_detection", ("--data", "missing")),
        ("evaluate_model", ("--data", "missing")),
        ("train_model", ("--data", "missing")),
        ("calibrate_model", ("--data", "missing", "--votes", "missing")),
    ],
)
def test_what_is_missing_is_data_and_not_a_secret(
    command: str, data: tuple[str, ...], tmp_path: Path
) -> None:
    ran = run(tmp_path, command, *data)
    assert ran.returncode != 0
    assert "missing" in ran.stderr
    assert "SECRET_KEY" not in ran.stderr
    assert not (tmp_path / "data").exists()


def test_commands_of_a_site_still_ask_for_its_secret(tmp_path: Path) -> None:
    ran = run(tmp_path, "migrate")
    assert ran.returncode != 0
    assert "SECRET_KEY is not set" in ran.stderr
    assert not (tmp_path / "data").exists()


def test_help_is_given_without_a_folder(tmp_path: Path) -> None:
    ran = run(tmp_path, "migrate", "--help", DEBUG="true")
    assert ran.returncode == 0
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("length", [4, 120])
def test_importing_the_settings_writes_nothing(length: int, tmp_path: Path) -> None:
    """Also where the path of the socket would be too long, and is in the temporary folder."""
    (tmp_path / "tmp").mkdir()
    data_dir = tmp_path / ("d" * length)
    subprocess.run(
        [sys.executable, "-c", "import emotion_site.settings"],
        cwd=ROOT,
        env={"DATA_DIR": str(data_dir), "DEBUG": "true", "TMPDIR": str(tmp_path / "tmp")},
        check=True,
    )
    assert os.listdir(tmp_path) == ["tmp"]
    assert os.listdir(tmp_path / "tmp") == []


def test_processes_that_start_at_once_keep_one_key(tmp_path: Path) -> None:
    """A key of two processes' own would sign everybody out of one of them."""
    code = (
        "import emotion_site.data_folder as folder; from django.conf import settings\n"
        "folder.prepare(); print(settings.SECRET_KEY)"
    )
    environment = {
        "DATA_DIR": str(tmp_path / "data"),
        "DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "emotion_site.settings",
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    keys = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert keys == {(tmp_path / "data" / "secret_key").read_text() + "\n"}
    assert set(os.listdir(tmp_path / "data")) == {"secret_key", "db.sqlite3"}
