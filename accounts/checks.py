"""What `manage.py check --deploy` says about accounts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.security, deploy=True)
def open_sign_up(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Where anybody may sign up, they show that the address is theirs."""
    if settings.SIGNUP != "open" or settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory":
        return []
    hint = (
        "Set EMAIL_VERIFICATION=mandatory (and EMAIL_URL, for the mail), or SIGNUP=closed and "
        "invite people: otherwise anybody can open an account in another's name."
    )
    return [
        Warning("Anybody may sign up with an address that is not theirs.", hint=hint,
                id="accounts.W001")
    ]  # fmt: skip


@register(Tags.security, deploy=True)
def mail(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Addresses are not to be verified by mail that nobody gets."""
    if settings.CAN_MAIL or settings.ACCOUNT_EMAIL_VERIFICATION == "none":
        return []
    hint = "Set EMAIL_URL, such as smtp+tls://user:password@mail.example.org:587."
    text = "EMAIL_VERIFICATION needs mail, and none is set up."
    return [Error(text, hint=hint, id="accounts.E001")]
