from django.db import migrations


def forget_names(apps, schema_editor):
    """The log repeated what rows were called: e-mail addresses, of people long deleted, too."""
    for entry in apps.get_model("admin", "LogEntry").objects.select_related("content_type"):
        kind = entry.content_type.model if entry.content_type else "row"
        entry.object_repr = f"{kind} {entry.object_id}"
        entry.save(update_fields=["object_repr"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_encrypt_second_factors"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]
    operations = [migrations.RunPython(forget_names, migrations.RunPython.noop)]
