"""Recordings by the API: lists, samples in pages, markers, deletion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts import tokens
from accounts.models import AuditEvent, User
from recognition.models import Marker, Recording, SeriesChunk
from recognition.series import storing
from recognition.series.columns import Gap, GapReason
from recognition.series.storing import SeriesWriter
from tests.support.series import LABELS, recorded, sample

RECORDINGS = "/api/v1/recordings/"


@pytest.fixture
def recording(alice: User) -> Recording:
    return recorded(alice)


def program(user: User, scope: str) -> Client:
    key = tokens.create(user, scope, scope, None)[1]
    return Client(headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def reader(alice: User) -> Client:
    return program(alice, "read")


@pytest.fixture
def writer(alice: User) -> Client:
    return program(alice, "write")


def pages(client: Client, address: str, **query: Any) -> Iterator[dict[str, Any]]:
    page = client.get(address, query).json()
    yield page
    while page["next"]:
        page = client.get(page["next"]).json()
        yield page


def test_a_list_says_what_each_recording_is(
    reader: Client, recording: Recording, bob: User
) -> None:
    (found,) = reader.get(RECORDINGS).json()["results"]
    assert found["id"] == str(recording.pk)
    assert (found["source"], found["model_version"]) == ("live", "vgg16-1")
    assert (found["labels"], found["n_samples"]) == (list(LABELS), 60)
    assert found["seconds"] == pytest.approx(10)
    assert found["frames_per_second"] == 3.0
    assert found["shares"]["happy"] == 1.0
    assert "stretches" not in found
    detail = reader.get(f"{RECORDINGS}{recording.pk}/").json()
    assert detail == {**found, "stretches": detail["stretches"]}
    assert [s["label"] for s in detail["stretches"]] == ["happy", "sad"]
    for name in ("samples", "markers"):
        assert reader.get(found["links"][name]).status_code == 200
    assert program(bob, "read").get(RECORDINGS).json()["results"] == []


def test_lists_come_in_pages_and_are_filtered_by_time(reader: Client, alice: User) -> None:
    first = timezone.now() - timedelta(days=10)
    for day in range(5):
        begun = first + timedelta(days=day)
        Recording.objects.create(owner=alice, started_at=begun, ended_at=begun)
    for order, is_newest_first in (("-started_at", True), ("started_at", False)):
        found = [
            row["started_at"]
            for page in pages(reader, RECORDINGS, page_size=2, order=order)
            for row in page["results"]
        ]
        assert found == sorted(found, reverse=is_newest_first)
        assert len(found) == 5
    late = {"started_after": (first + timedelta(days=3)).isoformat()}
    results = reader.get(RECORDINGS, late).json()["results"]
    assert len(results) == 2
    assert all(parse_datetime(row["started_at"]) > first for row in results)


@pytest.mark.parametrize("page_size", [1, 7, 1000])
def test_pages_of_samples_neither_repeat_nor_leave_out(
    page_size: int, reader: Client, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a part of what is stored begins, and with two faces at each moment."""
    monkeypatch.setattr(storing, "CHUNK_SAMPLES", 10)
    writer = SeriesWriter(recording)
    writer.add_gap(Gap(3900, 6000, GapReason.PAUSED))
    for time_ms in range(6000, 8000, 100):
        writer.add([sample(time_ms, face) for face in (1, 2, 3)])
    writer.add_gap(Gap(7900, 9500, GapReason.NO_FACE))
    writer.save()
    address = f"{RECORDINGS}{recording.pk}/samples/"
    found = list(pages(reader, address, page_size=page_size))
    samples = [sample for page in found for sample in page["samples"]]
    moments = [(sample["time_ms"], sample["face"]) for sample in samples]
    assert moments == [
        *((1000 + 100 * i, face) for i in range(30) for face in (1, 2)),
        *((time_ms, face) for time_ms in range(6000, 8000, 100) for face in (1, 2, 3)),
    ]
    assert [gap for page in found for gap in page["gaps"]] == [
        {"start_ms": 0, "end_ms": 1000, "reason": "no_face"},
        {"start_ms": 3900, "end_ms": 6000, "reason": "paused"},
        {"start_ms": 7900, "end_ms": 9500, "reason": "no_face"},
    ]
    assert all(len(page["samples"]) <= page_size + 2 for page in found)
    first = samples[0]
    assert first["box"] == {"x": 203, "y": 80, "width": 120, "height": 121}
    assert set(first["probabilities"]) == set(LABELS)


