"""A photo's files go when its row goes, whichever way that happens."""

from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from recognition.models import Upload


@receiver(post_delete, sender=Upload)
def delete_files(instance: Upload, **kwargs: Any) -> None:
    """Delete once the row is gone for good, also where an account's deletion takes it along."""
    names = [file.name for file in (instance.image, instance.thumbnail) if file.name]

    def delete() -> None:
        for name in names:
            default_storage.delete(name)

    transaction.on_commit(delete)
