"""A withdrawal code's time counts from when it was first shown."""

from typing import Any

from django.db import migrations, models
from django.db.models import F


def shown_at_the_end(apps: Any, schema_editor: Any) -> None:
    """Who has ended was shown theirs then, for all that is known: it is not shown again."""
    participations = apps.get_model("studies", "Participation").objects
    have_ended = participations.filter(state__in=["finished", "left"], code_shown_at=None)
    have_ended.update(code_shown_at=F("seen_at"))


class Migration(migrations.Migration):
    dependencies = [("studies", "0010_last_number")]

    operations = [
        migrations.AddField(
            "participation",
            "code_shown_at",
            models.DateTimeField(null=True, blank=True, editable=False),
        ),
        migrations.RunPython(shown_at_the_end, migrations.RunPython.noop),
    ]
