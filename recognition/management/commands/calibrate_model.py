"""Decide anew what people are shown of a model that is already trained and exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognition.management.dataset_arguments import (
    add_dataset_arguments,
    add_manifest_argument,
    dataset_paths,
)
from recognition.training.calibrate import recalibrate
from recognition.training.dataset import DatasetError, load
from recognition.vision.errors import ModelError


class Command(BaseCommand):
    help = (
        "Fit temperatures, weights of the heads and the mark of doubt on validation; the model "
        "file stays. Figures on test are dropped: run evaluate_model afterwards."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_dataset_arguments(parser)
        add_manifest_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        data_path, votes_path = dataset_paths(options)
        manifest_path: Path = options["manifest"]
        try:
            data = load(data_path, votes_path)
            content = recalibrate(
                manifest_path,
                data,
                with_votes=votes_path is not None,
                num_threads=settings.RECOGNIZER_THREADS,
            )
        except (DatasetError, ModelError, ValueError) as error:
            raise CommandError(str(error)) from None
        shown = content["shown"]
        self.stdout.write(
            f"shown: {json.dumps(shown['weights'])}, temperature {shown['temperature']}, "
            f"uncertain below {shown['uncertain_below']}"
        )
        for source, result in content["validation"]["sources"].items():
            figures = result["shown"]
            self.stdout.write(
                f"validation, {source} labels: accuracy {figures['accuracy']:.1%}, macro-F1 "
                f"{figures['macro_f1']:.3f}, expected calibration error "
                f"{figures['expected_calibration_error']:.3f}"
            )
        from recognition.training.report import write_report

        write_report(content, manifest_path.parent)
