"""Queue again the uploads whose task was lost; the scheduler does the same every few seconds."""

from typing import Any

from django.core.management.base import BaseCommand

from recognition import processing, tasks


class Command(BaseCommand):
    help = "Queue again the uploads whose task was lost."

    def handle(self, *args: Any, **options: Any) -> None:
        overdue = processing.take_overdue()
        for upload_id in overdue:
            tasks.enqueue(upload_id)
        self.stdout.write(f"{len(overdue)} uploads queued again")
