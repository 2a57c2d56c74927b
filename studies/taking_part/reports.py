"""What a participant's page reports becomes rows. Everything may come twice, and counts once.

A page that was cut off sends again what was not acknowledged, measured by a clock that has been
compared anew since: so times that are almost the same are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from recognition.live import recordings
from recognition.models import Recording
from recognition.refusals import Refusal
from recognition.series import markers
from studies.models import Answer, Block, ClockReading, Participation, Visit
from studies.taking_part import leaving, room, showing

#: Milliseconds between two reports of one moment, at most.
SAME_MS = 500
#: What may happen while a block is shown, and how often.
EVENTS = frozenset({"play", "pause", "stall", "hidden", "shown", "failed", "seek"})
MAXIMUM_EVENTS = 200
#: Of one participant's clock: one a minute, and one a connection.
MAXIMUM_READINGS = 500
LONGEST_ANSWER = 2000
#: Of the time that blocks have, what must have passed when they end: clocks differ.
SHORTEST_SHARE = 0.9
#: What no report looks at, and may be long: all sockets share a few threads.
STRETCHES = "recording__samples"
TEXTS = ("consent_text", "study__information", "study__consent_text")
_State = Participation.State


class Gone(Exception):
    """The participation is not there any more: withdrawn, or deleted with its study."""


class WrongBlock(Refusal):
    """It is no block of this participant's, or not its turn."""

    code, status = "wrong_block", 400


class WrongAnswer(Refusal):
    """It is no answer to this question, or one is missing."""

    code, status = "wrong_answer", 400


class NotUnderstood(Refusal):
    """A message that means nothing here."""

    code, status = "bad_message", 400


class NotPassed(Refusal):
    """The camera check is not passed yet."""

    code, status = "check_not_passed", 409


class NotOver(Refusal):
    """A block ends before its time is over."""

    code, status = "block_not_over", 409


def recording_of(pk: UUID, model_version: str) -> Recording:
    """The participant's recording, begun where there is none.

    Raises:
        Gone: the participation was deleted.
    """
    with transaction.atomic():
        participation = _locked(pk)
        if participation.recording is None:
            participation.recording = recordings.begin_for_others(model_version)
            participation.save(update_fields=["recording"])
        return participation.recording


def note_clock(pk: UUID, at_ms: int, offset_ms: float, round_trip_ms: float) -> None:
    """Keep how the participant's clock differs, by :class:`ClockReading`'s units."""
    with transaction.atomic():
        participation = _locked(pk)
        if participation.clock_readings.count() >= MAXIMUM_READINGS:
            return
        if not room.is_left(participation):
            return
        ClockReading.objects.create(
            participation=participation,
            at_ms=max(0, at_ms),
            offset_ms=offset_ms,
            round_trip_ms=round_trip_ms,
        )
        participation.stored_bytes += room.READING_BYTES
        participation.save(update_fields=["stored_bytes"])


def is_there(pk: UUID, *, is_active: bool = True) -> bool:
    """Whether the participation goes on; `is_active` notes that something came of it."""
    there = Participation.objects.select_related("recording", "study__owner").filter(pk=pk)
    participation = there.defer(STRETCHES).exclude(state=_State.LEFT).first()
    if participation is None or not participation.study.owner.is_active:
        return False
    if leaving.is_too_late(participation):
        leaving.leave(participation)
        return False
    if is_active:
        there.update(seen_at=timezone.now())
    return True


def has_room(pk: UUID) -> bool:
    """Whether the study's owner has storage left for what is still to come."""
    found = Participation.objects.select_related("study__owner").filter(pk=pk).first()
    return found is not None and room.is_left(found)


def use_socket(pk: UUID, key: str) -> None:
    """From now on the socket with this key is the participant's, in whatever process it is."""
    Participation.objects.filter(pk=pk).update(socket_key=key)


def uses_socket(pk: UUID, key: str) -> bool:
    """Whether no newer socket has been opened since; also where the participation is gone."""
    return not Participation.objects.filter(pk=pk).exclude(socket_key=key).exists()


