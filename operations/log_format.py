"""How a line of the log looks, for people and as JSON; what it never carries."""

from __future__ import annotations

import logging
import re

from django.http import HttpRequest
from pythonjsonlogger.json import JsonFormatter

from operations.routes import route_of

#: The one kind of personal data that reaches logs by itself: in the message of a database error,
#: or of a mail server's. A worker's name (``celery@host``) is none.
_EMAIL = re.compile(r"(?<![\w.+-])(?!celery@)[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
#: In the reason of a refusal: where somebody came from.
_URL = re.compile(r"\bhttps?://\S+")


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


def _without_address(argument: object, request: HttpRequest) -> object:
    if not isinstance(argument, str):
        return argument
    # Django escapes what it was given.
    known = {request.path, request.get_full_path()}
    if argument in known or argument in {text.encode("unicode_escape").decode() for text in known}:
        return route_of(request)
    return _URL.sub("<URL>", argument)


class Requests(logging.Filter):
    """What Django says of a request names its route, not its address, which may have a key.

    One that was refused is one line: no code of ours failed.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        # Taken away: as JSON it would be written out, with its address.
        request = record.__dict__.pop("request", None)
        if request is not None and isinstance(record.args, tuple):
            record.args = tuple(_without_address(a, request) for a in record.args)
        is_refusal = getattr(record, "status_code", 500) < 500
        if is_refusal or record.name.startswith("django.security"):
            record.exc_info = record.exc_text = None
        return True
