"""Curves, figures and rules: by hand, against a slow and simple way, and for whatever comes."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from django.template.defaultfilters import floatformat
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from studies.results import bootstrap, groups, packing
from studies.results.curves import (
    LONGEST_BRIDGED_MS,
    Floats,
    Track,
    binned,
    corrected,
    grid_times,
    main_face,
    on_grid,
    stacked,
)
from studies.results.figures import covered, figures_of
from studies.results.rules import Quality, Reason, Rules, quality_of, reasons
from studies.templatetags.studies import figure

NAN = math.nan


def track(samples: dict[int, float], *gaps: tuple[int, int]) -> Track:
    values = np.array([[value, 1 - value] for value in samples.values()]).reshape(-1, 2)
    return Track(
        np.array(list(samples), dtype=np.int64), values, np.array(gaps, np.int64).reshape(-1, 2)
    )


def first(grid: Floats) -> list[float]:
    return grid[:, 0].round(6).tolist()


def test_between_samples_a_curve_is_straight() -> None:
    found = on_grid(track({0: 0.0, 200: 0.4, 400: 0.2}), 0, 500)
    np.testing.assert_allclose(first(found), [0, 0.2, 0.4, 0.3, 0.2])


def test_a_grid_begins_with_its_block() -> None:
    found = on_grid(track({1000: 0.0, 2000: 1.0}), 1030, 1300)
    assert grid_times(1030, 1300).tolist() == [1030, 1130, 1230]
    np.testing.assert_allclose(first(found), [0.03, 0.13, 0.23])


def test_nothing_is_known_before_the_first_and_after_the_last_sample() -> None:
    np.testing.assert_equal(
        first(on_grid(track({100: 0.5, 200: 0.5}), 0, 400)), [NAN, 0.5, 0.5, NAN]
    )
    assert np.isnan(on_grid(track({}), 0, 1000)).all()
    assert on_grid(track({0: 0.5}), 500, 500).shape == (0, 2)


def test_a_gap_stays_a_gap() -> None:
    found = on_grid(track({0: 0.0, 400: 0.4, 500: 0.5}, (100, 400)), 0, 600)
    np.testing.assert_equal(first(found), [0.0, NAN, NAN, NAN, 0.4, 0.5])


def test_a_silence_without_a_word_is_a_gap_too() -> None:
    far = LONGEST_BRIDGED_MS + 100
    found = first(on_grid(track({0: 0.0, far: 1.0}), 0, far))
    assert found[0] == 0
    assert np.isnan(found[1:]).all()
    near = first(on_grid(track({0: 0.0, far - 100: 1.0}), 0, far - 100))
    assert not np.isnan(near).any()


def test_the_largest_face_is_the_participant() -> None:
    times = np.array([0, 0, 100, 100, 200])
    faces = np.array([1, 2, 1, 2, 2])
    sizes = np.array([90, 60, 60, 61, 10])
    assert main_face(times, faces, sizes).tolist() == [0, 3, 4]
    assert main_face(times[:2], faces[:2], np.array([50, 50])).tolist() == [0]


def slowly(samples: dict[int, float], gaps: list[tuple[int, int]], at: float) -> float:
    """The same rule, point by point, in plain Python."""
    if at in samples:
        return samples[int(at)]
    before = max((t for t in samples if t < at), default=None)
    after = min((t for t in samples if t > at), default=None)
    if before is None or after is None or after - before > LONGEST_BRIDGED_MS:
        return NAN
    if any(start < after and end > before for start, end in gaps):
        return NAN
    share = (at - before) / (after - before)
    return samples[before] + share * (samples[after] - samples[before])


TIMES = st.integers(0, 5000)
GAPS = st.tuples(TIMES, st.integers(1, 900)).map(lambda pair: (pair[0], sum(pair)))


@given(
    st.dictionaries(TIMES, st.floats(0, 1), max_size=30),
    st.lists(GAPS, max_size=4),
    TIMES,
    st.integers(0, 2000),
)
def test_any_series_gives_what_the_slow_way_gives(
    samples: dict[int, float], gaps: list[tuple[int, int]], start: int, length: int
) -> None:
    samples = dict(sorted(samples.items()))
    found = on_grid(track(samples, *gaps), start, start + length)
    wanted = [slowly(samples, gaps, at) for at in grid_times(start, start + length)]
    np.testing.assert_allclose(found[:, 0], wanted, atol=1e-9)
    # Probabilities stay probabilities.
    known = found[~np.isnan(found[:, 0])]
    np.testing.assert_allclose(known.sum(axis=1), 1)
    assert ((known >= -1e-12) & (known <= 1 + 1e-12)).all()


def test_a_baseline_is_taken_away() -> None:
    grid, baseline = (
        np.array([[0.5, 0.5], [0.7, 0.3]]),
        np.array([[0.2, 0.8], [NAN, NAN], [0.4, 0.6]]),
    )
    np.testing.assert_allclose(corrected(grid, baseline), [[0.2, -0.2], [0.4, -0.4]])
    assert np.isnan(corrected(grid, None)).all()
    assert np.isnan(corrected(grid, np.full((3, 2), NAN))).all()


def test_shorter_visits_end_earlier() -> None:
    found = stacked([np.ones((2, 1)), np.zeros((3, 1))], 1)
    np.testing.assert_equal(found[..., 0], [[1, 1, NAN], [0, 0, 0]])
    assert stacked([], 2).shape == (0, 0, 2)


def test_neighbours_become_one_point() -> None:
    values = np.array([[0.0], [1.0], [NAN], [NAN], [4.0]])
    np.testing.assert_equal(binned(values, 2)[:, 0], [0.5, NAN, 4.0])
    np.testing.assert_equal(binned(values, 1), values)
    assert binned(np.zeros((0, 2)), 3).shape == (0, 2)


def test_figures_of_a_block() -> None:
    grid = np.array([[0.2, 0.8], [0.9, 0.1], [NAN, NAN], [0.9, 0.1], [0.4, 0.6]])
    mean, peak, latency, share = figures_of(grid[None])[0]
    np.testing.assert_allclose(mean, [0.6, 0.4])
    np.testing.assert_allclose(peak, [0.9, 0.8])
    np.testing.assert_allclose(latency, [0.1, 0.0])
    np.testing.assert_allclose(share, [0.5, 0.5])
    assert covered(grid) == pytest.approx(0.8)
    lower = figures_of(grid[None], grid[None] - 0.5)[0]
    np.testing.assert_allclose(lower[0], [0.1, -0.1])
    np.testing.assert_allclose(lower[3], share)
    for nothing in (np.full((3, 2), NAN), np.zeros((0, 2))):
        assert np.isnan(figures_of(nothing[None])).all()
        assert covered(nothing) == 0
    unknown = figures_of(np.array([[[0.4, NAN], [0.3, NAN]]]))[0]
    np.testing.assert_equal(unknown[3], [1.0, NAN])


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_figures_are_those_of_a_plain_loop(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    grid = np.where(random.random((n, 1)) < 0.3, NAN, random.random((n, 3)))
    known = [row for row in grid.tolist() if not math.isnan(row[0])]
    mean, peak, latency, share = figures_of(grid[None])[0]
    for label in range(3):
        if not known:
            assert math.isnan(mean[label])
            continue
        values = [row[label] for row in known]
        assert mean[label] == pytest.approx(sum(values) / len(values))
        assert peak[label] == max(values)
        assert latency[label] == grid[:, label].tolist().index(max(values)) / 10
        first_ones = [row.index(max(row)) for row in known]
        assert share[label] == pytest.approx(first_ones.count(label) / len(known))


@given(st.integers(0, 2**32), st.integers(5, 12))
def test_intervals_are_those_of_a_plain_bootstrap(seed: int, n: int) -> None:
    values = np.random.default_rng(seed).normal(3, 1, (n, 2))
    values[0, 1] = NAN
    found = bootstrap.estimate(values, resamples=200, seed=seed)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=200)
    for column in range(2):
        means = []
        for counts in drawn:
            people = [v for v, k in zip(values[:, column], counts, strict=True) for _ in range(k)]
            known = [v for v in people if not math.isnan(v)]
            if known:
                means.append(sum(known) / len(known))
        known_values = values[~np.isnan(values[:, column]), column]
        assert found.mean[column] == pytest.approx(known_values.mean())
        assert found.n[column] == len(known_values)
        if len(known_values) < bootstrap.NEEDED:
            assert np.isnan(found.low[column])
            continue
        assert found.low[column] == pytest.approx(np.percentile(means, 2.5), abs=1e-5)
        assert found.high[column] == pytest.approx(np.percentile(means, 97.5), abs=1e-5)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """Of 400 studies of 40 participants; percentile intervals are a little narrow."""
    random = np.random.default_rng(1)
    values = random.normal(0.0, 1.0, (40, 400))
    found = bootstrap.estimate(values)
    covered = ((found.low <= 0) & (found.high >= 0)).mean()
    assert 0.90 <= covered <= 0.98
    again = bootstrap.estimate(values)
    np.testing.assert_equal(found.low, again.low)


def test_four_participants_have_no_interval() -> None:
    found = bootstrap.estimate(np.array([[0.1], [0.2], [0.3], [0.4]]))
    assert found.mean[0] == pytest.approx(0.25)
    assert np.isnan([found.low[0], found.high[0]]).all()
    nobody = bootstrap.estimate(np.zeros((0, 3)))
    assert np.isnan(nobody.mean).all()
    assert nobody.n.tolist() == [0, 0, 0]


def test_a_group_of_six() -> None:
    people = [
        groups.Seen(np.array([[k / 10, 1 - k / 10]] * 20), np.array([[0.1, 0.9]] * 5))
        for k in range(1, 7)
    ]
    found = groups.block_result(people, 2, is_corrected=False)
    assert found.n == 6
    assert found.curve.length == 2.0
    np.testing.assert_allclose(found.curve.seconds, np.arange(20) / 10)
    np.testing.assert_allclose(found.curve.values.mean[:, 0], 0.35)
    np.testing.assert_allclose(found.figures.mean[0], [0.35, 0.65])
    assert (found.curve.values.low < found.curve.values.mean).all()
    lower = groups.block_result(people, 2, is_corrected=True)
    np.testing.assert_allclose(lower.figures.mean[0], [0.25, -0.25], atol=1e-12)
    without = groups.block_result([groups.Seen(people[0].grid, None)], 2, is_corrected=True)
    assert without.n == 0
    assert groups.block_result([], 2, is_corrected=False).n == 0


def one_by_one(seen: groups.Seen, is_corrected: bool, together: int) -> tuple[Floats, Floats]:
    """Thinned curve and figures of one participant, without anybody else's at the same time."""
    curve = groups.shown(seen, is_corrected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of nothing there is no mean.
        thinned = [
            np.nanmean(curve[at : at + together], axis=0) for at in range(0, len(curve), together)
        ]
        mean = np.nanmean(curve, axis=0)
    figures = np.full((4, curve.shape[1]), NAN)
    for label in range(curve.shape[1]):
        values = curve[:, label]
        if not np.isnan(values).all():
            at = int(np.nanargmax(values))
            figures[:3, label] = mean[label], values[at], at / 10
        known = ~np.isnan(seen.grid).all(axis=1)
        if known.any() and not np.isnan(seen.grid[:, label]).all():
            figures[3, label] = (np.nanargmax(seen.grid[known], axis=1) == label).mean()
    if np.isnan(curve).all():
        figures[:] = NAN
    return np.array(thinned), figures


@pytest.mark.parametrize("is_corrected", [False, True])
def test_a_large_group_gets_what_its_participants_get_one_by_one(is_corrected: bool) -> None:
    random = np.random.default_rng(7)
    people = []
    for number in range(150):
        grid = random.dirichlet(np.ones(5), int(random.integers(280, 301)))
        grid[number % 280 : number % 280 + 3 * (number % 40)] = NAN
        if number % 30 == 0:
            grid[:] = NAN
        if number % 7 == 0:
            grid[:, 4] = NAN
        people.append(groups.Seen(grid, grid[:50] if number % 11 else None))
    # Several lots, which are not equally large.
    assert 300 * len(people) > 2 * groups.POINTS_AT_ONCE
    found = groups.block_result(people, 5, is_corrected=is_corrected)
    alone = [one_by_one(seen, is_corrected, 3) for seen in people]
    figures = np.array([figures for _curve, figures in alone])
    curves = stacked([curve for curve, _figures in alone], 5)
    for estimates, values in ((found.figures, figures), (found.curve.values, curves)):
        wanted = bootstrap.estimate(values)
        for name in ("mean", "low", "high"):
            np.testing.assert_allclose(
                getattr(estimates, name), getattr(wanted, name), rtol=1e-12, atol=1e-9
            )
        np.testing.assert_equal(estimates.n, wanted.n)
    assert found.n == sum(not np.isnan(figures).all() for figures in figures)


def test_labels_that_nobody_knew_are_no_reason_to_fail() -> None:
    assert groups.block_result([groups.Seen(np.zeros((9, 0)), None)], 0, is_corrected=False).n == 0


@pytest.mark.parametrize("language", ["en", "de"])
def test_figures_are_written_as_django_writes_them(language: str) -> None:
    random = np.random.default_rng(3)
    values = [*random.normal(0, 1, 3000), *np.round(random.normal(0, 1, 3000), 3).tolist()]
    values += [0.0, 1.0, -0.001, -0.004999, 0.005, 0.125, -0.125, 0.9950001, 1e-7, 12.0, -1e-3]
    with translation.override(language):
        assert [figure(float(value)) for value in values] == [
            floatformat(float(value), 2) for value in values
        ]


def test_rules() -> None:
    good = Quality(True, 0.9, 9.5)
    strict = Rules(least_face_share=0.8, least_frames_per_second=5)
    assert reasons(strict, good) == ()
    assert reasons(strict, Quality(True, 0.79, 4.9)) == (Reason.FEW_FACES, Reason.FEW_FRAMES)
    assert reasons(strict, Quality(True, 0.8, 5.0)) == ()
    left = Quality(False, 0.9, 9.5)
    assert reasons(strict, left) == (Reason.NOT_FINISHED,)
    assert reasons(Rules(keeps_unfinished=True), left) == ()
    assert reasons(Rules(), Quality(True, None, None)) == (Reason.NO_DATA,)
    assert reasons(Rules(), Quality(False, None, None)) == (Reason.NOT_FINISHED, Reason.NO_DATA)


def test_quality() -> None:
    assert quality_of(True, 80, 100, 15.0, 5.0) == Quality(True, 0.8, 10.0)
    assert quality_of(True, 0, 0, 15.0, 0.0) == Quality(True, None, None)
    assert quality_of(True, 5, 5, 0.0, 0.0) == Quality(True, 1.0, None)


@given(st.lists(st.integers(0, 40), max_size=5), st.integers(1, 5))
def test_packing_keeps_three_digits(lengths: list[int], n_labels: int) -> None:
    random = np.random.default_rng(len(lengths))
    labels = [f"label {n}" for n in range(n_labels)]
    by_block = {pk: random.random((n, n_labels)) for pk, n in enumerate(lengths)}
    for grid in by_block.values():
        grid[::3] = NAN
    found = packing.unpack(packing.pack(packing.Grids(labels, 7, 1200, by_block)))
    assert (found.labels, found.n_moments, found.paused_ms) == (labels, 7, 1200)
    assert list(found.by_block) == list(by_block)
    for pk, grid in by_block.items():
        np.testing.assert_allclose(found.by_block[pk], grid, atol=5e-4)
