"""Studies with data whose figures are known beforehand: what tests of results begin with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from recognition.models import Recording
from recognition.series.columns import Gap, GapReason, Sample
from recognition.series.storing import SeriesWriter
from studies.models import Answer, Block, Participation, Study, Visit
from tests.support import studies
from tests.support.series import LABELS

#: Milliseconds from start to end of each block, in the order in which they are seen.
TIMES = {"cross": (0, 3000), "sea": (4000, 9000), "storm": (10_000, 15_000)}
END_MS = 16_000
Happy = Callable[[int], float]


def happy_of(number: int) -> Happy:
    """How happy participant `number` looks at a millisecond: known, and of each its own.

    Before the cross 0.1 and a hundredth for their number; at the sea 0.4 more, then 0.05.
    """
    base = 0.1 + number / 100

    def happy(time_ms: int) -> float:
        if time_ms < 3500:
            return base
        return base + (0.4 if time_ms < 9500 else 0.05)

    return happy


def sample(time_ms: int, happy: float, face: int = 1, pixels: int = 118) -> Sample:
    rest = (1 - happy) / 4
    probabilities = dict(zip(LABELS, (happy, rest, rest, 1 - happy - 3 * rest, rest), strict=True))
    label = max(probabilities, key=lambda name: probabilities[name])
    return Sample(
        time_ms, face, 200, 80, 120, 121, label, happy < 0.5, probabilities, 0.25, pixels, -3.5
    )


def write_series(
    recording: Recording, happy: Happy, *, until_ms: int = END_MS, step_ms: int = 100
) -> None:
    """A sample each tenth of a second, of one face."""
    writer = SeriesWriter(recording)
    for time_ms in range(0, until_ms + 1, step_ms):
        writer.add([sample(time_ms, happy(time_ms))])
    writer.save()


def plan(owner: User, **fields: Any) -> Study:
    """A study with a baseline, two stimuli and a question, in two conditions."""
    study = studies.open_study(owner, **fields)
    for name in ("calm", "loud"):
        studies.condition(study, name)
    studies.block(study, Block.Kind.BASELINE, "cross", seconds=3)
    studies.block(study, Block.Kind.TEXT, "sea", text="Think of the sea.")
    studies.block(study, Block.Kind.TEXT, "storm", text="Think of a storm.")
    studies.block(study, Block.Kind.SCALE, "liked", text="How much did you like it?")
    return study


def take_part(
    study: Study,
    *,
    happy: Happy | None = None,
    until_ms: int = END_MS,
    step_ms: int = 100,
    gaps: tuple[Gap, ...] = (),
    n_empty: int = 0,
    **fields: Any,
) -> Participation:
    """Somebody who saw all blocks, or those that ended by `until_ms`, and answered.

    Args:
        happy: from milliseconds to a probability; by default :func:`happy_of` their number.
        gaps: told in the series.
        n_empty: frames without a face, beside those with one.
        fields: of the participation; by default it is finished.
    """
    number = study.participations.count() + 1
    conditions = list(study.conditions.all())
    now = timezone.now()
    recording = Recording.objects.create(
        started_at=now - timedelta(milliseconds=until_ms), ended_at=now, model_version="vgg16-1"
    )
    writer = SeriesWriter(recording)
    for gap in gaps:
        writer.add_gap(gap)
    for _frame in range(n_empty):
        writer.add([])
    look = happy or happy_of(number)
    for time_ms in range(0, until_ms + 1, step_ms):
        if not any(gap.start_ms <= time_ms < gap.end_ms for gap in gaps):
            writer.add([sample(time_ms, look(time_ms))])
    writer.save()
    values: dict[str, Any] = {
        "state": Participation.State.FINISHED,
        "finished_at": now,
        "attributes": {"age": "young" if number % 3 else "old"},
        "condition": conditions[number % 2] if conditions else None,
        "recording": recording,
    }
    one = studies.participation(study, **values | fields)
    for block in study.blocks.all():
        start_ms, end_ms = TIMES.get(block.name, (until_ms, until_ms))
        if start_ms < end_ms <= until_ms:
            Visit.objects.create(participation=one, block=block, start_ms=start_ms, end_ms=end_ms)
        elif block.is_question:
            Answer.objects.create(participation=one, block=block, number=1 + number % 7)
    return one


def with_data(owner: User, n: int = 6, **fields: Any) -> Study:
    """A study in which `n` finished, one left, and one had no face before the camera for long."""
    study = plan(owner, **fields)
    for _person in range(n):
        take_part(study)
    take_part(study, until_ms=9000, state=Participation.State.LEFT, finished_at=None)
    take_part(study, gaps=(Gap(2000, 15_000, GapReason.NO_FACE),), n_empty=130)
    return study
