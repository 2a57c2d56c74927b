"""Bodies of requests, read as what they claim to be."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError


class JSONParser(parsers.JSONParser):
    """JSON; one that is nested deeper than Python reads is unreadable, and no failure of ours.

    So is half a character (``"\\ud800"``), which no answer could repeat.
    """

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            value = super().parse(*args, **kwargs)
            json.dumps(value, ensure_ascii=False).encode()
        except RecursionError:
            raise ParseError(_("The JSON is nested too deeply.")) from None
        except UnicodeEncodeError:
            raise ParseError(_("The JSON has text that is not Unicode.")) from None
        return value
