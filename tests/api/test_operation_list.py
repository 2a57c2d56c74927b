"""The API's page lists every operation, in the reader's language and without a script."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.test import Client
from drf_spectacular.generators import SchemaGenerator

ROW = re.compile(
    r'<tr id="(?P<id>[^"]+)">\s*<td class="docs-method">(?P<method>\w+)</td>\s*<td>.*?'
    r'<code>(?P<path>[^<]+)</code>.*?<a href="#(?P<link>[^"]+)" '
    r'data-reference="#(?P<anchor>[^"]+)">(?P<summary>[^<]+)</a>(?P<rest>.*?)</tr>',
    re.DOTALL,
)


def rows(language: str = "en") -> list[dict[str, str]]:
    """Of a stranger's page."""
    answer = Client().get("/api/v1/docs/", headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text
    return [
        {name: unescape(part) for name, part in row.groupdict().items()}
        for row in ROW.finditer(answer.text)
    ]


def described() -> dict[tuple[str, str], dict[str, Any]]:
    """The description of each operation, by method and path."""
    paths = SchemaGenerator().get_schema(public=True)["paths"]
    return {
        (method.upper(), path): operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def test_every_operation_is_listed_once_uploads_first(db: None) -> None:
    listed, wanted = rows(), described()
    assert [row["path"] for row in listed][:2] == ["/api/v1/uploads/"] * 2
    assert len(listed) == len(wanted) > 40
    for row in listed:
        operation = wanted.pop((row["method"], row["path"]))
        assert row["summary"] == operation["summary"]
        # Swagger UI reads tag and operation from what follows #.
        tag = operation["tags"][0].replace(" ", "%20")
        assert row["anchor"] == f"/{tag}/{operation['operationId']}"
        assert row["id"] == row["link"]
        assert ("deprecated" in row["rest"]) == operation.get("deprecated", False)
    assert wanted == {}
    assert len({row["id"] for row in listed}) == len(listed)


def test_a_german_reader_has_german_lines(db: None) -> None:
    english, german = rows(), rows("de")
    assert [row["anchor"] for row in german] == [row["anchor"] for row in english]
    for ours, theirs in zip(english, german, strict=True):
        assert ours["summary"] != theirs["summary"]


def test_nothing_of_swagger_ui_comes_before_it_is_asked_for(db: None) -> None:
    page = Client().get("/api/v1/docs/").text
    fetched = re.findall(r'<(?:script|link)[^>]+(?:src|href)="([^"]+)"', page)
    assert len(fetched) > 5
    assert [url for url in fetched if "swagger" in url or "script" in url.split("?")[-1]] == []
    assert re.search(r'data-bundle="[^"]+swagger-ui-bundle[^"]*\.js"', page)
