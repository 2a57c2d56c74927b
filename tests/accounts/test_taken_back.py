"""Who gets an account back from somebody else is asked anew what they agree to."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts import consent
from accounts.models import AuditEvent, User
from accounts.purposes import ACCOUNT
from recognition.people import TRAINING
from tests.support.signing_in import link_in, sign_in

MINE = "another-good-password-7"


def reset(user: User) -> Client:
    """By the link in the mail, and then in with the new password."""
    mail.outbox.clear()
    client = Client()
    client.post("/accounts/password/reset/", {"email": user.email})
    page = client.get(link_in(mail.outbox[0]))
    client.post(page["Location"], {"password1": MINE, "password2": MINE})
    sign_in(client, user.email, MINE)
    user.refresh_from_db()
    return client


@pytest.mark.django_db
def test_what_somebody_else_agreed_to_does_not_hold() -> None:
    squatter = Client()
    form = {"email": "victim@example.org", "password1": "a-good-password-7", "consent": "on"}
    squatter.post("/accounts/signup/", {**form, "password2": form["password1"]})
    squatter.post("/privacy/training/", {"agree": "yes"})
    user = User.objects.get()
    assert consent.has(user, ACCOUNT)
    assert consent.has(user, TRAINING)

    victim = reset(user)

    assert not consent.has(user, ACCOUNT)
    assert not consent.has(user, TRAINING)
    assert victim.get("/uploads/")["Location"].startswith("/accounts/consent/")
    assert AuditEvent.objects.filter(user=user, action="consent_withdrawn").count() == 2
    # Who has shown that the address is theirs is asked once.
    consent.give(user, ACCOUNT)
    assert reset(user).get("/uploads/").status_code == 200


def test_what_one_chose_oneself_holds(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=True)
    User.objects.filter(pk=alice.pk).update(photo_retention_days=30)
    reset(alice)
    assert consent.has(alice, ACCOUNT)
    assert alice.photo_retention_days == 30


def test_how_long_photos_are_kept_stays_as_it_was_chosen(alice: User) -> None:
    """Who was the owner all along, and never verified the address, would not notice a change."""
    User.objects.filter(pk=alice.pk).update(photo_retention_days=30)
    reset(alice)
    assert alice.photo_retention_days == 30
