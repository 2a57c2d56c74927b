"""The Celery application; its settings are the ``CELERY_`` ones of Django's settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init

from emotion_site import data_folder

# What a process writes is for its own user; where others read it, its code says so.
os.umask(0o077)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotion_site.settings")

app = Celery("emotion_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def _prepare_data_folder(**_signal: Any) -> None:
    """Of a worker and of the scheduler; whoever only sends tasks leaves the folder alone."""
    data_folder.prepare()
