"""A running site's rows are in the same state after the migration to one kind of job."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from recognition.models import DataExport, ModelComparison, WebhookDelivery

BEFORE = [("recognition", "0007_field_names")]


def migrate(targets: list[tuple[str, str]]) -> Any:
    MigrationExecutor(connection).migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


def newest() -> list[tuple[str, str]]:
    """The last migrations of every app: today's models fit no other database, and those that build
    on `recognition` went back with it.
    """
    return list(MigrationExecutor(connection).loader.graph.leaf_nodes())


@pytest.fixture
def before(transactional_db: None) -> Any:
    """The models of the version before, in a database of that version."""
    yield migrate(BEFORE)
    migrate(newest())
    assert MigrationExecutor(connection).migration_plan(newest()) == [], "tests after this one"


def test_rows_of_every_state_go_on_where_they_were(before: Any) -> None:
    now = timezone.now()
    later, earlier = now + timedelta(minutes=5), now - timedelta(minutes=5)
    accounts = MigrationExecutor(connection).loader.project_state(BEFORE).apps
    owner = accounts.get_model("accounts", "User").objects.create(email="old@example.org")
    hook = before.get_model("recognition", "Webhook").objects.create(
        owner_id=owner.pk, url="https://example.org", secret="s"
    )
    deliveries = before.get_model("recognition", "WebhookDelivery").objects
    for event, times in {
        "due": {"next_attempt_at": earlier, "attempts": 2},
        "later": {"next_attempt_at": later, "attempts": 1},
        "delivered": {"delivered_at": earlier, "attempts": 1},
        "given up": {"attempts": 6},
    }.items():
        deliveries.create(webhook=hook, event=event, payload={}, **times)
    exports = before.get_model("recognition", "DataExport").objects
    exports.create(owner_id=owner.pk, status="pending", queued_at=earlier)
    exports.create(owner_id=owner.pk, status="processing", claimed_until=earlier, attempts=1)
    exports.create(owner_id=owner.pk, status="done", finished_at=earlier, expires_at=later)
    comparisons = before.get_model("recognition", "ModelComparison").objects
    comparisons.create(candidate="between slices", status="processing", result={"seen": 3})
    comparisons.create(candidate="ended", status="cancelled", finished_at=earlier)

    migrate(newest())

    assert {row.event: row.state for row in WebhookDelivery.objects.all()} == {
        "due": "waiting", "later": "waiting", "delivered": "delivered", "given up": "given_up",
    }  # fmt: skip
    assert WebhookDelivery.objects.get(event="later").next_attempt_at == later
    assert WebhookDelivery.objects.get(event="delivered").delivered_at == earlier
    taken = WebhookDelivery.objects.claim()
    assert taken is not None
    assert (taken.event, taken.attempts) == ("due", 3)
    assert WebhookDelivery.objects.claim() is None
    assert DataExport.objects.get(status="done").expires_at == later
    unfinished = DataExport.objects.unfinished()
    attempts = set()
    while (export := unfinished.claim()) is not None:  # One after the other.
        attempts.add(export.attempts)
        assert unfinished.finish(export)
    assert attempts == {1, 2}
    comparison = ModelComparison.objects.claim(
        ModelComparison.objects.get(candidate="between slices").pk
    )
    assert comparison is not None
    assert comparison.result == {"seen": 3}
    assert ModelComparison.objects.get(candidate="ended").is_finished


def test_going_back_sends_nothing_twice(before: Any) -> None:
    migrate(newest())
    from accounts.models import User
    from recognition.models import Webhook

    owner = User.objects.create(email="new@example.org")
    hook = Webhook.objects.create(owner=owner, url="https://example.org", secret="s")
    now = timezone.now()
    for status in ("pending", "done", "failed"):
        WebhookDelivery.objects.create(
            webhook=hook, event=status, payload={}, status=status, queued_at=now
        )
    apps = migrate(BEFORE)
    due = apps.get_model("recognition", "WebhookDelivery").objects.filter(next_attempt_at=now)
    assert [row.event for row in due] == ["pending"]
