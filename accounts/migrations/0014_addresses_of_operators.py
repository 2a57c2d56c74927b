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
    # Nor where an operator has written another row for the person.
    made = made.exclude(user__in=list(addresses.filter(primary=True).values_list("user", flat=True)))
    of_superusers = addresses.filter(email=models.F("user__email"), user__is_superuser=True)
    taken = set(addresses.filter(verified=True).values_list("email", flat=True))
    primary = {address.pk for address in made}
    for address in [*made, *of_superusers.filter(verified=False)]:
        if address.email not in taken:
            is_primary = address.primary or address.pk in primary
            addresses.filter(pk=address.pk).update(verified=True, primary=is_primary)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_turns_of_a_deletion"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]
    operations = [migrations.RunPython(vouch, migrations.RunPython.noop)]
