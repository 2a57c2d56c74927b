from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import second_factors
from operations.encryption import EncryptedField, Undecipherable


class Command(BaseCommand):
    help = "Encrypt all stored secrets with the present key, so that earlier keys can go."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        count = lost = 0
        for authenticator in Authenticator.objects.select_for_update():
            try:
                second_factors.reencrypt(authenticator)
                count += 1
            except Undecipherable:
                lost += 1
        for model in apps.get_models():
            names = [f.name for f in model._meta.fields if isinstance(f, EncryptedField)]
            for row in model._default_manager.select_for_update() if names else ():
                readable = [name for name in names if getattr(row, name)]
                lost += len(names) - len(readable)
                count += len(readable)
                row.save(update_fields=readable)
        self.stdout.write(f"{count} secrets are encrypted with the present key.")
        if lost:
            raise CommandError(f"{lost} fit no key and are as they were.")
