"""What the log says of a request whose address has a key."""

from __future__ import annotations

import json
import logging

import pytest
from django.test import RequestFactory
from django.urls import resolve

from operations.log_format import JsonLineFormatter, LineFormatter, Requests


@pytest.mark.parametrize("formatter", [LineFormatter, JsonLineFormatter], ids=["line", "json"])
@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/studies/join/a-key/", "studies/join/<str:key>/"),
        ("/take-part/p/a-key/consent/", "take-part/p/<str:key>/consent/"),
        ("/studies/join/a-key/and/more", "unknown"),
        ("/take-part/a-key\u201d/", "unknown"),
    ],
    ids=["join", "consent", "unknown", "a quotation mark"],
)
def test_its_route_stands_for_it(formatter: type[logging.Formatter], path: str, route: str) -> None:
    request = RequestFactory().get(path, {"id": "a-key"})
    if route != "unknown":
        request.resolver_match = resolve(path)
    why = "Referer checking failed - https://faces.example/take-part/a-key/ does not match."
    told = ("Gone", why, path.encode("unicode_escape").decode())
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "%s (%s): %s", told, None)
    record.request, record.status_code = request, 410
    assert Requests().filter(record)
    line = formatter("%(levelname)s %(message)s").format(record)
    message = json.loads(line)["message"] if line[0] == "{" else line
    assert "Gone (Referer checking failed - <URL> does not match.): " + route in message
    assert "a-key" not in line
