"""Fields and permissions as the admin names them now; nothing changes in the database."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recognition', '0010_encrypted_webhook_secrets'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='upload',
            options={'ordering': ['-created_at', '-id'], 'permissions': [('view_photo', 'Can open other people’s photos')], 'verbose_name': 'upload', 'verbose_name_plural': 'uploads'},
        ),
        migrations.AlterField(
            model_name='dataexport',
            name='expires_at',
            field=models.DateTimeField(null=True, verbose_name='expires on'),
        ),
        migrations.AlterField(
            model_name='dataexport',
            name='status',
            field=models.CharField(choices=[('pending', 'Waiting'), ('processing', 'Preparing'), ('done', 'Ready'), ('failed', 'Failed')], default='pending', max_length=10, verbose_name='status'),
        ),
        migrations.AlterField(
            model_name='modelchoice',
            name='chosen_at',
            field=models.DateTimeField(auto_now_add=True, verbose_name='activated'),
        ),
        migrations.AlterField(
            model_name='modelchoice',
            name='chosen_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='activated by'),
        ),
        migrations.AlterField(
            model_name='prediction',
            name='corrected_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='corrected at'),
        ),
        migrations.AlterField(
            model_name='prediction',
            name='roll',
            field=models.FloatField(default=0.0, verbose_name='tilt (degrees)'),
        ),
        migrations.AlterField(
            model_name='upload',
            name='error_code',
            field=models.CharField(blank=True, max_length=40, verbose_name='failure code'),
        ),
        migrations.AlterField(
            model_name='upload',
            name='error_message',
            field=models.CharField(blank=True, max_length=300, verbose_name='failure reason'),
        ),
        migrations.AlterField(
            model_name='webhook',
            name='url',
            field=models.URLField(max_length=500, verbose_name='URL'),
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='status',
            field=models.CharField(choices=[('pending', 'Waiting'), ('processing', 'Running'), ('done', 'Delivered'), ('failed', 'Failed')], default='pending', max_length=10, verbose_name='status'),
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='status_code',
            field=models.PositiveSmallIntegerField(null=True, verbose_name='response status'),
        ),
    ]
