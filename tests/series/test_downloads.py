"""Downloads of a recording: read back by the programs that people read them with."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from recognition.models import Marker, Recording
from recognition.series import markers
from recognition.series.columns import Gap, GapReason
from recognition.series.storing import SeriesWriter
from tests.support.series import LABELS, recorded, sample


@pytest.fixture
def recording(alice: User) -> Recording:
    return recorded(alice, seconds=5)


def download(client: Client, recording: Recording, file_format: str) -> str:
    response = client.get(reverse("download_recording", args=[recording.pk, file_format]))
    assert response.streaming
    return b"".join(response).decode()


def test_pandas_reads_the_csv_with_the_right_types(
    alice_client: Client, recording: Recording
) -> None:
    writer = SeriesWriter(recording)
    writer.add_gap(Gap(3900, 6000, GapReason.PAUSED))
    writer.add([sample(6000)])
    writer.save()
    table = pd.read_csv(io.StringIO(download(alice_client, recording, "csv")))
    assert len(table) == 61
    for column in ("time_ms", "face", "x", "y", "width", "height", "pixels", "gap_ms"):
        assert table[column].dtype == "int64", column
    for column in (*(f"p_{label}" for label in LABELS), "sharpness", "turn"):
        assert table[column].dtype == "float64", column
    assert table["uncertain"].dtype == "bool"
    assert set(table["label"]) == {"happy"}
    assert table[[f"p_{label}" for label in LABELS]].sum(axis=1).between(0.998, 1.002).all()
    told = table[table["gap"] != "none"]
    assert told[["time_ms", "gap_ms", "gap"]].values.tolist() == [
        [1000, 1000, "no_face"],
        [6000, 2100, "paused"],
    ]
    assert not table.isna().any().any()


def test_the_json_has_everything(alice_client: Client, recording: Recording) -> None:
    markers.add(recording.pk, 1500, "bell", 2.5)
    found = json.loads(download(alice_client, recording, "json"))
    assert found["recording"]["id"] == str(recording.pk)
    assert found["recording"]["labels"] == list(LABELS)
    assert found["recording"]["frames_per_second"] == 6.0
    assert found["gaps"] == [{"start_ms": 0, "end_ms": 1000, "reason": "no_face"}]
    assert len(found["samples"]) == 60
    assert found["samples"][0]["box"] == {"x": 203, "y": 80, "width": 120, "height": 121}
    assert [(m["time_ms"], m["name"], m["value"]) for m in found["markers"]] == [
        (1500, "bell", 2.5)
    ]


def test_players_get_labels_and_markers_as_subtitles(
    alice_client: Client, recording: Recording
) -> None:
    markers.add(recording.pk, 2000, "a --> b & <i>")
    cues = download(alice_client, recording, "vtt").split("\n\n")
    assert cues == [
        "WEBVTT",
        "00:00:01.000 --> 00:00:01.001\nFace 2: Sad",
        "00:00:01.000 --> 00:00:03.900\nFace 1: Happy",
        "00:00:02.000 --> 00:00:03.000\n◆ a --&gt; b &amp; &lt;i&gt;\n",
    ]


def test_a_recording_from_before_there_were_series_still_opens(
    alice: User, alice_client: Client
) -> None:
    now = timezone.now()
    old = Recording.objects.create(
        owner=alice, started_at=now, ended_at=now, samples=[[1, "sad", 0.0, 2.0, 0.9]]
    )
    page = alice_client.get(old.get_absolute_url()).content.decode()
    assert "series.csv" not in page
    assert "Face 1: Sad" in download(alice_client, old, "vtt")
    assert json.loads(download(alice_client, old, "json"))["samples"] == []
    assert pd.read_csv(io.StringIO(download(alice_client, old, "csv"))).empty


def test_no_other_format_is_there(alice_client: Client, recording: Recording) -> None:
    response = alice_client.get(reverse("download_recording", args=[recording.pk, "exe"]))
    assert response.status_code == 404


def test_markers_are_set_and_deleted_on_the_page(
    alice_client: Client, recording: Recording
) -> None:
    address = reverse("add_marker", args=[recording.pk])
    form = {"seconds": "1.25", "name": " a   bell ", "value": "-3"}
    page = alice_client.post(address, form, follow=True).content.decode()
    marker = Marker.objects.get()
    assert (marker.time_ms, marker.name, marker.value) == (1250, "a bell", -3)
    assert "timeline-marker" in page
    for wrong in ({"seconds": "-1", "name": "a"}, {"seconds": "x", "name": "a"}, {"seconds": "1"}):
        alice_client.post(address, wrong)
    assert Marker.objects.count() == 1
    alice_client.post(reverse("delete_marker", args=[recording.pk, marker.pk]))
    assert not Marker.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", "a" * 81, "a\u202eb", None, 7])
def test_a_marker_needs_a_name(recording: Recording, name: object) -> None:
    with pytest.raises(markers.MarkerRefused):
        markers.add(recording.pk, 0, name)


@pytest.mark.parametrize("value", ["1", True, float("nan"), float("inf"), 10**400, []])
def test_a_markers_value_is_a_number(recording: Recording, value: object) -> None:
    with pytest.raises(markers.MarkerRefused):
        markers.add(recording.pk, 0, "bell", value)


def test_there_are_so_many_markers_and_no_more(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(markers, "MAXIMUM_MARKERS", 2)
    for time_ms in (0, 1):
        markers.add(recording.pk, time_ms, "bell")
    with pytest.raises(markers.TooManyMarkers):
        markers.add(recording.pk, 2, "bell")
