"""`manage.py evaluate_detection`: its table, its numbers, and what is wrong with data."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from recognition.training.detection_figures import matches
from recognition.vision.types import BoundingBox
from tests.support.pictures import face_jpeg, no_face_jpeg
from tests.support.site import ROOT

FACE = [177, 66, 97, 97]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    (data / "people").mkdir(parents=True)
    (data / "people" / "one.jpg").write_bytes(face_jpeg())
    (data / "nobody.jpg").write_bytes(no_face_jpeg())
    (data / "unknown.jpg").write_bytes(b"not named, not read")
    (data / "boxes.json").write_text(json.dumps({"people/one.jpg": [FACE], "nobody.jpg": []}))
    return data


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("evaluate_detection", *arguments, stdout=out)
    return out.getvalue()


def test_every_detector_stands_beside_the_others(folder: Path, tmp_path: Path) -> None:
    table = run("--data", str(folder), "--json", str(tmp_path / "figures.json"))
    for name in ("both", "blazeface", "haar"):
        assert f"| {name} | 1 of 1 | 100.0% | 100.0% | 0 on 1 |" in table
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert list(figures) == ["both", "blazeface", "haar"]
    assert figures["both"]["recall"] == 1
    assert figures["both"]["milliseconds"] > 0


def test_an_archive_without_boxes_shows_one_face_each(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.write(folder / "people" / "one.jpg", "one.jpg")
        content.write(folder / "nobody.jpg", "nobody.jpg")
    table = run("--data", str(archive), "--detector", "both")
    assert "No boxes.json" in table
    assert "| both | 1 of 2 | 50.0% | 100.0% | 0 on 0 |" in table


def test_what_is_wrong_with_the_data_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="neither a folder nor a ZIP"):
        run("--data", str(folder / "nobody.jpg"))
    (folder / "boxes.json").write_text('{"gone.jpg": []}')
    with pytest.raises(CommandError, match=r"gone\.jpg"):
        run("--data", str(folder))
    (folder / "boxes.json").write_text('{"nobody.jpg": [[1, 2]]}')
    with pytest.raises(CommandError, match="not as it should be"):
        run("--data", str(folder))


def test_each_face_is_found_at_most_once() -> None:
    face, other = BoundingBox(0, 0, 100, 100), BoundingBox(300, 0, 100, 100)
    near = BoundingBox(10, 5, 100, 100)
    assert matches([face, other], [face, near]) == 1
    assert matches([face, other], [near, other, BoundingBox(600, 0, 9, 9)]) == 2
    assert matches([face], [BoundingBox(80, 0, 100, 100)]) == 0


def test_it_needs_no_settings(folder: Path, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "evaluate_detection", "--data", str(folder),
         "--detector", "blazeface"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "| blazeface | 1 of 1" in result.stdout
