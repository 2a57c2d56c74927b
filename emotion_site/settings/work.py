"""Celery: what workers take, in which order, and what is done again and again."""

from typing import Any

from kombu import Exchange, Queue

from emotion_site.settings.environment import DATA_DIR, REDIS_TIMEOUT, REDIS_URL

CELERY_BROKER_URL = (
    REDIS_URL.replace("unix://", "redis+socket://", 1)
    if REDIS_URL.startswith("unix://")
    else REDIS_URL
)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_timeout": REDIS_TIMEOUT,
    "socket_connect_timeout": REDIS_TIMEOUT,
    # A page that queues a photo tries once; the worker's own connection has its own patience.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "connect_retries_timeout": REDIS_TIMEOUT,
    # A worker empties the first queue of its -Q before it takes from the next.
    "queue_order_strategy": "priority",
}
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 40
CELERY_TASK_TIME_LIMIT = 45
# In the order in which workers look into them; recognition/jobs/queues.py says what goes where.
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name) for name in ("urgent", "interactive", "bulk")
]
CELERY_TASK_DEFAULT_QUEUE = "bulk"
CELERY_TASK_ROUTES = {
    "recognition.process_upload": {"queue": "interactive"},
    "recognition.explain_face": {"queue": "interactive"},
    "recognition.delete_account": {"queue": "urgent"},
    # Short, and not to wait behind videos: what was deleted is to go in time.
    "*.sweep_*": {"queue": "urgent"},
    "accounts.clear_expired": {"queue": "urgent"},
    # A worker of its own takes these: receivers of webhooks may be slow, photos shall not wait.
    "recognition.deliver_webhooks": {"queue": "webhooks"},
    # A storage that has failed before may do so again, and slowly.
    "operations.delete_left_files": {"queue": "webhooks"},
}
# A page never waits for the broker: what cannot be queued now is queued by the sweep.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")


def _every(seconds: float, task: str) -> dict[str, Any]:
    """A message that expires when the next one comes: none pile up while nobody takes them."""
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


CELERY_BEAT_SCHEDULE = {
    "sweep-uploads": _every(10.0, "recognition.sweep_uploads"),
    "deliver-webhooks": _every(10.0, "recognition.deliver_webhooks"),
    "sweep-closed-accounts": _every(30.0, "recognition.sweep_closed_accounts"),
    "sweep-videos": _every(30.0, "recognition.sweep_videos"),
    "sweep-exports": _every(30.0, "recognition.sweep_exports"),
    "sweep-comparisons": _every(30.0, "recognition.sweep_comparisons"),
    "delete-left-files": _every(60.0, "operations.delete_left_files"),
    "sweep-kept-videos": _every(600.0, "recognition.sweep_kept_videos"),
    "sweep-photos": _every(600.0, "recognition.sweep_photos"),
    "sweep-trash": _every(600.0, "recognition.sweep_trash"),
    "sweep-studies": _every(600.0, "studies.sweep_studies"),
    "sweep-api": _every(3600.0, "recognition.sweep_api"),
    "clear-expired": _every(3600.0, "accounts.clear_expired"),
}
