"""Curves on a coarse grid against the definitions on every step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroemu.engine.run import Run, SpikeTrains, WeightChanges, WeightRecord
from neuroemu.experiment import Record
from neuroemu.metrics.rates import population_rate, smooth_rate
from neuroemu.report import curves
from neuroemu.report.panels import code_ticks
from neuroemu.report.text import inches, shorten, wrap


def run_of(trains: list[list[int]], n_steps: int, size: int = 1) -> Run:
    steps = tuple(np.asarray(sorted(t), np.int64) for t in trains)
    neurons = tuple(np.zeros(t.size, np.int64) for t in steps)
    return Run(
        rung="fixed",
        target="t",
        seed=0,
        first_trial=0,
        step_ms=0.5,
        n_steps=n_steps,
        spikes={"p": SpikeTrains(steps, neurons, size)},
        weights={},
        membrane={},
    )


@given(
    st.lists(st.lists(st.integers(0, 1499), max_size=30), min_size=1, max_size=3),
    st.sampled_from(["gaussian", "flat"]),
    st.sampled_from([0.2, 3.0, 40.0, 150.0]),
)
def test_smoothed_rates_equal_the_definition_where_they_are_drawn(trains, window, width) -> None:
    run = run_of(trains, 1500, size=2)
    record = Record(rate_window=window, rate_width_ms=width)
    times, rates = curves.smoothed_rates(run, "p", record)
    steps = np.rint(times / (0.5 / 1000)).astype(int)
    assert rates.shape == (len(trains), times.size)
    assert 300 <= times.size <= curves.MOST_SAMPLES
    for train, rate in zip(trains, rates, strict=True):
        counts = np.bincount(np.asarray(train, np.int64), minlength=1500)
        whole = smooth_rate(
            population_rate(counts, dt_ms=0.5, population=2),
            dt_ms=0.5,
            window=window,
            width_ms=width,
        )
        np.testing.assert_allclose(rate, whole[steps], rtol=1e-9, atol=1e-9)


def test_a_run_without_spikes_has_a_rate_of_zero() -> None:
    _, rates = curves.smoothed_rates(run_of([[], []], 1000), "p", Record())
    assert rates.shape[0] == 2
    assert not rates.any()


def record_of(synapses: list[int]) -> WeightRecord:
    n = len(synapses)
    values = np.arange(1.0, n + 1.0)
    changes = WeightChanges(np.arange(n), np.asarray(synapses, np.int64), values, values)
    return WeightRecord((changes,), 0.5, 1.0)


def test_a_staircase_holds_one_synapses_changes() -> None:
    times, values = curves.staircase(run_of([[]], 10), record_of([0, 1, 0]), 0, 0)
    np.testing.assert_allclose(times, [0.0, 0.0005, 0.0015, 0.005])
    assert values.tolist() == [0.5, 1.0, 3.0, 3.0]


@pytest.mark.parametrize(("largest", "drawn"), [(0, 1), (11, 12), (31, 32), (999, 32)])
def test_many_synapses_are_thinned_evenly(largest, drawn) -> None:
    synapses = curves.drawn_synapses(record_of([largest]), record_of([0]))
    assert synapses.size == drawn
    assert (synapses[0], synapses[-1]) == (0, largest)


@given(st.integers(-300, 300), st.integers(0, 300))
def test_code_ticks_are_codes_within_the_register(lowest, span) -> None:
    ticks = code_ticks(lowest, lowest + span)
    assert ticks[0] == lowest
    assert ticks[-1] <= lowest + span
    assert len(set(np.diff(ticks).tolist())) <= 1
    assert 1 <= ticks.size <= 7


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"], max_codepoint=0x24F), max_size=200))
def test_wrapped_lines_fit_and_lose_no_short_word(text) -> None:
    lines = wrap(text, 2.0, 8.0)
    assert all(inches(line, 8.0) <= 2.02 for line in lines)
    if all(inches(word, 8.0) <= 2.0 for word in text.split()):
        assert " ".join(lines).split() == text.split()


def test_a_shortened_text_fits_and_says_that_it_is_short() -> None:
    short = shorten("a_target_of_a_long_name", 0.8, 8.0)
    assert short.endswith("…")
    assert inches(short, 8.0) <= 0.8
    assert shorten("chip", 0.8, 8.0) == "chip"
