"""The golden chip neuron, line by line, on cases that are worked out by hand."""

from dataclasses import replace
from typing import Any

import pytest

from neuroemu.golden.trial import ChipNeuron, Decay, SiteOverflowError, Trace, run
from tests.golden.networks import CHIP, EVENT, KEEP, network, projection, site, times


def driven(neuron: ChipNeuron, drives: list[int], n_steps: int | None = None) -> Trace:
    """Run one neuron that gets one drive a step, 0 for none, and then nothing."""
    synapses = tuple((i, 0, drive) for i, drive in enumerate(drives))
    connected = network(
        projection(*synapses, drive_site=site()), neuron=neuron, n_sources=len(drives)
    )
    spikes = {"A": [(step, step) for step, drive in enumerate(drives) if drive]}
    return run(connected, spikes, n_steps or len(drives))


def membrane(trace: Trace) -> list[int]:
    return [v for (v,) in trace.membrane["N"]]


def halves(least: int = 0, rounding: str = "floor") -> Decay:
    return Decay(factor=1, least=least, site=site(1, rounding))


QUIET = replace(CHIP, threshold=100)


class TestCurrent:
    def test_a_buffer_is_used_whole_in_the_next_step(self) -> None:
        neuron = replace(QUIET, input="buffer", input_site=site())
        # in step 1 the 8 of step 0 moves the membrane once, nothing of it stays
        assert membrane(driven(neuron, [8, 0, 3], 5)) == [0, 0, 8, 8, 11]

    def test_a_current_decays_before_it_is_used(self) -> None:
        neuron = replace(QUIET, input="current", current=halves())
        # 9 -> 4 -> 2 -> 1 -> 0
        assert membrane(driven(neuron, [9], 6)) == [0, 0, 4, 6, 7, 7]

    def test_a_buffer_joins_what_is_left_of_the_current(self) -> None:
        neuron = replace(QUIET, input="buffer", current=halves())
        # exc: 8, then 4 + 6 = 10, then 5
        assert membrane(driven(neuron, [8, 6], 5)) == [0, 0, 8, 18, 23]

    def test_scale_is_of_the_buffer_only(self) -> None:
        neuron = replace(QUIET, input="buffer", scale=4, current=halves())
        assert membrane(driven(neuron, [3], 4)) == [0, 0, 12, 18]
        unscaled = replace(QUIET, input="current", scale=4, current=halves())
        assert membrane(driven(unscaled, [6], 4)) == [0, 0, 3, 4]

    @pytest.mark.parametrize(("overflow", "v"), [("saturate", 7), ("wrap", -4)])
    def test_the_sum_is_narrowed_at_current(self, overflow: str, v: int) -> None:
        narrow = site(width=4, overflow=overflow)
        neuron = replace(QUIET, input="buffer", current=KEEP, current_site=narrow)
        # 6, then 6 + 6 = 12, which is -4 modulo 16
        assert membrane(driven(neuron, [6, 6], 4))[2:] == [6, 6 + v]

    def test_currents_run_while_the_neuron_waits(self) -> None:
        neuron = replace(CHIP, input="buffer", current=halves(), refractory_steps=3)
        # 1: exc 16, u = 16: spike.  2, 3: waits, exc 8, 4.  4: exc 2, and what came in 3: 3 more.
        assert membrane(driven(neuron, [16, 0, 0, 3], 6)) == [0, 0, 0, 0, 0, 5]

    def test_a_buffer_empties_while_the_neuron_waits(self) -> None:
        neuron = replace(CHIP, input="buffer", refractory_steps=3)
        # what comes in 1 is used in 2, while the neuron waits, and gone
        assert membrane(driven(neuron, [16, 4], 6)) == [0, 0, 0, 0, 0, 0]

    def test_resistance_multiplies_and_narrows(self) -> None:
        # 5/2 of the current, rounded; nothing of the membrane is left, so u is the force
        for rounding, u in (("floor", 7), ("ceil", 8), ("around", 8), ("half_up", 8)):
            neuron = replace(
                QUIET,
                input="buffer",
                resistance=5,
                force_site=site(1, rounding, width=8),
                leak=Decay(factor=0, least=0, site=site()),
            )
            assert membrane(driven(neuron, [3], 3)) == [0, 0, u]

    @pytest.mark.parametrize(("overflow", "v"), [("saturate", 7), ("wrap", -1)])
    def test_force_is_narrowed(self, overflow: str, v: int) -> None:
        neuron = replace(
            QUIET,
            input="buffer",
            resistance=5,
            force_site=site(width=4, overflow=overflow),
            leak=Decay(factor=0, least=0, site=site()),
        )
        assert membrane(driven(neuron, [3], 3))[2] == v  # 15

    def test_a_bias_joins_the_current_and_is_narrowed_with_it(self) -> None:
        neuron = replace(
            QUIET, input="buffer", bias_in=3, force_site=site(width=4, overflow="wrap")
        )
        # 3;  6 + 3 = 9 -> -7;  3
        assert membrane(driven(neuron, [6, 0], 4)) == [0, 3, 3 - 7, 3 - 7 + 3]


