"""Every kind of work has the same columns; what stands in the rows stays."""

from django.db import migrations, models
from django.db.models import F, Q


def give_deliveries_a_status(apps, schema_editor):
    """Until now it was told by the times of the delivery and of the next attempt."""
    deliveries = apps.get_model("recognition", "WebhookDelivery").objects
    deliveries.filter(delivered_at__isnull=False).update(
        status="done", finished_at=F("delivered_at")
    )
    deliveries.filter(delivered_at=None, queued_at=None).update(status="failed")


def let_comparisons_wait(apps, schema_editor):
    """Between two slices a comparison was `processing` without a claim."""
    comparisons = apps.get_model("recognition", "ModelComparison").objects
    comparisons.filter(status="processing", claimed_until=None).update(status="pending")


def take_times_back(apps, schema_editor):
    """What has ended is not due again for the version before."""
    deliveries = apps.get_model("recognition", "WebhookDelivery").objects
    deliveries.filter(status__in=["done", "failed"]).update(queued_at=None)
    deliveries.filter(Q(status="processing")).update(queued_at=F("claimed_until"))


class Migration(migrations.Migration):

    dependencies = [
        ("recognition", "0007_field_names"),
    ]

    operations = [
        migrations.RenameField("webhookdelivery", "next_attempt_at", "queued_at"),
        migrations.AlterField(
            "webhookdelivery", "queued_at", models.DateTimeField(editable=False, null=True)
        ),
        migrations.AddField(
            "webhookdelivery",
            "status",
            models.CharField(
                choices=[
                    ("pending", "Waiting"),
                    ("processing", "Running"),
                    ("done", "Delivered"),
                    ("failed", "Given up"),
                ],
                default="pending",
                max_length=10,
                verbose_name="status",
            ),
        ),
        migrations.AddField(
            "webhookdelivery",
            "claim",
            models.CharField(blank=True, default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            "webhookdelivery",
            "claimed_until",
            models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            "webhookdelivery",
            "finished_at",
            models.DateTimeField(blank=True, null=True, verbose_name="finished"),
        ),
        migrations.AlterField(
            "webhookdelivery",
            "attempts",
            models.PositiveSmallIntegerField(default=0, editable=False, verbose_name="attempts"),
        ),
        migrations.AddIndex(
            "webhookdelivery",
            models.Index(fields=["status", "queued_at"], name="recognition_status_70dda9_idx"),
        ),
        migrations.AddField(
            "dataexport",
            "claim",
            models.CharField(blank=True, default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        *(
            migrations.AlterField(model, name, field)
            for model in ("dataexport", "modelcomparison")
            for name, field in (
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        default=0, editable=False, verbose_name="attempts"
                    ),
                ),
                ("queued_at", models.DateTimeField(editable=False, null=True)),
                ("claimed_until", models.DateTimeField(editable=False, null=True)),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="finished"),
                ),
            )
        ),
        migrations.AlterField(
            "modelcomparison",
            "claim",
            models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.RunPython(give_deliveries_a_status, take_times_back),
        migrations.RunPython(let_comparisons_wait, migrations.RunPython.noop),
    ]
