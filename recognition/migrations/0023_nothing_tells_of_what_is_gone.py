"""Messages to webhooks, and the trail of corrections, say nothing of photos that are gone."""

import uuid
from itertools import islice

from django.db import migrations

AT_ONCE = 500


def _in_parts(rows):
    rows = rows.iterator(chunk_size=AT_ONCE)
    while part := list(islice(rows, AT_ONCE)):
        yield part


def tell_subjects(apps, schema_editor):
    """Write whose messages they are, and delete those whose photo or video is gone."""
    deliveries = apps.get_model("recognition", "WebhookDelivery").objects
    models_of = {
        kind: apps.get_model("recognition", kind)._base_manager for kind in ("upload", "video")
    }
    gone = []
    for part in _in_parts(deliveries.only("payload").order_by("pk")):
        found = {kind: {} for kind in ("upload", "video", "participation")}
        for delivery in part:
            for kind, subjects in found.items():
                told = delivery.payload.get(kind)
                if isinstance(told, dict) and "id" in told:
                    delivery.subject = uuid.UUID(told["id"])
                    subjects[delivery.subject] = delivery
        deliveries.bulk_update(part, ["subject"])
        for kind, rows in models_of.items():
            there = set(rows.filter(pk__in=found[kind]).values_list("pk", flat=True))
            gone += set(found[kind]) - there
    for first in range(0, len(gone), AT_ONCE):
        deliveries.filter(subject__in=gone[first : first + AT_ONCE]).delete()


def forget_labels(apps, schema_editor):
    """Take labels of faces out of the trail, which outlives the photo."""
    events = apps.get_model("accounts", "AuditEvent").objects
    for part in _in_parts(events.filter(action="correction_made").order_by("pk")):
        for event in part:
            event.details.pop("predicted", None)
            event.details.pop("correction", None)
        events.bulk_update(part, ["details"])


class Migration(migrations.Migration):
    dependencies = [
        ("recognition", "0022_what_messages_tell_of"),
        ("accounts", "0012_tokens_for_live_frames"),
    ]

    operations = [
        migrations.RunPython(tell_subjects, migrations.RunPython.noop),
        migrations.RunPython(forget_labels, migrations.RunPython.noop),
    ]
