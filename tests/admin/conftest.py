"""What the tests of the administration share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from recognition.models import Upload
from tests.support.model_files import copy_shipped, write_candidate


@pytest.fixture
def charlie_client(charlie: User) -> Client:
    """Staff without any permission."""
    client = Client()
    client.force_login(charlie)
    return client


@pytest.fixture
def models_folder(tmp_path: Path, settings: Any) -> Path:
    """A folder with the shipped model and a candidate."""
    settings.MODEL_MANIFEST = copy_shipped(tmp_path)
    write_candidate(tmp_path)
    return tmp_path


@pytest.fixture
def done_upload(alice_upload: Upload) -> Upload:
    """Alice's photo with its face, as a worker leaves it."""
    from recognition.tasks import process_upload

    process_upload(str(alice_upload.pk))
    alice_upload.refresh_from_db()
    assert alice_upload.status == Upload.Status.DONE
    return alice_upload
