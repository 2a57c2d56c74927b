"""`manage.py recognize` on files and folders."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from recognition.vision.manifest import read_manifest
from tests.support.pictures import (
    astronaut,
    encode,
    face_jpeg,
    false_face_jpeg,
    no_face_jpeg,
    turned_face_png,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    below = tmp_path / "trip" / "day 1"
    below.mkdir(parents=True)
    (tmp_path / "a.jpg").write_bytes(face_jpeg())
    (below / "b.PNG").write_bytes(encode(astronaut(), "PNG"))
    (below / "nobody.jpeg").write_bytes(no_face_jpeg())
    (tmp_path / "notes.txt").write_text("isn’t supported")
    return tmp_path


def run(*arguments: str) -> str:
    stdout = io.StringIO()
    call_command("recognize", *arguments, stdout=stdout)
    return stdout.getvalue()


def test_json_gives_one_object_a_line_for_all_photos_below(folder: Path) -> None:
    results = [json.loads(line) for line in run(str(folder), "--format", "json").splitlines()]
    assert [Path(result["path"]).name for result in results] == ["a.jpg", "b.PNG", "nobody.jpeg"]
    assert [len(result["faces"]) for result in results] == [1, 1, 0]
    first = results[0]
    assert set(first) == {"path", "width", "height", "faces", "error"}
    (face,) = first["faces"]
    assert set(face) == {
        "box",
        "label",
        "confidence",
        "uncertain",
        "rejected",
        "roll",
        "found_by",
        "probabilities",
    }
    assert tuple(face["probabilities"]) == read_manifest(settings.MODEL_MANIFEST).labels
    assert face["label"] == "happy"
    assert face["uncertain"] is False
    assert face["rejected"] is None


def test_photos_in_the_boxes_of_a_video_are_photos(tmp_path: Path) -> None:
    for name in ("HEIF", "AVIF"):
        (tmp_path / f"{name}.{name.lower()}").write_bytes(encode(astronaut(), name))
    results = [json.loads(line) for line in run(str(tmp_path), "--format", "json").splitlines()]
    assert [[face["label"] for face in result["faces"]] for result in results] == [["happy"]] * 2


def test_a_bad_file_is_told_and_the_others_are_done(folder: Path) -> None:
    (folder / "broken.jpg").write_bytes(face_jpeg()[:5000])
    stdout = io.StringIO()
    missing = str(folder / "missing.jpg")
    with pytest.raises(CommandError, match="2 photos of 5") as caught:
        call_command("recognize", missing, str(folder), "--format", "json", stdout=stdout)
    assert caught.value.returncode == 1
    results = [json.loads(line) for line in stdout.getvalue().splitlines()]
    errors = {Path(result["path"]).name: result["error"] for result in results}
    assert errors["missing.jpg"] == "No such file or directory"
    assert errors["broken.jpg"] == "The file is damaged or incomplete."
    assert errors["b.PNG"] is None


def test_csv_has_a_row_for_every_face_and_every_file_without(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(str(folder), "--format", "csv"))))
    assert [row["label"] for row in rows] == ["happy", "happy", ""]
    assert float(rows[0]["p_happy"]) > 0.7
    assert [row["uncertain"] for row in rows] == ["false", "false", ""]


def test_the_table_is_for_people(folder: Path) -> None:
    text = run(str(folder))
    assert "a.jpg (512×512): 1 face" in text
    assert "nobody.jpeg (320×240): no face found" in text


def test_doubt_is_told_in_every_format(  # type: ignore[no-untyped-def]
    settings, tmp_path: Path, folder: Path
) -> None:
    manifest = read_manifest(settings.MODEL_MANIFEST)
    shutil.copy(manifest.model_path, tmp_path)
    content = json.loads(manifest.path.read_text())
    content["shown"]["uncertain_below"] = 0.9999
    settings.MODEL_MANIFEST = tmp_path / manifest.path.name
    settings.MODEL_MANIFEST.write_text(json.dumps(content))
    photo = str(folder / "a.jpg")
    (face,) = json.loads(run(photo, "--format", "json"))["faces"]
    assert (face["label"], face["uncertain"]) == ("happy", True)
    (row,) = csv.DictReader(io.StringIO(run(photo, "--format", "csv")))
    assert row["uncertain"] == "true"
    assert "not sure" in run(photo)


def test_what_was_rejected_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "hub.jpg").write_bytes(false_face_jpeg())
    (spot,) = json.loads(run(str(tmp_path), "--format", "json"))["faces"]
    assert spot["rejected"] == "not_confirmed"
    (row,) = csv.DictReader(io.StringIO(run(str(tmp_path), "--format", "csv")))
    assert row["rejected"] == "not_confirmed"
    text = run(str(tmp_path))
    assert "no face found, 1 rejected" in text
    assert "rejected: not_confirmed" in text


def test_no_name_of_a_file_begins_a_formula_in_the_middle(folder: Path) -> None:
    (folder / "a.jpg").rename(folder / "a;=1+1.jpg")
    rows = csv.DictReader(io.StringIO(run(str(folder / "a;=1+1.jpg"), "--format", "csv")))
    assert {Path(row["path"]).name for row in rows} == {"a;'=1+1.jpg"}
    assert "a;=1+1.jpg" in run(str(folder / "a;=1+1.jpg"), "--format", "json")


def test_a_photo_on_its_side_is_told(tmp_path: Path) -> None:
    (tmp_path / "side.png").write_bytes(turned_face_png(90))
    (face,) = json.loads(run(str(tmp_path), "--format", "json"))["faces"]
    assert (face["label"], face["rejected"], face["found_by"]) == ("happy", None, "both")
    assert face["roll"] == pytest.approx(90, abs=10)
    (row,) = csv.DictReader(io.StringIO(run(str(tmp_path), "--format", "csv")))
    assert float(row["roll"]) == face["roll"]
    assert f"turned by {face['roll']:g}°" in run(str(tmp_path))


def test_a_missing_model_is_one_clear_line(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings.MODEL_MANIFEST = tmp_path / "none.json"
    with pytest.raises(CommandError, match="No trained model"):
        run(str(tmp_path))


@pytest.mark.parametrize("arguments", [("recognize",), ("explain", "--output", "maps")])
def test_on_the_command_line_it_needs_no_settings(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "photo.jpg").write_bytes(face_jpeg())
    command, *options = arguments
    result = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), command, "photo.jpg", *options],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert "happy" in result.stdout


@pytest.mark.parametrize("output_format", ["table", "json", "csv"])
def test_names_of_files_are_no_commands(output_format: str, tmp_path: Path) -> None:
    """To the terminal, to a spreadsheet; nor does one end the run that is no text."""
    names = [b"=cmd()|a.jpg", b"red\x1b[31m.jpg", b"two\nlines.jpg", b"\xff.jpg"]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(no_face_jpeg())
    command = [sys.executable, str(ROOT / "manage.py"), "recognize", "--format", output_format]
    environment = {**os.environ, "DEBUG": "true", "PYTHONIOENCODING": "utf-8:strict"}
    # As `recognize *` names them.
    told = subprocess.run(
        [*command, *names], cwd=tmp_path, env=environment, capture_output=True, check=True
    ).stdout.decode()
    assert "./=cmd()|a.jpg" in told
    assert "\\udcff.jpg" in told
    if output_format == "table":
        assert "\x1b" not in told
        assert [line.split(" (")[0] for line in told.splitlines()] == [
            "./=cmd()|a.jpg", r"red\x1b[31m.jpg", r"two\nlines.jpg", r"\udcff.jpg",
        ]  # fmt: skip
    elif output_format == "csv":
        rows = list(csv.DictReader(io.StringIO(told)))
        assert [row["path"] for row in rows][1:3] == ["red\x1b[31m.jpg", "two\nlines.jpg"]
