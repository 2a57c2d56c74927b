"""A model's figures, as its manifest has them, for pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recognition.model_registry.catalogue import active_manifest
from recognition.vision.errors import ModelError
from recognition.vision.manifest import Manifest

#: What the sources of labels in a manifest are called.
SOURCE_NAMES = {"fer2013": "FER-2013", "ferplus": "FER+"}


@dataclass(frozen=True, slots=True)
class Figures:
    """How a model did on the test images, against one source of labels.

    Attributes:
        n: test images.
        accuracy, macro_f1: from 0 to 1, the higher the better.
        expected_calibration_error: from 0 to 1, the lower the better.
    """

    source: str
    n: int
    accuracy: float
    macro_f1: float
    expected_calibration_error: float


def figures_of(manifest: Manifest) -> list[Figures]:
    """By source; empty where the model was not evaluated, or in a way that is not known here."""
    try:
        sources = manifest.content["evaluation"]["sources"]
        return [
            Figures(
                source=SOURCE_NAMES.get(name, name),
                n=int(source["shown"]["n"]),
                accuracy=float(source["shown"]["accuracy"]),
                macro_f1=float(source["shown"]["macro_f1"]),
                expected_calibration_error=float(source["shown"]["expected_calibration_error"]),
            )
            for name, source in sources.items()
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def active_model() -> dict[str, Any]:
    """``version`` and ``figures`` of the model that labels new faces, or the ``error`` of it."""
    try:
        manifest = active_manifest()
    except ModelError as error:
        return {"error": str(error)}
    return {"version": manifest.version, "figures": figures_of(manifest)}