class TestChannels:
    def test_inhibition_has_a_register_of_its_own(self) -> None:
        unsigned = site(width=3, signed=False)
        neuron = replace(QUIET, input="buffer", channels="two", input_site=unsigned)
        synapses = ((0, 0, 6), (1, 0, -5), (2, 0, 4))
        connected = network(projection(*synapses, drive_site=site()), neuron=neuron, n_sources=3)
        trace = run(connected, {"A": [(0, 0), (0, 1), (0, 2)]}, 3)
        # 6 + 4 saturates at 7 whatever inhibition came between: 7 - 5
        assert membrane(trace) == [0, 0, 2]
        one = run(
            network(
                projection(*synapses, drive_site=site()),
                neuron=replace(neuron, channels="one"),
                n_sources=3,
            ),
            {"A": [(0, 0), (0, 1), (0, 2)]},
            3,
        )
        assert membrane(one) == [0, 0, 5]

    @pytest.mark.parametrize(
        ("where", "values"),
        [
            # inh 10, 5, 2, 1;  exc 0, 8, 4, 2
            ("buffer", [0, 0, -10, -10 + 3, -7 + 2, -5 + 1]),
            # inh 5, 2, 1, 0;  exc 0, 4, 2, 1
            ("current", [0, 0, -5, -5 + 2, -3 + 1, -2 + 1]),
        ],
    )
    def test_both_decay_and_are_narrowed_apart(self, where: str, values: list[int]) -> None:
        unsigned = site(width=4, signed=False)
        neuron = replace(
            QUIET,
            input=where,
            channels="two",
            current=halves(),
            input_site=unsigned,
            current_site=unsigned,
        )
        assert membrane(driven(neuron, [-10, 8], 6)) == values

    def test_an_odd_negative_current_rounds_as_a_positive_one(self) -> None:
        two = replace(QUIET, input="current", channels="two", current=halves())
        one = replace(two, channels="one")
        assert membrane(driven(two, [-3], 4)) == [0, 0, -1, -1]  # 3 -> 1 -> 0
        assert membrane(driven(one, [-3], 4)) == [0, 0, -2, -3]  # -3 -> -2 -> -1


