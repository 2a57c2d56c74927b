"""What the site's header and the pages of studies ask."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

from studies import access

register = template.Library()


@register.simple_tag(takes_context=True)
def has_studies(context: dict[str, Any]) -> bool:
    """Whether the header leads to studies: the person may create one, or is in a team."""
    user = context.get("user")
    return user is not None and access.has_any(user)


@register.simple_tag
def address(name: str, *arguments: object) -> str:
    """A URL, or nothing where the site has no such page."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""
