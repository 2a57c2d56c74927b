"""Is everything there that the site needs? For load balancers, monitors, `make run` and staff."""

import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from emotion_site.celery import app
from operations.redis_client import connect
from recognition.model_registry.catalogue import manifest_at_hand

#: How long an answer stands. Anybody may ask as often as they like, so asking must not become
#: work for the database, Redis or the workers. Bad news stands for less, so that whoever waits
#: for the site to come up is not kept waiting.
FRESH_SECONDS = 3.0
FRESH_SECONDS_UNAVAILABLE = 1.0

#: The worker for webhooks goes by another name.
PHOTO_WORKERS = "celery@*"

_asking = threading.Lock()
_known: tuple[float, dict[str, str], str | None] | None = None


@require_GET
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """This process answers: asks nobody else, for whoever restarts processes that hang."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Tell each part's state; 200 where all are well, else 503."""
    parts, model_version = _parts()
    healthy = all(state == "ok" for state in parts.values())
    body = {
        "status": "ok" if healthy else "unavailable",
        **parts,
        "model_version": model_version,
    }
    return JsonResponse(body, status=200 if healthy else 503)


def _parts() -> tuple[dict[str, str], str | None]:
    """What was last found out, or is found out now; only one request of a process asks.

    Returns:
        The state of each part, and the version of the active model.
    """
    global _known
    if _known is not None and _is_fresh(_known):
        return _known[1:]
    # The others go on with what is known, unless it is nothing.
    if not _asking.acquire(blocking=_known is None) and _known is not None:
        return _known[1:]
    try:
        if _known is None or not _is_fresh(_known):
            parts = {name: _state(check) for name, check in _CHECKS.items()}
            manifest = manifest_at_hand()
            _known = (time.monotonic(), parts, manifest.version if manifest else None)
        return _known[1:]
    finally:
        _asking.release()


def _is_fresh(known: tuple[float, dict[str, str], str | None]) -> bool:
    told_at, parts, _model_version = known
    is_well = all(state == "ok" for state in parts.values())
    fresh_seconds = FRESH_SECONDS if is_well else FRESH_SECONDS_UNAVAILABLE
    return time.monotonic() - told_at < fresh_seconds


def _state(check: Callable[[], bool]) -> str:
    try:
        return "ok" if check() else "unavailable"
    except Exception:  # Whatever it is, a monitor needs the answer and a stranger no details.
        return "unavailable"


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def ping_redis() -> bool:
    """Ask Redis for a sign of life, within :data:`settings.REDIS_TIMEOUT`."""
    with connect() as client:
        return bool(client.ping())


def workers_alive(timeout: float) -> int:
    """Workers that look at photos and answer within `timeout` seconds, all of which is waited."""
    return len(app.control.ping(timeout=timeout, pattern=PHOTO_WORKERS, matcher="glob") or [])


def _worker() -> bool:
    if not ping_redis():
        return False
    answers = app.control.ping(
        timeout=settings.REDIS_TIMEOUT, limit=1, pattern=PHOTO_WORKERS, matcher="glob"
    )
    return bool(answers)


def _model() -> bool:
    return manifest_at_hand() is not None


_CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database,
    "redis": ping_redis,
    "worker": _worker,
    "model": _model,
}
