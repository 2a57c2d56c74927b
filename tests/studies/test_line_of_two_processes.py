"""Two web processes share a study's places through Redis, and what one held when it died ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import redis

from tests.support.site import ROOT, Site, wait_until

pytestmark = pytest.mark.site

LIMIT, EACH = 10, 30
KEYS = "visage:line:two:*"
#: Asks for so many of its people at once, with so many seconds until what they get ends.
ASK = f"""
import asyncio, json, sys, django
django.setup()
from operations import open_sockets, waiting_line
# However busy the machine is: aside, a process would keep a line of its own, and nobody sends.
open_sockets.TIMEOUT = 120
waiting_line.CREDIT_SECONDS = 3600.0
people = [waiting_line.Turn("two", f"{{sys.argv[1]}}-{{n}}", {LIMIT}) for n in range({EACH})]

async def answer():
    while line := await asyncio.to_thread(sys.stdin.readline):
        number, waiting_line.EXPIRY_SECONDS = map(int, line.split())
        found = await asyncio.gather(*(turn.ask() for turn in people[:number]))
        print(json.dumps(found), flush=True)

asyncio.run(answer())
"""


class Redis(Site):
    """Nothing else runs."""

    PROCESSES = ("redis",)

    def prepare(self) -> None:
        """There is no database."""

    def connect(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.data_dir / "redis.sock"))

    def is_healthy(self) -> bool:
        try:
            return bool(self.connect().ping())
        except redis.RedisError:
            return False


@dataclass
class Process:
    """A process in which people wait."""

    name: str
    running: subprocess.Popen[str]

    def begin(self, number: int, expiry: int) -> None:
        assert self.running.stdin
        self.running.stdin.write(f"{number} {expiry}\n")
        self.running.stdin.flush()

    def answers(self) -> list[int]:
        assert self.running.stdout
        return list(json.loads(self.running.stdout.readline()))

    def ask(self, number: int = EACH, expiry: int = 600) -> list[int]:
        self.begin(number, expiry)
        return self.answers()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with Redis(tmp_path_factory.mktemp("line")) as site:
        yield site


@pytest.fixture
def start(server: Redis) -> Iterator[Callable[[str], Process]]:
    started: list[Process] = []

    def another(name: str) -> Process:
        running = subprocess.Popen(
            [sys.executable, "-c", ASK, name],
            env=server.environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(Process(name, running))
        return started[-1]

    yield another
    for one in started:
        one.running.kill()
        one.running.communicate()


def test_two_processes_share_places_and_what_a_dead_one_held_ends(
    server: Redis, start: Callable[[str], Process]
) -> None:
    client = server.connect()
    first, second = start("first"), start("second")
    assert first.ask(3) == second.ask(3) == [0, 0, 0]
    # All at the same time: no place twice, none left, and one line without gaps.
    first.begin(EACH, 600)
    second.begin(EACH, 600)
    answers = first.answers() + second.answers()
    assert sorted(answers) == [0] * LIMIT + list(range(1, 2 * EACH - LIMIT + 1))
    assert answers[:3] == answers[EACH : EACH + 3] == [0, 0, 0]

    # Who dies gives nothing back; its places and its turns end with their time, and not before.
    first.ask(expiry=3)
    first.running.kill()
    first.running.wait()
    places = client.zrange("visage:line:two:places", 0, -1, withscores=True)
    until = [score for who, score in places if b"first" in who]
    assert len(until) >= 3
    found = wait_until(lambda: inside if (inside := second.ask()).count(0) == LIMIT else None)
    seconds, microseconds = client.time()
    assert seconds + microseconds / 1e6 >= max(until)
    assert sorted(found) == [0] * LIMIT + list(range(1, EACH - LIMIT + 1))

    # When nobody asks any more Redis forgets them all.
    second.ask(expiry=1)
    second.running.kill()
    wait_until(lambda: not client.keys(KEYS))


def test_who_comes_back_in_another_process_has_their_place_still(
    server: Redis, start: Callable[[str], Process]
) -> None:
    server.connect().flushall()
    before, after, others = start("same"), start("same"), start("others")
    assert before.ask(LIMIT) == [0] * LIMIT
    # Both ask at the same time: who of them comes first is open.
    assert sorted(others.ask(2)) == [1, 2]
    before.running.kill()
    assert after.ask(LIMIT) == [0] * LIMIT
    assert sorted(others.ask(2)) == [1, 2]
