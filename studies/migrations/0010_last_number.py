"""The number of a participant who withdrew is nobody else's later."""

from typing import Any

from django.db import migrations, models
from django.db.models import Count, Max, Q


def count(apps: Any, schema_editor: Any) -> None:
    """Of those that are there, and at least one for each who ever was."""
    studies = apps.get_model("studies", "Study").objects
    counted = Q(participations__is_preview=False)
    rows = studies.annotate(
        highest=Max("participations__number", filter=counted),
        n=Count("participations", filter=counted),
    )
    for pk, highest, n, n_withdrawn in rows.values_list("pk", "highest", "n", "n_withdrawn"):
        studies.filter(pk=pk).update(last_number=max(highest or 0, n + n_withdrawn))


class Migration(migrations.Migration):
    dependencies = [("studies", "0009_code_salt")]

    operations = [
        migrations.AddField(
            "study",
            "last_number",
            models.PositiveIntegerField(default=0, db_default=0, editable=False),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
