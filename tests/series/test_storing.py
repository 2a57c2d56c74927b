"""A series grows in chunks and is read by one query."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from recognition import quotas
from recognition.models import Recording, SeriesChunk
from recognition.series import storing
from recognition.series.columns import Gap, GapReason
from recognition.series.storing import SeriesWriter, read
from tests.support.series import LABELS, sample, write_series


@pytest.fixture
def recording(alice: User) -> Recording:
    now = timezone.now()
    started = now - timedelta(seconds=10)
    return Recording.objects.create(owner=alice, started_at=started, ended_at=now)


def times(recording: Recording, **window: Any) -> list[int]:
    return [s.time_ms for samples, _gaps in read(recording, **window) for s in samples]


def test_saving_again_and_again_stores_every_sample_once(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(storing, "CHUNK_SAMPLES", 10)
    writer = SeriesWriter(recording)
    for index in range(35):
        writer.add([sample(100 * index)])
        if index % 3 == 0:
            assert writer.save()
    assert writer.save()
    assert writer.save()
    recording.refresh_from_db()
    assert (recording.n_frames, recording.n_samples) == (35, 35)
    assert recording.labels == list(LABELS)
    chunks = SeriesChunk.objects.filter(recording=recording)
    assert chunks.count() == 4
    assert recording.stored_bytes == sum(len(chunk.data) for chunk in chunks)
    assert quotas.stored_bytes(recording.owner).used == recording.stored_bytes
    with django_assert_num_queries(1):
        assert times(recording) == [100 * index for index in range(35)]
    assert times(recording, from_ms=1000, to_ms=1300) == [1000, 1100, 1200]


def test_what_is_rolled_back_is_stored_the_next_time(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SeriesWriter(recording)
    writer.add([sample(0)])
    write = writer._write
    with monkeypatch.context() as patch:

        def fail(*chunk: Any) -> Any:
            write(*chunk)
            raise OperationalError

        patch.setattr(writer, "_write", fail)
        with pytest.raises(OperationalError):
            writer.save()
    assert not SeriesChunk.objects.exists()
    writer.add([sample(100)])
    assert writer.save()
    assert times(recording) == [0, 100]
    recording.refresh_from_db()
    assert (recording.n_frames, recording.n_samples) == (2, 2)
    assert recording.stored_bytes == len(SeriesChunk.objects.get().data)


def test_another_writer_goes_on_and_overwrites_nothing(recording: Recording) -> None:
    first = SeriesWriter(recording)
    first.add([sample(0)])
    first.save()
    recording.refresh_from_db()
    second = SeriesWriter(recording)
    second.add([sample(1000)])
    second.save()
    first.add([sample(100)])
    first.save()
    assert sorted(times(recording)) == [0, 100, 1000]
    recording.refresh_from_db()
    assert recording.n_samples == 3


def test_a_model_with_other_labels_goes_on_in_the_same_series(recording: Recording) -> None:
    writer = SeriesWriter(recording)
    older = sample(0)
    fewer = dict.fromkeys(LABELS[:4], 0.25)
    writer.add([type(older)(0, 1, 2, 3, 4, 5, "sad", True, fewer, 0.1, 5, 0.0)])
    writer.add_gap(Gap(0, 90, GapReason.NO_FACE))
    writer.add([sample(100)])
    writer.save()
    recording.refresh_from_db()
    assert recording.labels == list(LABELS)
    found = [s for samples, _gaps in read(recording) for s in samples]
    assert [len(s.probabilities) for s in found] == [4, 5]


def test_a_deleted_recording_stays_deleted(recording: Recording) -> None:
    writer = SeriesWriter(recording)
    writer.add([sample(0)])
    writer.save()
    Recording.objects.all().delete()
    assert not SeriesChunk.objects.exists()
    writer.add([sample(100)])
    assert not writer.save()
    assert not SeriesChunk.objects.exists()


def test_who_has_no_room_left_begins_no_recording(alice: User, recording: Recording) -> None:
    write_series(recording)
    alice.quota_bytes = 10
    alice.save()
    with pytest.raises(quotas.QuotaExceeded):
        quotas.check_room(alice)
