"""Connectors, and networks whose wiring can be read off the spikes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroemu.engine.network import build, connect
from neuroemu.engine.simulate import simulate
from neuroemu.experiment import Poisson, Projection
from neuroemu.models.rungs import ideal
from tests.engine.small import (
    SILENT,
    assert_equal,
    homeostasis,
    membrane,
    network,
    neuron,
    synapses,
    target,
)

ERROR_RATE = 1e-6


def pairs(connector, n_pre, n_post, seed=0, probability=None):
    projection = Projection(
        pre="a", post="b", connector=connector, probability=probability, weight=1.0
    )
    pre, post = connect(projection, n_pre, n_post, seed)
    assert pre.dtype == post.dtype == np.int64
    assert pre.shape == post.shape
    return list(zip(pre.tolist(), post.tolist(), strict=True))


# Connectors


def test_all_to_all():
    known = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert pairs("all_to_all", 2, 3) == known


def test_one_to_one():
    assert pairs("one_to_one", 4, 4) == [(0, 0), (1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize("probability", [0.02, 0.5, 0.97])
def test_fixed_probability_connects_each_pair_with_it(probability):
    found = pairs("fixed_probability", 80, 120, probability=probability)
    assert found == sorted(set(found))
    pre, post = np.array(found).T
    bounds = [ERROR_RATE / 2, 1 - ERROR_RATE / 2]
    low, high = stats.binom.ppf(bounds, 80 * 120, probability)
    assert low <= len(found) <= high
    for counts, n in (
        (np.bincount(pre, minlength=80), 120),
        (np.bincount(post, minlength=120), 80),
    ):
        low, high = stats.binom.ppf(bounds, n, probability)
        assert low <= counts.min()
        assert counts.max() <= high


def test_a_probability_of_one_is_all_to_all():
    assert pairs("fixed_probability", 5, 3, probability=1.0) == pairs("all_to_all", 5, 3)


def test_fixed_probability_follows_its_seed():
    first = pairs("fixed_probability", 20, 20, 1, 0.3)
    assert first == pairs("fixed_probability", 20, 20, 1, 0.3)
    assert first != pairs("fixed_probability", 20, 20, 2, 0.3)


# The connection seed


def random_network(connection_seed=0, **more):
    sparse = {"connector": "fixed_probability", "probability": 0.3}
    projections = {name: synapses("s", name, 2.0, **sparse) for name in ("a", "b")}
    populations = {"a": neuron(30), "b": neuron(30)}
    return network(
        populations,
        {"s": Poisson(size=10, rates_hz=(0.0,))},
        projections | more,
        steps=12,
        connection_seed=connection_seed,
    )


FAN_OUT = {"s": [np.stack((np.arange(10), np.arange(10)), axis=1)]}
"""Source i fires in step i: who fires a step later is connected to it."""


def wiring(experiment, name, seed=0):
    run = simulate(experiment, spikes=FAN_OUT, seed=seed)
    return set(
        zip(run.spikes[name].steps[0].tolist(), run.spikes[name].neurons[0].tolist(), strict=True)
    )


def test_synapses_follow_the_connection_seed_and_no_other():
    known = wiring(random_network(5), "a")
    assert 40 < len(known) < 140
    assert wiring(random_network(5), "a", seed=99) == known
    assert wiring(random_network(6), "a") != known


def test_projections_draw_their_synapses_apart():
    experiment = random_network(5)
    assert wiring(experiment, "a") != wiring(experiment, "b")
    more = {"first": synapses("b", "a", 0.0)}
    assert wiring(random_network(5, **more), "a") == wiring(experiment, "a")


def test_synapses_are_the_same_on_a_target():
    experiment = random_network(5)
    assert_equal(
        simulate(experiment, spikes=FAN_OUT).spikes,
        simulate(experiment, target(), spikes=FAN_OUT).spikes,
    )


def test_all_trials_have_the_same_synapses():
    run = simulate(random_network(5), spikes={"s": FAN_OUT["s"] * 3})
    for trial in (1, 2):
        np.testing.assert_array_equal(run.spikes["a"].neurons[trial], run.spikes["a"].neurons[0])


# Layout


def test_layout_of_sources_neurons_and_plastic_synapses():
    experiment = network(
        {"a": neuron(3), "b": neuron(2)},
        {"s": Poisson(size=4, rates_hz=(0,)), "t": SILENT},
        {
            "static": synapses("s", "a", 1.0),
            "first": synapses("t", "b", 1.0, plasticity=homeostasis()),
            "second": synapses("a", "b", 0.5, plasticity=homeostasis()),
        },
    )
    layout, wired = build(experiment, ideal(experiment))
    assert (layout.n_sources, layout.n_units, layout.n_neurons, layout.n_slots) == (5, 10, 5, 8)
    assert layout.units == {"s": range(4), "t": range(4, 5), "a": range(5, 8), "b": range(8, 10)}
    assert layout.neurons == {"a": range(3), "b": range(3, 5)}
    assert layout.slots == {"first": range(2), "second": range(2, 8)}
    assert wired.target.tolist() == [0, 1, 2] * 4 + [3, 4] + [3, 4] * 3
    assert wired.weight.tolist() == [1.0] * 14 + [0.5] * 6
    assert wired.slots.tolist() == [
        [4, 3, 1], [4, 4, 1], [5, 3, 2], [5, 4, 2], [6, 3, 2], [6, 4, 2], [7, 3, 2], [7, 4, 2]
    ]  # fmt: skip
    # By column: the plastic synapses onto neuron 3, then those onto neuron 4.
    assert wired.column_start.tolist() == [0, 0, 0, 0, 4, 8]
    assert wired.columns[:, 0].tolist() == [0, 2, 4, 6, 1, 3, 5, 7]


# Networks


@pytest.mark.parametrize("chip", [None, target()], ids=["float", "fixed"])
def test_several_sources_reach_their_own_neurons(chip):
    experiment = network(
        {"n": neuron(4)},
        {"s": Poisson(size=4, rates_hz=(0,))},
        {"p": synapses("s", "n", 2.0, connector="one_to_one")},
        steps=20,
    )
    given = np.array([[2, 3], [4, 0], [4, 2], [9, 1], [10, 3]])
    run = simulate(experiment, chip, spikes={"s": [given]})
    np.testing.assert_array_equal(run.spikes["n"].steps[0], given[:, 0] + 1)
    np.testing.assert_array_equal(run.spikes["n"].neurons[0], given[:, 1])


@pytest.mark.parametrize("chip", [None, target()], ids=["float", "fixed"])
def test_sources_of_one_step_add_up(chip):
    experiment = network(
        {"n": neuron(2, threshold=7.0)},
        {"s": Poisson(size=5, rates_hz=(0,))},
        {"p": synapses("s", "n", 0.75)},
        steps=5,
        membrane=("n",),
    )
    run = simulate(experiment, chip, spikes={"s": [[[1, 0], [1, 2], [1, 3]]]})
    for index in range(2):
        assert membrane(run, "n", index)[2] == 2.25


def test_each_plastic_synapse_learns_from_its_own_pair():
    rule = homeostasis(0.5, 0.25)
    experiment = network(
        {"n": neuron(3)},
        {"s": Poisson(size=3, rates_hz=(0,)), "kick": Poisson(size=3, rates_hz=(0,))},
        {
            "learn": synapses("s", "n", 0.25, plasticity=rule),
            "drive": synapses("kick", "n", 2.0, connector="one_to_one"),
        },
        steps=60,
    )
    run = simulate(experiment, spikes={"s": [[[5, 1]]], "kick": [[[30, 2]]]})
    assert run.spikes["n"].steps[0].tolist() == [31]
    record = run.weights["learn"][0]
    # Row of source 1: synapses 3 to 5. Column of neuron 2: synapses 2, 5 and 8.
    assert record.step.tolist() == [5, 5, 5, 31, 31, 31]
    assert record.synapse.tolist() == [3, 4, 5, 2, 5, 8]
    assert record.value.tolist() == [0.75, 0.75, 0.75, 0.0, 0.5, 0.0]


def test_a_population_may_be_its_own_source():
    experiment = network(
        {"n": neuron(3)},
        {"s": Poisson(size=3, rates_hz=(0,))},
        {
            "start": synapses("s", "n", 2.0, connector="one_to_one"),
            "ring": synapses("n", "n", -0.5),
        },
        steps=4,
        membrane=("n",),
    )
    run = simulate(experiment, spikes={"s": [[[0, 1]]]})
    assert run.spikes["n"].neurons[0].tolist() == [1]
    v = run.membrane["n"].value[2, :, 0]
    assert v.tolist() == [-0.5, 0.0, -0.5]  # its own input is lost, as it fires in this step


def test_populations_with_other_constants_stand_side_by_side():
    populations = {
        "slow": neuron(2, tau=10.0, init=0.5),
        "fast": neuron(1, tau=0.4, init=-0.5),
        "also_slow": neuron(3, tau=10.0, init=0.25),
    }
    run = simulate(network(populations, steps=30, membrane=tuple(populations)))
    for name, population in populations.items():
        left = 1 - 0.1 / population.tau_m_ms
        known = population.v_init * left ** np.arange(30.0)
        assert run.membrane[name].value.shape == (30, population.size, 1)
        for index in range(population.size):
            np.testing.assert_allclose(membrane(run, name, index), known, rtol=1e-13)
