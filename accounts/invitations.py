"""Inviting people: an account without a password, and a mail with a link to set one."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.validators import validate_email
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from accounts import audit
from accounts.models import User
from operations import mails


class AlreadyThere(Exception):
    """Somebody with this address has an account and a password."""


@transaction.atomic
def invite(email: str, actor: User | None = None, language: str | None = None) -> tuple[User, str]:
    """Make an account for `email` and send the link; for one who has not used it, send it anew.

    The address counts as verified: the password can be set only by who reads its mail. The mail
    is in `language`, or else in the one that is spoken here and now.

    Returns:
        The account, and the link, for an operator to pass on where no mail is sent.

    Raises:
        ValidationError: that is no e-mail address.
        AlreadyThere: nothing was sent.
        NotSent: the mail server did not take it, and there is no account.
    """
    email = email.strip().lower()
    validate_email(email)
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email)
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    elif user.has_usable_password():
        raise AlreadyThere
    key = default_token_generator.make_token(user)
    arguments = {"uidb36": user_pk_to_url_str(user), "key": key}
    context = {
        "site_url": settings.SITE_URL,
        "link": settings.SITE_URL + reverse("account_reset_password_from_key", kwargs=arguments),
        "days": settings.PASSWORD_RESET_TIMEOUT // (24 * 3600),
    }
    audit.record("invited", user, actor=actor)
    with translation.override(language or translation.get_language()):
        subject = render_to_string("accounts/email/invitation_subject.txt", context).strip()
        message = render_to_string("accounts/email/invitation_message.txt", context)
        mails.send(subject, message, email)
    return user, str(context["link"])
