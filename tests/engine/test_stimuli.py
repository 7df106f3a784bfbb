"""Input spikes: statistics of the drawn ones, checks of the given ones, binning."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroemu.engine.simulate import simulate
from neuroemu.engine.stimuli import bin_train, coincident, draw, given, poisson_train
from neuroemu.errors import ConfigError, SpikeInputError
from neuroemu.experiment import Poisson
from tests.engine.small import SILENT, network, neuron, synapses

ERROR_RATE = 1e-6
"""Chance that a right generator fails one of the statistical tests, for a seed drawn anew."""


def train(stimulus, n_steps=100_000, seed=0, dt_ms=0.1):
    return poisson_train(stimulus, n_steps, dt_ms, np.random.default_rng(seed))


def within_binomial_bounds(count, n, p):
    low, high = stats.binom.ppf([ERROR_RATE / 2, 1 - ERROR_RATE / 2], n, p)
    return low <= count <= high


# Statistics


@pytest.mark.parametrize("size", [1, 7])
def test_every_phase_has_its_rate(size):
    rates = (25.0, 500.0, 0.0, 5000.0)
    spikes = train(Poisson(size=size, rates_hz=rates, interval_ms=2000.0), 80_000)
    counts = np.bincount(spikes[:, 0] // 20_000, minlength=4)
    assert counts[2] == 0
    for count, rate in zip(counts, rates, strict=True):
        assert within_binomial_bounds(count, 20_000 * size, rate * 1e-4)


def test_every_source_of_a_stimulus_has_its_rate():
    spikes = train(Poisson(size=50, rates_hz=(300.0,)))
    per_source = np.bincount(spikes[:, 1], minlength=50)
    assert all(within_binomial_bounds(n, 100_000, 0.03) for n in per_source)


def test_sources_are_independent():
    spikes = train(Poisson(size=2, rates_hz=(2000.0,)))
    steps = [spikes[spikes[:, 1] == i, 0] for i in range(2)]
    together = np.intersect1d(*steps).size
    assert within_binomial_bounds(together, 100_000, 0.2**2)


def test_the_last_rate_holds_for_ever_and_rates_past_the_end_are_not_used():
    past = Poisson(rates_hz=(100.0, 200.0, 9000.0, 0.0), interval_ms=1000.0)
    inside = Poisson(rates_hz=(100.0, 200.0), interval_ms=1000.0)
    np.testing.assert_array_equal(train(past, 20_000), train(inside, 20_000))
    last = np.count_nonzero(train(inside, 100_000)[:, 0] >= 20_000)
    assert within_binomial_bounds(last, 80_000, 0.02)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize(("start", "known"), [(10_000.0, (0, 20, 40)), (0.0, (10, 30, 50))])
def test_phases_begin_and_end_with_their_steps(size, start, known):
    """A rate of one spike in every step, and none, in turns of ten steps."""
    rates = (start, 10_000.0 - start) * 3
    spikes = train(Poisson(size=size, rates_hz=rates, interval_ms=1.0), 60)
    cells = [
        [k, source] for first in known for k in range(first, first + 10) for source in range(size)
    ]
    assert spikes.tolist() == cells


def test_an_interval_that_the_end_cuts():
    spikes = train(Poisson(rates_hz=(0.0, 9000.0), interval_ms=1000.0), 10_050)
    assert spikes[:, 0].min() >= 10_000
    assert spikes[:, 0].max() < 10_050
    assert within_binomial_bounds(len(spikes), 50, 0.9)


@pytest.mark.parametrize(("size", "rate"), [(1, 50.0), (3, 4000.0), (2, 10_000.0)])
def test_trains_are_sorted_with_one_spike_of_a_source_in_a_step(size, rate):
    spikes = train(Poisson(size=size, rates_hz=(rate,)), 20_000)
    assert spikes.dtype == np.int64
    cells = spikes[:, 0] * size + spikes[:, 1]
    assert np.all(np.diff(cells) > 0)
    assert spikes[:, 1].max() < size


def test_the_highest_rate_fires_in_every_step():
    spikes = train(Poisson(size=2, rates_hz=(10_000.0,)), 30)
    assert len(spikes) == 60


@pytest.mark.parametrize("rate", [50.0, 1000.0, 6000.0])
def test_gaps_are_geometric(rate):
    gaps = np.diff(train(Poisson(rates_hz=(rate,)), 400_000)[:, 0])
    n = gaps.size
    assert n > 1500
    # Dvoretzky, Kiefer, Wolfowitz with Massart's constant: holds for steps in the distribution too.
    bound = np.sqrt(np.log(2 / ERROR_RATE) / (2 * n))
    at = np.arange(1, gaps.max() + 1)
    empirical = np.searchsorted(np.sort(gaps), at, side="right") / n
    geometric = stats.geom.cdf(at, rate * 1e-4)
    assert np.abs(empirical - geometric).max() < bound
    # The bound tells a wrong rate: a rate 30 % higher is seen.
    assert np.abs(empirical - stats.geom.cdf(at, rate * 1.3e-4)).max() > bound


# Seeds


def sourced(**stimuli):
    return network({"n": neuron()}, stimuli, steps=20_000)


BUSY = Poisson(rates_hz=(100.0,))


def test_a_seed_and_a_trial_give_the_same_spikes_again_and_no_others():
    experiment = sourced(a=BUSY)
    first = draw(experiment, 1, 0)["a"]
    np.testing.assert_array_equal(first, draw(experiment, 1, 0)["a"], strict=True)
    for seed, trial in ((1, 1), (0, 0), (2, 0), (0, 1)):
        assert np.intersect1d(first[:, 0], draw(experiment, seed, trial)["a"][:, 0]).size < 20


def test_a_stimulus_draws_the_same_whatever_stands_beside_it():
    alone = draw(sourced(a=BUSY), 4, 2)["a"]
    beside = draw(sourced(b=BUSY, a=BUSY, c=SILENT), 4, 2)
    np.testing.assert_array_equal(alone, beside["a"], strict=True)
    assert np.intersect1d(alone[:, 0], beside["b"][:, 0]).size < 20
    assert beside["c"].shape == (0, 2)


def test_input_does_not_depend_on_how_many_trials_are_run():
    experiment = network({"n": neuron()}, {"a": BUSY}, {"p": synapses("a", "n", 2.0)}, steps=5000)
    many, one = simulate(experiment, trials=5, seed=3), simulate(experiment, trials=1, seed=3)
    # Each input makes one spike, so the output tells the input.
    assert one.spikes["n"][0].size > 20
    np.testing.assert_array_equal(many.spikes["n"][0], one.spikes["n"][0])
    assert len({tuple(s.tolist()) for s in many.spikes["n"]}) == 5


# Given spikes


def tens(**sizes):
    """An experiment of ten steps with stimuli of these sizes."""
    return network(
        {"n": neuron()}, {n: Poisson(size=s, rates_hz=(0,)) for n, s in sizes.items()}, steps=10
    )


@pytest.mark.parametrize(
    ("size", "values", "message"),
    [
        (1, [5, 4], r"a\[0\] = 4: steps are sorted, and entry 1 goes back; sort the train"),
        (1, [1, 2, 2], r"a\[0\] = a spike twice: a source gives at most one spike a step"),
        (1, [-1, 2], r"a\[0\] = -1: steps lie in 0 to 9; leave those spikes out"),
        (1, [2, 10, 11], r"a\[0\] = 10: steps lie in 0 to 9"),
        (1, np.array([2**63], np.uint64), r"steps lie in 0 to 9"),
        (1, [2**70], r"a\[0\] = object: steps are integers"),
        (1, [1.0, 2.0], r"a\[0\] = float64: steps are integers; divide the times by dt and round"),
        (1, [True, False], r"a\[0\] = bool: steps are integers"),
        (1, ["1"], "steps are integers"),
        (1, 3, r"a\[0\] = \(\): the shape is \(spikes,\) or \(spikes, 2\)"),
        (1, [[1, 2, 3]], r"a\[0\] = \(1, 3\): the shape is"),
        (1, [[[1, 0]]], r"a\[0\] = \(1, 1, 2\): the shape is"),
        (1, [[1, 0], [2]], r"a\[0\]: a train is an array, its rows are of one length"),
        (2, [1, 2], r"a\[0\] = \(2,\): the shape is"),
        (2, [[1, 2]], r"a\[0\] = 2: sources are 0 to 1; check the source indices"),
        (2, [[1, -1]], r"a\[0\] = -1: sources are 0 to 1"),
        (2, [[1, 1], [1, 1]], r"a\[0\] = a spike twice"),
        (2, [[3, 0], [1, 1]], r"a\[0\] = 1: steps are sorted"),
    ],
)
def test_refused_trains(size, values, message):
    with pytest.raises(SpikeInputError, match=f"spikes:.*{message}"):
        given(tens(a=size), {"a": [values]}, 1)


@pytest.mark.parametrize(
    ("spikes", "trials", "message"),
    [
        ({}, 1, "spikes:a: every stimulus needs its trains; add it, empty arrays if silent"),
        ({"a": [[]], "b": [[]]}, 1, "spikes:b: the experiment has no such stimulus; use one of a"),
        ({"a": [[1]]}, 2, "spikes:a = 1: one array per trial; give a list of 2"),
        ({"a": [[1], [2]]}, 1, "spikes:a = 2: one array per trial; give a list of 1"),
        ({"a": []}, 1, "spikes:a = 0: one array per trial; give a list of 1"),
        ({"a": 1}, 1, "spikes:a = 1: one array per trial"),
        ({"a": np.array(1)}, 1, "spikes:a = 1: one array per trial"),
    ],
)
def test_refused_mappings(spikes, trials, message):
    with pytest.raises(SpikeInputError, match=message):
        given(tens(a=1), spikes, trials)


def test_every_violation_is_said_at_once():
    spikes = {"a": [[5, 4], [0, 99]], "b": [[[0, 7]], [[0, 1]]], "d": [[], []]}
    with pytest.raises(SpikeInputError) as caught:
        given(tens(a=1, b=2, c=1), spikes, 2)
    keys = [v.key for v in caught.value.violations]
    assert keys == ["d", "a[0]", "a[1]", "b[0]", "c"]
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert all(line.startswith(f"spikes:{key}") for line, key in zip(lines, keys, strict=True))
    assert isinstance(caught.value, ConfigError)


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint16, np.int64])
def test_given_trains_come_as_steps_and_sources(dtype):
    one = given(tens(a=1), {"a": [np.array([1, 4, 9], dtype)]}, 1)[0]["a"]
    np.testing.assert_array_equal(one, np.array([[1, 0], [4, 0], [9, 0]]), strict=True)
    two = given(tens(a=3), {"a": [np.array([[1, 2], [1, 0], [9, 1]], dtype)]}, 1)[0]["a"]
    np.testing.assert_array_equal(two, np.array([[1, 0], [1, 2], [9, 1]]), strict=True)


@pytest.mark.parametrize("empty", [[], (), np.empty(0), np.empty((0, 2), np.int64)])
def test_an_empty_train_is_silent(empty):
    for size in (1, 2):
        train = given(tens(a=size), {"a": [empty]}, 1)[0]["a"]
        np.testing.assert_array_equal(train, np.empty((0, 2), np.int64), strict=True)


def test_given_trains_say_how_many_trials_there_are():
    experiment = network({"n": neuron()}, {"a": SILENT}, {"p": synapses("a", "n", 2.0)}, steps=10)
    run = simulate(experiment, spikes={"a": [[1], [2, 7], []]})
    assert [s.tolist() for s in run.spikes["n"]] == [[2], [3, 8], []]
    with pytest.raises(SpikeInputError, match="spikes:a = 3: one array per trial"):
        simulate(experiment, trials=2, spikes={"a": [[1], [2, 7], []]})


def test_given_trains_replace_the_drawn_ones():
    experiment = network({"n": neuron()}, {"a": BUSY}, {"p": synapses("a", "n", 2.0)}, steps=2000)
    assert simulate(experiment).spikes["n"][0].size > 5
    drawn = [draw(experiment, 6, trial)["a"][:, 0] for trial in range(2)]
    run, again = simulate(experiment, seed=6, trials=2), simulate(experiment, spikes={"a": drawn})
    for trial in range(2):
        np.testing.assert_array_equal(run.spikes["n"][trial], again.spikes["n"][trial])


# Binning


def test_binning_keeps_every_spike_and_the_order():
    train = np.array([[0, 1], [1, 0], [4, 2], [5, 0], [9, 0], [9, 1], [10, 0]])
    binned = bin_train(train, 5)
    known = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 0], [1, 1], [2, 0]]
    np.testing.assert_array_equal(binned, known)
    assert coincident(binned) == 1
    assert coincident(train) == 0
    np.testing.assert_array_equal(bin_train(train, 1), train)


def test_three_spikes_in_a_bin_are_two_coincidences():
    assert coincident(bin_train(np.array([[0, 0], [1, 0], [2, 0], [3, 0]]), 3)) == 2
