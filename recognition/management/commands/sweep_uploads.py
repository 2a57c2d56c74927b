"""Queue again the uploads whose task was lost; the scheduler does the same every few seconds."""

from typing import Any

from django.core.management.base import BaseCommand

from recognition.uploads import overdue


class Command(BaseCommand):
    help = "Queue again the uploads whose task was lost."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{overdue.requeue()} uploads queued again")
