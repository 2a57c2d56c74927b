"""Measure how well each detector finds faces, beside the others."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.training.detection_figures import DetectionFigures
from recognition.training.detection_set import BOXES_FILE, DetectionSetError, read_pictures
from recognition.vision.detection import DetectorName
from recognition.vision.detectors import make_detector
from recognition.vision.errors import ImageError, ModelError


class Command(BaseCommand):
    help = (
        "Find the faces of a folder or ZIP archive of pictures with each detector, on one core. "
        f"{BOXES_FILE} beside the pictures gives, for each picture's path, the list of its faces "
        "as [x, y, width, height]; without it each picture is taken to show one face."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, metavar="FOLDER_OR_ZIP")
        parser.add_argument("--json", type=Path, dest="json_path", help="write the figures here")
        parser.add_argument(
            "--detector",
            action="append",
            choices=[name.value for name in DetectorName],
            dest="detectors",
            help="measure only this one (may be given several times; default: all)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        cv2.setNumThreads(1)
        names = [DetectorName(name) for name in options["detectors"] or DetectorName]
        try:
            detectors = {name: make_detector(name) for name in names}
            pictures = list(read_pictures(options["data"]))
        except (ModelError, DetectionSetError) as error:
            raise CommandError(str(error)) from None
        figures = {name: DetectionFigures() for name in names}
        with tqdm(pictures, unit="picture", file=sys.stderr, disable=None) as progress:
            for picture in progress:
                # One after the other on the same picture: what else runs here slows all alike.
                for name, detector in detectors.items():
                    try:
                        figures[name].count(picture, detector)
                    except ImageError as error:
                        raise CommandError(f"{picture.name}: {error}") from None
        if all(picture.boxes is None for picture in pictures):
            self.stdout.write(f"No {BOXES_FILE}: each picture is taken to show one face.")
        self.stdout.write(_table(figures))
        if options["json_path"] is not None:
            content = {name.value: found.as_dict() for name, found in figures.items()}
            options["json_path"].write_text(json.dumps(content, indent=1) + "\n")


def _table(figures: dict[DetectorName, DetectionFigures]) -> str:
    lines = [
        "| detector | faces found | recall | precision | false faces on pictures without any "
        "| ms a picture |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {name.value} | {found.found} of {found.faces} | {_percent(found.recall)} "
        f"| {_percent(found.precision)} | {found.false} on {found.empty} "
        f"| {found.milliseconds:.1f} |"
        for name, found in figures.items()
    ]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
