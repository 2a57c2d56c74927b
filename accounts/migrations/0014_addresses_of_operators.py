from django.db import migrations, models


def vouch(apps, schema_editor):
    """Whoever signs up has a row of their address; operators, and whom they made, had none.

    Without one a reset by mail ended their second factors, as if somebody else had set them up.
    """
    addresses = apps.get_model("account", "EmailAddress").objects
    people = apps.get_model("accounts", "User").objects
    rows = [
        addresses.model(user=user, email=user.email, primary=True, verified=True)
        for user in people.filter(emailaddress=None)
    ]
    addresses.bulk_create(rows, ignore_conflicts=True)
    # What allauth writes for whoever has none and opens the page of addresses: a sign-up's is primary.
    made = addresses.filter(email=models.F("user__email"), primary=False, verified=False)
    made.update(primary=True, verified=True)
    for user in people.filter(is_superuser=True):
        addresses.filter(user=user, email=user.email).update(verified=True)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_turns_of_a_deletion"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]
    operations = [migrations.RunPython(vouch, migrations.RunPython.noop)]
