"""How a line of the log looks, for people and as JSON; what it never carries."""

from __future__ import annotations

import logging
import re

from pythonjsonlogger.json import JsonFormatter

from operations.routes import route_of

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


class Requests(logging.Filter):
    """What Django says of a request names its route, not its address, which may have a key.

    One that was refused is one line: no code of ours failed.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        # Taken away: as JSON it would be written out, with its address.
        request = record.__dict__.pop("request", None)
        if request is not None and isinstance(record.args, tuple):
            known = {request.path, request.get_full_path()}
            record.args = tuple(route_of(request) if a in known else a for a in record.args)
        is_refusal = getattr(record, "status_code", 500) < 500
        if is_refusal or record.name.startswith("django.security"):
            record.exc_info = record.exc_text = None
        return True
