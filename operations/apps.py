import logging

from django.apps import AppConfig
from django.conf import settings


class OperationsConfig(AppConfig):
    name = "operations"

    def ready(self) -> None:
        from operations import tasks, tasks_seen  # noqa: F401  (they register themselves)

        if settings.LOG_FORMAT == "json":
            # Python's own warnings would be lines of another shape.
            logging.captureWarnings(True)
