"""The page that Prometheus reads, for those who have the token."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import redis
from django.conf import settings
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder

from operations import metrics
from operations.redis_client import connect
from operations.tasks_seen import QUEUED_AT
from recognition.jobs import broker
from recognition.jobs.job import UNFINISHED
from recognition.models import Upload

logger = logging.getLogger(__name__)

#: For each choice of labels, its numbers by part (see `metrics.Series`).
Numbers = dict[tuple[str, ...], dict[str, float]]


@require_GET
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """All measures of the whole site; without the token there is nothing here."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(given, expected):
        raise Http404
    registry = CollectorRegistry()
    registry.register(SiteCollector())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


class SiteCollector:
    """What the database and Redis know at this moment."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield _uploads()
        is_up = GaugeMetricFamily("visage_redis_up", "Whether Redis answered.")
        try:
            with connect() as client:
                found = [*_queues(client), *_series(client)]
        except redis.RedisError:
            logger.warning("metrics are shown without Redis")
            found = []
        is_up.add_metric([], float(bool(found)))
        yield is_up
        yield from found


def _uploads() -> Metric:
    """Those on their way; those that ended are counted when they end, not in a growing table."""
    counted = dict(
        Upload.objects.unfinished().order_by().values_list("status").annotate(count=Count("pk"))
    )
    family = GaugeMetricFamily("visage_uploads", "Uploads on their way.", labels=["status"])
    for status in UNFINISHED:
        family.add_metric([status.value], counted.get(status.value, 0))
    return family


def _queues(client: redis.Redis) -> Iterator[Metric]:
    length = GaugeMetricFamily(
        "visage_queue_messages", "Tasks that no worker has taken yet.", labels=["queue"]
    )
    age = GaugeMetricFamily(
        "visage_queue_oldest_seconds", "Age of the oldest task that waits.", labels=["queue"]
    )
    now = time.time()
    for name in broker.queue_names():
        lists = broker.lists(name)
        length.add_metric([name], float(sum(client.llen(key) for key in lists)))
        oldest: list[Any] = [client.lindex(key, -1) for key in lists]
        queued = [json.loads(message)["headers"].get(QUEUED_AT) for message in oldest if message]
        age.add_metric([name], max((max(0.0, now - at) for at in queued if at), default=0.0))
    yield length
    yield age


def _series(client: redis.Redis) -> Iterator[Metric]:
    numbers: dict[str, Numbers] = {}
    for field, total in client.hgetall(metrics.SUMS_KEY).items():
        _put(numbers, field, float(total))
    for name, n_open in _open_now(client):
        _put(numbers, name, n_open)
    for series in metrics.ALL:
        found = numbers.get(series.name, {})
        if isinstance(series, metrics.Histogram):
            yield _histogram(series, found)
            continue
        kind = CounterMetricFamily if isinstance(series, metrics.Counter) else GaugeMetricFamily
        family: Any = kind(series.name, series.help, labels=series.labels)
        for labels, parts in found.items():
            family.add_metric(labels, parts[""])
        yield family


def _open_now(client: redis.Redis) -> Iterator[tuple[str, float]]:
    """``(field, number)`` of each process that still tells; the others are forgotten."""
    processes: Any = list(client.smembers(metrics.PROCESSES_KEY))
    if not processes:
        return
    told: Any = client.mget([metrics.OPEN_KEY.encode() + process for process in processes])
    for process, numbers in zip(processes, told, strict=True):
        if numbers is None:
            client.srem(metrics.PROCESSES_KEY, process)
            continue
        yield from json.loads(numbers).items()


def _put(numbers: dict[str, Numbers], field: bytes | str, value: float) -> None:
    name, labels, part = json.loads(field)
    parts = numbers.setdefault(name, {}).setdefault(tuple(labels), {})
    parts[part] = parts.get(part, 0.0) + value


def _histogram(series: metrics.Histogram, found: Numbers) -> Metric:
    family = HistogramMetricFamily(series.name, series.help, labels=series.labels)
    for labels, parts in found.items():
        total = 0.0
        buckets = []
        for bound in (*map(str, series.bounds), "+Inf"):
            total += parts.get(bound, 0.0)
            buckets.append((bound, total))
        family.add_metric(labels, buckets, sum_value=parts.get("sum", 0.0))
    return family