def needs_camera(pk: UUID) -> bool:
    """Whether anything that is looked at with the camera is still to come."""
    participation = Participation.objects.filter(pk=pk).only("sequence", "place").first()
    if participation is None:
        return False
    to_come = participation.sequence[participation.place :]
    return Block.objects.filter(pk__in=to_come, kind__in=showing.WATCHED).exists()


def has_ended(pk: UUID) -> bool | None:
    """Whether the participant has finished or left; None where nothing is there, or is kept."""
    found = Participation.objects.select_related("study__owner").filter(pk=pk).first()
    if found is None or found.study.owner.deletion_requested_at is not None:
        return None
    return found.has_ended


def checked(pk: UUID, camera: dict[str, float]) -> None:
    """The camera check was passed.

    Raises:
        Gone: the participation was deleted.
    """
    with transaction.atomic():
        participation = _locked(pk)
        participation.camera = camera
        if participation.state == _State.CONSENTED:
            participation.state = _State.CHECKED
        participation.save(update_fields=["camera", "state"])


def start(pk: UUID, block_id: Any, time_ms: int) -> None:
    """A block begins to be shown, for the first time or anew after a reload.

    Raises:
        Gone, WrongBlock, NotPassed, NoRoom: as they say.
    """

    def report(participation: Participation, block: Block) -> int:
        nonlocal time_ms
        if showing.is_watched(block) and not participation.camera:
            raise NotPassed("The camera check comes first.")
        # Blocks follow each other, whatever a clock says: no two share time.
        others = participation.visits.exclude(block=block)
        time_ms = max(time_ms, others.aggregate(latest=Max("end_ms"))["latest"] or 0)
        visit, is_new = Visit.objects.get_or_create(
            participation=participation, block=block, defaults={"start_ms": time_ms}
        )
        grown = 0 if is_new else -room.of_values(visit.events)
        if not is_new:
            if abs(visit.start_ms - time_ms) <= SAME_MS:
                return 0
            if len(visit.events) < MAXIMUM_EVENTS:
                visit.events = [*visit.events, [time_ms, "restart", visit.start_ms]]
            visit.start_ms = time_ms
            visit.save(update_fields=["start_ms", "events"])
            for marker in _markers(participation).filter(name=block.name):
                markers.remove(marker)
        _mark(participation, time_ms, block.name)
        if participation.state != _State.RUNNING:
            participation.state = _State.RUNNING
            participation.save(update_fields=["state"])
        return grown + room.of_values(visit.events) + (room.VISIT_BYTES if is_new else 0)

    _report(pk, block_id, report)


def event(pk: UUID, block_id: Any, time_ms: int, name: Any, value: Any = None) -> None:
    """Something happens while a block is shown: one of :data:`EVENTS`.

    Raises:
        Gone, WrongBlock, NoRoom: as they say.
        MarkerRefused: the event is unknown.
    """
    if not isinstance(name, str) or name not in EVENTS:
        raise markers.MarkerRefused("The event is unknown.")
    number = float(value) if isinstance(value, int | float) and abs(value) < 1e9 else None

    def report(participation: Participation, block: Block) -> int:
        visit = _visit(participation, block)
        alike = [one for one in visit.events if one[1:] == [name, number]]
        if len(visit.events) >= MAXIMUM_EVENTS or any(
            abs(one[0] - time_ms) <= SAME_MS for one in alike
        ):
            return 0
        grown = -room.of_values(visit.events)
        visit.events = [*visit.events, [time_ms, name, number]]
        visit.save(update_fields=["events"])
        _mark(participation, time_ms, f"{block.name} {name}", number)
        return grown + room.of_values(visit.events)

    _report(pk, block_id, report)


def answer(pk: UUID, block_id: Any, given: Any) -> None:
    """A question is answered; a later answer to the same one replaces it.

    Args:
        pk: of the participation.
        block_id: of the question.
        given: a number of the scale, one of the choices, or text.

    Raises:
        Gone, WrongBlock, WrongAnswer, NoRoom: as they say.
    """

    def report(participation: Participation, block: Block) -> int:
        checked = _checked_answer(block, given)
        mine = participation.answers.filter(block=block)
        before = mine.values_list("text", flat=True).first()
        Answer.objects.update_or_create(participation=participation, block=block, defaults=checked)
        grown = room.of_texts(checked["text"])
        return grown + (room.ANSWER_BYTES if before is None else -room.of_texts(before))

    _report(pk, block_id, report)


