"""What the account pages show of settings, sessions and the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import purposes
from accounts.audit import ACTIONS, NAMED, SHOWN_TARGETS
from accounts.models import AuditEvent

register = template.Library()

#: What a User-Agent contains to the name of the program; the first that fits, for all
#: others also say what they are compatible with.
_BROWSERS = {
    "Firefox": "Firefox",
    "Edg": "Edge",
    "OPR": "Opera",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


@register.simple_tag
def signup_is_open() -> bool:
    return bool(settings.SIGNUP == "open")


@register.simple_tag
def can_mail() -> bool:
    """Whether mail reaches people."""
    return bool(settings.CAN_MAIL)


@register.inclusion_tag("accounts/_account_nav_item.html", takes_context=True)
def account_nav_item(
    context: dict[str, Any], url_name: str, text: str, icon: str, also: str = ""
) -> dict[str, Any]:
    """A line of the account's navigation, marked on its page, those below it, and on `also`."""
    address = reverse(url_name)
    path = context["request"].path
    is_active = path.startswith(address) or (bool(also) and path.startswith(reverse(also)))
    return {"address": address, "text": text, "icon": icon, "is_active": is_active}


@register.filter
def browser_name(user_agent: str) -> str:
    """Browser and system in two words; the whole text where it is none that we know."""
    browser = next((name for part, name in _BROWSERS.items() if part in user_agent), None)
    system = next((name for part, name in _SYSTEMS.items() if part in user_agent), None)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or user_agent[:80] or _("Unknown browser")


@register.filter
def event_kind(event: AuditEvent) -> str:
    """What happened, in plain words: the same for all that are shown together."""
    text = str(ACTIONS.get(event.action, event.action))
    purpose = event.details.get("purpose")
    return f"{text}: {purposes.NAMES[purpose]}" if purpose in purposes.NAMES else text


@register.filter
def times(events: Iterable[AuditEvent]) -> int:
    """How often it was done, where one event may stand for many things in one go."""
    return sum(event.details.get("number", 1) for event in events)


@register.filter
def event_text(event: AuditEvent) -> str:
    """What happened, and to what."""
    text = event_kind(event)
    if (number := times([event])) > 1:
        text += f" ×{number}"
    if "prefix" in event.details:
        text += f": {event.details['prefix']}…"
    kind, _separator, identity = event.target.partition(":")
    if kind in SHOWN_TARGETS and identity:
        text += f" ({identity[:8]})"
    return text


@register.filter
def event_page(event: AuditEvent, pages: dict[str, str]) -> str:
    """The URL of what the event concerns; empty where that has no page, or is gone."""
    return pages.get(event.target, "")


@register.filter
def event_actor(event: AuditEvent) -> str:
    """Who did it, as far as the person may know; members of staff are not named."""
    if event.actor is None:
        return ""
    if event.actor_id == event.user_id:
        return _("by you")
    if event.action in NAMED:
        return _("by %(person)s") % {"person": event.actor.email}
    return _("by staff")
