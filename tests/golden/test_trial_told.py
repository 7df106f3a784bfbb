"""Neurons that spike as they are told: how the golden model judges learning beside an analog membrane."""

import pytest

from neuroemu.golden.trial import run
from tests.golden.networks import CHIP, EVENT, PERIODIC, network, projection, times


def test_told_neurons_spike_then_and_only_then() -> None:
    connected = network(projection((0, 0, 7)))
    free = run(connected, {"A": times(0)}, 5)
    assert free.spikes["N"] == times(1)
    told = run(connected, {"A": times(0)}, 5, told={"N": times(0, 3)})
    assert told.spikes["N"] == times(0, 3)


def test_a_told_spike_depresses_as_a_spike_of_ones_own() -> None:
    learning = network(projection((0, 0, 6), plasticity=EVENT))
    trace = run(learning, {"A": times(2)}, 6, told={"N": times(0, 2)})
    # floor: -1.5 takes 2; then +1.5 adds 1 and -1.5 takes 2, in this order, in one step
    assert trace.weights[0] == [(0, 0, 4), (2, 0, 3)]


def test_a_told_spike_is_counted_and_read_at_the_end_of_the_period() -> None:
    learning = network(projection((0, 0, 6), plasticity=PERIODIC))
    assert run(learning, {}, 4, told={"N": times(1)}).weights[0] == [(3, 0, 3)]


def test_populations_that_are_not_told_spike_by_themselves() -> None:
    assert run(network(projection((0, 0, 7))), {"A": times(0)}, 5, told={}).spikes["N"] == times(1)


def test_telling_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="no population"):
        run(network(), {}, 1, told={"A": times(0)})


def test_a_chip_neuron_is_not_told() -> None:
    with pytest.raises(ValueError, match="chip neuron"):
        run(network(neuron=CHIP), {}, 1, told={"N": times(0)})


def test_telling_twice_in_a_step_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        run(network(), {}, 1, told={"N": times(0, 0)})
