"""Write the whole site into one file."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations import backup


class Command(BaseCommand):
    help = "Write database and stored photos into one tar file, while the site runs."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("output", type=Path, help="the file to write; must not exist")
        parser.add_argument(
            "--no-files",
            action="store_true",
            help="the database alone, where the bucket has versions and copies of its own",
        )

    def handle(self, *args: Any, output: Path, no_files: bool, **options: Any) -> None:
        if output.exists():
            raise CommandError(f"{output} exists.")
        try:
            manifest = backup.write(output, with_files=not no_files)
        except backup.BackupError as error:
            raise CommandError(str(error)) from None
        for name in manifest.missing:
            self.stderr.write(f"missing: {name}")
        self.stdout.write(
            f"{output}: database and {len(manifest.files)} files, {len(manifest.missing)} missing"
        )
