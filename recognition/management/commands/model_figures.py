"""Print what the model is wanted to reach beside what it does, from the files that ship."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognition.management.dataset_arguments import add_manifest_argument
from recognition.training import wanted
from recognition.training.record import read_beside
from recognition.vision.errors import ModelError
from recognition.vision.manifest import read_manifest


class Command(BaseCommand):
    help = "Print the model's figures beside what is wanted of it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_manifest_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        manifest_path: Path = options["manifest"]
        try:
            manifest = read_manifest(manifest_path)
        except ModelError as error:
            raise CommandError(str(error)) from None
        latency = read_beside(manifest_path.parent / wanted.LATENCY_FILE)
        lines = wanted.lines(manifest.content, latency)
        width = max(len(line.name) for line in lines)
        self.stdout.write(f"Model {manifest.version}, on the data set's test part\n\n")
        self.stdout.write(f"{'':<{width}}{'wanted':>10}{'aim':>9}{'measured':>10}")
        for line in lines:
            self.stdout.write(
                f"{line.name:<{width}}{line.wanted:>10}{line.aim:>9}{line.measured or '–':>10}"
                f"  {line.verdict}"
            )
        n_met = sum(line.met is True for line in lines)
        self.stdout.write(f"\n{n_met} of {len(lines)} met")
