"""Messages to webhooks know what they tell of, to go with it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recognition", "0021_transfers_go_with_their_video")]

    operations = [
        migrations.AddField(
            model_name="webhookdelivery",
            name="subject",
            field=models.UUIDField(db_index=True, editable=False, null=True),
        ),
    ]
