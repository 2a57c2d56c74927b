"""What workers do for studies; Celery finds it here."""

from celery import shared_task

from studies.planning import deleting


@shared_task(name="studies.sweep_studies", ignore_result=True)
def sweep_studies() -> None:
    """Delete the studies whose day has come."""
    deleting.delete_due()
