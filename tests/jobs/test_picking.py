"""Whose turn it is."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from recognition.jobs import job
from recognition.jobs.picking import MANY_WAITING
from recognition.models import Upload, Webhook, WebhookDelivery
from tests.support.factories import make_person

pytestmark = pytest.mark.django_db


def wait(owner: User, count: int, **fields: Any) -> list[str]:
    """Rows that wait, the first of them the longest."""
    since = timezone.now() - timedelta(minutes=5)
    rows = [
        Upload(
            owner=owner, name="a.jpg", width=1, height=1, byte_size=1,
            **{"queued_at": since + timedelta(milliseconds=number), **fields},
        )
        for number in range(count)
    ]  # fmt: skip
    return [str(row.pk) for row in Upload.objects.bulk_create(rows)]


def claim(pk: str) -> Upload:
    upload = Upload.objects.claim(pk)
    assert upload is not None
    return upload


def test_what_a_message_names_is_taken_where_nobody_else_waits(alice: User) -> None:
    first, second = wait(alice, 2)
    assert str(claim(second).pk) == second
    assert str(claim(first).pk) == first


def test_one_photo_does_not_wait_behind_five_hundred(alice: User, bob: User) -> None:
    batch = wait(alice, 500)
    claim(batch[0])
    (single,) = wait(bob, 1, queued_at=timezone.now())
    assert str(claim(batch[1]).pk) == single
    # The message that named it finds what is left.
    assert claim(single).owner == alice


def test_a_newcomer_is_before_whoever_was_just_served(alice: User, bob: User) -> None:
    """Nobody has anything in work: it counts who was served last."""
    batch, (single,) = wait(alice, 30), wait(bob, 1, queued_at=timezone.now())
    Upload.objects.finish(claim(batch[0]))
    assert str(claim(batch[1]).pk) == single


def test_a_newcomer_is_before_whoever_was_served_in_the_hour(db: None) -> None:
    """Dozens with heavy photos are not through in a minute."""
    people = [make_person(f"{name}@example.org", "a-password") for name in "abc"]
    batches = [wait(person, 10) for person in people]
    for batch in batches:
        Upload.objects.finish(claim(batch[0]))
    Upload.objects.filter(finished_at__isnull=False).update(
        finished_at=timezone.now() - timedelta(minutes=10)
    )
    newcomer = make_person("newcomer@example.org", "a-password")
    (single,) = wait(newcomer, 1, queued_at=timezone.now())
    assert str(claim(batches[0][1]).pk) == single


def test_a_message_that_counts_as_lost_costs_nobody_their_place(alice: User, bob: User) -> None:
    carol = make_person("carol@example.org", "a-password")
    (first,), (second,), (third,) = wait(alice, 1), wait(bob, 1), wait(carol, 1)
    for minutes, pk in enumerate((third, second, first)):
        created_at = timezone.now() - timedelta(minutes=minutes)
        Upload.objects.filter(pk=pk).update(created_at=created_at)
    # The message of what waits the longest was lost, and is sent again.
    Upload.objects.filter(pk=first).update(queued_at=timezone.now())
    assert str(Upload.objects.claim(None).pk) == first  # type: ignore[union-attr]


def test_shares_of_several_people_are_equal(db: None) -> None:
    people = [make_person(f"{name}@example.org", "a-password") for name in "abc"]
    names = [pk for person in people for pk in wait(person, 100)]
    served: Counter[User] = Counter()
    working: list[Upload] = []
    for pk in names[:60]:
        working.append(claim(pk))
        if len(working) == 2:
            done = working.pop(0)
            served[done.owner] += 1
            assert Upload.objects.finish(done)
    assert max(served.values()) - min(served.values()) <= 2


def test_a_message_whose_own_was_taken_in_that_moment_finds_another(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers choose the same row; the second one's message must not be spent on nothing."""
    first, second = wait(alice, 2)
    choose = job.pick

    def too_late(jobs: Any, named: Any) -> Any:
        monkeypatch.setattr(job, "pick", choose)
        chosen = choose(jobs, named)
        assert str(claim(chosen).pk) == first
        return chosen

    monkeypatch.setattr(job, "pick", too_late)
    assert str(claim(first).pk) == second
    assert Upload.objects.claim(second) is None


def test_a_worker_kept_free_for_people_is_not_given_a_batch(alice: User, bob: User) -> None:
    wait(alice, MANY_WAITING + 1)
    first, second = wait(bob, 2, queued_at=timezone.now())
    assert str(claim(first).pk) == first
    assert str(claim(second).pk) == second


def test_what_is_not_due_yet_keeps_its_delay(alice: User, bob: User) -> None:
    (later,) = wait(alice, 1, queued_at=timezone.now() + timedelta(seconds=3))
    (gone,) = wait(bob, 1)
    Upload.objects.finish(claim(gone))
    assert Upload.objects.claim(gone) is None
    assert str(claim(later).pk) == later, "its own message says that it is time"


def test_no_message_is_lost_on_one_that_others_have_taken(alice: User, bob: User) -> None:
    names = wait(alice, 5) + wait(bob, 5)
    assert len({claim(pk).pk for pk in names}) == 10


def test_slow_receivers_of_one_person_leave_threads_to_others(alice: User, bob: User) -> None:
    now = timezone.now()
    for person, count in ((alice, 80), (bob, 1)):
        hook = Webhook.objects.create(owner=person, url="https://example.org/", secret="x")
        WebhookDelivery.objects.bulk_create(
            WebhookDelivery(webhook=hook, event="ping", payload={}, queued_at=now)
            for _ in range(count)
        )
    claimed = [WebhookDelivery.objects.claim() for _ in range(5)]
    owners = Counter(one.webhook.owner for one in claimed if one is not None)
    assert owners == {alice: 2, bob: 1}


def test_receivers_that_never_answer_do_not_come_first_for_ever(db: None) -> None:
    """Each of many people has had an attempt and has more to send; one person's arrive."""
    now = timezone.now()
    names = ["waits", *(f"fails{number}" for number in range(12))]
    hooks = {
        name: Webhook.objects.create(
            owner=make_person(f"{name}@example.org", "a-password"),
            url="https://example.org/", secret="x",
        )
        for name in names
    }  # fmt: skip
    deliveries = WebhookDelivery.objects
    for name, hook in hooks.items():
        delivery = deliveries.create(webhook=hook, event="ping", payload={}, queued_at=now)
        claimed = deliveries.claim(delivery.pk)
        assert claimed == delivery
        if name == "waits":
            assert deliveries.finish(claimed)
        else:
            assert deliveries.release(claimed, delay=10)
    for hook in reversed(hooks.values()):
        deliveries.create(webhook=hook, event="ping", payload={}, queued_at=now)
    claimed = deliveries.claim()
    assert claimed is not None
    assert claimed.webhook == hooks["waits"]
