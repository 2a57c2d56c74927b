"""Comparisons of models listed photos, and what was seen in them, after those were deleted."""

from django.db import migrations


def forget_deleted(apps, schema_editor):
    comparisons = apps.get_model("recognition", "ModelComparison").objects
    uploads = apps.get_model("recognition", "Upload")._base_manager
    for pk, result in comparisons.exclude(result=None).values_list("pk", "result").iterator():
        entries = result.get("changed", [])
        listed = [entry["upload"] for entry in entries]
        there = {str(one) for one in uploads.filter(pk__in=listed).values_list("pk", flat=True)}
        changed = [entry for entry in entries if entry["upload"] in there]
        if len(changed) < len(listed):
            comparisons.filter(pk=pk).update(result={**result, "changed": changed})


class Migration(migrations.Migration):
    dependencies = [("recognition", "0025_nothing_tells_of_drawn_faces")]

    operations = [migrations.RunPython(forget_deleted, migrations.RunPython.noop)]
