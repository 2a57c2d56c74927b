"""How the whole recogniser does on photos that nobody chose for it.

A folder or archive ``<class>/<name>.jpg`` with the classes of FER-2013 or of FER+, one face each:
faces are found, framed and labelled as the site does it. The labels are one person's, so read
differences between models, not the figures themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np

from recognition.training.dataset import CLASSES, NAMED, OTHER, DatasetError, image_files
from recognition.training.figures import PartFigures, measure, measure_part
from recognition.vision.recognizer import EmotionRecognizer


class WildClass(TypedDict):
    """Photos of one class: faces found in them, by the label shown, and those called uncertain."""

    n: int
    found: int
    labels: dict[str, int]
    uncertain: int


class WildFigures(TypedDict):
    """Of the largest face in each photo where one was found.

    `happy_and_neutral` are right; `angry_admitted` are called *other* or uncertain.
    """

    fingerprint: str
    n: int
    found: int
    classes: dict[str, WildClass]
    accuracy: float
    expected_calibration_error: float
    happy_and_neutral: PartFigures
    angry_admitted: PartFigures


@dataclass(frozen=True)
class _Seen:
    """The largest face of a photo; no probabilities where none was found."""

    folder: str
    probabilities: dict[str, float] | None
    uncertain: bool


def evaluate_wild(
    recognizer: EmotionRecognizer, path: Path, progress: Callable[[int], object] | None = None
) -> WildFigures:
    """Recognise every photo.

    Args:
        recognizer: as it serves.
        path: folder or zip archive.
        progress: called with 1 after each photo.

    Raises:
        DatasetError: there are no photos, or of classes that no source knows.
    """
    digest = hashlib.sha256()
    seen = []
    for name, data in image_files(path):
        folder = Path(name).parts[-2] if len(Path(name).parts) > 1 else ""
        _label_of(folder)
        digest.update(name.encode())
        digest.update(data)
        faces = recognizer.recognize(data).faces
        largest = max(faces, key=lambda face: face.box.width * face.box.height, default=None)
        seen.append(
            _Seen(folder, largest.probabilities, largest.uncertain)
            if largest
            else _Seen(folder, None, False)
        )
        if progress:
            progress(1)
    if not seen:
        raise DatasetError(f"{path} holds no photos")
    return _figures(seen, recognizer.manifest.labels, digest.hexdigest())


def _label_of(folder: str) -> str:
    for classes in CLASSES.values():
        if folder in classes:
            place = classes.index(folder)
            return NAMED[place] if place < len(NAMED) else OTHER
    raise DatasetError(f"{folder!r} is a class of neither FER-2013 nor FER+")


def _shown(face: _Seen) -> str:
    assert face.probabilities is not None
    return max(face.probabilities, key=face.probabilities.__getitem__)


def _figures(seen: list[_Seen], labels: tuple[str, ...], fingerprint: str) -> WildFigures:
    found = [face for face in seen if face.probabilities is not None]
    # A model without *other* cannot be right about it; what it says of those is counted by class.
    fitting = [face for face in found if _label_of(face.folder) in labels]
    probabilities = np.array([list((f.probabilities or {}).values()) for f in fitting], np.float32)
    truth = np.array([labels.index(_label_of(face.folder)) for face in fitting], np.intp)
    figures = measure(probabilities, truth, labels)
    right = np.array([_shown(face) == _label_of(face.folder) for face in found], np.bool_)
    admitted = np.array([_shown(face) == OTHER or face.uncertain for face in found], np.bool_)
    return {
        "fingerprint": fingerprint,
        "n": len(seen),
        "found": len(found),
        "classes": {
            folder: _class([face for face in seen if face.folder == folder], labels)
            for folder in sorted({face.folder for face in seen})
        },
        "accuracy": figures["accuracy"],
        "expected_calibration_error": figures["expected_calibration_error"],
        "happy_and_neutral": measure_part(right, _of(found, ("happy", "neutral"))),
        "angry_admitted": measure_part(admitted, _of(found, ("angry", "anger"))),
    }


def _of(faces: Iterable[_Seen], folders: tuple[str, ...]) -> np.typing.NDArray[np.bool_]:
    return np.array([face.folder in folders for face in faces], np.bool_)


def _class(faces: list[_Seen], labels: tuple[str, ...]) -> WildClass:
    found = [face for face in faces if face.probabilities is not None]
    shown = [_shown(face) for face in found]
    return {
        "n": len(faces),
        "found": len(found),
        "labels": {label: shown.count(label) for label in labels},
        "uncertain": sum(face.uncertain for face in found),
    }
