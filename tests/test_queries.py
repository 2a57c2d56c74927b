"""Lists ask the database as often for many rows as for few."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiToken, AuditEvent, User
from recognition.models import Recording, Upload, Webhook, WebhookDelivery
from tests.support.factories import add_face, make_upload


def add_rows(owner: User, first: int, last: int) -> None:
    now = timezone.now()
    webhook, _is_new = Webhook.objects.get_or_create(owner=owner, url="https://example.org/")
    for number in range(first, last):
        for label in ("happy", "sad"):
            upload = make_upload(owner)
            Upload.objects.filter(pk=upload.pk).update(status=Upload.Status.DONE)
            add_face(upload, label)
        ApiToken.objects.create(user=owner, name=f"{number}", prefix="a", key_sha256=f"{number}")
        AuditEvent.objects.create(user=owner, actor=owner, action="signed_in")
        Recording.objects.create(owner=owner, started_at=now, ended_at=now)
        Webhook.objects.create(owner=owner, url=f"https://example.org/{number}")
        WebhookDelivery.objects.create(webhook=webhook, event="ping", payload={})


@pytest.mark.parametrize(
    "path",
    [
        "/", "/uploads/", "/uploads/export.csv", "/uploads/export.json", "/live/sessions/",
        "/webhooks/", "/webhooks/{webhook}/", "/accounts/tokens/", "/accounts/activity/",
        "/privacy/", "/statistics/", "/review/?of=all",
        "/api/v1/uploads/", "/api/v1/predictions/", "/api/v1/live-sessions/", "/api/v1/webhooks/",
        "/api/v1/webhooks/{webhook}/deliveries/", "/api/v1/recordings/",
    ],
)  # fmt: skip
def test_more_rows_take_no_more_queries(path: str, alice: User, alice_client: Client) -> None:
    counts = []
    for rows in ((0, 2), (2, 9)):
        add_rows(alice, *rows)
        # Each download is the first of its hour, which is written down.
        AuditEvent.objects.filter(action="results_downloaded").delete()
        webhook = Webhook.objects.get(url="https://example.org/")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = alice_client.get(path.format(webhook=webhook.pk))
            assert response.status_code == 200
            if response.streaming:
                b"".join(response)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_long_history_keeps_to_its_queries(alice: User, alice_client: Client) -> None:
    """More than one page of photos, each with its face."""
    uploads = [make_upload(alice, f"{number}.jpg") for number in range(120)]
    for upload in uploads:
        add_face(upload)
    with CaptureQueriesContext(connection) as queries:
        assert alice_client.get("/uploads/").status_code == 200
    assert len(queries) <= 40
