"""How a line of the log looks, for people and as JSON; what it never carries."""

from __future__ import annotations

import logging
import re

from pythonjsonlogger.json import JsonFormatter

#: The one kind of personal data that reaches logs by itself: in the message of a database error,
#: or of a mail server's. A worker's name (``celery@host``) is none.
_EMAIL = re.compile(r"(?<![\w.+-])(?!celery@)[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def without_addresses(text: str) -> str:
    """The text with e-mail addresses blotted out."""
    return _EMAIL.sub("<e-mail>", text)


class LineFormatter(logging.Formatter):
    """One line for people."""

    def format(self, record: logging.LogRecord) -> str:
        return without_addresses(super().format(record))


class JsonLineFormatter(JsonFormatter):
    """One JSON object a line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        return without_addresses(super().format(record))


class Refusals(logging.Filter):
    """A request that was refused is one line: no code of ours failed."""

    def filter(self, record: logging.LogRecord) -> bool:
        is_refusal = getattr(record, "status_code", 500) < 500
        if is_refusal or record.name.startswith("django.security"):
            record.exc_info = record.exc_text = None
        return True
