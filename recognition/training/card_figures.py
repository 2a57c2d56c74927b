"""The figures of the model card, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SOURCE_NAMES = {"fer2013": "FER-2013 labels", "ferplus": "FER+ majority"}


def figures_of(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The test figures if the manifest has them, else those of validation."""
    figures: Mapping[str, Any] = content.get("evaluation") or content["validation"]
    return figures


def figures(content: Mapping[str, Any]) -> Iterable[str]:
    evaluation = figures_of(content)
    if "evaluation" in content:
        yield "## Figures on test\n\nThe data set's test part, used for nothing else.\n"
        if evaluation["data_fingerprint"] != content["training"]["data"]["fingerprint"]:
            yield (
                "**These are not the files that the model was trained from**: some test images may "
                "have been trained on.\n"
            )
    else:
        yield (
            "## Figures on validation\n\nNot yet evaluated on test. These figures flatter: "
            "every choice was made on the same images.\n"
        )
    yield table(
        ["labelled by", "faces", "accuracy", "macro-F1", "calibration error"],
        [_summary(source, name, f) for source, name, f in _rows(evaluation)],
    )
    if "agreement" in evaluation:
        agreement = evaluation["agreement"]
        yield (
            f"The two sources of labels agree on {agreement['accuracy']:.1%} of the "
            f"{agreement['n']:,} images that both label.\n"
        )
    for source, result in evaluation["sources"].items():
        yield _source(source, result)


def _rows(evaluation: Mapping[str, Any]) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
    for source, result in evaluation["sources"].items():
        yield source, "shown", result["shown"]
        for head, figures in result["heads"].items():
            yield source, f"head {head}", figures
        yield source, "shown, of four", result["named"]["shown"]
        for head, figures in result["named"]["heads"].items():
            yield source, f"head {head}, of four", figures


def _summary(source: str, name: str, figures: Mapping[str, Any]) -> list[str]:
    return [
        f"{SOURCE_NAMES[source]}, {name}",
        f"{figures['n']:,}",
        f"{figures['accuracy']:.1%}",
        f"{figures['macro_f1']:.3f}",
        f"{figures['expected_calibration_error']:.3f}",
    ]


def wild(found: Mapping[str, Any] | None) -> Iterable[str]:
    """How the whole site does on photos that it was not trained on."""
    if not found:
        return
    yield (
        f"## Photos in the wild\n\n{found['n']} photos of faces from news and films, each "
        "labelled by one person (expect 15 to 25 % wrong labels), found,\n"
        "framed and labelled as the site does it.\nThey helped to choose between models and were "
        "never trained on.\n"
        f"A face was found in {found['found']}: accuracy {found['accuracy']:.1%}, calibration "
        f"error {found['expected_calibration_error']:.3f}.\n"
    )
    labels = list(next(iter(found["classes"].values()))["labels"])
    yield table(
        ["labelled", "photos", "found", *labels, "of these uncertain"],
        [
            [
                name,
                f"{figures['n']:,}",
                f"{figures['found']:,}",
                *(f"{n:,}" for n in figures["labels"].values()),
                f"{figures['uncertain']:,}",
            ]
            for name, figures in found["classes"].items()
        ],
    )


def _classes_shown(result: Mapping[str, Any]) -> str:
    """What is shown of each class that a source tells apart."""
    classes = result["classes_shown"]
    labels = list(next(iter(classes.values()))["labels"])
    return table(
        ["class", "faces", *labels, "uncertain"],
        [
            [
                name,
                f"{shown['n']:,}",
                *(f"{n / max(1, shown['n']):.0%}" for n in shown["labels"].values()),
                f"{shown['uncertain'] / max(1, shown['n']):.0%}",
            ]
            for name, shown in classes.items()
            if shown["n"]
        ],
    )


def _source(source: str, result: Mapping[str, Any]) -> str:
    shown, confident = result["shown"], result["confident"]
    labels = list(shown["classes"])
    classes = table(
        ["label", "precision", "recall", "F1", "faces"],
        [
            [
                label,
                f"{figures['precision']:.1%}",
                f"{figures['recall']:.1%}",
                f"{figures['f1']:.3f}",
                f"{figures['support']:,}",
            ]
            for label, figures in shown["classes"].items()
        ],
    )
    confusion = table(
        ["true ↓ predicted →", *labels],
        [
            [label, *(f"{n:,}" for n in row)]
            for label, row in zip(labels, shown["confusion_matrix"], strict=True)
        ],
    )
    text = f"""\
### What is shown, by {SOURCE_NAMES[source]}

{classes}
{confusion}
Class by class, what people are shown of it:

{_classes_shown(result)}
{_mistakes(shown)}

{confident["share"]:.0%} of the faces are not called uncertain; {confident["accuracy"]:.1%} of \
those are right.
"""
    if "without_repeats" in result:
        part = result["without_repeats"]
        text += (
            f"Without the test images that also stood in the data set's train part "
            f"({part['n']:,} faces left): accuracy {part['accuracy']:.1%}.\n"
        )
    return text


def _mistakes(figures: Mapping[str, Any], n: int = 3) -> str:
    """The most frequent confusions, as shares of the true label's faces."""
    labels = list(figures["classes"])
    shares = sorted(
        (
            (count / max(1, sum(row)), true, called)
            for true, row in zip(labels, figures["confusion_matrix"], strict=True)
            for called, count in zip(labels, row, strict=True)
            if called != true
        ),
        reverse=True,
    )
    worst = min(figures["classes"].items(), key=lambda item: item[1]["recall"])
    listed = "; ".join(
        f"{share:.0%} of *{true}* are called *{called}*" for share, true, called in shares[:n]
    )
    return (
        f"It fails most on *{worst[0]}*, of which it finds {worst[1]['recall']:.0%}. "
        f"Most frequent mistakes: {listed}."
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; all columns but the first hold numbers."""
    lines = [head, ["---", *(["---:"] * (len(head) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
