"""The arguments that name the data set, for the commands that train and evaluate."""

from __future__ import annotations

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