def test_a_part_of_the_time_is_read_alone(reader: Client, recording: Recording) -> None:
    address = f"{RECORDINGS}{recording.pk}/samples/"
    found = list(pages(reader, address, from_ms=1500, to_ms=2000, page_size=3))
    times = [sample["time_ms"] for page in found for sample in page["samples"]]
    assert times == [t for t in range(1500, 2000, 100) for _face in (1, 2)]
    assert [gap for page in found for gap in page["gaps"]] == []
    (page,) = pages(reader, address, from_ms=500, to_ms=1000)
    assert page == {
        "next": None,
        "samples": [],
        "gaps": [{"start_ms": 0, "end_ms": 1000, "reason": "no_face"}],
    }


def test_a_long_recording_is_read_a_page_at_a_time(
    reader: Client,
    recording: Recording,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Any,
) -> None:
    """A page late in the series decodes its own part, and asks no more of the database."""
    writer = SeriesWriter(recording)
    for index in range(6000):
        writer.add([sample(4000 + 100 * index)])
    writer.save()
    n_chunks = SeriesChunk.objects.filter(recording=recording).count()
    assert n_chunks >= 5
    decoded: list[bytes] = []
    decode = storing.decode
    monkeypatch.setattr(storing, "decode", lambda data: decoded.append(data) or decode(data))
    address = f"{RECORDINGS}{recording.pk}/samples/?after_ms=500000&page_size=100"
    with django_assert_max_num_queries(6):
        page = reader.get(address).json()
    assert [s["time_ms"] for s in page["samples"]][::99] == [500_100, 510_000]
    assert len(decoded) == 1


@pytest.mark.parametrize(
    "query", ["from_ms=-1", "to_ms=x", "page_size=0", "page_size=5001", "after_ms=1.5"]
)
def test_what_makes_no_sense_is_refused(query: str, reader: Client, recording: Recording) -> None:
    response = reader.get(f"{RECORDINGS}{recording.pk}/samples/?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert query.partition("=")[0] in response.json()["errors"]


def test_a_recording_from_before_there_were_series_has_no_samples(
    reader: Client, alice: User
) -> None:
    now = timezone.now()
    old = Recording.objects.create(owner=alice, started_at=now, ended_at=now, samples=[])
    found = reader.get(f"{RECORDINGS}{old.pk}/samples/").json()
    assert found == {"next": None, "samples": [], "gaps": []}
    assert reader.get(f"{RECORDINGS}{old.pk}/").json()["frames_per_second"] is None


def test_markers_are_set_changed_and_deleted(writer: Client, recording: Recording) -> None:
    address = f"{RECORDINGS}{recording.pk}/markers/"
    stored = recording.stored_bytes
    made = writer.post(
        address, {"time_ms": 1500, "name": " a   bell ", "value": 2.5}, "application/json"
    )
    assert made.status_code == 201
    marker = made.json()
    assert marker == {"id": marker["id"], "time_ms": 1500, "name": "a bell", "value": 2.5}
    writer.post(address, {"time_ms": 300, "name": "start"}, "application/json")
    assert [m["name"] for m in writer.get(address).json()["results"]] == ["start", "a bell"]
    one = f"{address}{marker['id']}/"
    changed = writer.patch(one, {"time_ms": 200, "value": None}, "application/json")
    assert changed.json() == {**marker, "time_ms": 200, "value": None}
    assert [m["name"] for m in writer.get(address).json()["results"]] == ["a bell", "start"]
    assert writer.delete(one).status_code == 204
    assert writer.delete(one).status_code == 404
    assert writer.patch(one, {"name": "again"}, "application/json").status_code == 404
    assert Marker.objects.get().name == "start"
    recording.refresh_from_db()
    assert recording.stored_bytes > stored


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"time_ms": -1, "name": "a"}, "invalid"),
        ({"time_ms": "soon", "name": "a"}, "invalid"),
        ({"time_ms": 1, "name": "a" * 81}, "invalid"),
        ({"time_ms": 1, "name": "  "}, "invalid"),
        ({"time_ms": 1, "name": "a\u202eb"}, "invalid_marker"),
        ({"time_ms": 1, "name": "a", "value": 1e300}, "invalid_marker"),
        ({"time_ms": 1, "name": "a", "value": "much"}, "invalid"),
    ],
)
def test_what_is_no_marker_is_refused(
    body: dict[str, Any], code: str, writer: Client, recording: Recording
) -> None:
    address = f"{RECORDINGS}{recording.pk}/markers/"
    response = writer.post(address, body, "application/json")
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert not Marker.objects.exists()
    marker = Marker.objects.create(recording=recording, time_ms=7, name="bell")
    if body:
        response = writer.patch(f"{address}{marker.pk}/", body, "application/json")
        assert (response.status_code, response.json()["code"]) == (400, code)
        marker.refresh_from_db()
        assert (marker.time_ms, marker.name) == (7, "bell")


