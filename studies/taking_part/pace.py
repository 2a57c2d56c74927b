"""How many reports one network address may send in a web process, and how often a socket asks.

Each report is written, and all sockets of a process share a few threads for the database: a hundred
participants that somebody made at one address, each within its own rate, kept everybody waiting.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

from django.conf import settings

from operations.buckets import Bucket

#: Reports a second, and at once: of a room full of people who begin together.
REPORTS, REPORTS_AT_ONCE = 15, 150
#: Seconds between two looks at the line for those whom the next places are for, and at most: each
#: look costs as much as the line is long, and farther back there is less to see.
LINE_SECONDS, LONGEST_LINE_SECONDS = 1.0, 5.0

#: By network address, for as long as sockets are open there.
_of_address: WeakValueDictionary[str, Bucket] = WeakValueDictionary()


def of(address: str) -> Bucket:
    """What the sockets of a network address share."""
    bucket = _of_address.get(address)
    if bucket is None:
        bucket = _of_address[address] = Bucket(REPORTS, REPORTS_AT_ONCE)
    return bucket


def allows(shared: Bucket) -> bool:
    """Count a report; one that is refused costs the others at the address nothing."""
    if shared.take(1):
        return True
    shared.left += 1
    return False


def seconds_in_line(place: int) -> float:
    """Until whoever waits looks at the line again, by their place in it."""
    rounds = place / settings.STUDY_PARTICIPANTS_AT_ONCE
    return min(LINE_SECONDS * max(1.0, rounds), LONGEST_LINE_SECONDS)
