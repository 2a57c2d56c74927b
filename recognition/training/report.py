"""Plots and the model card, drawn from the stored figures alone: they cannot disagree with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from recognition.training.card_figures import SOURCE_NAMES, figures_of
from recognition.training.model_card import card
from recognition.training.record import read_beside
from recognition.training.wanted import LATENCY_FILE

CARD_FILE = "MODEL_CARD.md"
PLOTS_FOLDER = "plots"
#: What each step of the work gave, kept by hand.
STEPS_FILE = "steps.json"

_DPI = 110
_TRAIN_COLOUR, _VALIDATION_COLOUR = "#4c72b0", "#dd8452"


def write_report(content: Mapping[str, Any], models: Path) -> list[Path]:
    """Write the plots and the model card beside the model.

    Test figures are used where the manifest has them, validation figures otherwise.

    Args:
        content: the manifest.
        models: the manifest's folder.

    Returns:
        The files written.
    """
    folder = models / PLOTS_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    plots = {
        "confusion_matrix.png": confusion_plot(content),
        "reliability.png": reliability_plot(content),
        "training_curves.png": training_plot(content),
        "class_balance.png": balance_plot(content),
    }
    for name, figure in plots.items():
        # Without the library's version in it, the same figures give the same file.
        figure.savefig(folder / name, dpi=_DPI, metadata={"Software": None})
    card_file = models / CARD_FILE
    card_file.write_text(
        card(
            content,
            [f"{PLOTS_FOLDER}/{name}" for name in plots],
            latency=read_beside(models / LATENCY_FILE),
            steps=read_beside(models / STEPS_FILE),
        )
    )
    return [*(folder / name for name in plots), card_file]


def confusion_plot(content: Mapping[str, Any]) -> Figure:
    """Confusion matrices of what is shown, by each source of labels."""
    evaluation = figures_of(content)
    figure, axes = _row(len(evaluation["sources"]), width=5.0, height=4.6)
    for axis, (source, result) in zip(axes, evaluation["sources"].items(), strict=True):
        labels = list(result["shown"]["classes"])
        counts = np.array(result["shown"]["confusion_matrix"])
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (i, j), share in np.ndenumerate(shares):
            axis.text(
                j,
                i,
                f"{share:.0%}\n{counts[i, j]}",
                ha="center",
                va="center",
                color="white" if share > 0.5 else "black",
            )
        axis.set_xticks(range(len(labels)), labels)
        axis.set_yticks(range(len(labels)), labels)
        axis.set_xlabel("predicted")
        axis.set_ylabel("true")
        axis.set_title(f"{SOURCE_NAMES[source]}, {evaluation['part']}")
    return figure


def reliability_plot(content: Mapping[str, Any]) -> Figure:
    """How often predictions of each confidence are right; the diagonal is perfect."""
    evaluation = figures_of(content)
    figure, axes = _row(len(evaluation["sources"]), width=5.0, height=4.6)
    for axis, (source, result) in zip(axes, evaluation["sources"].items(), strict=True):
        bins = [entry for entry in result["shown"]["calibration_bins"] if entry["n"]]
        axis.bar(
            [entry["lower"] for entry in bins],
            [entry["accuracy"] for entry in bins],
            width=[entry["upper"] - entry["lower"] for entry in bins],
            align="edge",
            color=_TRAIN_COLOUR,
            alpha=0.3,
            edgecolor=_TRAIN_COLOUR,
        )
        largest = max(entry["n"] for entry in bins)
        axis.scatter(
            [entry["confidence"] for entry in bins],
            [entry["accuracy"] for entry in bins],
            s=[10 + 90 * entry["n"] / largest for entry in bins],
            color=_TRAIN_COLOUR,
            label="size: number of faces",
        )
        axis.plot([0, 1], [0, 1], color="gray", linestyle="--", linewidth=1)
        axis.axvline(
            evaluation["uncertain_below"], color="gray", linewidth=1, label="uncertain left of this"
        )
        axis.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="share that is right")
        error = result["shown"]["expected_calibration_error"]
        axis.set_title(f"{SOURCE_NAMES[source]}, {evaluation['part']}: error {error:.3f}")
        axis.legend(loc="upper left", fontsize="small")
    return figure


def training_plot(content: Mapping[str, Any]) -> Figure:
    """Loss and accuracy of each head over the epochs."""
    history = content["training"]["history"]
    epochs = [entry["epoch"] + 1 for entry in history]
    names = [f"{head}_{figure}" for figure in ("loss", "accuracy") for head in content["heads"]]
    figure, axes = _row(len(names), width=4.2, height=3.6)
    for axis, name in zip(axes, names, strict=True):
        for prefix, label, colour in (
            ("", "train (augmented)", _TRAIN_COLOUR),
            ("val_", "validation", _VALIDATION_COLOUR),
        ):
            axis.plot(
                epochs, [entry[prefix + name] for entry in history], ".-", label=label, color=colour
            )
        first = 0
        for cycle in content["training"]["settings"]["cycles"]:
            for stage in cycle["stages"]:
                if first:
                    axis.axvline(first + 0.5, color="lightgray", linewidth=1)
                first += stage["epochs"]
        axis.set_title(name.replace("_", " "))
        axis.set_xlabel("epoch")
        axis.legend(fontsize="small")
    return figure


def balance_plot(content: Mapping[str, Any]) -> Figure:
    """Number of images of each label in each part, by each source of labels."""
    parts = content["training"]["data"]["classes"]
    sources = list(parts["train"])
    figure, axes = _row(len(sources), width=5.0, height=3.6)
    for axis, source in zip(axes, sources, strict=True):
        for i, (part, counts) in enumerate(parts.items()):
            places = np.arange(len(counts[source])) + 0.27 * (i - 1)
            axis.bar(places, list(counts[source].values()), width=0.25, label=part)
        axis.set_xticks(
            range(len(parts["train"][source])),
            list(parts["train"][source]),
            rotation=30,
            ha="right",
            rotation_mode="anchor",
        )
        axis.set_title(f"images, {SOURCE_NAMES[source]}")
        axis.legend(fontsize="small")
    return figure


def write_sample_sheet(
    path: Path,
    images: NDArray[np.uint8],
    probabilities: NDArray[np.float32],
    truth: NDArray[np.intp],
    labels: Sequence[str],
    *,
    repository: Path,
    columns: int = 8,
) -> None:
    """Draw faces with their true and predicted labels, for the eyes of whoever trains.

    Args:
        path: the PNG to write.
        images: uint8 ``(n, side, side)``.
        probabilities: ``(n, number of labels)``.
        truth: int ``(n,)``, index of the true label.
        labels: names, in the order of the columns of `probabilities`.
        repository: the sheet must not be written inside it.
        columns: faces in a row.

    Raises:
        ValueError: `path` lies inside `repository`; the data set's images must not get there.
    """
    if path.resolve().is_relative_to(repository.resolve()):
        raise ValueError(f"{path} lies inside the repository, where no data-set image may be")
    rows = max(1, -(-len(images) // columns))
    figure = Figure(figsize=(1.5 * columns, 1.85 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    for axis, image, row, true in zip(axes, images, probabilities, truth, strict=False):
        axis.imshow(image, cmap="gray", vmin=0, vmax=255)
        predicted = int(row.argmax())
        axis.set_title(
            f"true {labels[true]}\n{labels[predicted]} {row[predicted]:.0%}",
            fontsize=8,
            color="black" if predicted == true else "firebrick",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=_DPI, format="png")


def _row(n: int, *, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """A figure with `n` axes side by side, each `width` × `height` inches."""
    figure = Figure(figsize=(width * n, height), layout="constrained")
    return figure, list(figure.subplots(1, n, squeeze=False).ravel())
