"""So many places for all web processes together, and a line of those who wait for one.

Redis holds both. While it is away each process keeps a line of its own: more may then be in at a
time than there are places, which is slower for them and shuts nobody out.

Who waits belongs to a group, such as a study. While several groups want places, each has an equal
share of them: whoever is below it is let in before those who are above, who then wait for a place
that nobody else's share claims. Nobody who uses a place is sent away.

A place is used by sending: it has a credit of seconds, which runs out and is filled up by what
comes. Who has none left makes room as soon as somebody waits who could come in.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import cast

from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from operations import open_sockets

#: Seconds for which a place is kept, and a turn in the line, for somebody who does not ask again:
#: a reload, or a moment without network, loses neither. Redis forgets all of them twice as long
#: after the last question.
EXPIRY_SECONDS = 20
#: Seconds of credit that whoever is let in has, and that nobody has more of.
CREDIT_SECONDS = 60.0

_PARTS = ("places", "line", "alive", "credit", "address")

_ASK = """
local places, line, alive, credit, address = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local who, whence, is_in = ARGV[1], ARGV[2], ARGV[3] == '1'
local limit, of_address = tonumber(ARGV[4]), tonumber(ARGV[5])
local expiry, most, earned = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local now = redis.call('TIME')
now = tonumber(now[1]) + tonumber(now[2]) / 1000000
for _, key in ipairs({places, alive}) do
    for _, gone in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', now)) do
        for _, other in ipairs({key, line, credit}) do redis.call('ZREM', other, gone) end
        redis.call('HDEL', address, gone)
    end
end
if not is_in and not redis.call('ZSCORE', places, who) then
    if not redis.call('ZSCORE', line, who) then redis.call('ZADD', line, now, who) end
    redis.call('ZADD', alive, now + expiry, who)
    redis.call('HSET', address, who, whence)
end
local function group(one) return string.match(one, '^[^:]*') end
local inside, waiting = redis.call('ZRANGE', places, 0, -1), redis.call('ZRANGE', line, 0, -1)
local here, held, groups = {}, {}, 0
local function count(one)
    local its = group(one)
    if not held[its] then held[its] = 0; groups = groups + 1 end
    return its
end
local function fits(one)
    local its = redis.call('HGET', address, one)
    if of_address == 0 or not its or its == '' then return true end
    here[its] = (here[its] or 0) + 1
    return here[its] <= of_address
end
for _, one in ipairs(inside) do
    local its = count(one)
    held[its] = held[its] + 1
    fits(one)
end
local able, barred = {}, {}
for _, one in ipairs(waiting) do
    if fits(one) then count(one); table.insert(able, one) else table.insert(barred, one) end
end
local share = math.max(1, math.floor(limit / math.max(1, groups)))
local first, later = {}, {}
for _, one in ipairs(able) do
    local its = group(one)
    if held[its] < share then
        held[its] = held[its] + 1
        table.insert(first, one)
    else
        table.insert(later, one)
    end