class TestLeak:
    @pytest.mark.parametrize(
        ("rounding", "up", "down"),
        [("floor", [7, 3, 1, 0, 0], [-7, -4, -2, -1, -1]), ("fix", [7, 3, 1, 0], [-7, -3, -1, 0])],
    )
    def test_multiply(self, rounding: str, up: list[int], down: list[int]) -> None:
        for values in (up, down):
            neuron = replace(QUIET, leak=halves(0, rounding), v_init=values[0])
            assert membrane(run(network(neuron=neuron), {}, len(values))) == values

    def test_shift_takes_at_least_one(self) -> None:
        # x - (x >> 2), at least 1: 9 - 2, 7 - 1, 6 - 1, 5 - 1, 4 - 1, 3 - (0 -> 1), ...
        leak = Decay(factor=2**15 - 2**13, least=1, site=site(15, "ceil"))
        up = [9, 7, 6, 5, 4, 3, 2, 1, 0, 0]
        assert membrane(run(network(neuron=replace(QUIET, leak=leak, v_init=9)), {}, 10)) == up
        # -9 >> 2 = -3, -6 >> 2 = -2, -4 >> 2 = -1, ...
        down = [-9, -6, -4, -3, -2, -1, 0, 0]
        assert membrane(run(network(neuron=replace(QUIET, leak=leak, v_init=-9)), {}, 8)) == down

    @pytest.mark.parametrize(("v", "steps"), [(100, 52), (-100, 39)])
    def test_a_shift_of_4_takes_as_long_as_xylo_does(self, v: int, steps: int) -> None:
        leak = Decay(factor=2**15 - 2**11, least=1, site=site(15, "ceil"))
        neuron = replace(QUIET, threshold=127, leak=leak, v_init=v)
        values = membrane(run(network(neuron=neuron), {}, 60))
        assert values.index(0) == steps

    @pytest.mark.parametrize(("v", "values"), [(7, [7, 4, 1, 0, 0]), (-7, [-7, -4, -1, 0, 0])])
    def test_subtract_stops_at_0(self, v: int, values: list[int]) -> None:
        neuron = replace(QUIET, leak=Decay(factor=1, least=3, site=site()), v_init=v)
        assert membrane(run(network(neuron=neuron), {}, 5)) == values

    def test_a_constant_leak_goes_on_below_0(self) -> None:
        neuron = replace(QUIET, bias=-3, v_init=4)
        assert membrane(run(network(neuron=neuron), {}, 4)) == [4, 1, -2, -5]

    def test_the_leak_is_of_the_membrane_before_the_input(self) -> None:
        neuron = replace(QUIET, input="buffer", leak=halves(), v_init=5)
        # 5 -> 2;  2 -> 1, + 8 = 9;  9 -> 4
        assert membrane(driven(neuron, [8], 4)) == [5, 2, 9, 4]


class TestTowardsTheInput:
    def test_what_is_rounded_is_the_distance(self) -> None:
        neuron = replace(
            QUIET,
            input="buffer",
            current=KEEP,
            resistance=1,
            leak=halves(),
        )
        # force stays 9.  gap 9 -> left 4, v = 5.  gap 4 -> 2, v = 7.  gap 2 -> 1, v = 8.  gap 1 -> 0.
        assert membrane(driven(neuron, [9], 6)) == [0, 0, 5, 7, 8, 9]
        # force -9.  gap -9 -> left -5, v = -4.  gap -5 -> -3, v = -6.  -3 -> -2, -7.  -2 -> -1, -8.
        # gap -1 -> -1: the dead zone of floor
        assert membrane(driven(neuron, [-9], 8)) == [0, 0, -4, -6, -7, -8, -8, -8]

    def test_a_bias_is_added_to_the_slope(self) -> None:
        neuron = replace(QUIET, resistance=1, leak=halves(), bias=2, v_init=8)
        # gap -8 -> -4: 4, + 2.  gap -6 -> -3: 3, + 2.  gap -5 -> -3: 5 - 2, + 2.
        assert membrane(run(network(neuron=neuron), {}, 4)) == [8, 6, 5, 5]


class TestSlopeAndMembrane:
    def test_the_slope_saturates_before_and_after_the_bias(self) -> None:
        neuron = replace(QUIET, input="buffer", slope_site=site(width=4), bias=-3, v_init=0)
        # -3;  20 -> 7, - 3 = 4
        assert membrane(driven(neuron, [20], 3)) == [0, -3, 1]
        raised = replace(neuron, bias=3)
        # 3;  20 -> 7, + 3 = 10 -> 7
        assert membrane(driven(raised, [20], 3)) == [0, 3, 10]

    @pytest.mark.parametrize(("overflow", "v"), [("saturate", -128), ("wrap", 126)])
    def test_the_membrane_overflows(self, overflow: str, v: int) -> None:
        neuron = replace(
            CHIP,
            threshold=127,
            bias=-3,
            v_init=-127,
            membrane_site=site(width=8, overflow=overflow),
        )
        # -127 - 3 = -130 is 126 modulo 256
        assert membrane(run(network(neuron=neuron), {}, 2)) == [-127, v]

    def test_a_symmetric_membrane_lacks_its_lowest_code(self) -> None:
        narrow = site(width=4, symmetric=True)
        neuron = replace(CHIP, threshold=7, bias=-5, membrane_site=narrow, input_site=narrow)
        assert membrane(run(network(neuron=neuron), {}, 3)) == [0, -5, -7]
        by_input = replace(neuron, bias=0)
        assert membrane(driven(by_input, [-6, -6, 12, 6], 4)) == [0, -6, -7, 5]

    def test_the_lowest_code_may_be_where_a_symmetric_membrane_starts(self) -> None:
        neuron = replace(CHIP, membrane_site=site(width=4, symmetric=True), v_init=-8)
        assert membrane(run(network(neuron=neuron), {}, 2)) == [-8, -7]


