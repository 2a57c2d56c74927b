"""A row that stands for work, and the one state machine that all such rows go through.

    pending ──claim──> processing ──finish──> done
       ^                   │ │
       └─────release───────┘ └──fail, or too many attempts──> failed

Any task may run twice, at once or again, and be killed at any point. A claim, which is a random
token with a deadline, lets one of them work; whoever writes must still hold it, so a result is
written once. The row is the truth and a message only a hint: a sweep queues again what was lost.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recognition.jobs import messages, served
from recognition.jobs.picking import pick

#: Sent with ``job`` in the transaction in which a worker began, gave back or ended it; `job` is
#: the row as it then is. What leaves the database follows on commit.
changed = Signal()

AnyJob = TypeVar("AnyJob", bound="Job")


class ClaimLost(Exception):
    """The row was deleted or stopped, or another task has taken it over."""


class JobQuerySet(models.QuerySet[AnyJob]):
    """Every transition of a job. Each says whether it was this call that made it."""

    def unfinished(self) -> Self:
        return self.filter(status__in=UNFINISHED)

    def claimable(self) -> Self:
        """Those that a worker may begin: they wait, or were left by a worker that died."""
        # Until its deadline a claim keeps the same message out, too: a queue that delivers one
        # again does not tell whether the first delivery's worker has died or is still at it.
        abandoned = Q(status=Job.Status.PROCESSING, claimed_until__lt=timezone.now())
        return self.filter(Q(status=Job.Status.PENDING) | abandoned)

    def in_work(self) -> Self:
        """Those that a worker is busy with, as far as one can tell."""
        return self.filter(status=Job.Status.PROCESSING, claimed_until__gte=timezone.now())

    def due(self) -> Self:
        """Claimable ones whose turn has come."""
        now = timezone.now()
        abandoned = Q(status=Job.Status.PROCESSING, claimed_until__lt=now)
        return self.filter(Q(status=Job.Status.PENDING, queued_at__lte=now) | abandoned)

    def claim(self, pk: uuid.UUID | str | None = None) -> AnyJob | None:
        """Begin an attempt.

        Args:
            pk: what the message names; None for whichever is due. Where it is more somebody
                else's turn, theirs is begun (:mod:`recognition.jobs.picking`), and the message
                for that one finds what is left. So does this message where the one it names
                has just gone to another worker: else there would be one message fewer than
                jobs, and the last of them would wait until it is swept.

        Returns:
            The job to work on; None where nothing is left to do, or another is in work where
            they are done one at a time.
        """
        if not self.model.alone:
            return self._claim_next(pk)
        with transaction.atomic():
            # Locked, so that of two who look at the same time the second sees the first's claim.
            locked = self.model._base_manager.filter(status__in=UNFINISHED).order_by("pk")
            list(locked.select_for_update(no_key=True).values_list("pk"))
            return None if self.in_work().exists() else self._claim_next(pk)

    def _claim_next(self, pk: uuid.UUID | str | None) -> AnyJob | None:
        while (chosen := pick(self, pk)) is not None:
            if (job := self._claim(chosen)) is not None:
                if (of := self.model.owner_lookup) == "owner_id":
                    served.note(str(self.model._meta.model_name), getattr(job, of))
                return job
            if str(chosen) == str(pk):
                pk = None
        return None

    def held(self, job: AnyJob) -> Self:
        """The job's row, provided that it still carries this attempt's claim."""
        return self.filter(pk=job.pk, status=Job.Status.PROCESSING, claim=job.claim)

    def extend(self, job: AnyJob, **fields: Any) -> bool:
        """Move the claim's deadline on, and write `fields`."""
        return bool(self.held(job).update(claimed_until=self._deadline(), **fields))

    def finish(self, job: AnyJob, **fields: Any) -> bool:
        """End with a result, of which `fields` are a part."""
        return self._end(self.held(job), Job.Status.DONE, fields)

    def fail(self, job: AnyJob, **fields: Any) -> bool:
        """End without a result; `fields` say why."""
        return self._end(self.held(job), Job.Status.FAILED, fields)

    def release(
        self, job: AnyJob, *, delay: float = 0, queue: str | None = None, **fields: Any
    ) -> bool:
        """Give back for another attempt, and queue it; after the last attempt, give up.

        Args:
            job: as :meth:`claim` returned it.
            delay: seconds until it is its turn again.
            queue: where it came from; by default the model's.
            fields: written with it.

        Returns:
            True where it waits again.
        """
        if job.attempts >= self.model.maximum_attempts():
            self.fail(job, **{**self.model.gave_up(), **fields})
            return False
        with transaction.atomic():
            released = self.held(job).update(
                status=Job.Status.PENDING,
                claim="",
                claimed_until=None,
                queued_at=timezone.now() + timedelta(seconds=delay),
                **fields,
            )
            if not released:
                return False
            self._tell(job.pk)
            self.enqueue(job.pk, queue=queue, delay=delay)
        return True

    def restart(self, *, queue: str | None = None, **fields: Any) -> int:
        """Have finished ones done again, with all their attempts; returns how many.

        Those that are no longer what the queryset asks for when their turn comes stay as they are.
        """
        ended = self.exclude(status__in=UNFINISHED)
        restarted = 0
        with transaction.atomic():
            for pk in list(ended.values_list("pk", flat=True)):
                if ended.filter(pk=pk).update(
                    status=Job.Status.PENDING,
                    attempts=0,
                    finished_at=None,
                    queued_at=timezone.now(),
                    **fields,
                ):
                    restarted += 1
                    self.enqueue(pk, queue=queue)
        return restarted

    def begin_anew(self) -> int:
        """Take those in work from whoever works on them, to be done from the start by others.

        All their attempts are given back; what this attempt has made is not to be kept. Returns
        how many.
        """
        begun = self.filter(status=Job.Status.PROCESSING)
        taken = 0
        with transaction.atomic():
            for pk in list(begun.values_list("pk", flat=True)):
                if begun.filter(pk=pk).update(
                    status=Job.Status.PENDING,
                    claim="",
                    claimed_until=None,
                    attempts=0,
                    queued_at=timezone.now(),
                ):
                    taken += 1
                    self._tell(pk)
                    self.enqueue(pk)
        return taken

    def stop(self, status: str, **fields: Any) -> int:
        """End all that have not ended, whoever works on them; returns how many."""
        return self.unfinished().update(**_ended(status), **fields)

    def enqueue(self, pk: uuid.UUID | str, *, queue: str | None = None, delay: float = 0) -> None:
        """Hand a job to the workers once its row is in the database."""
        transaction.on_commit(lambda: self.send(pk, queue=queue, delay=delay))

    def send(self, pk: uuid.UUID | str, *, queue: str | None = None, delay: float = 0) -> None:
        """Hand a job to the workers now; without Redis, leave it to the sweep."""
        model = self.model
        if model.task is None:
            return
        if not messages.send(
            model.task, str(pk), queue=queue or model.queue, delay=delay, priority=model.priority
        ):
            rows = model._base_manager.filter(pk=pk, status=Job.Status.PENDING)
            rows.update(queued_at=None)

    def take_overdue(self, limit: int = 500, *, patience: int = 1) -> list[str]:
        """Find jobs whose message was lost, and mark each as queued now.

        Of several sweeps at the same time, one gets each job.

        Args:
            limit: the most that are taken at once.
            patience: how many times :meth:`Job.requeue_seconds` one may wait for its turn.

        Returns:
            The ids to put into the queue.
        """
        now = timezone.now()
        waited = timedelta(seconds=patience * self.model.requeue_seconds())
        lost = Q(status=Job.Status.PENDING) & (Q(queued_at=None) | Q(queued_at__lt=now - waited))
        # `queued_at` keeps the next sweep from queueing it again before a worker has come to it.
        before = now - timedelta(seconds=settings.REQUEUE_SECONDS)
        abandoned = Q(status=Job.Status.PROCESSING, claimed_until__lt=now) & (
            Q(queued_at=None) | Q(queued_at__lt=before)
        )
        overdue = self.filter(lost | abandoned)
        candidates = list(overdue.order_by("created_at").values_list("pk", flat=True)[:limit])
        return [str(pk) for pk in candidates if overdue.filter(pk=pk).update(queued_at=now)]

    def sweep(self) -> int:
        """Queue again what lost its message; returns how many."""
        overdue = self.take_overdue()
        for pk in overdue:
            self.send(pk)
        return len(overdue)

    def _claim(self, pk: uuid.UUID | str) -> AnyJob | None:
        claimable = self.claimable().filter(pk=pk)
        maximum = self.model.maximum_attempts()
        token = uuid.uuid4().hex
        with transaction.atomic():
            if claimable.filter(attempts__lt=maximum).update(
                status=Job.Status.PROCESSING,
                attempts=models.F("attempts") + 1,
                claim=token,
                claimed_until=self._deadline(),
            ):
                return self._tell(pk)
        # Only one that has had them all: another task may have given it back in the meantime.
        spent = claimable.filter(attempts__gte=maximum)
        self._end(spent, Job.Status.FAILED, self.model.gave_up())
        return None

    def _end(self, rows: Self, status: str, fields: dict[str, Any]) -> bool:
        with transaction.atomic():
            pk = rows.values_list("pk", flat=True).first()
            if pk is None or not rows.filter(pk=pk).update(**_ended(status), **fields):
                return False
            self._tell(pk)
        return True

    def _tell(self, pk: uuid.UUID | str) -> AnyJob:
        job = self.model._base_manager.get(pk=pk)
        changed.send(self.model, job=job)
        return job

    def _deadline(self) -> datetime:
        return timezone.now() + timedelta(seconds=self.model.claim_seconds())


