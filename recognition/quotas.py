"""How much a person may upload, store and be live, and how much of it is used.

Days are UTC's, as in :class:`~recognition.models.LiveUsage`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Count, F, Q, Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import AuditEvent
from recognition.models import (
    DataExport,
    LiveUsage,
    Prediction,
    Recording,
    Upload,
    Video,
    VideoTransfer,
)
from recognition.refusals import Refusal

if TYPE_CHECKING:
    from accounts.models import User


#: What a face that somebody drew takes, with its line in the audit trail.
DRAWN_FACE_BYTES = 1024
#: What other apps store for a person, in bytes; they add theirs when the site starts.
ALSO_STORED: list[Callable[[User], int]] = []
#: Seconds for which it holds what somebody has left, and people of whom that is known at a time.
COUNTED_FOR, MAXIMUM_COUNTED = 10.0, 10_000
_counted: dict[int, tuple[float, float]] = {}


class QuotaExceeded(Refusal):
    """A quota is used up; without `retry_after`, until something is deleted."""

    code = "quota_exceeded"

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = 403 if retry_after is None else 429
        self.retry_after = retry_after


class AccountClosed(PermissionDenied):
    """The account was closed or deleted while its request was on the way."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What may be used and what is; `limit` is None where there is none."""

    used: float
    limit: float | None

    @property
    def share(self) -> float:
        """From 0 to 1; 0 without a limit."""
        if self.limit is None:
            return 0.0
        return min(1.0, self.used / self.limit) if self.limit else 1.0

    def has_room_for(self, amount: float) -> bool:
        return self.limit is None or self.used + amount <= self.limit


@dataclass(frozen=True, slots=True)
class Quotas:
    """Everything that is counted for one person."""

    uploads_today: Quota
    bytes: Quota
    live_seconds_today: Quota


def of(user: User) -> Quotas:
    """What `user` may use and has used."""
    return Quotas(uploads_today(user), stored_bytes(user), live_seconds_today(user))


def uploads_today(user: User) -> Quota:
    # From the audit trail: a photo that was deleted again has been worked on all the same.
    made = AuditEvent.objects.filter(
        user_id=user.pk, action__in=("upload_created", "video_created"), at__gte=_start_of_day()
    )
    return Quota(made.count(), _limit(user.quota_uploads_a_day, settings.QUOTA_UPLOADS_A_DAY))


def stored_bytes(user: User) -> Quota:
    """What photos, heat maps, recordings, videos and an export take, in the trash as well.

    So do faces that were drawn: those that the recognizer finds come with a photo, these by hand.
    """
    faces = Prediction.with_trash.for_owner(user).order_by()
    drawn = faces.aggregate(n=Count("pk", filter=Q(rejected=Prediction.DRAWN)))["n"]
    used = drawn * DRAWN_FACE_BYTES + sum(
        rows.order_by().aggregate(total=Sum(column))["total"] or 0
        for rows, column in (
            (Upload.with_trash.for_owner(user), "stored_bytes"),
            (Prediction.with_trash.for_owner(user), "heat_map_bytes"),
            (Recording.objects.for_owner(user), "stored_bytes"),
            (DataExport.objects.for_owner(user), "stored_bytes"),
            (Video.objects.for_owner(user), "stored_bytes"),
            (VideoTransfer.objects.for_owner(user), "stored_bytes"),
        )
    )
    used += sum(stored(user) for stored in ALSO_STORED)
    return Quota(used, _limit(user.quota_bytes, settings.QUOTA_BYTES))


def bytes_left(user: User) -> float:
    """Bytes that somebody has left, by a count of up to :data:`COUNTED_FOR` seconds ago.

    Counting reads all that they have stored, and what comes over sockets comes often, there by one
    thread for everybody. So nobody is locked either: what is taken in several processes within
    these seconds may be a little more than there is.
    """
    now = time.monotonic()
    counted_at, left = _counted.get(user.pk, (-inf, 0.0))
    if now - counted_at > COUNTED_FOR:
        quota = stored_bytes(user)
        left = inf if quota.limit is None else quota.limit - quota.used
        if len(_counted) >= MAXIMUM_COUNTED:
            _counted.clear()
        _counted[user.pk] = now, left
    return left


