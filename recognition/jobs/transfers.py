"""Files on their way to or from a storage, which may be far away, while a job keeps its claim."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

#: Seconds after which the claim is moved on: a fraction of `CLAIM_SECONDS`.
EVERY = 10.0

_Result = TypeVar("_Result")


def meanwhile(go_on: Callable[[], object], transfer: Callable[[], _Result]) -> _Result:
    """Transfer in a thread of its own, and go on with the claim in this one.

    Args:
        go_on: keeps the claim; what it raises is raised here, once the transfer has ended.
        transfer: asks nothing of the database.

    Returns:
        What `transfer` does; what it raises is raised here.
    """
    with ThreadPoolExecutor(1, "transfer") as pool:
        transferred = pool.submit(transfer)
        while not wait([transferred], timeout=EVERY).done:
            go_on()
        return transferred.result()
