"""The participant's socket: frames and reports in, hardly anything out (docs/STUDY_PROTOCOL.md)."""

from __future__ import annotations

import asyncio
import logging
import secrets
import struct
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.conf import settings

from accounts.sockets import CHECK_SECONDS, NOT_SIGNED_IN, TOO_MANY_SOCKETS, address_of
from operations import open_sockets
from operations.buckets import Bucket
from operations.waiting_line import Turn
from recognition.live.frames_consumer import BAD_FRAMES, TOO_MANY_BAD_FRAMES, FramesConsumer
from recognition.live.recordings import Recorder
from recognition.live.stream import Answer
from recognition.refusals import Refusal
from recognition.series.timeline import MAXIMUM_SECONDS
from recognition.vision.live import LiveFrame
from studies.models import Participation
from studies.taking_part import clocks, keys, leaving, pace, reports, room
from studies.taking_part.camera import CameraCheck, participant_alone

logger = logging.getLogger(__name__)

# Close codes; 4000 to 4999 are an application's own.
GONE = 4404
REPLACED = 4409
DONE = 4410
IDLE, NO_ROOM, NOT_NOW = 4411, 4413, 4423

#: Of one participant: one in use, and one that its network has not let go of yet.
SOCKETS_PER_PARTICIPANT = 3
#: Reports a second, and at once: each is written.
COMMANDS, COMMANDS_AT_ONCE = 4, 20
#: Seconds without a frame or a report after which a socket gives its place to others.
IDLE_SECONDS = 300.0
#: Seconds for which one frame keeps a place while others wait for one. The page sends five a
#: second; a tenth of it is what an overloaded server, or a bad network, may leave.
SECONDS_A_FRAME = 2.0
#: Bytes before the picture: when it was taken, by the participant's clock, in milliseconds.
TIME = struct.Struct(">d")

#: The newest socket of each participant in this process, which hands over at once; one of another
#: process finds out when it looks at the participation next.
_open: dict[UUID, StudyConsumer] = {}


