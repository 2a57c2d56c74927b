"""``Idempotency-Key``: a request that is sent again creates nothing again.

Each photo is noted under its key in the transaction that saves its row. So a process that dies
in the middle leaves a list of what was done, and the repetition goes on from there.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, ValidationError

from recognition.api.errors import Conflict
from recognition.api.tasks import IDEMPOTENCY_HOURS
from recognition.models import IdempotencyKey

if TYPE_CHECKING:
    from accounts.models import User

HEADER = "Idempotency-Key"
MAXIMUM_LENGTH = 255
#: Seconds without news after which the first request counts as dead.
STALE_SECONDS = 60

#: What became of one photo: ``{"id": …}`` or ``{"error": …}``.
Entry = dict[str, Any]


class KeyReused(APIException):
    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = _(
        "This key was sent with a different request. Use a new key for each request."
    )


class RequestInProgress(Conflict):
    default_code = "request_in_progress"
    default_detail = _("The first request with this key is still being processed.")
    wait = 0


class Answer:
    """The entries of one request, remembered where it came with a key.

    Attributes:
        entries: one for each photo so far.
        is_complete: nothing is left to do.
    """

    def __init__(self, row: IdempotencyKey | None) -> None:
        self._row = row
        self.entries: list[Entry] = list(row.response or []) if row is not None else []
        self.is_complete = row is not None and row.status_code != 0

    @property
    def is_kept(self) -> bool:
        """Whether the request came with a key."""
        return self._row is not None

    def add(self, entry: Entry) -> None:
        """Note what became of the next photo, within the transaction that saves it."""
        self.entries.append(entry)
        if self._row is None:
            return
        now = timezone.now()
        held = IdempotencyKey.objects.filter(
            pk=self._row.pk, status_code=0, created_at=self._row.created_at
        )
        if not held.update(response=self.entries, created_at=now):
            raise RequestInProgress  # Somebody took this request for dead and does it.
        self._row.created_at = now

    def complete(self, status_code: int) -> None:
        """Keep the answer; one that created nothing is forgotten, for it may go better later."""
        self.is_complete = True
        if self._row is None:
            return
        row = IdempotencyKey.objects.filter(pk=self._row.pk)
        if any("id" in entry for entry in self.entries):
            row.update(status_code=status_code)
        else:
            row.delete()

    def abandon(self) -> None:
        """Let the next repetition go on at once, after an error that nobody foresaw."""
        if self._row is not None:
            long_ago = timezone.now() - timedelta(seconds=STALE_SECONDS)
            IdempotencyKey.objects.filter(pk=self._row.pk, status_code=0).update(
                created_at=long_ago
            )


def answer_for(owner: User, key: str | None, request_sha256: str) -> Answer:
    """The answer that this key already has, or a new one.

    Raises:
        KeyReused: the key came with another request.
        RequestInProgress: the first request is still being answered.
        ValidationError: the key is too long, or not plain text.
    """
    if key is None:
        return Answer(None)
    if not 0 < len(key) <= MAXIMUM_LENGTH or not (key.isascii() and key.isprintable()):
        message = _("The key must be 1 to 255 printable ASCII characters.")
        raise ValidationError({HEADER: [message]})
    now = timezone.now()
    # The sweep forgets old ones later than promised.
    expired = now - timedelta(hours=IDEMPOTENCY_HOURS)
    IdempotencyKey.objects.filter(owner=owner, key=key, created_at__lt=expired).delete()
    row, is_new = IdempotencyKey.objects.get_or_create(
        owner=owner, key=key, defaults={"request_sha256": request_sha256}
    )
    if is_new:
        return Answer(row)
    if row.request_sha256 != request_sha256:
        raise KeyReused
    if row.status_code == 0:
        stale = IdempotencyKey.objects.filter(
            pk=row.pk, status_code=0, created_at=row.created_at,
            created_at__lte=now - timedelta(seconds=STALE_SECONDS),
        )  # fmt: skip
        if not stale.update(created_at=now):
            raise RequestInProgress
        row.created_at = now
    return Answer(row)


def fingerprint(*parts: Any) -> str:
    """SHA-256 of what makes a request the same request, as hexadecimal."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