def end(pk: UUID, block_id: Any, time_ms: int) -> bool:
    """A block is over; whether it was the last one, and the participant has finished.

    Raises:
        Gone, WrongBlock, NotOver: as they say.
        WrongAnswer: it is a question that must be answered, and was not.
    """

    def report(participation: Participation, block: Block) -> int:
        visit = _visit(participation, block)
        _check_time(participation)
        is_answered = participation.answers.filter(block=block).exists()
        if block.is_question and block.is_required and not is_answered:
            raise WrongAnswer("This question must be answered.")
        visit.end_ms = max(visit.start_ms, time_ms)
        visit.save(update_fields=["end_ms"])
        _mark(participation, visit.end_ms, f"{block.name} end")
        participation.place += 1
        participation.save(update_fields=["place"])
        return 0

    participation = _report(pk, block_id, report)
    if participation.place < len(participation.sequence):
        return False
    leaving.finish(participation)
    return True


def _report(
    pk: UUID, block_id: Any, report: Callable[[Participation, Block], int]
) -> Participation:
    """Write a report of the block whose turn it is; one that is done has been reported already.

    Args:
        report: writes it, and tells by how many bytes what is stored has grown.
    """
    with transaction.atomic():
        participation = _locked(pk)
        if participation.state == _State.LEFT:
            raise Gone
        if isinstance(block_id, bool) or block_id not in participation.sequence:
            raise WrongBlock("This is no block of yours.")
        index = participation.sequence.index(block_id)
        if index < participation.place:
            return participation
        block = Block.objects.filter(pk=block_id, study_id=participation.study_id).first()
        if index > participation.place or block is None:
            raise WrongBlock("It is not this block’s turn.")
        room.take(participation, report(participation, block))
    return participation


def _locked(pk: UUID) -> Participation:
    rows = Participation.objects.select_for_update(of=("self",))
    rows = rows.select_related("study", "condition", "recording").defer(STRETCHES, *TEXTS)
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Gone
    return found


def _check_time(participation: Participation) -> None:
    """Whether all blocks so far can have been shown since the participant came, by our own clock.

    Places are for ever those of who has finished, so nobody finishes in a moment.
    """
    so_far = participation.sequence[: participation.place + 1]
    blocks = Block.objects.filter(pk__in=so_far).only("kind", "seconds")
    seconds = sum(map(showing.least_seconds, blocks))
    if timezone.now() - participation.consented_at < SHORTEST_SHARE * timedelta(seconds=seconds):
        raise NotOver("The block is not over yet.")


def _visit(participation: Participation, block: Block) -> Visit:
    visit = Visit.objects.filter(participation=participation, block=block).first()
    if visit is None:
        raise WrongBlock("The block has not begun.")
    return visit


def _markers(participation: Participation) -> Any:
    assert participation.recording is not None
    return participation.recording.markers


def _mark(
    participation: Participation, time_ms: int, name: str, value: float | None = None
) -> None:
    if participation.recording_id is None:
        return
    try:
        markers.add(participation.recording_id, min(time_ms, markers.LATEST_MS), name, value)
    except markers.TooManyMarkers:
        return  # The visit says it, too.


def _checked_answer(block: Block, given: Any) -> dict[str, Any]:
    if block.kind == Block.Kind.SCALE:
        if isinstance(given, bool) or not isinstance(given, int):
            raise WrongAnswer("A scale is answered with a whole number.")
        if not 1 <= given <= block.steps:
            raise WrongAnswer("The scale has no such number.")
        return {"number": given, "text": ""}
    text = given if isinstance(given, str) else ""
    # What no database stores: a NUL, and halves of characters.
    text = text.replace("\0", "").encode("utf-8", "replace").decode().strip()[:LONGEST_ANSWER]
    is_one_of_them = block.kind == Block.Kind.CHOICE and text in block.answers
    if not text or not (is_one_of_them or block.kind == Block.Kind.OPEN):
        raise WrongAnswer("This is no answer to the question.")
    return {"number": None, "text": text}