class TestThreshold:
    @pytest.mark.parametrize(("v", "spikes"), [(5, 0), (6, 1)])
    def test_a_spike_is_above(self, v: int, spikes: int) -> None:
        trace = run(network(neuron=replace(CHIP, v_init=v)), {}, 1)
        assert len(trace.spikes["N"]) == spikes

    def test_unleaked_tests_what_was_there_before_the_step(self) -> None:
        neuron = replace(CHIP, leak=halves(), v_init=6, tests="unleaked")
        # 6 is above 5, half of it is not; below, 4 with a bias of 3 becomes 5, then 5
        assert run(network(neuron=neuron), {}, 2).spikes["N"] == times(0)
        assert run(network(neuron=replace(neuron, tests="leaked")), {}, 2).spikes["N"] == []
        risen = replace(CHIP, bias=3, v_init=4)
        assert run(network(neuron=risen), {}, 2).spikes["N"][0] == (0, 0)
        late = replace(risen, tests="unleaked")
        assert run(network(neuron=late), {}, 2).spikes["N"] == times(1)

    def test_unleaked_subtracts_from_the_leaked_membrane(self) -> None:
        neuron = replace(CHIP, leak=halves(), v_init=12, tests="unleaked", step=6)
        # 12 > 5: 6 - 6 = 0
        assert membrane(run(network(neuron=neuron), {}, 2)) == [12, 0]
        lower = replace(neuron, v_init=8)
        assert membrane(run(network(neuron=lower), {}, 3)) == [8, -2, -1]

    @pytest.mark.parametrize(
        ("v", "n"), [(5, 0), (6, 1), (11, 1), (12, 2), (17, 2), (18, 3), (23, 3), (24, 3), (99, 3)]
    )
    def test_several_spikes_down_to_the_threshold(self, v: int, n: int) -> None:
        neuron = replace(CHIP, step=6, most_spikes=3, v_init=v)
        trace = run(network(neuron=neuron), {}, 2)
        assert trace.spikes["N"][:n] == times(*[0] * n)
        assert trace.spikes["N"].count((0, 0)) == n
        assert membrane(trace) == [v, v - 6 * n]

    def test_the_spikes_left_over_come_in_the_next_step(self) -> None:
        neuron = replace(CHIP, step=6, most_spikes=3, v_init=27)
        # 27 - 18 = 9, - 6 = 3
        trace = run(network(neuron=neuron), {}, 3)
        assert trace.spikes["N"] == times(0, 0, 0, 1)
        assert membrane(trace) == [27, 9, 3]

    def test_one_spike_is_most_by_default(self) -> None:
        trace = run(network(neuron=replace(CHIP, step=6, v_init=13)), {}, 3)
        assert trace.spikes["N"] == times(0, 1)
        assert membrane(trace) == [13, 7, 1]

    def test_a_reset_to_a_value_makes_one_spike_whatever_may_be_sent(self) -> None:
        trace = run(network(neuron=replace(CHIP, most_spikes=3, v_init=99)), {}, 2)
        assert trace.spikes["N"] == times(0)

    def test_a_step_of_nothing_makes_the_most(self) -> None:
        neuron = replace(CHIP, threshold=-1, step=0, most_spikes=3)
        assert run(network(neuron=neuron), {}, 1).spikes["N"] == times(0, 0, 0)