def test_a_full_storage_takes_no_more_markers(
    writer: Client, recording: Recording, alice: User
) -> None:
    alice.quota_bytes = 0
    alice.save()
    body = {"time_ms": 1, "name": "bell"}
    response = writer.post(f"{RECORDINGS}{recording.pk}/markers/", body, "application/json")
    assert (response.status_code, response.json()["code"]) == (403, "quota_exceeded")


def test_a_marker_belongs_to_its_recording(
    writer: Client, recording: Recording, alice: User
) -> None:
    now = timezone.now()
    other = Recording.objects.create(owner=alice, started_at=now, ended_at=now)
    marker = Marker.objects.create(recording=recording, time_ms=7, name="bell")
    assert writer.delete(f"{RECORDINGS}{other.pk}/markers/{marker.pk}/").status_code == 404
    assert Marker.objects.exists()


def test_a_token_to_read_changes_nothing(reader: Client, recording: Recording) -> None:
    marker = Marker.objects.create(recording=recording, time_ms=7, name="bell")
    address = f"{RECORDINGS}{recording.pk}/"
    for response in (
        reader.delete(address),
        reader.post(f"{address}markers/", {"time_ms": 1, "name": "a"}, "application/json"),
        reader.patch(f"{address}markers/{marker.pk}/", {"name": "a"}, "application/json"),
        reader.delete(f"{address}markers/{marker.pk}/"),
    ):
        assert (response.status_code, response.json()["code"]) == (403, "token_scope")
    assert Marker.objects.get().name == "bell"


def test_deleting_takes_all_of_it_and_is_written_down(
    writer: Client, recording: Recording, alice: User
) -> None:
    Marker.objects.create(recording=recording, time_ms=7, name="bell")
    assert writer.delete(f"{RECORDINGS}{recording.pk}/").status_code == 204
    for rows in (Recording, SeriesChunk, Marker):
        assert not rows.objects.exists()
    assert AuditEvent.objects.filter(user=alice, action="recording_deleted").count() == 1


def test_the_rate_of_requests_holds(reader: Client, recording: Recording, settings: Any) -> None:
    settings.API_RATE = "2/h"
    address = f"{RECORDINGS}{recording.pk}/samples/"
    assert [reader.get(address).status_code for _ in range(3)] == [200, 200, 429]
