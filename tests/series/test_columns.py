"""What is stored comes back, small, and what was not stored by us is refused."""

from __future__ import annotations

import math
import random

import pytest

from recognition.series.columns import Gap, GapReason, Sample, SeriesDamaged, decode, encode
from tests.support.series import LABELS, sample


def test_samples_and_gaps_come_back() -> None:
    samples = [sample(0), sample(100, 2, 0.4, "sad"), sample(100, 3), sample(7_200_000, 65_535)]
    gaps = [Gap(200, 1000, GapReason.DROPPED), Gap(1000, 7_200_000, GapReason.PAUSED)]
    found, found_gaps = decode(encode(samples, gaps, LABELS))
    assert found_gaps == gaps
    assert len(found) == len(samples)
    for one, other in zip(samples, found, strict=True):
        for name in ("time_ms", "face", "x", "y", "width", "height", "label", "uncertain"):
            assert getattr(one, name) == getattr(other, name)
        assert list(other.probabilities) == list(LABELS)
        assert other.probabilities == pytest.approx(one.probabilities, abs=0.0005)
        assert other.pixels == one.pixels
        assert (other.sharpness, other.turn) == pytest.approx((0.25, -3.5))


def test_nothing_and_gaps_alone_come_back() -> None:
    assert decode(encode([], [], [])) == ([], [])
    gap = Gap(0, 5, GapReason.NO_FACE)
    assert decode(encode([], [gap], LABELS)) == ([], [gap])


def test_an_hour_of_one_face_takes_less_than_three_megabytes() -> None:
    chance = random.Random(7)
    moods = [0.0] * len(LABELS)
    hour: list[Sample] = []
    for index in range(36_000):
        moods = [0.97 * mood + chance.gauss(0, 0.35) for mood in moods]
        shares = [math.exp(mood) for mood in moods]
        likely = {name: share / sum(shares) for name, share in zip(LABELS, shares, strict=True)}
        x, y = 240 + chance.randrange(9), 80 + chance.randrange(9)
        turn, sharpness = chance.gauss(0, 4), chance.uniform(0.2, 0.6)
        time_ms = 100 * index + chance.randrange(20)
        label = max(likely, key=likely.__getitem__)
        hour.append(Sample(time_ms, 1, x, y, 120, 120, label, False, likely, sharpness, 118, turn))
    stored = [encode(hour[at : at + 1200], [], LABELS) for at in range(0, len(hour), 1200)]
    assert sum(map(len, stored)) < 3_000_000
    assert sum(len(decode(chunk)[0]) for chunk in stored) == len(hour)


def test_what_is_damaged_is_said_to_be() -> None:
    whole = encode([sample(0), sample(100)], [], LABELS)
    for damaged in (b"", b"VSR1", whole[:20], whole[:-3], b"VSR2" + whole[4:], whole[:12] + b"{}"):
        with pytest.raises(SeriesDamaged):
            decode(damaged)
