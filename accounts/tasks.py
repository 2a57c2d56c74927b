"""What is done every hour: what has expired is not kept."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent

#: Old events that are deleted in one statement.
EVENTS_AT_ONCE = 500


@shared_task(name="accounts.clear_expired", ignore_result=True)
def clear_expired() -> None:
    """Delete sessions that have ended, and counts of sign-ins: both hold network addresses.

    And events of the audit trail that are older than :data:`settings.AUDIT_DAYS`.
    """
    _forget_old_events()
    call_command("clearsessions")
    living = Session.objects.values("session_key")
    UserSession.objects.exclude(session_key__in=living).delete()
    # The cache itself deletes what has expired only once it is full. Its table has no model; the
    # name is the settings' own, quoted: nothing in the statement comes from outside (S608).
    table = connection.ops.quote_name(str(settings.CACHES["default"]["LOCATION"]))
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE expires < %s", [now])  # noqa: S608


def _forget_old_events() -> None:
    if not settings.AUDIT_DAYS:
        return
    oldest = timezone.now() - timedelta(days=settings.AUDIT_DAYS)
    old = AuditEvent.objects.filter(at__lt=oldest).order_by("pk").values_list("pk", flat=True)
    # Bit by bit, so that nobody waits for the database meanwhile.
    while some := list(old[:EVENTS_AT_ONCE]):
        AuditEvent.objects.filter(pk__in=some).delete()
