"""What stands in the texts of an export of everything: JSON, and CSV for spreadsheets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from accounts.models import ApiToken, AuditEvent, Consent
from recognition import people
from recognition.models import (
    LiveUsage,
    Marker,
    Prediction,
    Recording,
    StretchAnswer,
    Upload,
    Video,
    VideoTransfer,
    Webhook,
    WebhookDelivery,
)
from recognition.series import downloads
from recognition.series.timeline import read_stretches
from recognition.uploads import reports
from recognition.webhooks import deliveries

if TYPE_CHECKING:
    from accounts.models import User

Row = dict[str, Any]
#: Rows that are held in memory at a time.
CHUNK = 500

README = """\
Everything that Visage keeps for {email}, as of {now}.

photos/                  your photos, as <upload>.jpg; those whose time was over are missing, and
                         only what was seen in them is left
uploads.json             each upload with the faces that were found in it
trash.json               the same of uploads in your trash, which are in no other list
predictions.csv          the same, one row a face
corrections.*            what you said that a face shows
live_sessions.*          recorded live sessions: which label each face had from when to when, in
                         seconds from the start
recordings/              each of them with all its samples, as <session>.csv; docs/SERIES.md of the
                         project explains the columns
markers.*                moments that you named in them, in milliseconds from the start
stretch_corrections.*    what you said that a face in them showed, from when to when
videos.*                 videos that you sent, each with its recording among the sessions
videos/                  those that you keep, as <video>.<ending>; the others were deleted as soon
                         as they had been read
videos_on_their_way.*    videos that you began to send; what never becomes whole goes after a day
live_usage.*             how long you were live on each day (UTC)
account.json             your account and its settings
consents.*               what you agreed to, and when
audit_trail.*            what happened to your account and data
webhooks.*               addresses that are told when a photo is finished, without their secrets
webhook_deliveries.*     what was sent to them of photos and videos
api_tokens.*             names of your tokens; the tokens themselves are not stored
sessions.*               where you are signed in: network address, browser, and when
email_addresses.*        yours, and one that you have not confirmed yet
studies/                 studies of yours: their plans, participants by number, answers, and series

Files of the same name hold the same as JSON and as CSV. Times are in ISO 8601.

