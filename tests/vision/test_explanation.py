"""Which parts of a face carried its label."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from numpy.typing import NDArray
from PIL import Image

from recognition.vision.errors import ModelError
from recognition.vision.explanation import (
    COLUMNS,
    LEAST_DROP,
    ROWS,
    SIDE,
    Explanation,
    Frame,
    draw,
    explain,
    read_words,
)
from recognition.vision.images import decode_gray
from recognition.vision.recognizer import EmotionRecognizer
from tests.support import clip
from tests.support.pictures import (
    astronaut,
    encode,
    face_jpeg,
    no_face_jpeg,
    turned_face_png,
    two_faces_jpeg,
)

CROP = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)


class LooksAt:
    """A classifier whose first label depends on the contrast of one ninth of the crop alone."""

    def __init__(self, row: int, column: int, *, against: tuple[int, int] | None = None) -> None:
        self._place = self._ninth(row, column)
        self._against = self._ninth(*against) if against else None

    def __call__(
        self, crops: NDArray[np.uint8], others: Sequence[NDArray[np.uint8]]
    ) -> NDArray[np.float32]:
        assert others == []
        first = 0.9 * self._contrast(crops, self._place)
        if self._against is not None:
            first *= 1 - 0.5 * self._contrast(crops, self._against)
        return np.stack([first, 1 - first], axis=1).astype(np.float32)

    @staticmethod
    def _ninth(row: int, column: int) -> tuple[slice, slice]:
        return slice(16 * row, 16 * row + 16), slice(16 * column, 16 * column + 16)

    @staticmethod
    def _contrast(crops: NDArray[np.uint8], place: tuple[slice, slice]) -> NDArray[np.float32]:
        part = (slice(None), *place)
        deviation = crops[part].astype(np.float32).std(axis=(1, 2))
        whole = CROP[place].astype(np.float32).std()
        shares: NDArray[np.float32] = np.clip(deviation / whole, 0, 1)
        return shares


@pytest.mark.parametrize("row", range(3))
@pytest.mark.parametrize("column", range(3))
def test_the_part_that_matters_is_the_brightest(row: int, column: int) -> None:
    found = explain(LooksAt(row, column), CROP, 0)

    assert found.confidence == pytest.approx(0.9)
    assert found.strongest_drop > 0.4
    assert found.strongest_part == f"{ROWS[row]}-{COLUMNS[column]}"
    shares = np.maximum(found.drop, 0).reshape(3, 16, 3, 16).sum(axis=(1, 3))
    assert shares[row, column] == shares.max()
    far = found.drop[:8, :8] if (row, column) != (0, 0) else found.drop[-8:, -8:]
    assert np.abs(far).max() < 0.25 * found.strongest_drop


def test_what_speaks_against_the_label_is_negative() -> None:
    found = explain(LooksAt(0, 0, against=(2, 2)), CROP, 0)
    assert found.strongest_part == "upper-left"
    assert found.drop[40, 40] < -0.1
    other = explain(LooksAt(0, 0, against=(2, 2)), CROP, 1)
    assert other.strongest_part == "lower-right"


def test_where_nothing_matters_no_part_is_named() -> None:
    found = explain(lambda crops, others: np.full((len(crops), 2), 0.5, np.float32), CROP, 1)
    assert (found.strongest_part, found.strongest_drop, found.confidence) == (None, 0.0, 0.5)


@pytest.mark.parametrize("scale", [0.8, 1.25])
def test_in_other_frames_the_same_part_of_the_face_is_hidden(scale: float) -> None:
    board = np.indices((48, 48)).sum(axis=0) % 2 * np.uint8(255)
    seen: list[NDArray[np.uint8]] = []

    def classify(
        crops: NDArray[np.uint8], others: Sequence[NDArray[np.uint8]]
    ) -> NDArray[np.float32]:
        seen[:] = [crops, *others]
        return np.full((len(crops), 2), 0.5, np.float32)

    explain(classify, board, 0, [Frame(board, scale)])
    first, other = (np.abs(crops.astype(float) - board) for crops in seen)
    assert first.shape == other.shape

    def middle(hidden: NDArray[np.float64]) -> float:
        return float((hidden.sum(axis=1) * (np.arange(48) + 0.5)).sum() / hidden.sum())

    def is_cut(hidden: NDArray[np.float64]) -> bool:
        return bool(hidden[[0, -1]].any() or hidden[:, [0, -1]].any())

    # Of the places, those that are whole in both frames.
    whole = [k for k in range(1, len(first)) if not (is_cut(first[k]) or is_cut(other[k]))]
    assert len(whole) > 3
    for k in whole:
        assert middle(other[k]) == pytest.approx(24 + scale * (middle(first[k]) - 24), abs=0.3)
        assert other[k].sum() == pytest.approx(scale**2 * first[k].sum(), rel=0.05)


def test_the_drawing_is_grey_where_nothing_was_lost_and_bright_where_most_was() -> None:
    found = explain(LooksAt(0, 0), CROP, 0)
    png = draw(found, np.full((96, 96), 120, np.uint8))

    with Image.open(io.BytesIO(png)) as image:
        assert image.size == (SIDE, SIDE)
        pixels = np.asarray(image).astype(int)
    assert pixels[-20, -20].tolist() == [120, 120, 120]
    y, x = np.unravel_index(found.drop.argmax(), found.drop.shape)
    red, _green, blue = pixels[int(y * SIDE / 48), int(x * SIDE / 48)]
    assert red > 150 > blue

    words = read_words(png)
    assert words.part == "upper-left"
    assert words.confidence == pytest.approx(0.9, abs=1e-4)
    assert words.drop == pytest.approx(found.strongest_drop, abs=1e-4)


def test_small_losses_are_not_made_to_look_large() -> None:
    drop = np.zeros((48, 48), np.float32)
    drop[:16, :16] = LEAST_DROP / 10
    pixels = np.asarray(
        Image.open(
            io.BytesIO(draw(Explanation(0.9, drop, 0.01, None), np.full((48, 48), 120, np.uint8)))
        )
    ).astype(int)
    assert np.abs(pixels - 120).max() < 30


@pytest.mark.parametrize("data", [b"", b"not a png", encode(astronaut().resize((8, 8)), "PNG")])
def test_other_files_have_no_words(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a heat map"):
        read_words(data)


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer(settings.MODEL_MANIFEST)


@pytest.mark.parametrize("data", [face_jpeg(), turned_face_png(90)])
def test_a_smile_is_in_the_lower_part_of_the_upright_face(
    recognizer: EmotionRecognizer, data: bytes
) -> None:
    (face,) = recognizer.recognize(data).faces
    began = time.perf_counter()
    found, face_gray = recognizer.explain(data, face.box, face.label, roll=face.roll)
    assert time.perf_counter() - began < 10
    assert found.confidence == pytest.approx(face.confidence, abs=0.05)
    assert found.strongest_part in {"lower-left", "lower-center", "lower-right"}
    assert face_gray.shape == (SIDE, SIDE)


def test_it_begins_from_what_people_are_shown_of_a_doubtful_face(
    recognizer: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = clip.jpeg_frame(clip.without_smile(clip.astronaut(), 5), seconds=1.0)
    (face,) = recognizer.recognize(photo).faces
    gray, _size = decode_gray(photo)

    def begins_and_shown(mirror_below: float) -> tuple[float, float]:
        manifest = replace(recognizer.manifest, mirror_below=mirror_below)
        monkeypatch.setattr(recognizer, "manifest", manifest)
        monkeypatch.setattr(recognizer.classifier, "manifest", manifest)
        found, _face_gray = recognizer.explain(photo, face.box, "happy", roll=face.roll)
        (shown,) = recognizer.classify(gray, [face.box], rolls=[face.roll])
        return found.confidence, shown["happy"]

    one, in_one_frame = begins_and_shown(0.0)
    several, in_several = begins_and_shown(1.01)
    # Within what the int8 network says of the same crop in batches of other sizes.
    assert one == pytest.approx(in_one_frame, abs=0.01)
    assert several == pytest.approx(in_several, abs=0.01)
    assert abs(in_several - in_one_frame) > 0.05


def test_a_label_of_another_model_is_told(recognizer: EmotionRecognizer) -> None:
    (face,) = recognizer.recognize(face_jpeg()).faces
    with pytest.raises(ModelError, match="does not know"):
        recognizer.explain(face_jpeg(), face.box, "angry")


def test_the_command_writes_a_picture_for_each_face(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in (("two.jpg", two_faces_jpeg()), ("none.jpg", no_face_jpeg())):
        (tmp_path / name).write_bytes(data)
    call_command("explain", tmp_path / "two.jpg", tmp_path / "none.jpg")
    printed = capsys.readouterr().out
    assert "none.jpg: no face found" in printed
    files = sorted(file.name for file in tmp_path.glob("*.png"))
    assert files[:2] == ["two-face-1.png", "two-face-2.png"]
    assert "happy" in printed
    assert read_words((tmp_path / "two-face-1.png").read_bytes()).confidence > 0.5


def test_the_command_goes_on_after_a_bad_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    (tmp_path / "good.jpg").write_bytes(face_jpeg())
    with pytest.raises(CommandError, match="1 photo of 2 failed"):
        call_command(
            "explain", tmp_path / "bad.jpg", tmp_path / "good.jpg", output=tmp_path / "maps"
        )
    assert "bad.jpg: error:" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "maps").iterdir()] == ["good-face-1.png"]
