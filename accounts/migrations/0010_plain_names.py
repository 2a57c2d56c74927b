"""Fields and permissions as the admin names them now; nothing changes in the database."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_admin_log_without_names'),
    ]

    operations = [
        migrations.AlterField(
            model_name='apitoken',
            name='prefix',
            field=models.CharField(editable=False, max_length=16, verbose_name='prefix'),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='performed by'),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='target',
            field=models.CharField(blank=True, max_length=80, verbose_name='object'),
        ),
        migrations.AlterField(
            model_name='consent',
            name='version',
            field=models.CharField(max_length=20, verbose_name='text version'),
        ),
        migrations.AlterField(
            model_name='user',
            name='email',
            field=models.EmailField(max_length=254, unique=True, verbose_name='email address'),
        ),
        migrations.AlterField(
            model_name='user',
            name='quota_live_minutes_a_day',
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name='live minutes per day'),
        ),
        migrations.AlterField(
            model_name='user',
            name='quota_uploads_a_day',
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name='uploads per day'),
        ),
    ]
