"""Withdrawal codes are made of the participant's key and of what the site alone has."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("studies", "0008_stored_bytes")]

    operations = [
        migrations.AddField(
            "participation",
            "code_salt",
            models.CharField(
                max_length=32, blank=True, default="", db_default="", editable=False
            ),
        ),
    ]
