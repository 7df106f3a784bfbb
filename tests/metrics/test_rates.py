"""Rates: what the specification says, on inputs small enough to check by hand."""

from itertools import pairwise

import numpy as np
import pytest

from neuroemu.metrics.rates import (
    phase_counts,
    phase_rates,
    population_rate,
    smooth_rate,
    window_taps,
)


def test_population_rate_divides_by_step_and_neurons() -> None:
    rate = population_rate([0, 3, 1], dt_ms=0.5, population=2)
    np.testing.assert_allclose(rate, [0.0, 3000.0, 1000.0])


@pytest.mark.parametrize(
    ("width_ms", "taps"),
    [(0.1, 1), (0.2, 3), (0.3, 3), (1.0, 11), (1.1, 11), (0.6, 5), (2.4, 23)],
    ids=str,
)
def test_flat_window_has_the_stated_odd_length(width_ms: float, taps: int) -> None:
    window = window_taps("flat", dt_ms=0.1, width_ms=width_ms)
    assert window.size == taps
    np.testing.assert_allclose(window, 1.0 / taps)


def test_gaussian_window_is_cut_at_two_standard_deviations() -> None:
    window = window_taps("gaussian", dt_ms=0.1, width_ms=1.0)
    assert window.size == 41
    assert window[0] / window[20] == pytest.approx(np.exp(-2.0))
    assert window[10] / window[20] == pytest.approx(np.exp(-0.5))
    assert window.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("window", ["gaussian", "flat"])
def test_smoothing_keeps_a_constant_rate_inside_and_sags_at_the_ends(window: str) -> None:
    smoothed = smooth_rate(np.full(200, 40.0), dt_ms=1.0, window=window, width_ms=11.0)
    np.testing.assert_allclose(smoothed[30:-30], 40.0)
    assert 15.0 < smoothed[0] < 25.0
    np.testing.assert_allclose(smoothed, smoothed[::-1])


@pytest.mark.parametrize("window", ["gaussian", "flat"])
@pytest.mark.parametrize("steps", [1, 2, 7, 8, 399, 400, 401, 5000])
def test_fft_agrees_with_the_definition(window: str, steps: int) -> None:
    spikes = np.random.default_rng(5).random(steps) < 0.1
    rate = population_rate(spikes, dt_ms=0.1, population=1)
    direct = smooth_rate(rate, dt_ms=0.1, window=window, width_ms=10.0)
    fast = smooth_rate(rate, dt_ms=0.1, window=window, width_ms=10.0, method="fft")
    assert fast.shape == direct.shape
    assert np.abs(fast - direct).max() <= 1e-9 * max(direct.max(), 1.0)


def test_phase_counts_leave_out_settling_and_take_half_open_phases() -> None:
    spikes = [0, 4, 5, 9, 10, 14, 15, 15, 19, 20, 25]
    np.testing.assert_array_equal(phase_counts(spikes, [0, 10, 20], settle_steps=5), [2, 3])
    np.testing.assert_array_equal(phase_counts(spikes, [0, 10, 20]), [4, 5])


def test_phase_counts_equal_counting_step_by_step() -> None:
    rng = np.random.default_rng(3)
    spikes = np.sort(rng.integers(0, 1000, 300))
    edges = np.array([0, 100, 350, 351 + 40, 1000])
    expected = [
        sum(start + 40 <= step < stop for step in spikes) for start, stop in pairwise(edges)
    ]
    np.testing.assert_array_equal(phase_counts(spikes, edges, settle_steps=40), expected)


def test_phase_rates_are_in_hz_per_neuron() -> None:
    # 100 steps of 0.1 ms less 20 of settling are 8 ms.
    rates = phase_rates([[30, 40], [], [99, 100]], [0, 100, 200], 20, dt_ms=0.1, population=2)
    np.testing.assert_allclose(rates, [[125.0, 0.0], [0.0, 0.0], [62.5, 0.0]])


def test_phase_rates_of_no_trials_keep_their_phases() -> None:
    assert phase_rates([], [0, 10, 20], dt_ms=1.0).shape == (0, 2)


def test_rates_of_whole_seconds_are_exact() -> None:
    assert phase_rates([range(495)], [0, 100_000], dt_ms=0.1)[0, 0] == 49.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: phase_counts([3, 2], [0, 10]), "sorted"),
        (lambda: phase_counts([2, 3], [0, 10, 15], settle_steps=5), "phase 1 has 5"),
        (lambda: phase_counts([2, 3], [10, 0]), "phase 0 has -10"),
        (lambda: phase_counts([2, 3], [0, 10], settle_steps=-1), "settle_steps = -1"),
        (lambda: phase_counts([2, 3], [0]), "phases \\+ 1"),
        (lambda: phase_rates([[2]], [0, 10], dt_ms=0.0), "dt_ms = 0.0"),
        (lambda: phase_rates([[2]], [0, 10], dt_ms=0.1, population=0), "population = 0"),
        (lambda: population_rate([[1]], dt_ms=0.1, population=1), "one-dimensional"),
        (lambda: window_taps("gaussian", dt_ms=0.1, width_ms=float("nan")), "width_ms = nan"),
        (lambda: window_taps("hann", dt_ms=0.1, width_ms=1.0), "'hann'"),
        (
            lambda: smooth_rate([1.0], dt_ms=0.1, window="flat", width_ms=1.0, method="magic"),
            "'magic'",
        ),
    ],
)
def test_bad_input_is_named(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
