"""Measure the shipped model on the data set's test part, as the site would use it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from numpy.typing import NDArray
from tqdm import tqdm

from recognition.management.dataset_arguments import (
    add_dataset_arguments,
    add_manifest_argument,
    dataset_paths,
    import_training_tools,
)
from recognition.training import record
from recognition.training.dataset import Dataset, DatasetError, Examples, load
from recognition.training.evaluate import (
    SOURCES,
    AgainstFloat,
    Evaluation,
    evaluate,
    true_labels,
)
from recognition.training.figures import UNLABELLED, Figures
from recognition.training.stability import label_stability
from recognition.training.wild import WildFigures, evaluate_wild
from recognition.vision.classification import EmotionClassifier
from recognition.vision.errors import ImageError, ModelError
from recognition.vision.manifest import read_manifest
from recognition.vision.recognizer import EmotionRecognizer

#: Faces on the sample sheet.
SAMPLES = 64


class Command(BaseCommand):
    help = "Measure the shipped model on the test part of FER-2013."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_dataset_arguments(parser)
        parser.add_argument(
            "--labels", choices=SOURCES, default="fer2013", help="labels to measure against"
        )
        add_manifest_argument(parser)
        parser.add_argument(
            "--checkpoints",
            type=Path,
            help="the run that the model was exported from, to compare it with the float32 "
            "network, too (needs PyTorch)",
        )
        parser.add_argument(
            "--wild",
            type=Path,
            help="photos to try the whole recogniser on, as a folder or zip archive with "
            "<class>/<name>.jpg",
        )
        parser.add_argument(
            "--part",
            choices=("test", "validation"),
            default="test",
            help="validation is for choosing between models, and writes no report",
        )
        parser.add_argument("--json", type=Path, help="also write the figures to this file")
        parser.add_argument(
            "--samples",
            type=Path,
            help="also draw some test faces into this PNG, which must lie outside the repository",
        )
        parser.add_argument(
            "--no-report",
            action="store_true",
            help="leave manifest, plots and model card as they are",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        data_path, votes_path = dataset_paths(options)
        if options["labels"] == "ferplus" and votes_path is None:
            raise CommandError("Labels of FER+ need the table of votes: --votes PATH.")
        try:
            manifest = read_manifest(options["manifest"])
        except ModelError as error:
            raise CommandError(str(error)) from None
        classifier = EmotionClassifier(manifest, num_threads=settings.RECOGNIZER_THREADS)
        try:
            data = load(data_path, votes_path)
        except DatasetError as error:
            raise CommandError(str(error)) from None

        with_votes = votes_path is not None
        on_test = options["part"] == "test"
        examples = data.test if on_test else data.validation
        evaluation = self._evaluate(
            classifier, examples, data, part=options["part"], with_votes=with_votes
        )
        labelled = _labelled(examples, manifest.labels, with_votes=with_votes)
        evaluation["label_stability"] = label_stability(classifier, examples.images[labelled])
        if options["checkpoints"]:
            evaluation["against_float"] = _against_float(
                options["checkpoints"], classifier, examples, with_votes=with_votes
            )
        if options["wild"]:
            evaluation["wild"] = _wild(options["manifest"], options["wild"])
        self._print(evaluation, options["labels"], manifest.labels)
        if options["json"]:
            figures = evaluation["sources"][options["labels"]]["shown"]
            summary = {
                **figures,
                "labels": options["labels"],
                "label_order": manifest.labels,
                "evaluation": evaluation,
            }
            options["json"].write_text(json.dumps(summary, indent=1) + "\n")
        if options["samples"]:
            _draw_samples(options["samples"], classifier, data, options["labels"])
        if on_test and not options["no_report"]:
            self._report(options["manifest"], evaluation)

    def _evaluate(
        self,
        classifier: EmotionClassifier,
        examples: Examples,
        data: Dataset,
        *,
        part: str,
        with_votes: bool,
    ) -> Evaluation:
        n = int(_labelled(examples, classifier.manifest.labels, with_votes=with_votes).sum())
        with tqdm(total=n, unit="face", file=sys.stderr, disable=None) as progress:
            try:
                return evaluate(
                    classifier,
                    examples,
                    part=part,
                    data_fingerprint=data.fingerprint,
                    with_votes=with_votes,
                    repeated=data.test_repeated_in_train if part == "test" else None,
                    progress=progress.update,
                )
            except ValueError as error:
                raise CommandError(f"The {part} part cannot be used: {error}.") from None

    def _print(self, evaluation: Evaluation, source: str, labels: tuple[str, ...]) -> None:
        result = evaluation["sources"][source]
        self.stdout.write(
            f"Model {evaluation['model_version']}, {evaluation['part']} part, {source} labels\n\n"
        )
        for line in _class_table(result["shown"]):
            self.stdout.write(line)
        if "without_repeats" in result:
            part = result["without_repeats"]
            self.stdout.write(
                f"accuracy without images that repeat train  {part['accuracy']:.1%} of {part['n']}"
            )
        part = result["confident"]
        self.stdout.write(
            f"confidence of {evaluation['uncertain_below']:.2f} or more  "
            f"{part['share']:.1%} of faces, {part['accuracy']:.1%} of them right\n\n"
        )
        self.stdout.write("true ↓ predicted →  " + "".join(f"{label:>10}" for label in labels))
        for label, row in zip(labels, result["shown"]["confusion_matrix"], strict=True):
            self.stdout.write(f"{label:<20}" + "".join(f"{count:>10}" for count in row))
        self.stdout.write("")
        for line in _head_table(evaluation):
            self.stdout.write(line)
        stability = evaluation["label_stability"]
        self.stdout.write(
            f"\nlabels that stay when the box is changed by a tenth  {stability['share']:.1%} "
            f"({stability['n']} faces found in {stability['n_images']} images)"
        )
        if "wild" in evaluation:
            for line in _wild_table(evaluation["wild"]):
                self.stdout.write(line)

    def _report(self, manifest_path: Path, evaluation: Evaluation) -> None:
        content = record.store_evaluation(manifest_path, evaluation)
        try:
            from recognition.training import report
        except ModuleNotFoundError as error:
            raise CommandError(
                f"The figures are in {manifest_path}, but plots and model card need {error.name}: "
                "pip install -r requirements/train.txt"
            ) from None
        for file in report.write_report(content, manifest_path.parent):
            self.stdout.write(f"wrote {file}")


def _labelled(
    examples: Examples, labels: tuple[str, ...], *, with_votes: bool
) -> NDArray[np.bool_]:
    """Images to which a source gives one of the labels."""
    truths = true_labels(examples, labels, with_votes=with_votes)
    labelled: NDArray[np.bool_] = np.any([t != UNLABELLED for t in truths.values()], axis=0)
    return labelled


def _against_float(
    checkpoints: Path, classifier: EmotionClassifier, examples: Examples, *, with_votes: bool
) -> AgainstFloat:
    import_training_tools()
    from recognition.training.export import ExportError, against_float, load_float

    try:
        trained = load_float(checkpoints)
    except (ExportError, OSError, ValueError) as error:
        raise CommandError(f"The checkpoint cannot be used: {error}") from None
    return against_float(trained, classifier, examples, with_votes=with_votes)


def _wild(manifest_path: Path, photos: Path) -> WildFigures:
    recognizer = EmotionRecognizer(manifest_path, num_threads=settings.RECOGNIZER_THREADS)
    with tqdm(unit="photo", file=sys.stderr, disable=None) as progress:
        try:
            return evaluate_wild(recognizer, photos, progress.update)
        except (DatasetError, ImageError) as error:
            raise CommandError(str(error)) from None


def _wild_table(wild: WildFigures) -> list[str]:
    labels = list(next(iter(wild["classes"].values()))["labels"])
    lines = [
        "",
        f"{wild['n']} photos, a face found in {wild['found']}",
        f"{'':<12}{'found':>8}" + "".join(f"{name:>10}" for name in [*labels, "uncertain"]),
    ]
    for folder, figures in wild["classes"].items():
        counts = [*figures["labels"].values(), figures["uncertain"]]
        lines.append(f"{folder:<12}{figures['found']:>8}" + "".join(f"{n:>10}" for n in counts))
    return [
        *lines,
        f"accuracy {wild['accuracy']:.1%}   expected calibration error "
        f"{wild['expected_calibration_error']:.3f}   happy and neutral right "
        f"{wild['happy_and_neutral']['accuracy']:.1%}   angry called other or uncertain "
        f"{wild['angry_admitted']['accuracy']:.1%}",
    ]


def _class_table(figures: Figures) -> list[str]:
    lines = [f"{'':<20}{'precision':>10}{'recall':>10}{'F1':>10}{'support':>10}"]
    for label, values in figures["classes"].items():
        lines.append(
            f"{label:<20}{values['precision']:>10.3f}{values['recall']:>10.3f}"
            f"{values['f1']:>10.3f}{values['support']:>10}"
        )
    return [
        *lines,
        "",
        f"accuracy {figures['accuracy']:.1%}   macro-F1 {figures['macro_f1']:.3f}   "
        f"expected calibration error {figures['expected_calibration_error']:.3f}   "
        f"n {figures['n']}",
    ]


def _head_table(evaluation: Evaluation) -> list[str]:
    lines = [
        f"{'labels':<10}{'probabilities':<20}{'n':>6}{'accuracy':>10}{'macro-F1':>10}{'ECE':>8}"
    ]
    for source, result in evaluation["sources"].items():
        rows: Mapping[str, Figures] = {
            "shown": result["shown"],
            **{f"head {head}": figures for head, figures in result["heads"].items()},
            "shown, of four": result["named"]["shown"],
            **{f"{head}, of four": f for head, f in result["named"]["heads"].items()},
        }
        for name, figures in rows.items():
            lines.append(
                f"{source:<10}{name:<20}{figures['n']:>6}{figures['accuracy']:>10.1%}"
                f"{figures['macro_f1']:>10.3f}{figures['expected_calibration_error']:>8.3f}"
            )
    return lines


def _draw_samples(path: Path, classifier: EmotionClassifier, data: Dataset, source: str) -> None:
    from recognition.training.report import write_sample_sheet

    labels = classifier.manifest.labels
    truth = true_labels(data.test, labels, with_votes=source == "ferplus")[source]
    labelled = np.flatnonzero(truth != UNLABELLED)
    chosen = np.random.default_rng(0).permutation(labelled)[:SAMPLES]
    images = data.test.images[chosen]
    try:
        write_sample_sheet(
            path,
            images,
            classifier.classify(images),
            truth[chosen],
            labels,
            repository=Path(settings.BASE_DIR),
        )
    except ValueError as error:
        raise CommandError(str(error)) from None
