"""Files go when their row goes, whichever way that happens."""

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import receiver

from operations import stored_files
from recognition.models import DataExport, TransferPart, Upload, Video
from recognition.uploads import heat_maps
from recognition.webhooks import deliveries


@receiver(post_delete, sender=Upload)
@receiver(post_delete, sender=DataExport)
@receiver(post_delete, sender=Video)
@receiver(post_delete, sender=TransferPart)
def delete_files(instance: Model, **kwargs: Any) -> None:
    """Delete once the row is gone for good, also where an account's deletion takes it along."""
    stored_files.delete_on_commit(*stored_files.names_of(instance))


@receiver(post_delete, sender=Video)
def delete_messages(instance: Video, **kwargs: Any) -> None:
    """What webhooks were told of it. Photos, of which many go together, see to it where they do."""
    deliveries.forget([instance.pk])


@receiver(pre_delete, sender=Upload)
def delete_heat_maps(instance: Upload, **kwargs: Any) -> None:
    """Of all its faces together: a receiver of theirs would have each of thousands loaded."""
    heat_maps.delete_with(instance)
