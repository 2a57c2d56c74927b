"""Messages to the workers: the name of a task and an id. Only hints, so one may be lost."""

from __future__ import annotations

import logging
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def send(task: str, *arguments: Any, delay: float = 0, **options: Any) -> bool:
    """Hand work to the workers; False where the queue cannot be reached.

    Args:
        task: its name; each app's ``ready`` imports the module that registers its own.
        arguments: what can be written as JSON.
        delay: seconds that the message is kept from workers.
        options: of :meth:`celery.Task.apply_async`; None for the task's own.
    """
    options["countdown"] = delay or None
    given = {name: value for name, value in options.items() if value is not None}
    try:
        current_app.tasks[task].apply_async(arguments, **given)
    except OperationalError:
        logger.warning("the queue cannot be reached: %s %s", task, *arguments[:1] or ("",))
        return False
    return True


def send_on_commit(task: str, *arguments: Any, **options: Any) -> None:
    """The same once the rows that it is about are in the database."""
    transaction.on_commit(lambda: send(task, *arguments, **options))
