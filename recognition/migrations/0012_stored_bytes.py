"""What files take in the storage, which quotas count from now on."""

from typing import Any

from django.db import migrations, models
from django.db.models import F


def estimate(apps: Any, schema_editor: Any) -> None:
    """Photos that are there already count as they came; nobody has written down what they took."""
    uploads = apps.get_model("recognition", "Upload").objects.filter(photo_deleted_at=None)
    uploads.update(stored_bytes=F("byte_size"))


class Migration(migrations.Migration):
    dependencies = [("recognition", "0011_plain_names")]

    operations = [
        migrations.AddField(
            "dataexport", "stored_bytes", models.PositiveBigIntegerField(default=0)
        ),
        migrations.AddField(
            "prediction",
            "heat_map_bytes",
            models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            "upload",
            "stored_bytes",
            models.PositiveIntegerField(default=0, editable=False, verbose_name="stored bytes"),
        ),
        migrations.RunPython(estimate, migrations.RunPython.noop),
    ]
