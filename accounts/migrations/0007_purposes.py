"""Purposes are registered by the apps that ask for them; nothing in the database changes."""

from django.db import migrations, models

import accounts.purposes


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0006_field_names"),
    ]

    operations = [
        migrations.AlterField(
            "consent",
            "purpose",
            models.CharField(
                choices=accounts.purposes.choices, max_length=20, verbose_name="purpose"
            ),
        ),
    ]
