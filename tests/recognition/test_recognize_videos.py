"""`manage.py recognize` on videos."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.support import clip
from tests.support.pictures import face_jpeg
from tests.support.videos import face_mp4, make, pictures


def run(*arguments: str) -> str:
    stdout = io.StringIO()
    call_command("recognize", *arguments, stdout=stdout)
    return stdout.getvalue()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds: a face, two seconds without one, and the face again."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    frames = [clip.frame(clip.astronaut(), second) for second in np.arange(5.5, 10, 0.1)]
    path.write_bytes(make(frames))
    return path


def test_the_table_is_the_timeline(film: Path) -> None:
    title, *stretches, shares = run(str(film)).splitlines()
    assert title == f"{film} (45 frames to 0:04.4): 1 face"
    assert all("face 1  happy" in line for line in stretches)
    assert stretches[0].startswith("  0:00.0 – 0:01.")
    assert stretches[-1].split("  face")[0].endswith("– 0:04.4")
    assert "happy 100%" in shares


def test_json_has_a_line_for_each_sampled_frame(film: Path) -> None:
    lines = [json.loads(line) for line in run(str(film), "--format", "json").splitlines()]
    assert [line["time_ms"] for line in lines] == list(range(0, 4500, 100))
    assert {(line["width"], line["height"]) for line in lines} == {(640, 480)}
    numbers = [[face["face"] for face in line["faces"]] for line in lines]
    assert numbers[0] == numbers[-1] == [1]
    assert [] in numbers
    (face,) = lines[0]["faces"]
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=0.001)
    assert face["label"] == "happy"
    assert face["box"]["width"] > 80


def test_csv_is_that_of_a_recording(film: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(str(film), "--format", "csv"))))
    assert list(rows[0])[:4] == ["path", "time_ms", "face", "label"]
    (back,) = [row for row in rows if row["gap"] != "none"]
    assert back["gap"] == "no_face"
    assert 1000 <= int(back["gap_ms"]) <= 2000
    assert all(row["label"] == "happy" for row in rows)


def test_it_is_looked_at_as_often_as_asked_for(film: Path) -> None:
    lines = run(str(film), "--format", "json", "--fps", "2").splitlines()
    assert [json.loads(line)["time_ms"] for line in lines] == list(range(0, 4500, 500))


def test_a_gif_is_a_photo_unless_frames_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "face.gif"
    path.write_bytes(make(pictures(1.0), "gif", "gif"))
    (photo,) = map(json.loads, run(str(path), "--format", "json").splitlines())
    assert "time_ms" not in photo
    assert len(run(str(path), "--format", "json", "--fps", "5").splitlines()) == 5


def test_photos_and_videos_are_done_together(tmp_path: Path, film: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(face_jpeg())
    text = run(str(film), str(tmp_path))
    assert "a.jpg (512×512): 1 face" in text
    assert "film.mp4 (45 frames" in text
    with pytest.raises(CommandError, match="one kind a run"):
        run(str(film), str(tmp_path), "--format", "csv")


@pytest.mark.parametrize("output_format", ["table", "json", "csv"])
def test_a_bad_video_is_told_and_the_others_are_done(
    tmp_path: Path, film: Path, output_format: str
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(face_mp4()[:10_000])
    stdout, stderr = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match="1 file of 2 could not be read"):
        call_command(
            "recognize", str(broken), str(film), "--format", output_format,
            stdout=stdout, stderr=stderr,
        )  # fmt: skip
    told = stderr if output_format == "csv" else stdout
    assert "The file is damaged or incomplete." in told.getvalue()
    assert "happy" in stdout.getvalue()
