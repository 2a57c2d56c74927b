"""What is done every minute: files that a storage did not delete are gone after all."""

from celery import shared_task

from operations import stored_files


@shared_task(name="operations.delete_left_files", ignore_result=True)
def delete_left_files() -> None:
    """Try again, the oldest first, until the storage fails once more; safe to run twice at once."""
    stored_files.delete_left()
