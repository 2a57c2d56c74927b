from django.db import migrations

import operations.encryption


def encrypt(apps, schema_editor):
    """Reading gives what was stored before, writing encrypts it."""
    for webhook in apps.get_model("recognition", "Webhook").objects.all():
        webhook.save(update_fields=["secret"])


class Migration(migrations.Migration):
    dependencies = [
        ("recognition", "0009_found_by"),
    ]

    operations = [
        migrations.AlterField(
            model_name="webhook",
            name="secret",
            field=operations.encryption.EncryptedField(editable=False),
        ),
        migrations.RunPython(encrypt, migrations.RunPython.noop),
    ]
