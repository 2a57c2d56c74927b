"""Mails of this site: plain text, and the same words as HTML in the site's look.

The HTML is made from the text, so that both always say the same in every language, and whoever
writes a mail writes it once. It loads nothing from anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

TEMPLATE = "email.html"
#: What ends a sentence rather than an address.
_AFTER_A_LINK = ".,;:!?)"
_BLANK_LINES = re.compile(r"\n\s*\n")


class NotSent(Exception):
    """The mail server did not take a mail, or is not there; says which failure, and no address."""


def deliver(message: EmailMessage) -> None:
    """Hand a mail to the mail server.

    Raises:
        NotSent: it did not take it.
    """
    try:
        message.send()
    # Those of smtplib are OSErrors, and their text names who it was to; an address that cannot be
    # written in a mail is a ValueError.
    except (OSError, ValueError) as error:
        raise NotSent(f"could not be mailed: {type(error).__name__}") from None


def send(subject: str, text: str, to: str) -> None:
    """Send a mail to one address.

    Args:
        subject: one line.
        text: paragraphs, divided by blank lines.
        to: their address.

    Raises:
        NotSent: the mail server did not take it.
    """
    deliver(with_html(EmailMessage(subject, text, None, [to])))


def with_html(message: EmailMessage) -> EmailMultiAlternatives:
    """A mail of plain text with its HTML part."""
    text = str(message.body)
    mail = EmailMultiAlternatives(
        message.subject,
        text,
        message.from_email,
        message.to,
        headers=message.extra_headers,
    )
    context = {
        "subject": message.subject,
        "paragraphs": list(_paragraphs(text)),
        "site_url": settings.SITE_URL,
    }
    mail.attach_alternative(render_to_string(TEMPLATE, context), "text/html")
    return mail


def _paragraphs(text: str) -> Iterator[SafeString]:
    for paragraph in _BLANK_LINES.split(text.strip()):
        lines = ((_linked(line.strip()),) for line in paragraph.splitlines())
        yield format_html_join(mark_safe("<br>"), "{}", lines)


def _linked(line: str) -> SafeString:
    """A line as HTML. Addresses of this site become links; those of others, which only people can
    have written, do not.
    """
    parts, end = [], 0
    for found in re.finditer(re.escape(settings.SITE_URL) + r"/[^\s<>\"]*", line):
        address = found[0].rstrip(_AFTER_A_LINK)
        parts += [line[end : found.start()], format_html('<a href="{0}">{0}</a>', address)]
        end = found.start() + len(address)
    return format_html_join("", "{}", ((part,) for part in [*parts, line[end:]]))