end
for _, one in ipairs(later) do table.insert(first, one) end
local free = math.max(0, limit - #inside)
local turn = 0
if redis.call('ZSCORE', line, who) and not is_in then
    for rank, one in ipairs(first) do
        if one == who then turn = math.max(0, rank - free) end
    end
    for rank, one in ipairs(barred) do
        if one == who then turn = math.max(1, #first + rank - free) end
    end
end
local left = tonumber(redis.call('ZSCORE', credit, who) or now + most)
left = math.min(now + most, math.max(now, left) + earned)
local has_place = is_in or redis.call('ZSCORE', places, who)
if has_place and left <= now and #first > 0 and free == 0 then turn = -1 end
if turn < 0 then
    for _, key in ipairs({places, credit}) do redis.call('ZREM', key, who) end
    redis.call('HDEL', address, who)
end
if turn == 0 then
    redis.call('ZREM', line, who)
    redis.call('ZREM', alive, who)
    redis.call('ZADD', places, now + expiry, who)
    redis.call('ZADD', credit, left, who)
    redis.call('HSET', address, who, whence)
end
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, 2 * expiry) end
return turn
"""


def _in_turn(inside: Iterable[str], able: Iterable[str], limit: int) -> list[str]:
    """Those who could come in, in the order in which they do: the script's rule once more."""
    able = list(able)
    held = Counter(map(_group, inside))
    share = max(1, limit // max(1, len({*held, *map(_group, able)})))
    first, later = [], []
    for one in able:
        if held[_group(one)] < share:
            held[_group(one)] += 1
            first.append(one)
        else:
            later.append(one)
    return first + later


def _group(member: str) -> str:
    return member.partition(":")[0]


class _Line:
    """The same in one process: until when places are held, and who waits, by when they came."""

    def __init__(self) -> None:
        self.places: dict[str, float] = {}
        self.waiting: dict[str, float] = {}
        self.credit: dict[str, float] = {}
        self.address: dict[str, str] = {}

    def ask(self, asked: _Asked) -> int:
        now, who = time.monotonic(), asked.who
        for part in (self.places, self.waiting):
            for gone in [one for one, until in part.items() if until <= now]:
                self.leave(gone)
        has_place = asked.is_in or who in self.places
        if not has_place:
            # A dict keeps the order in which its keys came, also where a value changes.
            self.waiting[who] = now + EXPIRY_SECONDS
            self.address[who] = asked.address
        able, barred = self._able(asked.of_address)
        first = _in_turn(self.places, able, asked.limit)
        free = max(0, asked.limit - len(self.places))
        credit = max(now, self.credit.get(who, now + CREDIT_SECONDS)) + asked.earned
        if has_place and credit <= now and first and not free:
            self.leave(who)
            return -1
        if not has_place and (turn := (first + barred).index(who) + 1 - free) > 0:
            return turn
        if who in barred:
            return 1
        self.waiting.pop(who, None)
        self.places[who] = now + EXPIRY_SECONDS
        self.credit[who] = min(now + CREDIT_SECONDS, credit)
        self.address[who] = asked.address
        return 0

    def _able(self, of_address: int) -> tuple[list[str], list[str]]:
        """Who waits and could come in, and those whose address has as many places as it may."""
        here = Counter(map(self.address.get, self.places))
        able: list[str] = []
        barred: list[str] = []
        for one in self.waiting:
            address = self.address.get(one)
            here[address] += 1
            fits = not of_address or not address or here[address] <= of_address
            (able if fits else barred).append(one)
        return able, barred

    def leave(self, who: str) -> None:
        for part in (self.places, self.waiting, self.credit, self.address):
            part.pop(who, None)


_here: dict[str, _Line] = {}


def forget() -> None:
    """Begin anew in this process; for tests."""
    _here.clear()


@dataclass(frozen=True)
class _Asked:
    """One question: the script's arguments, and those of its double."""

    who: str
    address: str
    is_in: bool
    limit: int
    of_address: int
    earned: float

    def arguments(self) -> list[str]:
        numbers = (self.limit, self.of_address, EXPIRY_SECONDS, CREDIT_SECONDS, self.earned)
        return [self.who, self.address, str(int(self.is_in)), *map(str, numbers)]


class Turn:
    """Somebody's turn; the same somebody has the same one in another process."""

    def __init__(
        self,
        what: str,
        who: str,
        limit: int,
        *,
        group: str = "",
        address: str = "",
        of_address: int = 0,
    ) -> None:
        """Nothing is asked yet.

        Args:
            what: there are places for; each has a line of its own.
            who: unguessable, and nothing that tells who it is.
            limit: how many places there are.
            group: that shares them with others equally; without a colon.
            address: of the network, kept as a keyed hash; empty for one that is not counted.
            of_address: how many places one address may have at a time; 0 for all of them.
        """
        self._what, self._who, self._limit = what, f"{group}:{who}", limit
        self._of_address = of_address
        self._address = ""
        if address:
            digest = salted_hmac("operations.waiting_line", address, algorithm="sha256")
            self._address = digest.hexdigest()[:32]

    async def ask(self) -> int:
        """Take a place, or wait on; to be called every few seconds.

        Returns:
            0 for whoever is in, and stays in by asking; otherwise the turn in the line, from 1.
        """
        # Below 0: a place of before was not used, and is lost; then the line begins at its end.
        while (turn := await self._ask(is_in=False)) < 0:
            pass
        return turn

    async def keep(self, earned: float = CREDIT_SECONDS) -> bool:
        """Stay in, whatever was forgotten meanwhile.

        Args:
            earned: seconds of credit for what was sent since the last time.

        Returns:
            Whether the place is kept; otherwise it was not used, and is somebody else's.
        """
        return await self._ask(is_in=True, earned=earned) >= 0

    async def leave(self) -> None:
        """Make room at once, instead of after :data:`EXPIRY_SECONDS`."""
        self._line().leave(self._who)
        if open_sockets.is_away():
            return
        *ranked, address = self._keys()
        try:
            async with open_sockets.client().pipeline(transaction=False) as pipeline:
                for key in ranked:
                    pipeline.zrem(key, self._who)
                pipeline.hdel(address, self._who)
                await pipeline.execute()
        except (RedisError, OSError):
            open_sockets.step_aside()

    async def _ask(self, *, is_in: bool, earned: float = 0.0) -> int:
        asked = _Asked(self._who, self._address, is_in, self._limit, self._of_address, earned)
        if not open_sockets.is_away():
            keys = self._keys()
            try:
                answer = open_sockets.client().eval(_ASK, len(keys), *keys, *asked.arguments())
                return int(await cast("Awaitable[str]", answer))
            except (RedisError, OSError):
                open_sockets.step_aside()
        return self._line().ask(asked)

    def _line(self) -> _Line:
        return _here.setdefault(self._what, _Line())

    def _keys(self) -> list[str]:
        return [f"visage:line:{self._what}:{part}" for part in _PARTS]
