"""What a recording's owner says that a face showed, from here to there."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from accounts import audit
from recognition.models import Recording, StretchAnswer
from recognition.refusals import Refusal
from recognition.series.markers import LATEST_MS
from recognition.wording import CORRECTION_NAMES

if TYPE_CHECKING:
    from accounts.models import User
    from recognition.series.arrays import Part

MAXIMUM_ANSWERS = 1000
#: What one counts in its owner's storage, with its place in the index.
STORED_BYTES = 200
#: Where nobody answered, in files.
NO_ANSWER = "none"

#: Face, start and end in milliseconds, label; the end is not part of it.
Answer = tuple[int, int, int, str]


class AnswerRefused(Refusal):
    """The face, time or label of an answer cannot be taken."""

    code, status = "invalid_answer", 400


class TooManyAnswers(Refusal):
    """A recording has as many as it may."""

    code, status = "too_many_answers", 409


def of(recording: Recording) -> list[Answer]:
    """A recording's answers, from the first to the last that was given: later ones count."""
    return list(recording.answers.order_by("pk").values_list("face", "start_ms", "end_ms", "label"))


class AnswerTimes:
    """What was answered for each face at each moment, found by halving: there may be a thousand."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        """Lay them one over the other.

        Args:
            answers: from the first to the last that was given.
        """
        of_face: dict[int, list[Answer]] = defaultdict(list)
        for answer in answers:
            of_face[answer[0]].append(answer)
        #: Of each face, moments, and what counts from each on.
        self._faces: dict[int, tuple[list[int], list[str]]] = {}
        for face, given in of_face.items():
            moments = sorted({moment for _face, *times, _label in given for moment in times})
            labels = [NO_ANSWER] * len(moments)
            for _face, start_ms, end_ms, label in given:
                first, last = bisect_left(moments, start_ms), bisect_left(moments, end_ms)
                labels[first:last] = [label] * (last - first)
            self._faces[face] = (moments, labels)

    def at(self, face: int, time_ms: int) -> str:
        """The answer; :data:`NO_ANSWER` where nothing was."""
        moments, labels = self._faces.get(face, ([], []))
        place = bisect_right(moments, time_ms) - 1
        return NO_ANSWER if place < 0 else labels[place]


def effective_labels(
    part: Part, labels: Sequence[str], answers: Iterable[Answer]
) -> NDArray[np.str_]:
    """Of each sample, what counts: the owner's answer, else the model's label; ``(n,)``."""
    shown = np.array([*labels, *CORRECTION_NAMES])[part.label]
    for face, start_ms, end_ms, label in answers:
        shown[(part.face == face) & (part.time_ms >= start_ms) & (part.time_ms < end_ms)] = label
    return shown


def add(
    recording_id: Any, actor: User, face: int, start_ms: int, end_ms: int, label: str
) -> StretchAnswer | None:
    """Say what a face showed from `start_ms` on, until `end_ms`.

    Args:
        recording_id: in which recording; whose it is, and whether there is room, has been checked.
        actor: who says so.
        face: its number.
        start_ms, end_ms: milliseconds since the start of the recording.
        label: one of :data:`recognition.wording.CORRECTION_NAMES`.

    Returns:
        The answer; None where the recording was deleted meanwhile.

    Raises:
        AnswerRefused: one of them is not what it should be.
        TooManyAnswers: there are :data:`MAXIMUM_ANSWERS`.
    """
    if label not in CORRECTION_NAMES:
        raise AnswerRefused(_("Choose one of the expressions."))
    if not 0 <= start_ms < end_ms <= LATEST_MS:
        raise AnswerRefused(_("A stretch begins before it ends."))
    if not 1 <= face <= 65_535:
        raise AnswerRefused(_("There is no such face in this recording."))
    with transaction.atomic():
        rows = Recording.objects.without_stretches().select_for_update(no_key=True)
        recording = rows.filter(pk=recording_id).first()
        if recording is None:
            return None
        if recording.answers.count() >= MAXIMUM_ANSWERS:
            raise TooManyAnswers(
                _("A recording can have %(limit)d corrections.") % {"limit": MAXIMUM_ANSWERS}
            )
        _count(recording, STORED_BYTES)
        audit.record_hourly(
            "correction_made", recording.owner or actor, actor, f"recording:{recording.pk}"
        )
        return StretchAnswer.objects.create(
            recording=recording, face=face, start_ms=start_ms, end_ms=end_ms, label=label
        )


@transaction.atomic
def remove(answer: StretchAnswer) -> None:
    """Take an answer back."""
    if StretchAnswer.objects.filter(pk=answer.pk).delete()[0]:
        _count(answer.recording, -STORED_BYTES)


def _count(recording: Recording, n_bytes: int) -> None:
    grown = Greatest(F("stored_bytes") + n_bytes, 0)
    Recording.objects.filter(pk=recording.pk).update(stored_bytes=grown)


def as_dict(answer: StretchAnswer) -> dict[str, Any]:
    """An answer as it is sent and written to files."""
    return {
        "id": answer.pk,
        "face": answer.face,
        "start_ms": answer.start_ms,
        "end_ms": answer.end_ms,
        "label": answer.label,
    }
