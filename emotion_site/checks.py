"""What `manage.py check --deploy` says about where the site is reached."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.http.request import validate_host


@register(Tags.security, deploy=True)
def site_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Links in mails lead to a host that the site answers to, over HTTPS."""
    found: list[CheckMessage] = []
    site = urlsplit(settings.SITE_URL)
    if site.scheme != "https":
        hint = "Set SITE_URL to https://…: a link in a mail carries a key to somebody's account."
        found.append(Warning("SITE_URL is not https.", hint=hint, id="emotion_site.W001"))
    host = site.hostname or ""
    if not validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS):
        hint = "Add it to ALLOWED_HOSTS, or correct SITE_URL."
        found.append(
            Error(
                f"The host of SITE_URL, {host}, is not allowed.", hint=hint, id="emotion_site.E001"
            )
        )
    return found


@register(Tags.security, deploy=True)
def operator(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """People are told what the site is for, and who answers for it."""
    needed = {
        "DEPLOYMENT_PURPOSE": "Say in a sentence what this site is for; every page shows it.",
        "OPERATOR_CONTACT": "Say who runs it and how they are reached, such as an email address.",
    }
    return [
        Error(f"{name} is not set.", hint=hint, id=f"emotion_site.E{number:03d}")
        for number, (name, hint) in enumerate(needed.items(), start=2)
        if not getattr(settings, name).strip()
    ]
