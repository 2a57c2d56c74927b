"""Every transition of a job, for each kind of work: who may make it, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from recognition.jobs import messages
from recognition.jobs.job import ClaimLost, Job, changed, status_choices
from recognition.jobs.running import run
from recognition.models import DataExport, ModelComparison, Upload, Webhook, WebhookDelivery
from recognition.uploads.actions import create_upload

Status = Job.Status
KINDS = {
    "upload": lambda alice, photo: create_upload(alice, SimpleUploadedFile("a.jpg", photo)),
    "export": lambda alice, photo: DataExport.objects.create(owner=alice),
    "comparison": lambda alice, photo: ModelComparison.objects.create(candidate="a.json"),
    "delivery": lambda alice, photo: WebhookDelivery.objects.create(
        webhook=Webhook.objects.create(owner=alice, url="https://example.org", secret="s"),
        event="ping",
        payload={},
    ),
}
Rows = Callable[[], Any]


@pytest.fixture(params=KINDS)
def job(request: pytest.FixtureRequest, alice: User, face_jpeg: bytes) -> Any:
    """A job of each kind that waits, and has been queued now."""
    made = KINDS[request.param](alice, face_jpeg)
    type(made).objects.update(queued_at=timezone.now())
    made.refresh_from_db()
    return made


@pytest.fixture
def export(alice: User) -> DataExport:
    return DataExport.objects.create(owner=alice, queued_at=timezone.now())


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """``(task, id)`` of each message, instead of a queue."""
    found: list[tuple[str, str]] = []

    def send(task: str, pk: str, **options: Any) -> bool:
        found.append((task, pk))
        return True

    monkeypatch.setattr(messages, "send", send)
    return found


def jobs(job: Any) -> Any:
    return type(job).objects.all()


def claimed(job: Any) -> Any:
    taken = jobs(job).claim(job.pk)
    assert taken is not None
    return taken


def set_back(job: Any, **times: Any) -> None:
    jobs(job).filter(pk=job.pk).update(**times)


def expire(job: Any) -> None:
    past = timezone.now() - timedelta(hours=1)
    set_back(job, claimed_until=past, queued_at=past)


def now_in(job: Any) -> Any:
    return jobs(job).get(pk=job.pk)


def test_a_claim_begins_an_attempt_with_a_deadline(job: Any) -> None:
    before = timezone.now()
    taken = claimed(job)
    seconds = timedelta(seconds=type(job).claim_seconds())
    assert (taken.status, taken.attempts) == (Status.PROCESSING, 1)
    assert before + seconds <= taken.claimed_until <= timezone.now() + seconds
    assert len(taken.claim) == 32


def test_a_claim_keeps_others_out_until_its_deadline(job: Any) -> None:
    first = claimed(job)
    assert jobs(job).claim(job.pk) is None
    expire(job)
    second = claimed(job)
    assert second.claim != first.claim
    assert second.attempts == 2


@pytest.mark.parametrize("name", ["extend", "finish", "fail", "release"])
def test_whoever_lost_the_claim_changes_nothing(job: Any, name: str) -> None:
    """Also where both attempts have everything but the claim in common."""
    slow = claimed(job)
    expire(job)
    claimed(job)
    set_back(job, attempts=slow.attempts, claimed_until=slow.claimed_until)
    before = jobs(job).values().get()
    assert not getattr(jobs(job), name)(slow)
    assert jobs(job).values().get() == before


@pytest.mark.parametrize("name", ["extend", "finish", "fail", "release"])
@pytest.mark.parametrize("status", [Status.PENDING, Status.DONE, Status.FAILED])
def test_what_is_not_being_worked_on_has_no_claim(job: Any, name: str, status: str) -> None:
    set_back(job, status=status)
    before = jobs(job).values().get()
    assert not getattr(jobs(job), name)(now_in(job))
    assert jobs(job).values().get() == before


@pytest.mark.parametrize(("name", "status"), [("finish", Status.DONE), ("fail", Status.FAILED)])
def test_an_end_is_written_once(job: Any, name: str, status: str) -> None:
    taken = claimed(job)
    assert getattr(jobs(job), name)(taken)
    ended = now_in(job)
    assert (ended.status, ended.claim, ended.claimed_until) == (status, "", None)
    assert ended.is_finished
    assert ended.finished_at is not None
    assert not jobs(job).finish(taken)
    assert not jobs(job).fail(taken)
    assert jobs(job).claim(job.pk) is None
    assert not jobs(job).unfinished().exists()


def test_extending_moves_the_deadline_on(job: Any) -> None:
    taken = claimed(job)
    set_back(job, claimed_until=timezone.now() + timedelta(seconds=1))
    assert jobs(job).extend(taken)
    assert now_in(job).claimed_until > timezone.now() + timedelta(seconds=30)
    assert jobs(job).claim(job.pk) is None


def test_what_is_given_back_waits_and_is_queued(job: Any, sent: list[Any]) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert jobs(job).release(claimed(job), delay=60)
    waiting = now_in(job)
    assert (waiting.status, waiting.attempts) == (Status.PENDING, 1)
    assert (waiting.claim, waiting.claimed_until) == ("", None)
    assert waiting.queued_at > timezone.now() + timedelta(seconds=50)
    assert (type(job).task, str(job.pk)) in sent or type(job).task is None


def test_after_all_its_attempts_it_is_given_up(job: Any, sent: list[Any]) -> None:
    for attempt in range(type(job).maximum_attempts()):
        taken = claimed(job)
        assert taken.attempts == attempt + 1
        sent.clear()
        with TestCase.captureOnCommitCallbacks(execute=True):
            waits = jobs(job).release(taken)
        assert waits == (attempt + 1 < type(job).maximum_attempts())
    assert now_in(job).status == Status.FAILED
    assert (type(job).task, str(job.pk)) not in sent


def test_workers_that_die_use_attempts_up_too(job: Any) -> None:
    for _attempt in range(type(job).maximum_attempts()):
        claimed(job)
        expire(job)
    assert jobs(job).claim(job.pk) is None
    given_up = now_in(job)
    assert given_up.status == Status.FAILED
    for name, value in type(job).gave_up().items():
        assert getattr(given_up, name) == value


def test_the_last_attempt_is_not_given_up_while_it_goes_on(job: Any) -> None:
    set_back(job, attempts=type(job).maximum_attempts() - 1)
    claimed(job)
    assert jobs(job).claim(job.pk) is None
    assert now_in(job).status == Status.PROCESSING


def test_only_what_lost_its_message_is_overdue(job: Any) -> None:
    assert jobs(job).take_overdue() == []
    claimed(job)
    assert jobs(job).take_overdue() == []
    expire(job)
    assert jobs(job).take_overdue() == [str(job.pk)]
    assert jobs(job).take_overdue() == [], "a second sweep must not queue it again"
    jobs(job).finish(claimed(job))
    expire(job)
    assert jobs(job).take_overdue() == []


@pytest.mark.parametrize("waited", [None, timedelta(hours=1)])
def test_what_nobody_came_for_is_overdue(job: Any, waited: timedelta | None) -> None:
    set_back(job, queued_at=None if waited is None else timezone.now() - waited)
    assert jobs(job).take_overdue() == [str(job.pk)]


def test_patience_is_for_those_that_wait(job: Any) -> None:
    waited = timedelta(seconds=2 * type(job).requeue_seconds())
    set_back(job, queued_at=timezone.now() - waited)
    assert jobs(job).take_overdue(patience=3) == []
    assert jobs(job).take_overdue(patience=1) == [str(job.pk)]


def test_a_sweep_queues_what_it_finds(export: DataExport, sent: list[Any]) -> None:
    assert DataExport.objects.sweep() == 0
    expire(export)
    assert DataExport.objects.sweep() == 1
    assert sent == [(DataExport.task, str(export.pk))]


def test_without_redis_it_is_left_to_the_sweep(
    export: DataExport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("recognition.tasks.build_export.apply_async", refuse)
    with TestCase.captureOnCommitCallbacks(execute=True):
        DataExport.objects.enqueue(export.pk)
    assert DataExport.objects.take_overdue() == [str(export.pk)]


def test_nothing_is_queued_before_the_commit(export: DataExport, sent: list[Any]) -> None:
    DataExport.objects.enqueue(export.pk)
    assert sent == []


def test_restarted_ones_have_all_their_attempts_again(job: Any, sent: list[Any]) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert jobs(job).restart() == 0, "it has not ended"
        jobs(job).fail(claimed(job))
        sent.clear()
        assert jobs(job).restart() == 1
        assert jobs(job).restart() == 0
    waiting = now_in(job)
    assert (waiting.status, waiting.attempts, waiting.finished_at) == (Status.PENDING, 0, None)
    assert (type(job).task, str(job.pk)) in sent or type(job).task is None


def test_begun_anew_it_is_taken_from_whoever_works_on_it(job: Any, sent: list[Any]) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert jobs(job).begin_anew() == 0, "nobody has begun it"
        taken = claimed(job)
        sent.clear()
        assert jobs(job).begin_anew() == 1
        assert jobs(job).begin_anew() == 0
    waiting = now_in(job)
    assert (waiting.status, waiting.attempts, waiting.claim) == (Status.PENDING, 0, "")
    assert sent == ([] if type(job).task is None else [(type(job).task, str(job.pk))])
    assert not jobs(job).finish(taken)
    assert claimed(job).claim != taken.claim


@pytest.mark.parametrize("is_worked_on", [True, False])
def test_stopping_ends_it_whoever_works_on_it(job: Any, is_worked_on: bool) -> None:
    taken = claimed(job) if is_worked_on else job
    assert jobs(job).stop(Status.FAILED) == 1
    assert jobs(job).stop(Status.FAILED) == 0
    assert not jobs(job).extend(taken)
    assert not jobs(job).finish(taken)
    assert now_in(job).status == Status.FAILED


def test_whichever_has_been_due_the_longest_is_taken(alice: User) -> None:
    hook = Webhook.objects.create(owner=alice, url="https://example.org", secret="s")
    late, early, future = (
        WebhookDelivery.objects.create(
            webhook=hook, event="ping", payload={}, queued_at=timezone.now() + minutes
        )
        for minutes in (timedelta(minutes=-1), timedelta(minutes=-2), timedelta(minutes=3))
    )
    taken = [WebhookDelivery.objects.claim() for _number in range(3)]
    assert [row and row.pk for row in taken] == [early.pk, late.pk, None]
    assert now_in(future).attempts == 0


def test_one_that_has_had_its_attempts_does_not_stop_the_others(alice: User) -> None:
    hook = Webhook.objects.create(owner=alice, url="https://example.org", secret="s")
    past: datetime = timezone.now() - timedelta(minutes=2)
    spent = WebhookDelivery.objects.create(
        webhook=hook, event="ping", payload={}, queued_at=past, status=Status.PROCESSING,
        claimed_until=past, attempts=WebhookDelivery.maximum_attempts(),
    )  # fmt: skip
    other = WebhookDelivery.objects.create(
        webhook=hook, event="ping", payload={}, queued_at=timezone.now()
    )
    taken = WebhookDelivery.objects.claim()
    assert taken is not None
    assert taken.pk == other.pk
    assert now_in(spent).status == Status.FAILED


def test_each_step_of_a_worker_is_told_with_the_row_as_it_then_is(job: Any) -> None:
    told: list[str] = []

    def listen(job: Any, **kwargs: Any) -> None:
        told.append(job.status)

    changed.connect(listen, sender=type(job))
    try:
        jobs(job).release(claimed(job))
        jobs(job).finish(claimed(job))
    finally:
        changed.disconnect(listen, sender=type(job))
    assert told == [Status.PROCESSING, Status.PENDING, Status.PROCESSING, Status.DONE]


def test_a_step_and_what_follows_from_it_are_one(job: Any) -> None:
    def refuse(**kwargs: Any) -> None:
        raise RuntimeError("as a full disk would")

    taken = claimed(job)
    before = jobs(job).values().get()
    changed.connect(refuse, sender=type(job))
    try:
        for step in (jobs(job).finish, jobs(job).fail, jobs(job).release):
            with pytest.raises(RuntimeError):
                step(taken)
            assert jobs(job).values().get() == before
    finally:
        changed.disconnect(refuse, sender=type(job))


def test_a_run_ends_as_its_work_ends(export: DataExport) -> None:
    def work(job: DataExport) -> None:
        DataExport.objects.finish(job)

    assert run(DataExport.objects.all(), str(export.pk), work)
    assert not run(DataExport.objects.all(), str(export.pk), work), "it is done"


def test_a_run_that_fails_gives_the_job_back(export: DataExport, sent: list[Any]) -> None:
    def work(job: DataExport) -> None:
        raise RuntimeError("out of memory")

    with TestCase.captureOnCommitCallbacks(execute=True):
        assert not run(DataExport.objects.all(), str(export.pk), work)
    assert (now_in(export).status, now_in(export).attempts) == (Status.PENDING, 1)
    assert sent == [(DataExport.task, str(export.pk))]


def test_a_run_that_lost_its_job_leaves_it_alone(export: DataExport, sent: list[Any]) -> None:
    def work(job: DataExport) -> None:
        raise ClaimLost

    with TestCase.captureOnCommitCallbacks(execute=True):
        assert not run(DataExport.objects.all(), str(export.pk), work)
    assert now_in(export).status == Status.PROCESSING
    assert sent == []


def test_every_kind_of_work_has_the_same_statuses() -> None:
    for model in (Upload, DataExport, WebhookDelivery):
        values = [value for value, _name in model._meta.get_field("status").choices or ()]
        assert values == [value for value, _name in status_choices()]
