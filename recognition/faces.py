"""How a face is told to programs: names, order and rounding, the same in every output.

A stored face goes to the API, the JSON and CSV downloads and webhooks; one that was only seen goes
to live messages and to what `manage.py recognize` prints. Each output names the fields that it
gives; what is in them is written here alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recognition.wording import LABEL_NAMES

if TYPE_CHECKING:
    from recognition.models import Prediction
    from recognition.vision.tracking import TrackedFace
    from recognition.vision.types import Face

#: Decimals of a probability, where an output rounds.
DECIMALS = 4

#: What is told of a stored face: `label` is what counts, the owner's correction where there is one;
#: `confidence`, `uncertain` and `probabilities` belong to `predicted_label`.
API_FIELDS = (
    "id", "box", "label", "predicted_label", "correction", "corrected_at", "confidence",
    "uncertain", "rejected", "roll", "found_by", "probabilities",
)  # fmt: skip
DOWNLOAD_FIELDS = tuple(name for name in API_FIELDS if name not in {"id", "corrected_at"})
WEBHOOK_FIELDS = ("id", "label", "predicted_label", "confidence", "uncertain")
CSV_COLUMNS = (
    "face", "x", "y", "width", "height", "label", "predicted_label", "correction", "confidence",
    "uncertain", "rejected", "roll", "found_by", *(f"p_{label}" for label in LABEL_NAMES),
)  # fmt: skip

#: And of one that was seen and not stored.
LIVE_FIELDS = ("number", "box", "label", "confidence", "uncertain", "found_by", "probabilities")
COMMAND_FIELDS = (
    "box", "label", "confidence", "uncertain", "rejected", "roll", "found_by", "probabilities",
)  # fmt: skip


def stored(face: Prediction, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields `names` of a face of a photo, unrounded; None where there is nothing to tell."""
    known = {
        "id": face.pk,
        "box": face.box.as_dict(),
        "label": face.effective_label,
        "predicted_label": face.predicted_label,
        "correction": face.correction or None,
        "corrected_at": face.corrected_at,
        "confidence": face.confidence,
        "uncertain": face.uncertain,
        "rejected": face.rejected or None,
        "roll": face.roll,
        "found_by": face.found_by or None,
        "probabilities": probabilities(face),
    }
    return {name: known[name] for name in names}


def probabilities(face: Prediction) -> dict[str, float]:
    """A face's probabilities in the order of the labels, which PostgreSQL's JSON does not keep.

    Only of labels that the model knew: an older one may have known fewer.
    """
    shares = face.probabilities
    return {label: shares[label] for label in LABEL_NAMES if label in shares}


def csv_cells(face: Prediction) -> list[Any]:
    """The cells of :data:`CSV_COLUMNS`; empty where there is nothing to tell."""
    told = stored(face, API_FIELDS)
    shares = told["probabilities"]
    return [
        face.index,
        *told["box"].values(),
        told["label"],
        told["predicted_label"],
        told["correction"],
        _share(told["confidence"]),
        str(told["uncertain"]).lower(),
        told["rejected"],
        f"{told['roll']:g}",
        told["found_by"],
        *(_share(shares[label]) if label in shares else "" for label in LABEL_NAMES),
    ]


def seen(face: Face | TrackedFace, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields `names` of a face as the recognizer gives it, probabilities rounded."""
    shares = {label: round(value, DECIMALS) for label, value in face.probabilities.items()}
    written = {
        "box": face.box.as_dict(),
        "confidence": round(face.confidence, DECIMALS),
        "probabilities": shares,
    }
    return {name: written[name] if name in written else getattr(face, name) for name in names}


def _share(value: float) -> str:
    return f"{value:.{DECIMALS}f}"
