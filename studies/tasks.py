"""What workers do for studies; Celery finds it here."""

from celery import shared_task

from studies.planning import deleting


@shared_task(name=deleting.TASK, ignore_result=True)
def sweep_studies() -> None:
    """Delete the studies whose day has come, and what was only tried a while ago."""
    deleting.delete_due()
    deleting.delete_old_previews()
