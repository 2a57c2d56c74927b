"""Means from marker to marker are shown some stretches at a time, however many there are."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from recognition.models import Marker, Recording
from recognition.series.storing import SeriesWriter
from tests.support.series import sample

ROW = re.compile(r'<tr data-face="(\d+)" data-start="(\d+)">')
N_STRETCHES, N_FACES = 60, 30


@pytest.fixture
def restless(alice: User) -> Recording:
    """A minute with a marker at each second, and more faces than anybody reads of.

    Face 30 is there in two samples of a second, the others in one.
    """
    now = timezone.now()
    recording = Recording.objects.create(
        owner=alice, started_at=now - timedelta(seconds=N_STRETCHES), ended_at=now
    )
    writer = SeriesWriter(recording)
    for second in range(N_STRETCHES):
        writer.add([sample(1000 * second + 100, face) for face in range(1, N_FACES + 1)])
        writer.add([sample(1000 * second + 200, N_FACES)])
    writer.save()
    Marker.objects.bulk_create(
        Marker(recording=recording, time_ms=1000 * second, name=f"second {second}")
        for second in range(1, N_STRETCHES)
    )
    return recording


def rows(client: Client, recording: Recording, query: str = "") -> list[tuple[int, int]]:
    """Of a page: the face and the stretch, in milliseconds, of each row."""
    page = client.get(reverse("recording_stretches", args=[recording.pk]) + query)
    assert page.status_code == 200
    return [(int(face), int(start)) for face, start in ROW.findall(page.content.decode())]


def test_a_page_has_some_stretches_and_the_next_page_the_next(
    alice_client: Client, restless: Recording
) -> None:
    pages = [rows(alice_client, restless, f"?page={number}") for number in (1, 2, 3)]
    starts = [list(dict.fromkeys(start for _face, start in page)) for page in pages]
    assert [len(some) for some in starts] == [25, 25, 10]
    assert [start for some in starts for start in some] == [
        1000 * second for second in range(N_STRETCHES)
    ]
    assert rows(alice_client, restless) == pages[0]


def test_of_a_stretch_those_faces_are_shown_that_were_longest_in_view(
    alice_client: Client, restless: Recording
) -> None:
    found = rows(alice_client, restless)
    assert set(Counter(start for _face, start in found).values()) == {20}
    assert [face for face, start in found if start == 3000] == [*range(1, 20), N_FACES]


def test_the_baseline_goes_along_to_the_next_page(
    alice_client: Client, restless: Recording
) -> None:
    """It may be on another page than what is compared with it."""
    address = reverse("recording_stretches", args=[restless.pk])
    page = alice_client.get(f"{address}?from=0&to=1.5").content.decode()
    assert "?from=0.0&amp;to=1.5&amp;page=2" in page
    following = alice_client.get(f"{address}?from=0.0&to=1.5&page=2").content.decode()
    assert following.count("data-change") == 20 * 25 * 5
