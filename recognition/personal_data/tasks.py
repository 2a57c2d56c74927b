"""Celery tasks of exports and of accounts that were closed."""

from __future__ import annotations

import logging

from celery import shared_task

from recognition.models import DataExport
from recognition.personal_data import account_deletion
from recognition.personal_data import export as data_export

logger = logging.getLogger(__name__)


@shared_task(name=DataExport.task, soft_time_limit=3600, time_limit=3660)
def build_export(export_id: str) -> None:
    """Prepare an export of everything; safe to run any number of times."""
    data_export.build(export_id)


@shared_task(name="recognition.sweep_exports", ignore_result=True)
def sweep_exports() -> None:
    """Queue again the exports whose task was lost, and delete those that have expired."""
    DataExport.objects.sweep()
    expired = data_export.delete_expired()
    if expired:
        logger.info("deleted %d expired exports", expired)


@shared_task(name=account_deletion.TASK, soft_time_limit=240, time_limit=250)
def delete_account(user_id: int, goes_on: bool = False) -> None:
    """Delete a closed account, or a part of it; safe to run any number of times."""
    account_deletion.delete(user_id, goes_on=goes_on)


@shared_task(name="recognition.sweep_closed_accounts", ignore_result=True)
def sweep_closed_accounts() -> None:
    """Queue again the deletions whose task was lost."""
    account_deletion.sweep()
