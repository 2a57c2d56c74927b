"""Is everything there that the site needs? For load balancers, monitors, `make run` and staff."""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from emotion_site.celery import app
from recognition import broker
from recognition.model_catalogue import active_manifest, known_manifest
from recognition.vision.errors import ModelError
from recognition.vision.manifest import Manifest


@require_GET
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Tell each part's state; 200 where all are well, else 503."""
    parts = {name: _state(check) for name, check in _CHECKS.items()}
    healthy = all(state == "ok" for state in parts.values())
    manifest = _manifest()
    body = {
        "status": "ok" if healthy else "unavailable",
        **parts,
        "model_version": manifest.version if manifest else None,
    }
    return JsonResponse(body, status=200 if healthy else 503)


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
    with broker.connect(settings.REDIS_TIMEOUT) as client:
        return bool(client.ping())


def workers_alive(timeout: float) -> int:
    """Workers that answer within `timeout` seconds; that long is waited for more of them."""
    return len(app.control.ping(timeout=timeout) or [])


def _worker() -> bool:
    return ping_redis() and bool(app.control.ping(timeout=settings.REDIS_TIMEOUT, limit=1))


def _model() -> bool:
    return _manifest() is not None


def _manifest() -> Manifest | None:
    """The active model's, or the last one known where the database does not answer."""
    try:
        try:
            return active_manifest()
        except DatabaseError:
            return known_manifest()
    except ModelError:
        return None


_CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database,
    "redis": ping_redis,
    "worker": _worker,
    "model": _model,
}
