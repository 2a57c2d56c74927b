"""The manifest beside a trained model: the one place that says how it is to be used."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recognition.vision.errors import ModelError

#: Raised by one when an old reader could misread a new manifest.
FORMAT = 3
#: Before it, every head's classes were the labels.
FORMAT_WITHOUT_CLASSES = 2


@dataclass(frozen=True)
class Mix:
    """What people are shown of several heads: a weighted mean, made as sure as it may be.

    Attributes:
        weights: head to its share of the mean; they sum to 1.
        temperature: the mean is raised to the power of ``1 / temperature`` and brought back to a
            sum of 1. A mean of heads that contradict each other is less sure than it could be.
        factors: in the order of labels, by what the mean is multiplied before; none where that
            is 1 for each. A label that stands for several classes collects the little that each
            of them gets on every face, and would be named too often.
    """

    weights: dict[str, float]
    temperature: float = 1.0
    factors: tuple[float, ...] = ()


@dataclass(frozen=True)
class Head:
    """One of the network's outputs.

    Attributes:
        classes: each class that it tells apart, in the order of its outputs, and the label that
            people are shown for it. A label's probability is the sum over its classes.
        temperature: divisor of its logits that calibrates it on validation.
    """

    classes: dict[str, str]
    temperature: float = 1.0


@dataclass(frozen=True)
class Manifest:
    """How to feed a model and read its outputs.

    Attributes:
        path: the manifest's own file.
        model_path: the LiteRT file, which stands beside the manifest.
        version: name of this model, stored with every prediction it makes.
        labels: what people are shown, in the order of probabilities.
        input_size: side of the square face crop, in pixels.
        crop_margin: share of the detected box added on every side before cropping.
        second_margins: the same for the frames in which the mirror image is looked at.
        heads: by name of the network's output.
        shown: how the heads' probabilities become those that people are shown.
        mirror_below: confidence of the first view, from 0 to 1, under which the mirror image is
            looked at, too, in each of its frames, and averaged in; 0 where it never is.
        uncertain_below: confidence, from 0 to 1, under which people are told that the label is
            uncertain; chosen on validation.
        content: the whole file, with the training record and the figures.
    """

    path: Path
    model_path: Path
    version: str
    labels: tuple[str, ...]
    input_size: int
    crop_margin: float
    second_margins: tuple[float, ...]
    heads: dict[str, Head]
    shown: Mix
    mirror_below: float
    uncertain_below: float
    content: dict[str, Any]


def read_manifest(path: Path) -> Manifest:
    """Read a manifest and check that the model file beside it is the one it describes.

    Raises:
        ModelError: a file is missing, unreadable or does not match.
    """
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise ModelError(f"No trained model: {path} does not exist.") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"The model manifest {path} cannot be read: {error}") from error
    try:
        if content["format"] not in {FORMAT_WITHOUT_CLASSES, FORMAT}:
            raise ModelError(
                f"The model manifest {path} has format {content['format']}, not {FORMAT}."
            )
        model_path = path.parent / content["artefact"]["file"]
        digest = content["artefact"]["sha256"]
        manifest = Manifest(
            path=path,
            model_path=model_path,
            version=content["version"],
            labels=tuple(content["labels"]),
            input_size=content["input"]["size"],
            crop_margin=content["input"]["crop_margin"],
            second_margins=tuple(
                content["input"].get("second_margins", [content["input"]["crop_margin"]])
            ),
            heads={name: _head(head, content) for name, head in content["heads"].items()},
            shown=Mix(
                weights={
                    head: float(weight) for head, weight in content["shown"]["weights"].items()
                },
                temperature=float(content["shown"]["temperature"]),
                factors=_factors(content["shown"].get("factors", {}), content["labels"]),
            ),
            mirror_below=float(content["shown"]["mirror_below"]),
            uncertain_below=float(content["shown"]["uncertain_below"]),
            content=content,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"The model manifest {path} lacks {error}.") from error
    for name, head in manifest.heads.items():
        unknown = set(head.classes.values()) - set(manifest.labels)
        if unknown:
            raise ModelError(
                f"The model manifest {path} gives classes of {name} the labels "
                f"{', '.join(sorted(unknown))}, which it does not name."
            )
    try:
        model_bytes = model_path.read_bytes()
    except OSError:
        raise ModelError(f"The model file {model_path} is missing.") from None
    if hashlib.sha256(model_bytes).hexdigest() != digest:
        raise ModelError(f"The model file {model_path} is not the one its manifest describes.")
    return manifest


def _head(head: dict[str, Any], content: dict[str, Any]) -> Head:
    if content["format"] == FORMAT_WITHOUT_CLASSES:
        classes = {label: label for label in content["labels"]}
    else:
        classes = dict(head["classes"])
    return Head(classes, float(head["temperature"]))


def _factors(by_label: dict[str, float], labels: list[str]) -> tuple[float, ...]:
    return tuple(float(by_label.get(label, 1.0)) for label in labels) if by_label else ()
