"""What is asked for most often asks the database for little, and writes nothing."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recognition import tasks
from recognition.models import Upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def done(alice_upload: Upload) -> Upload:
    tasks.process_upload.apply((str(alice_upload.pk),), throw=True)
    return alice_upload


def statements(client: Client, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return [query["sql"] for query in captured]


def test_asking_for_a_result_writes_nothing(alice_client: Client, done: Upload) -> None:
    """Pages ask every few seconds; writers of a database wait for each other."""
    asked = statements(alice_client, f"/api/v1/uploads/{done.pk}/")
    assert [sql for sql in asked if not sql.startswith("SELECT")] == []
    assert not any("cache_entries" in sql for sql in asked)


@pytest.mark.parametrize("picture", ["thumbnail", "image"])
def test_a_picture_needs_its_row_and_not_its_faces(
    alice_client: Client, done: Upload, picture: str
) -> None:
    asked = statements(alice_client, f"/uploads/{done.pk}/{picture}/")
    assert not any("recognition_prediction" in sql for sql in asked)
    # Session, person, consent, upload.
    assert len(asked) == 4
