"""What the site's header and the pages of studies ask."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.defaultfilters import floatformat
from django.urls import NoReverseMatch, reverse
from django.utils.formats import get_format

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


@register.filter
def figure(value: float) -> str:
    """A figure with two digits, as `floatformat:2` writes it, in a fifth of the time.

    A page of results has two thousand of them.
    """
    digits = repr(value).partition(".")[2]
    if len(digits) < 4 or "e" in digits:
        # Halfway between two, perhaps: those are not rounded as Python does it.
        return floatformat(value, 2)
    text = f"{value:.2f}"
    if text == "-0.00":
        text = "0.00"
    return text.replace(".", get_format("DECIMAL_SEPARATOR"))
