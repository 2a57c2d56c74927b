"""Put a backup in the place of all that the site has."""

import argparse
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from operations import backup


class Command(BaseCommand):
    help = "Check a backup and restore it. Stop web, worker and scheduler before."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--force", action="store_true", help="replace a site in which there is something"
        )
        parser.add_argument(
            "--check", action="store_true", help="only read the backup from end to end"
        )

    def handle(self, *args: Any, file: Path, force: bool, check: bool, **options: Any) -> None:
        if not check and not force and _is_used():
            raise CommandError(
                "This site has people in it. --force replaces all of it by the backup."
            )
        try:
            manifest, n_left = (backup.verify(file), 0) if check else backup.restore(file)
        except backup.BackupError as error:
            raise CommandError(str(error)) from None
        if not check:
            # The backup may be of an earlier version.
            call_command("migrate", interactive=False, verbosity=0)
        if n_left:
            raise CommandError(
                f"The backup is restored, but {n_left} files of the site that it replaces could "
                "not be deleted. Run `manage.py delete_stray_files` once the storage lets you."
            )
        done = "is whole" if check else "is restored"
        self.stdout.write(
            f"The backup of {manifest.created_at} {done}: {len(manifest.files)} files, "
            f"{len(manifest.missing)} missing"
        )


def _is_used() -> bool:
    users = get_user_model()
    if users._meta.db_table not in connection.introspection.table_names():
        return False
    return users.objects.exists()
