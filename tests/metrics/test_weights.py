"""Weights from change records: values, errors in LSB, settling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroemu.metrics.weights import sample_changes, settling_time, weight_error_lsb

records = st.lists(
    st.tuples(st.integers(0, 40), st.integers(-20, 20).map(lambda n: n / 8)), max_size=20
).map(lambda changes: sorted(changes, key=lambda change: change[0]))


def replay(record: list[tuple[int, float]], initial: float, steps: int) -> np.ndarray:
    """Weight after each step, one change at a time."""
    weight, weights, changes = initial, [], list(record)
    for step in range(steps):
        while changes and changes[0][0] == step:
            weight = changes.pop(0)[1]
        weights.append(weight)
    return np.array(weights)


def unzip(record: list[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [step for step, _ in record], [value for _, value in record]


@given(records, st.integers(-8, 8))
def test_samples_are_the_replayed_weight(record, initial) -> None:
    steps, values = unzip(record)
    expected = replay(record, float(initial), 41)
    np.testing.assert_array_equal(sample_changes(steps, values, initial, np.arange(41)), expected)


@given(records, st.integers(0, 15), st.integers(2, 25), st.sampled_from([0.0, 0.125, 0.3, 2.0]))
def test_settling_time_is_its_definition(record, start, length, band) -> None:
    steps, values = unzip(record)
    weight = replay(record, 0.0, 41)[start : start + length]
    half = length // 2
    distance = weight - weight[half:].mean()
    arrived = [k for k in range(half) if abs(distance[k]) <= band or distance[k] * distance[0] <= 0]
    # Eighths over up to 13 steps: a distance is either exactly on the band or well off it,
    # except where rounding of the mean decides; those cases say nothing about the definition.
    if np.any(np.isclose(np.abs(distance), band, atol=1e-12, rtol=0)):
        return
    settled = settling_time(
        steps, values, 0.0, phase_start=start, phase_stop=start + length, band=band
    )
    assert settled == (arrived[0] if arrived else None)


def exponential_with_noise(rng: np.random.Generator, tau: float, noise: float) -> np.ndarray:
    steps = np.arange(1000)
    return 1.0 - np.exp(-steps / tau) + noise * rng.standard_normal(steps.size)


def test_settling_of_a_noisy_weight_is_its_arrival() -> None:
    rng = np.random.default_rng(2)
    times = [
        settling_time(
            np.arange(1000),
            exponential_with_noise(rng, tau=50.0, noise=0.05),
            0.0,
            phase_start=0,
            phase_stop=1000,
            band=0.1,
        )
        for _ in range(50)
    ]
    # The mean course is within 0.1 after 50*ln(10) = 115 steps; noise arrives somewhat earlier.
    assert all(time is not None and 60 <= time <= 120 for time in times)


def test_a_weight_that_never_stops_has_no_settling_time() -> None:
    steps = np.arange(100)
    assert settling_time(steps, steps / 100, 0.0, phase_start=0, phase_stop=100, band=0.1) is None


def test_a_weight_that_never_moves_has_settled_at_once() -> None:
    assert settling_time([], [], 0.7, phase_start=5, phase_stop=100, band=0.0) == 0
    assert settling_time([3], [0.1], 0.7, phase_start=5, phase_stop=100, band=0.0) == 0


def test_a_jump_across_the_mean_is_an_arrival_even_with_no_band() -> None:
    steps, values = [10, 20, 60, 80], [3.0, 1.0, 1.5, 1.0]
    time = settling_time(steps, values, 0.0, phase_start=0, phase_stop=100, band=0.0)
    assert time == 10


def test_weight_error_in_lsb() -> None:
    error = weight_error_lsb([1.0, 1.0, 1.0, 1.0], [1.0, 1.5, 0.5, 2.0], lsb=0.5)
    assert (error.mean, error.max_abs) == (0.5, 2.0)
    assert error.rms == pytest.approx(np.sqrt(6 / 4))


@given(st.lists(st.integers(-255, 255), min_size=1, max_size=20), st.floats(0.01, 1.0))
def test_rms_lies_between_mean_and_largest(values, lsb) -> None:
    error = weight_error_lsb(np.zeros(len(values)), values, lsb)
    assert abs(error.mean) <= error.rms * (1 + 1e-9) <= error.max_abs * (1 + 2e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_changes([1, 2], [0.1], 0.0, [0]), "one value per step"),
        (lambda: sample_changes([2, 1], [0.1, 0.2], 0.0, [0]), "sorted"),
        (lambda: weight_error_lsb([0.0], [0.0, 1.0], 0.1), "as many as"),
        (lambda: weight_error_lsb([], [], 0.1), "must have samples"),
        (lambda: weight_error_lsb([0.0], [0.0], 0.0), "lsb = 0.0"),
        (
            lambda: settling_time([], [], 0.0, phase_start=5, phase_stop=6, band=0.0),
            "phase_stop = 6",
        ),
        (
            lambda: settling_time([], [], 0.0, phase_start=5, phase_stop=9, band=-1.0),
            "band = -1.0",
        ),
    ],
)
def test_bad_input_is_named(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
