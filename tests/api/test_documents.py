"""The description of the interface is for everybody, and small on its way."""

from __future__ import annotations

import gzip

from django.test import Client


def test_the_schema_is_compressed_for_those_who_can_unpack_it(db: None) -> None:
    plain = Client().get("/api/v1/schema/")
    packed = Client().get("/api/v1/schema/", headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 5