label is what counts: your correction where there is one, else what the model said, which is
predicted_label. correction is empty where you said nothing, and not_a_face where you said that
there is no face. A face that you drew yourself has no predicted_label, and rejected says drawn.
confidence and the probabilities p_… belong to predicted_label; they are from 0 to 1. They tell
how people would probably name the expression, not what somebody feels. Boxes are in pixels of
the upright photo.
"""


def texts(user: User, asked_at: datetime) -> Iterator[tuple[str, Iterable[str]]]:
    """``(name in the archive, its text in pieces)`` of every file that is no photo.

    Args:
        user: whose export it is.
        asked_at: when it was asked for; whoever took part in a study later is not in it.
    """
    now = timezone.now().isoformat(timespec="seconds")
    yield "README.txt", [README.format(email=user.email, now=now)]
    yield "account.json", [_json(_account(user)) + "\n"]
    yield "uploads.json", reports.json_export(_uploads(user))
    yield "trash.json", reports.json_export(_trashed(user))
    yield "predictions.csv", reports.csv_export(_uploads(user))
    recordings = Recording.objects.for_owner(user).filter(n_samples__gt=0).defer("samples")
    for recording in recordings.iterator(CHUNK):
        yield f"recordings/{recording.pk}.csv", downloads.as_csv(recording)
    for name, rows in _TABLES.items():
        yield f"{name}.json", reports.json_array(map(_json, rows(user)))
        yield f"{name}.csv", _as_csv(rows(user))
    for more in people.ALSO_EXPORTED:
        yield from more(user, asked_at)


def _account(user: User) -> Row:
    kept = (
        "id", "email", "first_name", "last_name", "date_joined", "last_login", "is_staff",
        "photo_retention_days", "quota_uploads_a_day", "quota_bytes", "quota_live_minutes_a_day",
    )  # fmt: skip
    return {name: getattr(user, name) for name in kept}


def _uploads(user: User) -> Iterator[reports.Reported]:
    return reports.in_pieces(Upload.objects.for_owner(user).order_by("created_at", "pk"))


def _trashed(user: User) -> Iterator[reports.Reported]:
    trashed = Upload.with_trash.trashed().for_owner(user)
    return reports.in_pieces(trashed.order_by("trashed_at", "pk"))


def _corrections(user: User) -> Iterator[Row]:
    said = Prediction.objects.for_owner(user).exclude(correction="").select_related("upload")
    for face in said.order_by("corrected_at", "pk").iterator(CHUNK):
        yield {
            "upload": face.upload_id,
            "name": face.upload.name,
            "face": face.index,
            "predicted_label": face.label,
            "correction": face.correction,
            "corrected_at": face.corrected_at,
        }


def _live_sessions(user: User) -> Iterator[Row]:
    # Few at a time: one may hold 20,000 stretches.
    for session in Recording.objects.for_owner(user).order_by("started_at").iterator(10):
        about = {
            "session": session.pk,
            "started_at": session.started_at,
            "ended_at": session.ended_at,
            "model_version": session.model_version,
        }
        stretches = read_stretches(session.samples)
        nothing = dict.fromkeys(("face", "label", "start", "end", "confidence"))
        if not stretches:
            yield {**about, **nothing}
        for stretch in stretches:
            yield {**about, **{name: getattr(stretch, name) for name in nothing}}


def _table(query: Callable[[User], Any], *fields: str) -> Callable[[User], Iterator[Row]]:
    def rows(user: User) -> Iterator[Row]:
        return query(user).values(*fields).iterator(CHUNK)

    return rows


_TABLES: dict[str, Callable[[User], Iterator[Row]]] = {
    "corrections": _corrections,
    "live_sessions": _live_sessions,
    "markers": _table(
        lambda user: Marker.objects.for_owner(user).order_by("recording", "time_ms", "pk"),
        "recording", "time_ms", "name", "value",
    ),
    "stretch_corrections": _table(
        lambda user: StretchAnswer.objects.for_owner(user).order_by("recording", "pk"),
        "recording", "face", "start_ms", "end_ms", "label", "created_at",
    ),
    "videos": _table(
        lambda user: Video.objects.for_owner(user).order_by("created_at"),
        "id", "name", "recording", "status", "error_code", "byte_size", "duration_ms",
        "frames_per_second", "keep", "created_at", "finished_at",
    ),
    "videos_on_their_way": _table(
        lambda user: VideoTransfer.objects.for_owner(user).order_by("created_at"),
        "id", "name", "byte_size", "offset", "created_at", "touched_at",
    ),
    "live_usage": _table(
        lambda user: LiveUsage.objects.filter(owner=user).order_by("day"), "day", "seconds"
    ),
    "consents": _table(
        lambda user: Consent.objects.filter(user=user).order_by("given_at"),
        "purpose", "version", "given_at", "withdrawn_at",
    ),
    "audit_trail": _table(
        lambda user: AuditEvent.objects.filter(user=user).order_by("at", "pk"),
        "at", "action", "target", "details",
    ),
    "webhooks": _table(
        lambda user: Webhook.objects.filter(owner=user).order_by("created_at"),
        "id", "url", "is_active", "created_at",
    ),
    # Nothing of who took part in studies: they may withdraw it wherever it is.
    "webhook_deliveries": _table(
        lambda user: WebhookDelivery.objects.filter(
            webhook__owner=user, event__in=deliveries.OF_OWN_THINGS
        ).order_by("created_at"),
        "id", "webhook", "event", "payload", "attempts", "status_code", "error", "created_at",
        "delivered_at",
    ),
    "api_tokens": _table(
        lambda user: ApiToken.objects.filter(user=user).order_by("created_at"),
        "name", "prefix", "scope", "created_at", "expires_at", "last_used_at",
    ),
    "sessions": _table(
        lambda user: UserSession.objects.filter(user=user).order_by("created_at"),
        "ip", "user_agent", "created_at", "last_seen_at",
    ),
    "email_addresses": _table(
        lambda user: EmailAddress.objects.filter(user=user).order_by("pk"),
        "email", "verified", "primary",
    ),
}  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _as_csv(rows: Iterator[Row]) -> Iterator[str]:
    first = next(rows, None)
    if first is None:
        return
    yield reports.csv_line(first)
    for row in chain([first], rows):
        yield reports.csv_line(_cell(value) for value in row.values())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        # A negative number is one, and no formula.
        return str(value)
    text = value if isinstance(value, str) else _json(value).strip('"')
    return reports.safe_cell(text)
