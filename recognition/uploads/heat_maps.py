"""Heat maps of faces: made once, kept with the prediction, gone with it.

They show the face, so none may be written after its photo is gone. Whoever writes one or takes a
prediction or photo away holds the upload's row first.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from redis.exceptions import RedisError

from operations import stored_files
from operations.redis_client import connect
from recognition import quotas
from recognition.jobs import messages, queues
from recognition.models import Prediction, Upload
from recognition.uploads import notifications

if TYPE_CHECKING:
    from recognition.vision.explanation import Words

logger = logging.getLogger(__name__)

#: Name of the Celery task that draws what waits.
TASK = "recognition.explain_face"
#: What one takes, for room that is asked for before it is drawn: most take less.
USUAL_BYTES = 64 * 1024
#: Faces of one person that may wait.
MOST_WAITING = 50
#: What Redis holds while a worker is called, and while one draws, for so many seconds at most; and
#: while other work comes first.
_CALLED, _DRAWING = "visage:heat-maps:called", "visage:heat-maps:drawing"
_CALLED_SECONDS, _DRAWING_SECONDS = 60, 60
_RESTING = "visage:heat-maps:resting"


def ask(prediction: Prediction) -> bool:
    """Have a face's heat map drawn.

    Returns:
        False where the queue cannot be reached, or too many of the same person's wait.
    """
    of_owner = waiting().filter(upload__owner_id=prediction.upload.owner_id)
    if of_owner.exclude(pk=prediction.pk).count() >= MOST_WAITING:
        return False
    row = Prediction.objects.filter(pk=prediction.pk)
    row.filter(heat_map_asked_at=None).update(heat_map_asked_at=timezone.now())
    if call():
        return True
    row.update(heat_map_asked_at=None)
    return False


def call(delay: float = 0) -> bool:
    """Have a worker draw what waits, unless one is called; False where the queue is out of reach.

    Args:
        delay: seconds until it begins.
    """
    with suppress(RedisError), connect() as client:
        if not client.set(_CALLED, 1, nx=True, ex=_CALLED_SECONDS + round(delay)):
            return True
    return messages.send(TASK, delay=delay)


def come() -> None:
    """Whoever was called is there: from now on another one is called."""
    with suppress(RedisError), connect() as client:
        client.delete(_CALLED)


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


def waiting() -> QuerySet[Prediction]:
    """Faces whose heat map was asked for, and is to be drawn."""
    return lacking().filter(heat_map_asked_at__isnull=False)


def draw_next() -> bool:
    """Draw the one whose turn it is, and see to it that the others are drawn as well.

    One takes seconds, and dozens may be asked for: so they are drawn one at a time on the whole
    site, one person's after another's, and for as long as one took, other work that waits comes
    first.

    Returns:
        False where none waits, another worker is at it, or other work comes first.
    """
    if (rest := _seconds_of_rest()) > 0:
        # Somebody has asked meanwhile, and called without a delay.
        call(delay=rest)
        return False
    began = time.monotonic()
    with _alone() as is_alone:
        prediction_id = _take() if is_alone else None
        if prediction_id is None:
            return False
        try:
            draw(prediction_id)
        except Exception:  # Whoever asked can ask again; the others wait for theirs.
            logger.exception("no heat map of face %s", prediction_id)
    rest = time.monotonic() - began if _other_work_waits() else 0
    _rest(rest)
    if waiting().exists():
        call(delay=rest)
    return True


def _rest(seconds: float) -> None:
    if seconds:
        with suppress(RedisError), connect() as client:
            client.set(_RESTING, 1, px=max(1, round(1000 * seconds)))


def _seconds_of_rest() -> float:
    """For how long other work still comes first."""
    with suppress(RedisError), connect() as client:
        return max(0, int(client.pttl(_RESTING))) / 1000
    return 0.0


def _other_work_waits() -> bool:
    try:
        return any(queues.lengths().values())
    except RedisError:
        return False


def _take() -> int | None:
    """The face whose turn it is; what else its owner waits for goes behind everybody else's."""
    found = waiting().order_by("heat_map_asked_at", "pk").values_list("pk", "upload__owner_id")
    turn = found.first()
    if turn is None:
        return None
    prediction_id, owner_id = turn
    Prediction.objects.filter(pk=prediction_id).update(heat_map_asked_at=None)
    waiting().filter(upload__owner_id=owner_id).update(heat_map_asked_at=timezone.now())
    return prediction_id


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other worker of the site draws one; none does before it ends."""
    with ExitStack() as held:
        try:
            client = held.enter_context(connect())
            lock = client.lock(_DRAWING, timeout=_DRAWING_SECONDS, blocking=False)
            is_alone = bool(lock.acquire())
        except RedisError:
            # Then nobody is called, either; whoever comes by draws.
            yield True
            return
        yield is_alone
        if is_alone:
            with suppress(RedisError):  # It may have taken longer than that.
                lock.release()


def store(prediction: Prediction, png: bytes) -> bool:
    """Keep a heat map.

    Returns:
        False where there is one by now, the face or its photo is gone, or its owner's storage is
        full: it had room when it was asked for, but others may have been drawn since.
    """
    with transaction.atomic():
        Upload.with_trash.select_for_update().filter(pk=prediction.upload_id).first()
        current = lacking().filter(pk=prediction.pk).first()
        if current is None:
            return False
        try:
            quotas.check_room(prediction.upload.owner, len(png))
        except quotas.QuotaExceeded:
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
