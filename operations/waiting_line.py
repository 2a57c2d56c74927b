"""So many places for all web processes together, and a line of those who wait for one.

Redis holds both. While it is away each process keeps a line of its own: more may then be in at a
time than there are places, which is slower for them and shuts nobody out.

Who waits belongs to a group, such as a study. While several groups want places, each has an equal
share of them: whoever is below it is let in before those who are above, who then wait for a place
that nobody else's share claims. Nobody who is in is sent away.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Iterable
from typing import cast

from redis.exceptions import RedisError

from operations import open_sockets

#: Seconds for which a place is kept, and a turn in the line, for somebody who does not ask again:
#: a reload, or a moment without network, loses neither. Redis forgets all of them twice as long
#: after the last question.
EXPIRY_SECONDS = 20

_ASK = """
local places, line, alive = KEYS[1], KEYS[2], KEYS[3]
local who, limit, expiry, is_in = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local now = redis.call('TIME')
now = tonumber(now[1]) + tonumber(now[2]) / 1000000
redis.call('ZREMRANGEBYSCORE', places, '-inf', now)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', now)) do
    redis.call('ZREM', line, gone)
    redis.call('ZREM', alive, gone)
end
local turn = 0
if not is_in and not redis.call('ZSCORE', places, who) then
    if not redis.call('ZSCORE', line, who) then redis.call('ZADD', line, now, who) end
    redis.call('ZADD', alive, now + expiry, who)
    local function group(one) return string.match(one, '^[^:]*') end
    local inside, waiting = redis.call('ZRANGE', places, 0, -1), redis.call('ZRANGE', line, 0, -1)
    local held, groups = {}, 0
    for _, one in ipairs(inside) do
        local its = group(one)
        if not held[its] then held[its] = 0; groups = groups + 1 end
        held[its] = held[its] + 1
    end
    for _, one in ipairs(waiting) do
        local its = group(one)
        if not held[its] then held[its] = 0; groups = groups + 1 end
    end
    local share = math.max(1, math.floor(limit / groups))
    local first, later = {}, {}
    for _, one in ipairs(waiting) do
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
    for rank, one in ipairs(first) do
        if one == who then turn = math.max(0, rank - free) end
    end
end
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, 2 * expiry) end
if turn > 0 then return turn end
redis.call('ZREM', line, who)
redis.call('ZREM', alive, who)
redis.call('ZADD', places, now + expiry, who)
redis.call('EXPIRE', places, 2 * expiry)
return 0
"""


def _in_turn(inside: Iterable[str], waiting: Iterable[str], limit: int) -> list[str]:
    """Those who wait, in the order in which they are let in: the script's rule once more."""
    waiting = list(waiting)
    held = Counter(map(_group, inside))
    share = max(1, limit // len({*held, *map(_group, waiting)}))
    first, later = [], []
    for one in waiting:
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

    def ask(self, who: str, limit: int, *, is_in: bool) -> int:
        now = time.monotonic()
        self.places = {one: until for one, until in self.places.items() if until > now}
        self.waiting = {one: until for one, until in self.waiting.items() if until > now}
        if not is_in and who not in self.places:
            # A dict keeps the order in which its keys came, also where a value changes.
            self.waiting[who] = now + EXPIRY_SECONDS
            rank = _in_turn(self.places, self.waiting, limit).index(who)
            free = max(0, limit - len(self.places))
            if rank >= free:
                return rank - free + 1
        self.waiting.pop(who, None)
        self.places[who] = now + EXPIRY_SECONDS
        return 0

    def leave(self, who: str) -> None:
        self.places.pop(who, None)
        self.waiting.pop(who, None)


_here: dict[str, _Line] = {}


def forget() -> None:
    """Begin anew in this process; for tests."""
    _here.clear()


class Turn:
    """Somebody's turn; the same somebody has the same one in another process."""

    def __init__(self, what: str, who: str, limit: int, *, group: str = "") -> None:
        """Nothing is asked yet.

        Args:
            what: there are places for; each has a line of its own.
            who: unguessable, and nothing that tells who it is.
            limit: how many places there are.
            group: that shares them with others equally; without a colon.
        """
        self._what, self._who, self._limit = what, f"{group}:{who}", limit

    async def ask(self) -> int:
        """Take a place, or wait on; to be called every few seconds.

        Returns:
            0 for whoever is in, and stays in by asking; otherwise the turn in the line, from 1.
        """
        return await self._ask(is_in=False)

    async def keep(self) -> None:
        """Stay in, whatever was forgotten meanwhile."""
        await self._ask(is_in=True)

    async def leave(self) -> None:
        """Make room at once, instead of after :data:`EXPIRY_SECONDS`."""
        self._line().leave(self._who)
        if open_sockets.is_away():
            return
        try:
            async with open_sockets.client().pipeline(transaction=False) as pipeline:
                for key in self._keys():
                    pipeline.zrem(key, self._who)
                await pipeline.execute()
        except (RedisError, OSError):
            open_sockets.step_aside()

    async def _ask(self, *, is_in: bool) -> int:
        if not open_sockets.is_away():
            arguments = (self._who, self._limit, EXPIRY_SECONDS, int(is_in))
            try:
                asked = open_sockets.client().eval(_ASK, 3, *self._keys(), *map(str, arguments))
                return int(await cast("Awaitable[str]", asked))
            except (RedisError, OSError):
                open_sockets.step_aside()
        return self._line().ask(self._who, self._limit, is_in=is_in)

    def _line(self) -> _Line:
        return _here.setdefault(self._what, _Line())

    def _keys(self) -> list[str]:
        return [f"visage:line:{self._what}:{part}" for part in ("places", "line", "alive")]
