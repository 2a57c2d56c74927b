"""Files go when their row goes, whichever way that happens."""

from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import FileField, Model
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import receiver

from recognition.models import DataExport, Prediction, TransferPart, Upload, Video
from recognition.uploads import heat_maps


@receiver(post_delete, sender=Upload)
@receiver(post_delete, sender=DataExport)
@receiver(post_delete, sender=Video)
@receiver(post_delete, sender=TransferPart)
def delete_files(instance: Model, **kwargs: Any) -> None:
    """Delete once the row is gone for good, also where an account's deletion takes it along."""
    fields = [field for field in instance._meta.fields if isinstance(field, FileField)]
    delete_on_commit(*(getattr(instance, field.attname).name for field in fields))


def delete_on_commit(*names: str | None) -> None:
    """Delete stored files once the transaction stands; empty names are no files."""

    def delete() -> None:
        for name in filter(None, names):
            default_storage.delete(name)

    transaction.on_commit(delete)


@receiver(pre_delete, sender=Prediction)
def delete_heat_map(instance: Prediction, **kwargs: Any) -> None:
    """Also where a photo is looked at again and its predictions are replaced."""
    heat_maps.delete_with(instance)
