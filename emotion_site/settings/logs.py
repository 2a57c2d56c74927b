"""Logs and metrics."""

from django.core.exceptions import ImproperlyConfigured
from django_guid.integrations.celery import CeleryIntegration

from emotion_site.settings.environment import env

#: `line` for people, `json` for programs: with every request and task, and the id of the request
#: that led to it.
LOG_FORMAT = env.str("LOG_FORMAT", default="line")
if LOG_FORMAT not in {"line", "json"}:
    raise ImproperlyConfigured("LOG_FORMAT is either line or json.")
#: Who knows it may read /metrics; without one there are no metrics.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

DJANGO_GUID = {
    # An id that comes along is taken if it is a UUID (32 hexadecimal digits, as nginx makes them).
    "GUID_HEADER_NAME": "X-Request-ID",
    "VALIDATE_GUID": True,
    "EXPOSE_HEADER": False,
    "INTEGRATIONS": [CeleryIntegration(use_django_logging=True)],
}
_SEEN_LEVEL = "INFO" if LOG_FORMAT == "json" else "WARNING"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "django_guid.log_filters.CorrelationId"},
        "without_address": {"()": "operations.log_format.Requests"},
    },
    "formatters": {
        "line": {
            "()": "operations.log_format.LineFormatter",
            "format": "%(levelname)s %(name)s: %(message)s",
        },
        "json": {
            "()": "operations.log_format.JsonLineFormatter",
            "format": "%(levelname)s %(name)s %(message)s %(process)d %(correlation_id)s",
            "rename_fields": {
                "levelname": "level",
                "name": "logger",
                "correlation_id": "request_id",
                "timestamp": "time",
            },
            "timestamp": True,
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["request_id", "without_address"],
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "operations.requests_seen": {"level": _SEEN_LEVEL},
        "operations.tasks_seen": {"level": _SEEN_LEVEL},
        # Django's own handler would write a line in another shape.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "django_guid": {"level": "ERROR"},
        # One line for every request and every open socket says little and hides the rest.
        "django.channels.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        # It tells the addresses that are called: those of webhooks, with their keys.
        "httpx": {"level": "WARNING"},
    },
}
