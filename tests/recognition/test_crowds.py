"""A photo of very many people says where the search ended."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from recognition import tasks
from recognition.models import uploads as upload_models
from recognition.uploads.actions import create_upload
from tests.support.pictures import crowd, encode


def test_the_page_tells_where_the_search_ended(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = create_upload(alice, SimpleUploadedFile("a.jpg", encode(crowd(3, 2)[0])))
    tasks.process_upload.apply((str(photo.pk),), throw=True)
    sentence = "There may be more faces: Visage stops at 6 in one photo."
    assert sentence not in alice_client.get(photo.get_absolute_url()).text
    monkeypatch.setattr(upload_models, "MAXIMUM_FACES", 6)
    assert sentence in alice_client.get(photo.get_absolute_url()).text
