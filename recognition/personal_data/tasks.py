"""Celery tasks of exports and of accounts that were closed."""

from __future__ import annotations

import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from recognition.personal_data import account_deletion
from recognition.personal_data import export as data_export

logger = logging.getLogger(__name__)


@shared_task(name="recognition.build_export", soft_time_limit=3600, time_limit=3660)
def build_export(export_id: str) -> None:
    """Prepare an export of everything; safe to run any number of times."""
    data_export.build(export_id)


@shared_task(name="recognition.sweep_exports", ignore_result=True)
def sweep_exports() -> None:
    """Queue again the exports whose task was lost, and delete those that have expired."""
    for export_id in data_export.take_overdue():
        enqueue_export(export_id)
    expired = data_export.delete_expired()
    if expired:
        logger.info("deleted %d expired exports", expired)


def enqueue_export(export_id: str) -> None:
    """Hand an export to the workers; without Redis, leave it to the sweep."""
    try:
        build_export.apply_async((export_id,))
    except OperationalError:
        logger.warning("the queue cannot be reached; the sweep will take export %s", export_id)
        data_export.leave_to_sweep(export_id)


@shared_task(name="recognition.delete_account", soft_time_limit=240, time_limit=250)
def delete_account(user_id: int) -> None:
    """Delete a closed account; safe to run any number of times."""
    account_deletion.delete(user_id)


@shared_task(name="recognition.sweep_closed_accounts", ignore_result=True)
def sweep_closed_accounts() -> None:
    """Queue again the deletions whose task was lost."""
    for user_id in account_deletion.overdue():
        enqueue_deletion(user_id)


def enqueue_deletion(user_id: int) -> None:
    """Hand a closed account to the workers; without Redis, leave it to the sweep."""
    try:
        delete_account.apply_async((user_id,))
    except OperationalError:
        logger.warning("the queue cannot be reached; the sweep will delete account %d", user_id)