class TestReset:
    def test_to_a_value(self) -> None:
        assert membrane(run(network(neuron=replace(CHIP, v_init=9, reset=-2)), {}, 2)) == [9, -2]

    def test_subtraction_is_narrowed_at_the_membrane(self) -> None:
        narrow = site(width=4)
        neuron = replace(CHIP, threshold=-6, step=7, membrane_site=narrow, v_init=-5)
        # -5 - 7 = -12
        assert membrane(run(network(neuron=neuron), {}, 2)) == [-5, -8]
        wrapping = replace(neuron, membrane_site=site(width=4, overflow="wrap"))
        assert membrane(run(network(neuron=wrapping), {}, 2)) == [-5, 4]

    def test_waiting_holds_the_membrane_and_its_threshold(self) -> None:
        neuron = replace(CHIP, reset=7, bias=1, refractory_steps=3, v_init=6)
        trace = run(network(neuron=neuron), {}, 5)
        # spikes in 0; waits in 1 and 2 at 7, without bias and above its threshold; 3: 8
        assert trace.spikes["N"] == times(0, 3)
        assert membrane(trace) == [6, 7, 7, 7, 7]

    @pytest.mark.parametrize("steps", [0, 1])
    def test_without_waiting_it_may_spike_in_every_step(self, steps: int) -> None:
        neuron = replace(CHIP, reset=6, refractory_steps=steps, v_init=6)
        assert run(network(neuron=neuron), {}, 3).spikes["N"] == times(0, 1, 2)

    def test_the_reset_comes_before_the_input(self) -> None:
        # with a refractory step the input of the spiking step is lost, without it is not
        for steps, v in ((0, 4), (1, 0)):
            neuron = replace(CHIP, v_init=6, refractory_steps=steps)
            assert membrane(driven(neuron, [4], 2)) == [6, v]

    @pytest.mark.parametrize(("v", "after"), [(-3, -3), (-4, 0)])
    def test_below_the_floor_it_starts_at_0(self, v: int, after: int) -> None:
        neuron = replace(CHIP, floor=-3, reset=2, refractory_steps=2, v_init=v)
        trace = driven(neuron, [1], 2)
        # it is no spike, and nobody waits: the input counts
        assert trace.spikes["N"] == []
        assert membrane(trace) == [v, after + 1]

    def test_below_the_floor_a_chip_that_subtracts_takes_the_floor_away(self) -> None:
        neuron = replace(CHIP, floor=-3, step=6, v_init=-5)
        assert membrane(run(network(neuron=neuron), {}, 2)) == [-5, -2]
        narrow = site(width=4)
        far = replace(neuron, floor=9, step=20, threshold=7, membrane_site=narrow, v_init=-5)
        assert membrane(run(network(neuron=far), {}, 2)) == [-5, -8]  # -14

    def test_the_floor_is_not_looked_at_while_waiting_or_at_a_spike(self) -> None:
        neuron = replace(CHIP, floor=-1, reset=-5, refractory_steps=2, v_init=6)
        # 0: reset below the floor.  1: waits.  2: 0
        assert membrane(run(network(neuron=neuron), {}, 4)) == [6, -5, -5, 0]


