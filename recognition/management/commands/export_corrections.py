"""Faces that people corrected, for training: those who agreed, and nothing that tells who."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognition.uploads import corrected_faces
from recognition.vision.errors import ModelError
from recognition.vision.manifest import read_manifest


class Command(BaseCommand):
    help = (
        "Write faces that people corrected or confirmed to an archive for `train_model --extra`: "
        "48×48 grey crops as train/<label>/<random name>.png, of people who agree to that alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("output", type=Path, help="the archive; one that is there is replaced")

    def handle(self, *args: Any, output: Path, **options: Any) -> None:
        try:
            margin = read_manifest(settings.MODEL_MANIFEST).crop_margin
        except ModelError as error:
            raise CommandError(str(error)) from None
        try:
            counts, n_skipped = corrected_faces.write_archive(output, margin)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}") from None
        for label, count in counts.items():
            self.stdout.write(f"{count:6,} {label}")
        self.stdout.write(f"{sum(counts.values()):6,} faces in {output}")
        if n_skipped:
            self.stdout.write(f"{n_skipped:6,} left out: deleted meanwhile, or not readable")
