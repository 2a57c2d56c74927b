"""What `manage.py check --deploy` says about accounts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


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
