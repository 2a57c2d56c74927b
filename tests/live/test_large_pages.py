"""A recording's page stays of one size, however restless its faces and however many its markers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from recognition.models import Marker, Recording

N_FACES, N_MARKERS = 30, 900


@pytest.fixture
def page(alice: User, alice_client: Client) -> str:
    """Of a recording of thirty faces, the last of which was longest in view, with 900 markers."""
    now = timezone.now()
    seconds = 2.0 * N_MARKERS
    recording = Recording.objects.create(
        owner=alice,
        started_at=now - timedelta(seconds=seconds),
        ended_at=now,
        samples=[[face, "happy", face, face + face / 10, 0.5] for face in range(1, N_FACES + 1)],
    )
    Marker.objects.bulk_create(
        Marker(recording=recording, time_ms=2000 * number, name=f"marker {number}")
        for number in range(N_MARKERS)
    )
    response = alice_client.get(reverse("live_session", args=[recording.pk]))
    assert response.status_code == 200
    return str(response.content.decode())


def test_those_faces_have_a_chart_that_were_longest_in_view(page: str) -> None:
    assert page.count('<figure class="timeline') == 12
    assert all(f'data-face="{face}"' in page for face in range(19, N_FACES + 1))
    assert "12 of 30 faces: those longest in view." in page


def test_markers_of_one_column_are_one_line_and_all_are_in_the_table(page: str) -> None:
    assert page.count('class="timeline-marker"') == 12 * 500
    assert "<title>marker 0, marker 1</title>" in page
    assert page.count("data-marker=") == N_MARKERS
