"""Connections of threads that stay to PostgreSQL: kept from one request or question to the next.

A new one takes PostgreSQL a process of its own, and longer than most questions. SQLite's stay as
they are: while one is open, what was deleted remains in the file beside the database.
"""

from __future__ import annotations

from collections import ChainMap
from typing import Any, cast

from django.db import connection

#: Seconds after which one is replaced all the same.
SECONDS = 60


def keep() -> None:
    """To be called in such a thread, before it asks anything."""
    if connection.vendor == "postgresql":
        # This thread's alone: the settings themselves are for threads that come and go, too. Not a
        # copy of them, for tests name their database once threads are there.
        settings: Any = ChainMap({"CONN_MAX_AGE": SECONDS}, cast("Any", connection.settings_dict))
        connection.settings_dict = settings


def let_go() -> None:
    """Close this thread's connection, where it is about to wait for something else than it."""
    # In a transaction it is somebody's around this, who will want it again.
    if not connection.in_atomic_block:
        connection.close()
