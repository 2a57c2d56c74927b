"""What participants give takes room, which counts in the quota of the study's owner from now on."""

import json
from collections import Counter
from typing import Any

from django.db import migrations, models

#: As `studies/taking_part/room.py` has them.
PARTICIPATION, VISIT, ANSWER, READING = 1000, 200, 200, 150
AT_ONCE = 500


def count(apps: Any, schema_editor: Any) -> None:
    """Of those that are there already."""
    participations = apps.get_model("studies", "Participation").objects.order_by("pk")
    rows = participations.values_list("pk", "consent_text", "attributes", "sequence")
    taken: Counter[Any] = Counter()
    for pk, text, *values in rows.iterator(AT_ONCE):
        taken[pk] = PARTICIPATION + len(text.encode()) + len(json.dumps(values))
    for name, field, most in (("Visit", "events", VISIT), ("Answer", "text", ANSWER)):
        found = apps.get_model("studies", name).objects.order_by("pk")
        for pk, value in found.values_list("participation_id", field).iterator(AT_ONCE):
            text = value if isinstance(value, str) else json.dumps(value)
            taken[pk] += most + len(text.encode())
    readings = apps.get_model("studies", "ClockReading").objects.order_by("pk")
    for pk in readings.values_list("participation_id", flat=True).iterator(AT_ONCE):
        taken[pk] += READING
    for pk, n_bytes in taken.items():
        participations.filter(pk=pk).update(stored_bytes=n_bytes)


class Migration(migrations.Migration):
    dependencies = [("studies", "0007_came")]

    operations = [
        migrations.AddField(
            "participation",
            "stored_bytes",
            models.PositiveBigIntegerField(default=0, editable=False),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
