"""Celery: what workers take, in which order, and what is done again and again."""

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
    "recognition.sweep_closed_accounts": {"queue": "urgent"},
    "recognition.sweep_uploads": {"queue": "urgent"},
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
CELERY_BEAT_SCHEDULE = {
    # While no worker runs, sweeps do not pile up.
    "sweep-uploads": {
        "task": "recognition.sweep_uploads",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "clear-expired": {"task": "accounts.clear_expired", "schedule": 3600.0},
    "sweep-closed-accounts": {"task": "recognition.sweep_closed_accounts", "schedule": 30.0},
    "sweep-videos": {"task": "recognition.sweep_videos", "schedule": 30.0},
    "sweep-exports": {"task": "recognition.sweep_exports", "schedule": 30.0},
    "sweep-kept-videos": {"task": "recognition.sweep_kept_videos", "schedule": 600.0},
    "sweep-photos": {"task": "recognition.sweep_photos", "schedule": 600.0},
    "sweep-trash": {"task": "recognition.sweep_trash", "schedule": 600.0},
    # It expires, so that none pile up while nobody takes them.
    "deliver-webhooks": {
        "task": "recognition.deliver_webhooks",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "delete-left-files": {
        "task": "operations.delete_left_files",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "sweep-api": {"task": "recognition.sweep_api", "schedule": 3600.0},
    "sweep-studies": {"task": "studies.sweep_studies", "schedule": 600.0},
    "sweep-comparisons": {"task": "recognition.sweep_comparisons", "schedule": 30.0},
}
