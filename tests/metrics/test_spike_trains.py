"""Spike train distances against brute force, and their properties."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroemu.metrics.spike_trains import coincidence, van_rossum, victor_purpura

trains = st.lists(st.integers(0, 60), max_size=7).map(sorted)
costs = st.sampled_from([0.0, 0.01, 0.3, 1.0, 2.5])
taus = st.sampled_from([0.5, 3.0, 40.0])
windows = st.integers(0, 8)


def most_partners(a: list[int], b: list[int], window: int) -> int:
    """Size of the largest matching, by trying every partner of the first spike."""
    if not a:
        return 0
    with_partner = [
        1 + most_partners(a[1:], b[:j] + b[j + 1 :], window)
        for j in range(len(b))
        if abs(a[0] - b[j]) <= window
    ]
    return max([most_partners(a[1:], b, window), *with_partner])


def edit_cost(a: list[int], b: list[int], cost: float) -> float:
    """Victor and Purpura's recursion, cell by cell."""

    @cache
    def cell(i: int, j: int) -> float:
        if i == 0 or j == 0:
            return float(i + j)
        move = cell(i - 1, j - 1) + cost * abs(a[i - 1] - b[j - 1])
        return min(cell(i - 1, j) + 1, cell(i, j - 1) + 1, move)

    return cell(len(a), len(b))


def filtered_distance(a: list[int], b: list[int], tau: float) -> float:
    """The closed double sum over all pairs of spikes."""

    def overlap(x: list[int], y: list[int]) -> float:
        return sum(np.exp(-abs(s - t) / tau) for s in x for t in y)

    squared = 0.5 * overlap(a, a) + 0.5 * overlap(b, b) - overlap(a, b)
    return float(np.sqrt(max(squared, 0.0)))


@given(trains.filter(lambda t: len(t) < 6), trains.filter(lambda t: len(t) < 6), windows)
def test_coincidence_is_the_largest_matching(a: list[int], b: list[int], window: int) -> None:
    if not a and not b:
        assert coincidence(a, b, window) == 1.0
    else:
        expected = 2 * most_partners(a, b, window) / (len(a) + len(b))
        assert coincidence(a, b, window) == expected
    assert coincidence(a, b, window) == coincidence(b, a, window)


@given(trains, trains, costs)
def test_victor_purpura_is_the_recursion(a: list[int], b: list[int], cost: float) -> None:
    assert victor_purpura(a, b, cost) == pytest.approx(edit_cost(a, b, cost), abs=1e-12)


@given(trains, trains, taus)
def test_van_rossum_is_the_double_sum(a: list[int], b: list[int], tau: float) -> None:
    assert van_rossum(a, b, tau) == pytest.approx(filtered_distance(a, b, tau), abs=1e-6)


def test_van_rossum_is_the_integral_of_its_definition() -> None:
    a, b, tau = [10, 40, 41], [12, 90], 7.0
    time = np.arange(0.0, 400.0, 0.002)

    def filtered(train: list[int]) -> np.ndarray:
        return sum(np.where(time >= s, np.exp(-np.maximum(time - s, 0) / tau), 0.0) for s in train)

    squared = np.trapezoid((filtered(a) - filtered(b)) ** 2, time) / tau
    assert van_rossum(a, b, tau) ** 2 == pytest.approx(squared, rel=1e-3)


@given(trains, trains, trains, costs, taus)
def test_distances_are_metrics(
    a: list[int], b: list[int], c: list[int], cost: float, tau: float
) -> None:
    for distance in (
        lambda x, y: victor_purpura(x, y, cost),
        lambda x, y: van_rossum(x, y, tau),
    ):
        assert distance(a, a) == 0.0
        assert distance(a, b) == pytest.approx(distance(b, a), abs=1e-12)
        assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-9


@given(trains, trains)
def test_limits_of_victor_purpura(a: list[int], b: list[int]) -> None:
    assert victor_purpura(a, b, 0.0) == abs(len(a) - len(b))
    # Moving by one step dearer than delete and insert: only equal steps are shared.
    shared = coincidence(a, b, 0) * (len(a) + len(b))
    assert victor_purpura(a, b, 2.5) == pytest.approx(len(a) + len(b) - shared)


def test_one_spike_against_none() -> None:
    assert coincidence([5], [], 3) == 0.0
    assert victor_purpura([5], [], 1.0) == 1.0
    assert van_rossum([5], [], 10.0) ** 2 == pytest.approx(0.5)


def test_repeated_spikes_of_a_population_count() -> None:
    assert coincidence([5, 5], [5], 0) == pytest.approx(2 / 3)
    assert victor_purpura([5, 5], [5], 1.0) == 1.0
    assert van_rossum([5, 5], [], 10.0) == pytest.approx(np.sqrt(2.0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: coincidence([2, 1], [], 0), "a: must be sorted"),
        (lambda: victor_purpura([], [2, 1], 0.0), "b: must be sorted"),
        (lambda: van_rossum([[1]], [], 1.0), "one-dimensional"),
        (lambda: coincidence([], [], -1), "window_steps = -1"),
        (lambda: victor_purpura([], [], float("nan")), "cost_per_step = nan"),
        (lambda: van_rossum([], [], 0.0), "tau_steps = 0.0"),
    ],
)
def test_bad_input_is_named(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
