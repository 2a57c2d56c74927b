"""The trail says nothing of what was said of faces that people drew: it outlives the photo."""

from itertools import islice

from django.db import migrations

AT_ONCE = 500


def forget_labels(apps, schema_editor):
    events = apps.get_model("accounts", "AuditEvent").objects
    rows = events.filter(action="face_drawn").order_by("pk").iterator(chunk_size=AT_ONCE)
    while part := list(islice(rows, AT_ONCE)):
        for event in part:
            event.details.pop("label", None)
        events.bulk_update(part, ["details"])


class Migration(migrations.Migration):
    dependencies = [
        ("recognition", "0024_when_a_transfer_is_joined"),
        ("accounts", "0012_tokens_for_live_frames"),
    ]

    operations = [migrations.RunPython(forget_labels, migrations.RunPython.noop)]
