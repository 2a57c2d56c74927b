"""The operations of the API as a page lists them: grouped, each with one line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from recognition.api import schema

#: What a page calls each tag of the description.
GROUPS = {
    "uploads": gettext_noop("Uploads"),
    "predictions": gettext_noop("Predictions"),
    "statistics": gettext_noop("Statistics"),
    "videos": gettext_noop("Videos"),
    "recordings": gettext_noop("Recordings"),
    "live sessions": gettext_noop("Live sessions"),
    "studies": gettext_noop("Studies"),
    "webhooks": gettext_noop("Webhooks"),
    "me": gettext_noop("Your account"),
}


class Operation(NamedTuple):
    """An operation as its description has it.

    Attributes:
        summary: one line, in English.
        anchor: what follows ``#`` in the URL with which Swagger UI opens it.
    """

    tag: str
    method: str
    path: str
    summary: str
    id: str
    anchor: str
    is_deprecated: bool


class Group(NamedTuple):
    """What belongs together, with its name in the language of the request."""

    name: str
    operations: list[Operation]


@cache
def _operations() -> tuple[Operation, ...]:
    """Once for a process: to describe them all takes a third of a second."""
    paths = schema.describe()["paths"]
    return tuple(
        Operation(
            tag := described["tags"][0],
            method.upper(),
            path,
            described["summary"],
            described["operationId"],
            f"/{tag.replace(' ', '%20')}/{described['operationId']}",
            described.get("deprecated", False),
        )
        for path, methods in paths.items()
        for method, described in methods.items()
    )


def groups() -> Iterator[Group]:
    """Every operation, in the language of the request: groups in the order of the description."""
    described: dict[str, Any] = settings.SPECTACULAR_SETTINGS
    for tag in described["TAGS"]:
        yield Group(
            gettext(GROUPS[tag["name"]]),
            [
                operation._replace(summary=gettext(operation.summary))
                for operation in _operations()
                if operation.tag == tag["name"]
            ],
        )
