"""Delete stored files that no row speaks of."""

import argparse
from typing import Any

from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError

from operations import stray_files


class Command(BaseCommand):
    help = "Delete stored files older than a day that no row of the database speaks of."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say which")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        count = n_failed = 0
        for name in stray_files.find():
            if dry_run:
                self.stdout.write(name)
            else:
                try:
                    default_storage.delete(name)
                except Exception as error:  # Whatever a storage raises.
                    self.stderr.write(f"{name}: {error}")
                    n_failed += 1
                    continue
            count += 1
        self.stdout.write(f"{count} files {'would be' if dry_run else 'were'} deleted")
        if n_failed:
            raise CommandError(f"{n_failed} files could not be deleted.")
