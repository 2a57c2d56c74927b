"""What the commands share that train and evaluate: naming data and model, finding the tools."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

VOTES_FILE = "ferplus_votes.csv"


def add_dataset_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        help="FER-2013 as a folder or zip archive with train/<class>/ and test/<class>/ "
        "(default: ../shared/data/fer2013.zip, if it exists)",
    )
    parser.add_argument(
        "--votes",
        type=Path,
        help=f"table of FER+ votes (default: {VOTES_FILE} beside the data, if it exists)",
    )


def add_manifest_argument(parser: CommandParser) -> None:
    parser.add_argument(
        "--manifest",
        type=Path,
        default=settings.MODEL_MANIFEST,
        help="the model's manifest (default: the site's)",
    )


def dataset_paths(options: dict[str, Any]) -> tuple[Path, Path | None]:
    """The data set and the table of votes.

    Raises:
        CommandError: one is missing.
    """
    data: Path | None = options["data"]
    if data is None:
        data = Path(settings.BASE_DIR).parent / "shared" / "data" / "fer2013.zip"
        if not data.exists():
            raise CommandError("Say where FER-2013 is: --data PATH (a folder or a zip archive).")
    if not data.exists():
        raise CommandError(f"{data} does not exist.")
    votes: Path | None = options["votes"]
    if votes is None:
        beside = data.parent / VOTES_FILE
        return data, beside if beside.exists() else None
    if not votes.exists():
        raise CommandError(f"{votes} does not exist.")
    return data, votes


def import_training_tools() -> None:
    """See that what training and its report need is there.

    Raises:
        CommandError: it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    for package in ("torch", "tensorflow", "matplotlib"):
        if importlib.util.find_spec(package) is None:
            no_wheels = package == "tensorflow" and sys.version_info >= (3, 14)
            but = (
                ", with Python 3.11, 3.12 or 3.13: there is none for this one" if no_wheels else ""
            )
            raise CommandError(f"This needs {package}: pip install -r requirements/train.txt{but}")
