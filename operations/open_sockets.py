"""How many WebSockets are open, for one person and one address, in all web processes together.

Redis holds an entry for each, which ends by itself soon after its process has stopped renewing it.
Every process counts its own as well: while Redis is away, that is the limit.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

#: Seconds for which an entry stands that is not renewed.
EXPIRY_SECONDS = 10
#: Seconds to wait for Redis, and for which it is not asked again once it did not answer.
TIMEOUT, PAUSE = 1.0, 5.0

_TAKE = """
local now = redis.call('TIME')
now = tonumber(now[1]) + tonumber(now[2]) / 1000000
for number, key in ipairs(KEYS) do
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    local other = redis.call('ZSCORE', key, ARGV[1]) and 1 or 0
    local limit = tonumber(ARGV[number + 2])
    if limit > 0 and redis.call('ZCARD', key) - other >= limit then return 0 end
end
for number, key in ipairs(KEYS) do
    redis.call('ZADD', key, now + ARGV[2], ARGV[1])
    redis.call('EXPIRE', key, ARGV[2])
end
return 1
"""

_here: Counter[str] = Counter()
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = WeakKeyDictionary()
_away_until = 0.0


class Place:
    """An open socket's place among those of its person and of its address."""

    def __init__(self, limits: dict[str, int]) -> None:
        self._limits = limits
        self._id = uuid.uuid4().hex
        self._is_taken = False

    async def keep(self) -> None:
        """Renew the entry; to be called every few seconds."""
        await self._ask(*([0] * len(self._limits)))

    async def leave(self) -> None:
        """Make room for another; may be called again."""
        if not self._is_taken:
            return
        self._is_taken = False
        for key in self._limits:
            _here[key] -= 1
            if not _here[key]:
                del _here[key]
        if is_away():
            return
        try:
            async with client().pipeline(transaction=False) as pipeline:
                for key in self._limits:
                    pipeline.zrem(key, self._id)
                await pipeline.execute()
        except (RedisError, OSError):
            step_aside()

    async def _take(self) -> bool:
        if any(_here[key] >= limit for key, limit in self._limits.items()):
            return False
        # Before anything is waited for, so that no other socket of this process comes between.
        _here.update(self._limits.keys())
        self._is_taken = True
        is_there = False
        try:
            is_there = await self._ask(*self._limits.values())
        finally:
            # Whoever goes meanwhile keeps no place, either.
            if not is_there:
                await self.leave()
        return is_there

    async def _ask(self, *limits: int) -> bool:
        """Write the entry unless a limit above 0 is reached; True where Redis does not answer."""
        if is_away():
            return True
        keys = list(self._limits)
        try:
            answer = client().eval(_TAKE, len(keys), *keys, self._id, EXPIRY_SECONDS, *limits)
            return bool(await answer)
        except (RedisError, OSError):
            step_aside()
            return True


async def take(kind: str, person: int | str, address: str, *, of_person: int) -> Place | None:
    """A place for a socket that opens; None where there are too many already.

    Args:
        kind: which socket it is; each kind has limits of its own.
        person: the primary key, or what else tells one from another.
        address: of the network, as the web server tells it.
        of_person: how many of this kind one person may have.
    """
    place = Place(
        {
            _key(kind, "person", str(person)): of_person,
            _key(kind, "address", address): settings.SOCKETS_PER_ADDRESS,
        }
    )
    return place if await place._take() else None


def _key(kind: str, of: str, who: str) -> str:
    digest = salted_hmac(f"operations.open_sockets.{of}", who, algorithm="sha256").hexdigest()[:32]
    return f"visage:sockets:{kind}:{digest}"


def client() -> redis.asyncio.Redis:
    """Redis for this event loop, with short waits."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT
        )
    return _clients[loop]


def is_away() -> bool:
    """Whether Redis did not answer lately, and is not asked."""
    return time.monotonic() < _away_until


def step_aside() -> None:
    """Redis did not answer: ask it again in :data:`PAUSE` seconds."""
    global _away_until
    _away_until = time.monotonic() + PAUSE
    logger.warning("Redis does not answer; open sockets are counted by each process alone")
