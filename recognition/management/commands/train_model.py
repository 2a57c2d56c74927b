"""Train the classifier, export it for the site and measure it on validation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognition.management.dataset_arguments import (
    add_dataset_arguments,
    dataset_paths,
    import_training_tools,
)
from recognition.training.dataset import Dataset, DatasetError, load
from recognition.training.extra import add_extra

if TYPE_CHECKING:
    from recognition.training.fit import Settings
    from recognition.vision.classification import EmotionClassifier

#: Validation images for each training image of a smoke run.
LIMITED_VALIDATION_SHARE = 0.25
DATA_FILE = "data.json"


class Command(BaseCommand):
    help = "Train the emotion classifier and export it. Run again to resume a run that was stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_dataset_arguments(parser)
        parser.add_argument(
            "--extra",
            type=Path,
            help="more training images, as a folder or zip archive with train/<label>/, such as "
            "export_corrections writes; never used for validation or test",
        )
        parser.add_argument(
            "--output", type=Path, help="checkpoints (default: training/ in DATA_DIR)"
        )
        parser.add_argument(
            "--models",
            type=Path,
            help="where the exported model goes (default: models/; with --limit: the output)",
        )
        parser.add_argument("--epochs", type=int, help="in all; the stages shrink or grow with it")
        parser.add_argument(
            "--init",
            help="weights to begin with (default: random ones): a model's manifest, such as "
            "models/emotion_vgg16.json, or an .npz or .tflite file",
        )
        parser.add_argument(
            "--teacher",
            type=Path,
            help="a model's manifest: what it answers to each image in several frames is blended "
            "into the labels that are learned",
        )
        parser.add_argument(
            "--teacher-share",
            type=float,
            default=0.5,
            help="of its answers in what is learned, 0 to 1 (default: 0.5)",
        )
        parser.add_argument(
            "--sharpness",
            type=float,
            help="how far up the loss each step looks before it goes down, such as 0.1: takes half "
            "as long again, and learns disputed labels less by heart (default: 0, not at all)",
        )
        parser.add_argument("--seed", type=int)
        parser.add_argument("--batch-size", type=int)
        parser.add_argument("--precision", choices=["float32", "bfloat16"])
        parser.add_argument(
            "--limit", type=int, help="train on so many images only, to try that everything works"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for option in ("epochs", "batch_size", "limit"):
            if options[option] is not None and options[option] < 1:
                raise CommandError(f"--{option.replace('_', '-')} must be at least 1.")
        limit: int | None = options["limit"]
        folder = "training" if limit is None else f"training-limit-{limit}"
        output: Path = options["output"] or Path(settings.DATA_DIR) / folder
        # A smoke run must not replace the site's model by default.
        models = options["models"] or (
            Path(settings.BASE_DIR) / "models" if limit is None else output / "models"
        )
        data_path, votes_path = dataset_paths(options)
        import_training_tools()
        from recognition.training.fit import fit
        from recognition.training.weights import WeightsError

        teacher = _teacher(options["teacher"])
        training_settings = _settings(options, teacher)
        try:
            data = load(data_path, votes_path)
            if options["extra"] is not None:
                data = add_extra(data, options["extra"])
        except DatasetError as error:
            raise CommandError(str(error)) from None
        if limit is not None:
            data = limited(data, limit)
        if teacher is not None:
            from recognition.training.distillation import taught

            try:
                data = taught(data, teacher, options["teacher_share"])
            except ValueError as error:
                raise CommandError(str(error)) from None
        _check_data(output, data)
        self.stdout.write(
            f"{len(data.train):,} training images, {len(data.validation):,} for validation, "
            f"{training_settings.epochs} epochs; checkpoints in {output}"
        )
        try:
            fit(data, training_settings, output)
            self.stdout.write("Exporting and calibrating …")
            from recognition.training.export import export

            manifest_path = export(
                output,
                models,
                data,
                with_votes=votes_path is not None,
                num_threads=settings.RECOGNIZER_THREADS,
            )
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. Finished epochs are saved: run again to resume.", returncode=130
            ) from None
        except (WeightsError, ValueError, FloatingPointError) as error:
            raise CommandError(str(error)) from None
        self._tell(manifest_path)

    def _tell(self, manifest_path: Path) -> None:
        from recognition.training.report import write_report

        content = json.loads(manifest_path.read_text())
        write_report(content, manifest_path.parent)
        self.stdout.write(self.style.SUCCESS(f"{content['version']} is in {manifest_path.parent}"))
        for source, result in content["validation"]["sources"].items():
            shown = result["shown"]
            self.stdout.write(
                f"validation, {source} labels: accuracy {shown['accuracy']:.1%}, "
                f"macro-F1 {shown['macro_f1']:.3f}, expected calibration error "
                f"{shown['expected_calibration_error']:.3f} (n {shown['n']})"
            )
        self.stdout.write("Measure it on test with: manage.py evaluate_model")


def scale_epochs(stages: Sequence[int], total: int) -> list[int]:
    """Share out `total` epochs as `stages` does; what does not divide goes to later stages.

    >>> scale_epochs([8, 5, 3], 4)
    [2, 1, 1]
    """
    planned = sum(stages)
    ends = [sum(stages[: i + 1]) * total // planned for i in range(len(stages))]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def limited(data: Dataset, n: int) -> Dataset:
    """The data set with at most `n` training images and validation in proportion."""
    n_validation = max(32, round(n * LIMITED_VALIDATION_SHARE))
    train = data.train.take(np.arange(min(n, len(data.train))))
    validation = data.validation.take(np.arange(min(n_validation, len(data.validation))))
    counts = {"train_images_used": len(train), "validation_images_used": len(validation)}
    return replace(data, train=train, validation=validation, facts={**data.facts, **counts})


def _teacher(manifest_path: Path | None) -> EmotionClassifier | None:
    if manifest_path is None:
        return None
    from recognition.vision.classification import EmotionClassifier
    from recognition.vision.errors import ModelError
    from recognition.vision.manifest import read_manifest

    try:
        manifest = read_manifest(manifest_path)
    except ModelError as error:
        raise CommandError(str(error)) from None
    return EmotionClassifier(manifest, num_threads=settings.RECOGNIZER_THREADS)


def _settings(options: dict[str, Any], teacher: EmotionClassifier | None) -> Settings:
    from recognition.training.fit import Settings

    chosen = {
        "teacher": teacher and teacher.manifest.version,
        "teacher_share": teacher and options["teacher_share"],
        "initial_weights": options["init"],
        "sharpness": options["sharpness"],
        "seed": options["seed"],
        "batch_size": options["batch_size"],
        "precision": options["precision"],
    }
    changed = replace(Settings(), **{k: v for k, v in chosen.items() if v is not None})
    if options["epochs"] is None:
        return changed
    shares = iter(scale_epochs([stage.epochs for stage in changed.stages], options["epochs"]))
    cycles = []
    for cycle in changed.cycles:
        scaled = (replace(stage, epochs=next(shares)) for stage in cycle.stages)
        stages = tuple(stage for stage in scaled if stage.epochs)
        epochs = sum(stage.epochs for stage in stages)
        if stages:
            warmup = min(cycle.warmup_epochs, epochs / 8)
            cycles.append(replace(cycle, stages=stages, warmup_epochs=warmup))
    return replace(changed, cycles=tuple(cycles))


def _check_data(output: Path, data: Dataset) -> None:
    """Refuse to go on with another data set than the one the run began with."""
    now: dict[str, Any] = {"fingerprint": data.fingerprint, "train_images": len(data.train)}
    if data.extra_fingerprint:
        now["extra_fingerprint"] = data.extra_fingerprint
    file = output / DATA_FILE
    if file.exists() and json.loads(file.read_text()) != now:
        raise CommandError(
            f"{output} holds a run on other data; give the same to resume it, "
            "or another --output directory."
        )
    output.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(now))
