"""Heat maps of faces: made once, kept with the prediction, gone with it.

They show the face, so none may be written after its photo is gone. Whoever writes one or takes a
prediction or photo away holds the upload's row first.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet
from redis.exceptions import RedisError

from operations import stored_files
from recognition.jobs import broker, messages, queues
from recognition.models import Prediction, Upload
from recognition.uploads import notifications

if TYPE_CHECKING:
    from recognition.vision.explanation import Words

logger = logging.getLogger(__name__)

#: Name of the Celery task that draws one.
TASK = "recognition.explain_face"


def enqueue(prediction: Prediction) -> bool:
    """Ask for a face's heat map; False where the queue cannot be reached."""
    return messages.send(TASK, prediction.pk)


def lacking() -> QuerySet[Prediction]:
    """Faces of which a heat map can be made and has not been."""
    return Prediction.objects.filter(
        heat_map="", rejected="", upload__status=Upload.Status.DONE
    ).exclude(upload__image="")


def draw(prediction_id: int) -> None:
    """Draw a face's heat map and keep it; safe to run any number of times.

    Raises:
        ImageError: the stored photo cannot be read as an image.
        ModelError: the model is missing, or does not know the label.
        OSError: the storage does not give the photo.
    """
    # Here and not above: the parent of the workers loads this module, but not OpenCV.
    from recognition.model_registry.inference import draw_heat_map

    prediction = lacking().select_related("upload").filter(pk=prediction_id).first()
    if prediction is None:
        return
    try:
        png = draw_heat_map(prediction)
    except FileNotFoundError:
        return  # The photo was deleted meanwhile.
    if store(prediction, png):
        notifications.announce(prediction.upload)


def draw_waiting() -> bool:
    """Draw the one that waits for a worker for the longest; False where none does."""
    try:
        prediction_id = broker.take(queues.INTERACTIVE, TASK)
    except RedisError:
        return False
    if prediction_id is None:
        return False
    try:
        draw(int(prediction_id))
    except Exception:  # Whoever asked can ask again; whoever draws has something else to do.
        logger.exception("no heat map of face %s", prediction_id)
    return True


def store(prediction: Prediction, png: bytes) -> bool:
    """Keep a heat map; False where there is one by now, or the face or its photo is gone."""
    with transaction.atomic():
        Upload.with_trash.select_for_update().filter(pk=prediction.upload_id).first()
        current = lacking().filter(pk=prediction.pk).first()
        if current is None:
            return False
        current.heat_map.save("heat-map.png", ContentFile(png), save=False)
        with stored_files.deleted_on_failure(current.heat_map.name):
            current.heat_map_bytes = len(png)
            current.save(update_fields=["heat_map", "heat_map_bytes"])
    return True


def delete_with(upload: Upload) -> None:
    """Let the files go with a photo, inside the transaction that deletes it.

    Where faces alone go, theirs do with `PredictionQuerySet.delete`.
    """
    Upload.with_trash.select_for_update().filter(pk=upload.pk).first()
    maps = Prediction.with_trash.filter(upload_id=upload.pk).exclude(heat_map="")
    stored_files.delete_on_commit(*maps.values_list("heat_map", flat=True))


def words(prediction: Prediction) -> Words | None:
    """What the stored heat map says; None where its file cannot be read."""
    # Here and not above: the parent of the workers loads this module, but not OpenCV.
    from recognition.vision.explanation import read_words

    try:
        with prediction.heat_map.open("rb") as file:
            return read_words(file.read())
    except (OSError, ValueError):
        return None
