"""What the pages of the programming interface need."""

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def with_code(text: str) -> SafeString:
    """Escape a text, and show what stands between backticks as code."""
    shown = re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(str(text)))
    return mark_safe(shown)  # noqa: S308  (escaped above)
