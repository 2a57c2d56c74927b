"""Lists of recordings never have the stretches of several in memory: one may have 20,000."""

from __future__ import annotations

import tracemalloc
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from recognition.models import Recording
from tests.support.series import recorded

HAPPY = [[1, "happy", 0.0, 3.0, 0.9], [1, "sad", 3.0, 4.0, 0.9]]


@pytest.fixture
def recordings(alice: User) -> list[Recording]:
    now = timezone.now()
    return [
        Recording.objects.create(
            owner=alice, started_at=now - timedelta(seconds=9), ended_at=now, samples=HAPPY
        )
        for _number in range(3)
    ]


def read_together(queries: CaptureQueriesContext) -> list[str]:
    """Queries that make recordings with their stretches, and not the stretches alone."""
    return [
        query["sql"]
        for query in queries
        if '"samples"' in query["sql"] and '"started_at"' in query["sql"]
    ]


@pytest.mark.parametrize(
    "path", ["/api/v1/recordings/", "/api/v1/live-sessions/", "/live/sessions/"]
)
def test_a_list_has_one_recordings_stretches_in_memory(
    path: str, alice: User, alice_client: Client
) -> None:
    def peak(n_recordings: int) -> int:
        """Bytes that a request had at most, beyond those before it."""
        long = [[1, "happy", number / 10, number / 10 + 0.1, 0.9] for number in range(4000)]
        now = timezone.now()
        for _number in range(n_recordings):
            Recording.objects.create(
                owner=alice, started_at=now - timedelta(hours=1), ended_at=now, samples=long
            )
        tracemalloc.start()
        assert alice_client.get(path).status_code == 200
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)  # What is loaded once.
    one = peak(1)
    # Without the mend: some megabyte for each.
    assert peak(8) - one < 1.5e6


@pytest.mark.parametrize("path", ["recordings", "live-sessions"])
def test_lists_of_the_api(path: str, recordings: list[Recording], alice_client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        found = alice_client.get(f"/api/v1/{path}/").json()["results"]
    assert [one["shares"]["happy"] for one in found] == [0.75] * len(recordings)
    assert read_together(queries) == []
    # One by itself has all, with a query of its own.
    one = alice_client.get(f"/api/v1/{path}/{recordings[0].pk}/").json()
    assert len(one["stretches"]) == len(HAPPY)


def test_the_page_of_recordings(recordings: list[Recording], alice_client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = alice_client.get(reverse("live_sessions")).content.decode()
    assert page.count("75%") >= len(recordings) or page.count("75 %") >= len(recordings)
    assert read_together(queries) == []


def test_the_choice_of_another_to_compare_with(alice: User, alice_client: Client) -> None:
    one, other = recorded(alice), recorded(alice)
    with CaptureQueriesContext(connection) as queries:
        page = alice_client.get(reverse("live_session", args=[one.pk])).content.decode()
    assert f'value="{reverse("recording_overview", args=[other.pk])}"' in page
    # Its own are read with it; the others are those with samples.
    assert [sql for sql in read_together(queries) if '"n_samples" > 0' in sql] == []


def test_the_list_of_the_administration(recordings: list[Recording], root_client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = root_client.get("/admin/recognition/recording/").content.decode()
    assert all(str(recording.pk) in page for recording in recordings)
    assert read_together(queries) == []
