from django.db import migrations


def convert(apps, how):
    for row in apps.get_model("mfa", "Authenticator").objects.all():
        for name in ("secret", "seed"):
            if name in row.data:
                row.data[name] = how(row.data[name])
        if "migrated_codes" in row.data:
            row.data["migrated_codes"] = [how(code) for code in row.data["migrated_codes"]]
        row.save(update_fields=["data"])


def encrypt(apps, schema_editor):
    from operations.encryption import decrypt, encrypt

    convert(apps, lambda text: encrypt(decrypt(text)))


def decrypt(apps, schema_editor):
    from operations.encryption import decrypt

    convert(apps, decrypt)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_purposes"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]
    operations = [migrations.RunPython(encrypt, decrypt)]
