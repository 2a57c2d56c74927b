"""The description of the interface is for everybody, and small on its way."""

from __future__ import annotations

import gzip
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from recognition.api import operation_list
from recognition.api.views import documents


def test_the_schema_is_compressed_for_those_who_can_unpack_it(db: None) -> None:
    plain = Client().get("/api/v1/schema/")
    packed = Client().get("/api/v1/schema/", headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 5


def test_the_schema_is_made_once_for_each_language(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes a second, and anybody may ask."""
    made = []
    make = SchemaGenerator.get_schema

    def counted(*args: Any, **options: Any) -> Any:
        made.append(1)
        return make(*args, **options)

    def schema(query: str = "", **headers: str) -> bytes:
        return Client().get(f"/api/v1/schema/{query}", headers=headers).content

    documents._description.cache_clear()
    english = schema()
    german = schema("?lang=de")
    documents._description.cache_clear()
    assert german == schema(**{"Accept-Language": "de"}) != english == schema()
    monkeypatch.setattr(SchemaGenerator, "get_schema", counted)
    for query in ("", "?lang=en", "?lang=no-such", "?version=7", "?lang=en&x=1"):
        assert schema(query) == english
    assert schema("?lang=de") == german
    assert made == []


def test_it_is_made_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator fails where two of them begin to load its classes."""
    make, at_work, most = SchemaGenerator.get_schema, [0], [0]

    def slow(*args: Any, **options: Any) -> Any:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        time.sleep(0.1)
        schema = make(*args, **options)
        at_work[0] -= 1
        return schema

    monkeypatch.setattr(SchemaGenerator, "get_schema", slow)
    documents._description.cache_clear()
    operation_list._operations.cache_clear()
    media_type = "application/vnd.oai.openapi+json"
    with ThreadPoolExecutor() as threads:
        asked = [
            threads.submit(documents._description, "en", media_type),
            threads.submit(documents._description, "de", media_type),
            threads.submit(operation_list._operations),
        ]
        assert all(one.result() for one in asked)
    assert most == [1]