class Job(models.Model):
    """What a worker does for one row.

    Attributes:
        task: name of the Celery task that takes the row's id; None where tasks take whichever
            row is due.
        queue, priority: of its messages; None for the task's own.
        owner_lookup: field, as look-ups write it, that tells whose it is; None where people do
            not share it.
        at_once: how many of one person's are worked on at a time; None for as many as there are
            workers.
        alone: whether one is worked on at a time on the whole site.
        attempts: times a worker has begun.
        queued_at: when it is its turn, which for one that waits before another attempt lies in
            the future; None where it could not be queued.
        claim: random name of the attempt that is under way, with `claimed_until` as its deadline.
        finished_at: when it ended, well or not.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting")
        PROCESSING = "processing", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    task: str | None = None
    queue: str | None = None
    priority: int | None = None
    owner_lookup: str | None = None
    at_once: int | None = None
    alone: bool = False

    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    queued_at = models.DateTimeField(null=True, editable=False)
    claim = models.CharField(max_length=64, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED

    @classmethod
    def maximum_attempts(cls) -> int:
        return int(settings.MAXIMUM_ATTEMPTS)

    @classmethod
    def claim_seconds(cls) -> int:
        """Seconds after which a claim belongs to a worker that died."""
        return int(settings.CLAIM_SECONDS)

    @classmethod
    def requeue_seconds(cls) -> int:
        """Seconds in the queue after which the message counts as lost."""
        return int(settings.REQUEUE_SECONDS)

    @classmethod
    def gave_up(cls) -> dict[str, Any]:
        """The fields of one that has had all its attempts."""
        return {}


UNFINISHED = (Job.Status.PENDING, Job.Status.PROCESSING)


def status_choices(**names: Any) -> list[tuple[str, Any]]:
    """The statuses under a model's own names for them, and others that it has besides."""
    common = {str(value): name for value, name in Job.Status.choices}
    return list({**common, **names}.items())


def _ended(status: str) -> dict[str, Any]:
    return {
        "status": status,
        "claim": "",
        "claimed_until": None,
        "finished_at": timezone.now(),
    }
