"""Draw which parts of the faces in photos carried their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognition.vision.detection import DetectorName
from recognition.vision.errors import ImageError, ModelError
from recognition.vision.explanation import Explanation, draw
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.types import Face


class Command(BaseCommand):
    help = (
        "Hide one part of every face after the other, and draw as a heat map what the label "
        "loses by it: PHOTO-face-1.png and so on."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument(
            "--output", type=Path, help="folder for the PNG files (default: beside each photo)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        output: Path | None = options["output"]
        try:
            if output is not None:
                output.mkdir(parents=True, exist_ok=True)
            recognizer = EmotionRecognizer(
                settings.MODEL_MANIFEST,
                num_threads=settings.RECOGNIZER_THREADS,
                detector=DetectorName(settings.DETECTOR),
            )
        except (ModelError, OSError) as error:
            raise CommandError(str(error)) from None
        n_errors = 0
        for photo in options["paths"]:
            try:
                self._explain(recognizer, photo, output or photo.parent)
            except (ImageError, OSError) as error:
                n_errors += 1
                reason = getattr(error, "strerror", None) or str(error)
                self.stderr.write(f"{photo}: error: {reason}")
        if n_errors:
            photos = "photo" if n_errors == 1 else "photos"
            raise CommandError(f"{n_errors} {photos} of {len(options['paths'])} failed.")

    def _explain(self, recognizer: EmotionRecognizer, photo: Path, folder: Path) -> None:
        data = photo.read_bytes()
        faces = recognizer.recognize(data).faces
        if not faces:
            self.stdout.write(f"{photo}: no face found")
        for number, face in enumerate(faces, start=1):
            explanation, face_gray = recognizer.explain(data, face.box, face.label, roll=face.roll)
            file = folder / f"{photo.stem}-face-{number}.png"
            file.write_bytes(draw(explanation, face_gray))
            self.stdout.write(f"{file}: {_in_words(face, explanation)}")


def _in_words(face: Face, explanation: Explanation) -> str:
    before, drop = explanation.confidence, explanation.strongest_drop
    doubt = ", not sure" if face.uncertain else ""
    if explanation.strongest_part is None:
        return f"{face.label} {before:.0%}{doubt}; no single part carries it"
    part = explanation.strongest_part.replace("-", " ")
    return f"{face.label} {before:.0%}{doubt}; with the {part} hidden {before - drop:.0%}"
