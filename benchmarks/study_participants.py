"""Participants of a study as programs: pages, socket and reports, with clocks and networks of
their own."""

from __future__ import annotations

import asyncio
import json
import random
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

#: Frames that nobody has answered yet, and for how many seconds that is waited for.
IN_FLIGHT, PATIENCE = 2, 8.0
#: Frames of the camera check.
CHECK_FRAMES = 14


@dataclass
class Taker:
    """One participant, whose clock and network are theirs.

    Attributes:
        faces, empty: pictures of a camera with somebody before it, and with nobody.
        skew: milliseconds by which the clock differs; it also runs faster by `drift`.
        delay: seconds that what is sent takes at least.
        sent: wall-clock times, in milliseconds, of frames that left; with a face, and without.
        shown: true times at which blocks began and ended, by id.
    """

    site: str
    link: str
    faces: Sequence[bytes]
    empty: Sequence[bytes]
    dice: random.Random
    sent: list[tuple[float, bool]] = field(default_factory=list)
    shown: dict[int, list[float]] = field(default_factory=dict)
    n_dropped: int = 0
    n_opened: int = 0
    is_finished: bool = False

    def __post_init__(self) -> None:
        self.skew = self.dice.uniform(-1e7, 1e7)
        self.drift = 1 + self.dice.uniform(-30e-6, 30e-6)
        self.delay = self.dice.uniform(0.005, 0.06)
        self.number = ""
        self._http = httpx.AsyncClient(
            base_url=self.site, headers={"Origin": self.site}, timeout=60
        )
        self._socket: ClientConnection | None = None
        self._ready = asyncio.Event()
        self.passed = asyncio.Event()
        self._in_flight: dict[int, float] = {}
        self._n_frames = 0
        self._reports: list[dict[str, Any]] = []
        self._n_reports = 0
        self._out: asyncio.Queue[tuple[float, str | bytes]] = asyncio.Queue()
        self._has_face = True
        self._films = False

    def clock(self) -> float:
        """`performance.now` of this participant, in milliseconds."""
        return time.monotonic() * 1000 * self.drift + self.skew

    # Pages ---------------------------------------------------------------------------------------

    async def agree(self) -> None:
        await self._http.get(f"/take-part/{self.link}/consent/?id=x")
        form = {"old_enough": "yes", "agrees": "on", "decision": "yes", "consent_version": "1"}
        answer = await self._post(f"/take-part/{self.link}/consent/", form)
        assert answer.status_code == 302, answer.text
        self.run = answer.headers["Location"]
        page = (await self._http.get(self.run)).text
        plan = page.split('id="plan" type="application/json">')[1].split("</script>")[0]
        self.plan = json.loads(plan)

    async def _post(self, path: str, form: dict[str, str] | None = None) -> httpx.Response:
        headers = {"X-CSRFToken": self._http.cookies["csrftoken"]}
        return await self._http.post(path, data=form, headers=headers)

    # The socket ----------------------------------------------------------------------------------

    async def keep_open(self) -> None:
        """Open the socket, and again whenever it is lost, until all is done."""
        while not self.is_finished:
            try:
                token = (await self._post(self.plan["token"])).json()["token"]
                await self._converse(token)
            except (OSError, httpx.HTTPError, ConnectionClosed, InvalidHandshake, ValueError):
                await asyncio.sleep(self.dice.uniform(0.4, 0.8))
            finally:
                self._ready.clear()
                self._socket = None

    async def _converse(self, token: str) -> None:
        cookies = "; ".join(f"{name}={value}" for name, value in self._http.cookies.items())
        url = self.site.replace("http", "ws", 1) + "/ws/study/"
        self._in_flight, self._n_frames, self._out = {}, 0, asyncio.Queue()
        async with connect(
            url,
            additional_headers={"Cookie": cookies},
            origin=self.site,
            subprotocols=["visage.study", f"visage.study.token.{token}"],
            compression=None,
        ) as self._socket:
            self.n_opened += 1
            sending = asyncio.create_task(self._send_all(self._socket))
            try:
                async for text in self._socket:
                    self._heard(json.loads(text))
            finally:
                sending.cancel()

    async def _send_all(self, socket: ClientConnection) -> None:
        """Let everything arrive late, and in its order."""
        while True:
            left_at, data = await self._out.get()
            late = self.delay + self.dice.expovariate(1 / 0.008)
            await asyncio.sleep(max(0.0, left_at + late - time.monotonic()))
            await socket.send(data)

    def _put(self, data: str | bytes) -> None:
        self._out.put_nowait((time.monotonic(), data))

    def _heard(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "ping":
            self._put(json.dumps({"type": "pong", "id": message["id"], "clock": self.clock()}))
        elif kind == "ready":
            self._ready.set()
            self._flush()
        elif kind in {"seen", "check"}:
            self._in_flight = {n: at for n, at in self._in_flight.items() if n > message["frame"]}
        elif kind == "ack":
            if self._reports and message["n"] == self._reports[0]["n"]:
                if self._reports.pop(0)["type"] == "checked":
                    self.passed.set()
                self._flush()
        elif kind == "finished":
            self.is_finished = True
        elif kind == "error":
            raise AssertionError(message)

    def report(self, kind: str, **fields: Any) -> None:
        self._n_reports += 1
        self._reports.append({"type": kind, "n": self._n_reports, "clock": self.clock(), **fields})
        if len(self._reports) == 1:
            self._flush()

    def _flush(self) -> None:
        if self._reports and self._ready.is_set():
            self._put(json.dumps(self._reports[0]))

    # What is done --------------------------------------------------------------------------------

    async def film(self, rate: float) -> None:
        """Send frames at a pace, as the page does: at most two without an answer."""
        due = time.monotonic() + self.dice.random() / rate
        while not self.is_finished:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + 1 / rate, time.monotonic() + 0.5 / rate)
            if not self._ready.is_set() or not self._films:
                continue
            if len(self._in_flight) >= IN_FLIGHT:
                self.n_dropped += 1
                continue
            pictures = self.faces if self._has_face else self.empty
            picture = pictures[self._n_frames % len(pictures)]
            self._n_frames += 1
            self._in_flight[self._n_frames] = time.monotonic()
            self.sent.append((time.time() * 1000, self._has_face))
            self._put(struct.pack(">d", self.clock()) + picture)

    async def take_part(self, rate: float, seconds: float) -> None:
        """The whole study, whose blocks last so long together."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.keep_open())
            tasks.create_task(self.film(rate))
            await self._do(seconds)
        await self._http.aclose()

    async def _do(self, seconds: float) -> None:
        await self._ready.wait()
        self._films = True
        self.report("check")
        while len(self.sent) < CHECK_FRAMES:
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        self.report("checked", light=0.5)
        await self.passed.wait()
        self._has_face = False
        await asyncio.sleep(1.0)
        for block in self.plan["blocks"]:
            # The stimulus changes what the camera sees, at the moment that is reported.
            self._has_face = not self._has_face
            self.shown[block["id"]] = [time.time() * 1000]
            self.report("start", block=block["id"])
            await asyncio.sleep(seconds / len(self.plan["blocks"]))
            self.shown[block["id"]].append(time.time() * 1000)
            self.report("end", block=block["id"])
        while not self.is_finished:
            await asyncio.sleep(0.1)
