"""How often something may happen in a time, counted by all web processes together.

Counts are kept in Redis. While that is away each process counts for itself: a limit that cannot be
shared is a looser limit, not a closed door, and never a wait.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter

from django.conf import settings
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from operations.redis_client import connect

logger = logging.getLogger(__name__)

#: Seconds to wait for Redis, and for which it is not asked again once it did not answer.
TIMEOUT, PAUSE = 0.25, 5.0
#: Counts that one process keeps for itself; beyond them it begins anew.
MAXIMUM_KEPT = 50_000
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}

_here: Counter[str] = Counter()
_lock = threading.Lock()
_client = connect(TIMEOUT)
_away_until = 0.0


def too_often(what: str, who: str, rate: str) -> int | None:
    """Count once more, and say whether that is above the rate.

    Args:
        what: what is counted; counts of different things do not mix.
        who: by whom, such as a network address; it is kept as a keyed hash.
        rate: such as ``300/min`` (s, min, h, d); empty for no limit.

    Returns:
        Seconds after which it may be tried again; None where it is within the rate.
    """
    if not rate:
        return None
    number, _, period = rate.partition("/")
    length = SECONDS[period[0]]
    now = time.time()
    window = int(now // length)
    digest = salted_hmac(f"operations.rates.{what}", who, algorithm="sha256").hexdigest()[:32]
    count = _count(f"{settings.RATE_PREFIX}:{what}:{digest}:{window}", length)
    return None if count <= int(number) else int(length - now % length) + 1


def forget() -> None:
    """Begin anew in this process; for tests."""
    with _lock:
        _here.clear()


def _count(key: str, length: int) -> int:
    global _away_until
    if time.monotonic() >= _away_until:
        try:
            with _client.pipeline() as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, length)
                return int(pipeline.execute()[0])
        except RedisError as error:
            _away_until = time.monotonic() + PAUSE
            logger.warning("rates are counted here alone: %s", type(error).__name__)
    with _lock:
        if len(_here) >= MAXIMUM_KEPT:
            _here.clear()
        _here[key] += 1
        return _here[key]
