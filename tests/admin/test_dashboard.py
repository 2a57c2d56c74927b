"""The first page tells how the site is doing, also while parts of it are away."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from emotion_site import dashboard
from recognition.models import LiveUsage, Upload
from recognition.vision.manifest import read_manifest


@pytest.fixture(autouse=True)
def ask_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test remembered is not known to the next."""
    for question in (dashboard._queue_length, dashboard._workers_alive, dashboard._disk_usage):
        monkeypatch.setattr(question, "_asked_at", float("-inf"))


def make_upload(owner: User, days_ago: float = 0, **fields: Any) -> Upload:
    upload = Upload.objects.create(
        owner=owner, name="x.jpg", thumbnail="none", width=1, height=1, sha256="0" * 64,
        **{"byte_size": 500, "stored_bytes": 1000, "queued_at": timezone.now(), **fields},
    )  # fmt: skip
    at = timezone.now() - timedelta(days=days_ago)
    Upload.objects.filter(pk=upload.pk).update(created_at=at)
    return upload


def test_what_waits_failed_and_is_stored(root_client: Client, alice: User) -> None:
    make_upload(alice, days_ago=2 / 24)
    make_upload(alice)
    for code in ("damaged", "gave_up", "gave_up"):
        make_upload(alice, 3, status=Upload.Status.FAILED, error_code=code)
    make_upload(alice, 40, status=Upload.Status.FAILED, error_code="long_ago")
    deleted = timezone.now()
    make_upload(alice, 40, status=Upload.Status.DONE, photo_deleted_at=deleted, stored_bytes=10**9)
    today = timezone.now().date()
    LiveUsage.objects.create(owner=alice, day=today, seconds=90)
    LiveUsage.objects.create(owner=alice, day=today - timedelta(days=5), seconds=60)
    LiveUsage.objects.create(owner=alice, day=today - timedelta(days=50), seconds=999)

    context = root_client.get("/admin/").context
    assert context["n_waiting"] == 2
    assert timezone.now() - context["oldest_waiting"] > timedelta(hours=1.9)
    assert context["failures"] == [("gave_up", 2), ("damaged", 1)]
    assert context["stored"] == {"n": 6, "size": 6000}
    assert context["live"] == {"today": 90, "recent": 150}
    assert context["people"] == {"active": 2, "new": 2}


def test_uploads_a_day_as_chart_and_table(root_client: Client, alice: User) -> None:
    for days_ago in (0, 0, 1, 13, 14.5, 30):
        make_upload(alice, days_ago)
    response = root_client.get("/admin/")
    bars = response.context["bars"]
    assert len(bars) == 14
    assert (bars[-1].count, bars[-2].count, bars[0].count) == (2, 1, 1)
    assert sum(bar.count for bar in bars) == 4
    assert bars[-1].height == dashboard.CHART_HEIGHT
    assert bars[1].height == 0
    page = response.content.decode()
    assert page.count("<rect ") == 14
    assert page.count('<th scope="row">') >= 14


def test_an_empty_site_has_a_dashboard(root_client: Client) -> None:
    page = root_client.get("/admin/").content.decode()
    assert "Uploads in 14 days: 0" in page


def test_the_active_model_with_its_figures(
    root_client: Client, models_folder: Any, settings: Any
) -> None:
    page = root_client.get("/admin/").content.decode()
    assert "vgg16-" in page
    assert "FER-2013" in page
    evaluation = read_manifest(settings.MODEL_MANIFEST).content["evaluation"]
    accuracy = evaluation["sources"]["fer2013"]["shown"]["accuracy"]
    assert f"{accuracy * 100:.1f}%" in page


def test_a_missing_model_is_told(root_client: Client, settings: Any, tmp_path: Any) -> None:
    settings.MODEL_MANIFEST = tmp_path / "none.json"
    response = root_client.get("/admin/")
    assert response.status_code == 200
    assert "No trained model" in response.content.decode()


def test_without_redis_the_page_says_so_and_asks_later(root_client: Client) -> None:
    assert "Checking…" in root_client.get("/admin/").content.decode()
    began = time.monotonic()
    services = root_client.get("/admin/services/")
    assert time.monotonic() - began < 2.5
    assert services.status_code == 200
    assert services.content.decode().count("unreachable") == 2


def test_files_on_disk_are_counted(root_client: Client, alice_upload: Upload) -> None:
    disk = root_client.get("/admin/services/").context["disk"]
    assert disk.is_all
    assert disk.size >= alice_upload.image.size


def test_the_number_of_questions_does_not_grow(
    root_client: Client, alice: User, django_assert_max_num_queries: Any
) -> None:
    for days_ago in range(10):
        make_upload(alice, days_ago, status=Upload.Status.FAILED, error_code=f"code_{days_ago}")
    with django_assert_max_num_queries(18):
        root_client.get("/admin/")
