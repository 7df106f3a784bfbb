"""The golden neuron on cases that are worked out by hand beside each expectation."""

from dataclasses import replace

import pytest

from neuroemu.golden.trial import run
from tests.golden.networks import (
    EVENT,
    INTEGRATOR,
    network,
    projection,
    site,
    times,
)


class TestNeuron:
    def test_leak_threshold_refractory_reset(self) -> None:
        # a = 7/8, threshold 10, reset -3, two refractory steps; +8 in every step
        neuron = replace(
            INTEGRATOR,
            leak=-1,
            unit=8,
            threshold=10,
            reset=-3,
            refractory_steps=2,
            leak_site=site(3, width=8),
        )
        trace = run(network(projection((0, 0, 8)), neuron=neuron), {"A": times(*range(8))}, 8)
        # 0: 0 + 8 = 8.            1: 56/8 = 7, + 8 = 15.
        # 2: 105/8 = 13.1 -> 13, above 10: spike, input lost, reset.
        # 3: waits, no leak, input lost.
        # 4: -21/8 = -2.6 -> -3, + 8 = 5.   5: 35/8 = 4.4 -> 4, + 8 = 12.
        # 6: 84/8 = 10.5 -> 10, not above 10, + 8 = 18.   7: 126/8 = 15.75 -> 15: spike.
        assert trace.membrane["N"] == [[0], [8], [15], [-3], [-3], [5], [12], [18]]
        assert trace.spikes["N"] == [(2, 0), (7, 0)]
        assert trace.weights == {0: []}

    def test_without_refractory_steps_the_input_of_the_spiking_step_is_lost_to_the_reset(
        self,
    ) -> None:
        neuron = replace(INTEGRATOR, refractory_steps=0, reset=1)
        trace = run(network(projection((0, 0, 6)), neuron=neuron), {"A": times(*range(4))}, 4)
        # 0: 6.   1: spike, 12, reset to 1.   2: 1 + 6 = 7.   3: spike.
        assert trace.membrane["N"] == [[0], [6], [1], [7]]
        assert trace.spikes["N"] == [(1, 0), (3, 0)]

    def test_floor_never_decays_minus_one(self) -> None:
        neuron = replace(INTEGRATOR, leak=-1, unit=8, leak_site=site(3, width=8), v_init=-2)
        trace = run(network(neuron=neuron), {}, 4)
        # -14/8 = -1.75 -> -2: the dead zone; around would give -2 as well, ceil -1, then 0
        assert trace.membrane["N"] == [[-2]] * 4
        ceil = replace(neuron, leak_site=site(3, "ceil", width=8))
        assert run(network(neuron=ceil), {}, 4).membrane["N"] == [[-2], [-1], [0], [0]]

    @pytest.mark.parametrize(("overflow", "v"), [("saturate", 7), ("wrap", -4)])
    def test_input_overflows(self, overflow: str, v: int) -> None:
        narrow = site(width=4, overflow=overflow)
        neuron = replace(INTEGRATOR, threshold=7, leak_site=narrow, input_site=narrow)
        trace = run(network(projection((0, 0, 6)), neuron=neuron), {"A": times(0, 1)}, 3)
        assert trace.membrane["N"] == [[0], [6], [v]]  # 6 + 6 = 12 = -4 modulo 16

    def test_inputs_are_narrowed_one_by_one_in_order_of_the_sources(self) -> None:
        narrow = site(width=4)
        neuron = replace(INTEGRATOR, threshold=7, leak_site=narrow, input_site=narrow)
        synapses = ((0, 0, 6), (1, 0, 5), (2, 0, -6))
        trace = run(
            network(projection(*synapses), neuron=neuron, n_sources=3),
            {"A": [(0, 2), (0, 0), (0, 1)]},
            2,
        )
        assert trace.membrane["N"] == [[0], [1]]  # 6, then 11 -> 7, then 1

    def test_projections_give_input_in_their_order(self) -> None:
        narrow = site(width=4)
        neuron = replace(INTEGRATOR, threshold=7, leak_site=narrow, input_site=narrow)
        up = projection((0, 0, 6), pre="A")
        down = projection((0, 0, -6), pre="K")
        spikes = {"A": times(0), "K": times(0)}
        start = replace(neuron, v_init=5)
        first_up = run(network(up, down, neuron=start), spikes, 2)
        first_down = run(network(down, up, neuron=start), spikes, 2)
        assert first_up.membrane["N"][1] == [1]  # 11 -> 7, then 1
        assert first_down.membrane["N"][1] == [5]  # -1, then 5

    def test_drive_is_narrowed_before_it_is_added(self) -> None:
        # gain 3/4: 5 * 3 / 4 = 3.75, 3 by floor and 4 by half_up
        for rounding, drive in (("floor", 3), ("half_up", 4)):
            connected = projection((0, 0, 5), gain=3, drive_site=site(2, rounding, width=8))
            trace = run(network(connected), {"A": times(0, 1)}, 3)
            assert trace.membrane["N"] == [[0], [drive], [2 * drive]]


class TestRecurrence:
    def test_a_spike_is_input_in_the_same_step_and_lost_on_a_spiking_neuron(self) -> None:
        drive = projection((0, 0, 6), pre="A")
        recurrent = projection((0, 1, 4), (1, 0, 2), (0, 0, 9), pre="N")
        trace = run(network(drive, recurrent, size=2), {"A": times(0, 2)}, 6)
        # 0: A: v0 = 6.  1: N0 spikes, v1 = 4, its own 9 is lost.  2: A: v0 = 6.
        # 3: N0 spikes, v1 = 8.  4: N1 spikes, v0 = 2.
        assert trace.membrane["N"] == [[0, 0], [6, 0], [0, 4], [6, 4], [0, 8], [2, 0]]
        assert trace.spikes["N"] == [(1, 0), (3, 0), (4, 1)]

    def test_a_plastic_synapse_onto_itself_potentiates_then_depresses(self) -> None:
        drive = projection((0, 0, 6), pre="A")
        own = projection((0, 0, 3), pre="N", plasticity=EVENT)
        trace = run(network(drive, own), {"A": times(0)}, 3)
        # 1: N spikes: 12 + 6 = 18 -> 4, then 16 - 6 = 10 -> 2
        assert trace.weights[1] == [(1, 0, 2)]