class TestInput:
    def test_a_refractory_neuron_loses_what_goes_to_the_membrane(self) -> None:
        neuron = replace(CHIP, v_init=6, refractory_steps=2)
        # 0, 1 lost;  2 is not
        assert membrane(driven(neuron, [3, 3, 3], 4)) == [6, 0, 0, 3]

    @pytest.mark.parametrize("where", ["current", "buffer"])
    def test_a_refractory_neuron_keeps_what_goes_to_its_current(self, where: str) -> None:
        neuron = replace(CHIP, input=where, current=KEEP, v_init=6, refractory_steps=1)
        assert membrane(driven(neuron, [4], 3)) == [6, 0, 4]

    @pytest.mark.parametrize("where", ["membrane", "current", "buffer"])
    @pytest.mark.parametrize(("overflow", "v"), [("saturate", 7), ("wrap", -4)])
    def test_every_register_is_narrowed_at_every_spike(
        self, where: str, overflow: str, v: int
    ) -> None:
        neuron = replace(
            QUIET, input=where, current=KEEP, input_site=site(width=4, overflow=overflow)
        )
        synapses = ((0, 0, 6), (1, 0, 6), (2, 0, -1))
        connected = network(projection(*synapses), neuron=neuron, n_sources=3)
        trace = run(connected, {"A": [(0, 0), (0, 1), (0, 2)]}, 3)
        assert membrane(trace)[1 if where == "membrane" else 2] == v - 1

    def test_an_event_may_spike_and_sends_in_the_next_step(self) -> None:
        neuron = replace(CHIP, evaluation="event", most_spikes=9)
        synapses = ((0, 0, 6), (1, 0, 4), (2, 0, 3), (3, 0, 2))
        connected = network(projection(*synapses), neuron=neuron, n_sources=4)
        trace = run(connected, {"A": [(0, i) for i in range(4)]}, 3)
        # 6: spike, 0.  4.  7: spike, 0.  2.  Both are sent in step 1.
        assert trace.spikes["N"] == times(1, 1)
        assert membrane(trace) == [0, 2, 2]
        at_steps = run(
            network(projection(*synapses), neuron=replace(neuron, evaluation="step"), n_sources=4),
            {"A": [(0, i) for i in range(4)]},
            3,
        )
        assert at_steps.spikes["N"] == times(1)

    def test_what_cannot_be_sent_stays_in_the_queue(self) -> None:
        neuron = replace(CHIP, evaluation="event", most_spikes=2)
        synapses = tuple((i, 0, 6) for i in range(5))
        connected = network(projection(*synapses), neuron=neuron, n_sources=5)
        trace = run(connected, {"A": [(0, i) for i in range(5)]}, 5)
        assert trace.spikes["N"] == times(1, 1, 2, 2, 3)

    def test_the_queue_goes_first_and_a_spike_of_the_step_joins_it(self) -> None:
        neuron = replace(CHIP, evaluation="event", most_spikes=2, bias=3, reset=3)
        # 0: 3, + 6 = 9: queued, 3.  1: 3 + 3 = 6: one more, both are sent.
        trace = driven(neuron, [6], 2)
        assert trace.spikes["N"] == times(1, 1)

    def test_the_queue_is_sent_while_the_neuron_waits(self) -> None:
        neuron = replace(CHIP, evaluation="event", refractory_steps=3)
        synapses = ((0, 0, 6), (1, 0, 6))
        connected = network(projection(*synapses), neuron=neuron, n_sources=2)
        trace = run(connected, {"A": [(0, 0), (0, 1), (1, 0), (2, 0), (3, 0)]}, 6)
        # 0: the first is queued, the second lost, as in 1 and 2 (waits 2, 1).  3: free again.
        assert trace.spikes["N"] == times(1, 4)

    def test_an_event_that_subtracts_is_narrowed_and_takes_one_step(self) -> None:
        neuron = replace(CHIP, evaluation="event", step=6, most_spikes=9)
        trace = driven(neuron, [20, 1], 3)
        # 20 - 6 = 14, one in the queue.  1: two more of its own (14, 8 -> 2), three are sent; 3
        assert membrane(trace) == [0, 14, 3]
        assert trace.spikes["N"] == times(1, 1, 1)
        narrow = replace(neuron, step=100, threshold=-128, membrane_site=site(width=6), v_init=-32)
        # line 5: -132 -> -32.  Input: -31 > -128, - 100 -> -32
        assert membrane(driven(narrow, [1], 2)) == [-32, -32]

    @pytest.mark.parametrize("merges", [False, True])
    def test_spikes_of_a_source_in_one_step(self, merges: bool) -> None:
        connected = network(projection((0, 0, 2)), neuron=QUIET, merges_input=merges)
        trace = run(connected, {"A": times(0, 0, 0, 1)}, 3)
        assert membrane(trace) == ([0, 2, 4] if merges else [0, 6, 8])

    def test_drives_are_narrowed_on_their_way(self) -> None:
        drive = site(1, width=4, symmetric=True)
        connected = network(projection((0, 0, -9), gain=2, drive_site=drive), neuron=QUIET)
        assert membrane(run(connected, {"A": times(0)}, 2)) == [0, -7]


