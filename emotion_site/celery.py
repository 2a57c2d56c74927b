"""The Celery application; its settings are the ``CELERY_`` ones of Django's settings."""

import os

from celery import Celery

# What a process writes is for its own user; where others read it, its code says so.
os.umask(0o077)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotion_site.settings")

app = Celery("emotion_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