class StudyConsumer(FramesConsumer):
    """One participant's page."""

    kind = "study"
    # An answer of 2,000 characters, each escaped; and all frames that a page has on its way.
    longest_command, n_waiting = 13_000, 2

    participation_id: UUID | None = None
    recorder: Recorder | None = None
    turn: Turn | None = None
    check: CameraCheck | None = None
    is_ready = False
    #: Whether a block is being shown: nothing is told of the camera meanwhile.
    is_showing = False
    #: Whether its owner's storage has room for more.
    has_room = True
    #: Whether anything is still to come that is looked at with the camera; else no place is needed.
    needs_camera = True
    #: Frames that were looked at since the place was kept last.
    n_seen = 0
    #: When a frame or a report came last, in seconds of ``time.monotonic``.
    active_at = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Which of the participant's sockets it is, in all web processes.
        self.key = secrets.token_hex(8)
        self.clock = clocks.Clock()
        self.saving = asyncio.Lock()
        self.commands = Bucket(COMMANDS, COMMANDS_AT_ONCE)

    async def connect(self) -> None:
        offered = self.scope.get("subprotocols", [])
        await self.accept(keys.SUBPROTOCOL if keys.SUBPROTOCOL in offered else None)
        # In any thread: it may wait for Redis, and the database has few.
        opened = sync_to_async(keys.participation_of, thread_sensitive=False)
        token = await opened(keys.token_in(offered))
        found = await database_sync_to_async(self._let_in)(token)
        if found is None:
            await self.close(NOT_SIGNED_IN)
            return
        if found.has_ended:
            await self.close(DONE)
            return
        address = address_of(self.scope)
        self.place = await open_sockets.take(
            "study", found.pk.hex, address, of_person=SOCKETS_PER_PARTICIPANT
        )
        if self.place is None:
            await self.close(TOO_MANY_SOCKETS)
            return
        self._admit(found.pk.hex)
        self.participation_id, self.reports = found.pk, pace.of(address)
        await database_sync_to_async(reports.use_socket)(found.pk, self.key)
        older, _open[found.pk] = _open.get(found.pk), self
        if older is not None:
            await older.hand_over()
        self.turn = Turn(
            "study",
            found.pk.hex,
            settings.STUDY_PARTICIPANTS_AT_ONCE,
            group=found.study_id.hex,
            # Whoever was invited by a link of their own is one person.
            address=address if found.personal_link_id is None else "",
            of_address=settings.STUDY_PARTICIPANTS_PER_ADDRESS,
        )
        self.watch = asyncio.create_task(self._watch())

    def _let_in(self, token: str | None) -> Participation | None:
        """Whoever has both: the token of this very page, and the cookie of that participant."""
        if token is None:
            return None
        rows = Participation.objects.select_related("recording").defer(reports.STRETCHES)
        participation = rows.filter(pk=UUID(hex=token)).first()
        if participation is None:
            return None
        key = self.scope.get("cookies", {}).get(keys.cookie_name(participation.study_id), "")
        if keys.hash_of(key) != participation.key_hash:
            return None
        if leaving.is_too_late(participation):
            leaving.leave(participation)
            participation.state = Participation.State.LEFT
        return participation

    async def hand_over(self) -> None:
        """The participant has opened another socket: save what was seen here, and go."""
        await self._save(ends=True)
        self.recorder = None
        self.is_ready = False
        await self.close(REPLACED)

    # Frames --------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if bytes_data is not None and self.is_ready and not self.needs_camera:
            # On its way while the last block ended that is watched: the place is given up.
            await self._send({"type": "seen", "frame": self.stream.skip()})
            return
        await super().receive(text_data, bytes_data)

    def _frame_of(self, data: bytes) -> tuple[bytes, float | None] | None:
        if len(data) <= TIME.size or not self.is_ready:
            return None
        taken_at = self.clock.taken(TIME.unpack_from(data)[0])
        return None if taken_at is None else (data[TIME.size :], taken_at)

    async def _saw(self, answer: Answer, seen: LiveFrame) -> None:
        if not self.is_ready:
            return
        self.active_at = time.monotonic()
        self.n_seen += 1
        try:
            recorder = await self._recorder()
        except reports.Gone:
            await self._leave()
            return
        if self.has_room and not recorder.is_full:
            recorder.add(participant_alone(seen), answer.taken_at, answer.number)
        message: dict[str, Any] = {"type": "seen", "frame": answer.number}
        if self.check is not None:
            self.check.add(seen, answer.taken_at)
            message |= {"type": "check", **self.check.told()}
        await self._send(message)

    async def _recorder(self) -> Recorder:
        """What keeps the series, begun at the first frame.

        Raises:
            Gone: the participation was deleted.
        """
        async with self.saving:
            if self.recorder is None:
                if not self.is_ready:
                    raise reports.Gone  # Another socket has taken over meanwhile.
                assert self.participation_id is not None
                recording = await database_sync_to_async(reports.recording_of)(
                    self.participation_id, self.model_version
                )
                self.recorder = Recorder(recording, keeps_stretches=False)
                await self._note_clock(self.recorder)
        return self.recorder

    async def _note_clock(self, recorder: Recorder) -> None:
        reading = self.clock.reading
        if reading is None or self.participation_id is None:
            return
        await database_sync_to_async(reports.note_clock)(
            self.participation_id,
            round(recorder.seconds * 1000),
            recorder.seconds_at(reading.offset) * 1000,
            reading.round_trip * 1000,
        )

    # Reports -------------------------------------------------------------------------------------

    async def _command(self, message: dict[str, Any]) -> None:
        kind, number = message["type"], message.get("n")
        if not isinstance(number, int) or abs(number) > 1e15:
            number = None
        if kind == "pong":
            if self.clock.answered(message.get("id"), message.get("clock")):
                return
            await self._refuse("bad_message", "This answers no question.")
            return
        if not self.is_ready:
            return
        if not pace.allows(self.reports):
            await self._refuse("too_soon", "Too many reports come from this network address.")
            return
        try:
            is_done = await self._report(kind, message)
        except reports.Gone:
            await self._leave()
            return
        except room.NoRoom as error:
            # Without its number: the page keeps the report, and may send it again later.
            await self._refuse(error.code, str(error))
            await self._give_way(NO_ROOM)
            return
        except Refusal as error:
            self.n_bad += 1
            refusal = {"type": "error", "code": error.code, "detail": str(error), "frame": None}
            await self._send({**refusal, "n": number})
            if self.n_bad >= BAD_FRAMES:
                await self.close(TOO_MANY_BAD_FRAMES)
            return
        self.n_bad = 0
        await self._send({"type": "ack", "n": number})
        if is_done:
            await self._finish()

    async def _report(self, kind: Any, message: dict[str, Any]) -> bool:
        """Do what a message says; whether the participant has finished with it."""
        pk, block = self.participation_id, message.get("block")
        assert pk is not None
        if kind == "check" and not self.is_showing:
            self.check = CameraCheck()
        elif kind == "checked" and self.check is not None:
            if not self.check.is_passed:
                raise reports.NotPassed("The camera does not show a face most of the time.")
            kept = self.check.kept(clocks.milliseconds(message.get("light")))
            self.check = None
            await database_sync_to_async(reports.checked)(pk, kept)
        elif kind == "start":
            self.check, self.is_showing = None, True
            await self._write(reports.start, block, message)
        elif kind == "event":
            await self._write(
                reports.event, block, message, message.get("name"), message.get("value")
            )
        elif kind == "answer":
            await database_sync_to_async(reports.answer)(pk, block, message.get("given"))
        elif kind == "end":
            is_done = bool(await self._write(reports.end, block, message))
            self.is_showing = False
            if not is_done and self.needs_camera:
                await self._learn_needs()
            return is_done
        else:
            raise reports.NotUnderstood("The type is none that is known, or not now.")
        return False

    async def _write(
        self, report: Callable[..., Any], block: Any, message: dict[str, Any], *more: Any
    ) -> Any:
        """Report a moment, on the recording's time line."""
        recorder = await self._recorder()
        moment = self.clock.moment(message.get("clock"))
        if moment is None:
            raise reports.NotUnderstood("The clock shows no time.")
        self.active_at = time.monotonic()
        time_ms = min(max(0, round(recorder.seconds_at(moment) * 1000)), MAXIMUM_SECONDS * 1000)
        return await database_sync_to_async(report)(self.participation_id, block, time_ms, *more)

    async def _finish(self) -> None:
        await self._save(ends=True)
        self.is_ready = False
        if self.turn is not None:
            await self.turn.leave()
        await self._send({"type": "finished"})
        await self.close(DONE)

    # Beside it -----------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Let in when there is room, compare clocks, and then look after the socket."""
        try:
            await self._learn_needs()
            await self._wait_in_line()
            if not await self._begin():
                return
            if await self.clock.measure(self._send) is None:
                await self.close(1011)
                return
            self.is_ready = True
            await self._send({"type": "ready", "maximum_bytes": settings.LIVE_MAXIMUM_BYTES})
            measured_at = time.monotonic()
            self.active_at = measured_at
            while await self._is_there():
                uses_socket = database_sync_to_async(reports.uses_socket)
                if not await uses_socket(self.participation_id, self.key):
                    await self.hand_over()
                    return
                if not await self._keeps_place():
                    await self._give_way()
                    return
                await asyncio.sleep(CHECK_SECONDS)
                await self._save()
                if time.monotonic() - self.active_at > IDLE_SECONDS:
                    await self._give_way()
                    return
                if time.monotonic() - measured_at > clocks.AGAIN_SECONDS:
                    measured_at = time.monotonic()
                    has_room = database_sync_to_async(reports.has_room)
                    self.has_room = await has_room(self.participation_id)
                    if await self.clock.measure(self._send) and self.recorder is not None:
                        await self._note_clock(self.recorder)
            if self.is_ready:
                await self._leave()
        except reports.Gone:
            await self._leave()
        except Exception:
            # A socket that is not watched must not stay open.
            logger.exception("a participant's socket could not be checked")
            await self.close(1011)

    async def _give_way(self, code: int = IDLE) -> None:
        """Nothing came for long, or too little: who waits is let in, and this page may return."""
        self.is_ready = False
        if self.turn is not None:
            await self.turn.leave()
        await self.close(code)

    async def _leave(self) -> None:
        """It is gone, was ended in another window, or its owner's account is disabled."""
        self.is_ready = False
        has_ended = await database_sync_to_async(reports.has_ended)(self.participation_id)
        await self._give_way(GONE if has_ended is None else DONE if has_ended else NOT_NOW)

    async def _wait_in_line(self) -> None:
        assert self.turn is not None
        told = 0
        while self.needs_camera and (place := await self.turn.ask()):
            if place != told:
                await self._send({"type": "line", "place": place})
                told = place
            if self.place is not None:
                await self.place.keep()
            await asyncio.sleep(pace.seconds_in_line(place))

    async def _is_there(self) -> bool:
        if self.place is not None:
            await self.place.keep()
        await self._learn_model()
        is_active = time.monotonic() - self.active_at < 2 * CHECK_SECONDS
        return await database_sync_to_async(reports.is_there)(
            self.participation_id, is_active=is_active
        )

    async def _keeps_place(self) -> bool:
        """Keep the place by what was sent since the last time; False where it is lost."""
        earned, self.n_seen = self.n_seen * SECONDS_A_FRAME, 0
        # Whoever has finished needs none, and is about to go.
        if self.turn is None or not self.is_ready or not self.needs_camera:
            return True
        return await self.turn.keep(earned)

    async def _learn_needs(self) -> None:
        """Ask what is still to come, and make room where no frame is wanted any more."""
        needs_camera = database_sync_to_async(reports.needs_camera)
        self.needs_camera = await needs_camera(self.participation_id)
        if self.turn is not None and not self.needs_camera:
            await self.turn.leave()

    async def _save(self, *, ends: bool = False) -> None:
        async with self.saving:
            if self.recorder is not None:
                await database_sync_to_async(self.recorder.save)(ends=ends)

    async def _end(self) -> None:
        if self.participation_id is not None and _open.get(self.participation_id) is self:
            del _open[self.participation_id]
        await self._save(ends=True)
