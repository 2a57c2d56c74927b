from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.reencryption import reencrypt_all


class Command(BaseCommand):
    help = "Encrypt all stored secrets with the present key, so that earlier keys can go."

    def handle(self, *args: Any, **options: Any) -> None:
        count, lost = reencrypt_all()
        self.stdout.write(f"{count} secrets are encrypted with the present key.")
        if lost:
            raise CommandError(f"{lost} fit no key and are as they were.")