class TestNetwork:
    def test_every_spike_of_a_neuron_is_delivered_and_never_merged(self) -> None:
        neuron = replace(CHIP, step=6, most_spikes=3)
        kick = projection((0, 0, 20), pre="K")
        between = projection((0, 1, 2), pre="N")
        for merges in (False, True):
            connected = network(kick, between, neuron=neuron, size=2, merges_input=merges)
            trace = run(connected, {"K": times(0)}, 3)
            # 20 sends 3, and 2 are left; neuron 1 gets three times 2, and spikes
            assert trace.spikes["N"] == [*times(1, 1, 1), *times(2, index=1)]
            assert trace.membrane["N"] == [[0, 0], [20, 0], [2, 6]]

    def test_plasticity_follows_every_spike_that_was_sent(self) -> None:
        neuron = replace(CHIP, step=6, most_spikes=3)
        kick = projection((0, 0, 20), pre="K")
        incoming = projection((0, 0, 7), gain=0, plasticity=EVENT)
        outgoing = projection((0, 1, 1), pre="N", gain=1, plasticity=EVENT)
        connected = network(kick, incoming, outgoing, neuron=replace(neuron, threshold=5), size=2)
        trace = run(connected, {"K": times(0)}, 2)
        # 28 - 6 = 22 -> 5, 20 - 6 = 14 -> 3, 12 - 6 = 6 -> 1
        assert trace.weights[1] == [(1, 0, 1)]
        # 4 + 6 = 10 -> 2, 14 -> 3, 18 -> 4
        assert trace.weights[2] == [(1, 0, 4)]

    def test_a_spike_in_the_queue_has_not_been_sent(self) -> None:
        neuron = replace(CHIP, evaluation="event")
        kick = projection((0, 0, 6), (0, 1, 3), pre="K")
        learning = projection((0, 0, 7), gain=0, plasticity=EVENT)
        trace = run(network(kick, learning, neuron=neuron, size=2), {"K": times(0)}, 2)
        assert trace.weights[1] == [(1, 0, 5)]

    def test_spikes_are_delivered_neuron_by_neuron(self) -> None:
        neuron = replace(CHIP, step=6, most_spikes=3, input_site=site(width=5), threshold=5)
        kick = projection((0, 0, 12), (0, 1, 6), pre="K")
        between = projection((0, 2, 15), (1, 2, -15), pre="N")
        trace = run(network(kick, between, neuron=neuron, size=3), {"K": times(0)}, 3)
        # 15, 30 -> 15, then 0; in another order, 15, 0, 15
        assert trace.membrane["N"][2] == [0, 0, 0]

    def test_every_neuron_steps_before_any_gets_input(self) -> None:
        neuron = replace(CHIP, refractory_steps=1)
        back = projection((1, 0, 4), (0, 1, 4), pre="N")
        kick = projection((0, 0, 6), (0, 1, 6), pre="K")
        trace = run(network(kick, back, neuron=neuron, size=2), {"K": times(0)}, 3)
        # both spike in 1, and lose what the other sends
        assert trace.spikes["N"] == [(1, 0), (1, 1)]
        assert trace.membrane["N"][2] == [0, 0]

    def test_a_leak_draws_also_while_the_neuron_waits(self) -> None:
        asked: list[tuple[str, int, int]] = []

        def words(name: str, lane: int, step: int) -> int:
            asked.append((name, lane, step))
            return 2**31

        leak = Decay(factor=1, least=0, site=site(1, "stochastic"))
        neuron = replace(CHIP, leak=leak, threshold=3, reset=3, refractory_steps=2, v_init=7)
        trace = run(network(neuron=neuron), {}, 4, words=words)
        # (7 + 1)/2 = 4: spike.  1: waits.  2: (3 + 1)/2 = 2.  3: (2 + 1)/2 -> 1
        assert membrane(trace) == [7, 3, 3, 2]
        assert asked == [("leak", 0, step) for step in range(4)]

    @pytest.mark.parametrize(
        ("name", "change", "step"),
        [
            ("current", {"current": KEEP, "current_site": site(width=4, overflow="error")}, 2),
            ("force", {"resistance": 3, "force_site": site(width=4, overflow="error")}, 1),
            ("slope", {"slope_site": site(width=3, overflow="error")}, 1),
            ("membrane", {"membrane_site": site(width=4, overflow="error")}, 2),
            ("input", {"input_site": site(width=3, overflow="error")}, 0),
        ],
    )
    def test_an_overflow_that_is_an_error_names_its_site(
        self, name: str, change: dict[str, Any], step: int
    ) -> None:
        # neuron 1 gets 5 in steps 0 and 1
        neuron = replace(QUIET, input="buffer", **change)
        connected = network(projection((0, 1, 5)), neuron=neuron, size=2)
        with pytest.raises(SiteOverflowError) as caught:
            run(connected, {"A": times(0, 1)}, 4)
        assert (caught.value.site, caught.value.lane, caught.value.step) == (name, 1, step)