def take(user_id: int, n_bytes: int) -> None:
    """Note that there is so much less of what :func:`bytes_left` said."""
    counted_at, left = _counted.get(user_id, (-inf, 0.0))
    _counted[user_id] = counted_at, left - n_bytes


def forget() -> None:
    """Count anew; for tests."""
    _counted.clear()


def live_seconds_today(user: User) -> Quota:
    usage = LiveUsage.objects.filter(owner_id=user.pk, day=timezone.now().astimezone(UTC).date())
    used = usage.values_list("seconds", flat=True).first() or 0.0
    minutes = _limit(user.quota_live_minutes_a_day, settings.QUOTA_LIVE_MINUTES_A_DAY)
    return Quota(used, None if minutes is None else minutes * 60)


def lock(user_id: int) -> User:
    """Lock somebody's row until the transaction ends, and read it anew.

    Whatever is created for a person is created under this lock: their quotas are counted one
    at a time, and nothing comes into being once the account is closed. Rows that only refer to
    the person, such as events of the audit trail, do not wait for it: who has locked something
    else and writes one would wait for whoever waits for that.

    Raises:
        AccountClosed: it is closed or gone.
    """
    people = get_user_model().objects.select_for_update(no_key=True)
    locked = people.filter(pk=user_id, is_active=True).first()
    if locked is None:
        raise AccountClosed
    return locked


def active(user_id: int) -> User:
    """Somebody as they are now, not locked: for what must not wait for whatever has their row.

    Raises:
        AccountClosed: the account is closed or gone.
    """
    found = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    if found is None:
        raise AccountClosed
    return found


def check_upload(user: User, stored: int, *, counted: int = 0) -> None:
    """See whether one more photo fits.

    Args:
        user: whose it is.
        stored: bytes that it will take, as far as they are known; at least one.
        counted: how many of them count already.

    Raises:
        QuotaExceeded: it does not.
    """
    limit = _limit(user.quota_uploads_a_day, settings.QUOTA_UPLOADS_A_DAY)
    if limit is not None and not uploads_today(user).has_room_for(1):
        message = ngettext(
            "You’ve reached today’s limit of %(limit)d photo. It resets at midnight UTC.",
            "You’ve reached today’s limit of %(limit)d photos. It resets at midnight UTC.",
            limit,
        )
        raise QuotaExceeded(message % {"limit": limit}, _seconds_to_tomorrow())
    check_room(user, stored, counted=counted)


def check_room(user: User, stored: int = 1, *, counted: int = 0) -> None:
    """See whether so many more bytes fit, of whatever is stored, where some count already.

    Raises:
        QuotaExceeded: they do not.
    """
    limit = _limit(user.quota_bytes, settings.QUOTA_BYTES)
    # Counting reads all that somebody has stored.
    if limit is not None and not stored_bytes(user).has_room_for(max(1, stored) - counted):
        raise _is_full(limit)


def take_room(user: User, n_bytes: int) -> None:
    """The same by :func:`bytes_left`, for what comes over sockets; the room counts as taken.

    Raises:
        QuotaExceeded: so many do not fit.
    """
    if bytes_left(user) < n_bytes:
        raise _is_full(_limit(user.quota_bytes, settings.QUOTA_BYTES))
    take(user.pk, n_bytes)


def _is_full(limit: float | None) -> QuotaExceeded:
    return QuotaExceeded(
        _("You’ve used your %(limit)s of storage. Delete some photos to make room.")
        % {"limit": filesizeformat(limit or 0)}
    )


def add_live_seconds(user_id: int, seconds: float) -> None:
    """Count time that somebody was live today; not for somebody who is gone."""
    day = timezone.now().astimezone(UTC).date()
    try:
        usage, _is_new = LiveUsage.objects.get_or_create(owner_id=user_id, day=day)
    except IntegrityError:
        return
    LiveUsage.objects.filter(pk=usage.pk).update(seconds=F("seconds") + seconds)


def _limit(own: int | None, default: int | None) -> int | None:
    return default if own is None else own


def _start_of_day() -> datetime:
    now = timezone.now().astimezone(UTC)
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _seconds_to_tomorrow() -> int:
    return int((_start_of_day() + timedelta(days=1) - timezone.now()).total_seconds()) + 1
