"""The golden synapse on cases that are worked out by hand beside each expectation."""

from dataclasses import replace
from fractions import Fraction

import pytest

from neuroemu.golden.trial import Event, Network, run
from tests.golden.networks import (
    EVENT,
    FREE,
    INTEGRATOR,
    PERIODIC,
    network,
    projection,
    site,
    times,
)


class TestEventDrivenUpdate:
    def test_weight_is_delivered_then_raised_then_lowered(self) -> None:
        plastic = projection((0, 0, 3), plasticity=EVENT)
        trace = run(network(plastic), {"A": times(0, 1, 2, 4, 5, 7, 8, 9)}, 11)
        # 0: v = 3, 12 + 6 = 18 -> 4.   1: v = 7, 22 -> 5.
        # 2: N spikes, A's input is lost, 26 -> 6 all the same, then 24 - 6 = 18 -> 4.
        # 4: v = 4, 22 -> 5.   5: v = 9, 26 -> 6.   6: N spikes: 18 -> 4.
        # 7: v = 4, 5.   8: v = 9, 6.   9: N spikes with A: 30, limited to 28 -> 7, then 22 -> 5.
        assert [v for (v,) in trace.membrane["N"]] == [0, 3, 7, 0, 0, 4, 9, 0, 4, 9, 0]
        assert trace.spikes["N"] == [(2, 0), (6, 0), (9, 0)]
        assert trace.weights[0] == [
            (0, 0, 4),
            (1, 0, 5),
            (2, 0, 4),
            (4, 0, 5),
            (5, 0, 6),
            (6, 0, 4),
            (7, 0, 5),
            (8, 0, 6),
            (9, 0, 5),
        ]

    def test_each_side_has_its_own_increment(self) -> None:
        plastic = projection((0, 0, 6), plasticity=replace(EVENT, dw_plus=4, dw_minus=11))
        trace = run(network(plastic), {"A": times(0)}, 2)
        # 0: 24 + 4 = 28 -> 7, v = 6.  1: N spikes, 28 - 11 = 17 -> 4.
        assert trace.weights[0] == [(0, 0, 7), (1, 0, 4)]

    def test_a_step_that_ends_where_it_began_is_no_change(self) -> None:
        plastic = projection((0, 0, 3), plasticity=replace(EVENT, dw_plus=4, dw_minus=4))
        trace = run(network(plastic), {"A": times(0, 1, 2)}, 4)
        # 0: 4, v = 3.  1: 5, v = 7.  2: 6, and N spikes: 5 again.
        assert trace.weights[0] == [(0, 0, 4), (1, 0, 5)]

    @pytest.mark.parametrize(
        ("w", "limits", "expected"),
        [
            (5, (0, 5), []),
            (4, (0, 5), [(0, 0, 5)]),
            (0, (2, 5), [(0, 0, 2)]),
            (7, (2, 5), [(0, 0, 5)]),
        ],
    )
    def test_limits(
        self, w: int, limits: tuple[int, int], expected: list[tuple[int, int, int]]
    ) -> None:
        # presynaptic: 5 -> 26, limited to 20.  4 -> 22, to 20.  0 -> 6, to 8.  7 -> 34, to 20.
        event = replace(EVENT, w_min=limits[0], w_max=limits[1])
        trace = run(network(projection((0, 0, w), plasticity=event)), {"A": times(0)}, 1)
        assert trace.weights[0] == expected

    @pytest.mark.parametrize(("overflow", "expected"), [("wrap", [(0, 0, 0)]), ("saturate", [])])
    def test_accumulator_overflows_before_the_limits(
        self, overflow: str, expected: list[tuple[int, int, int]]
    ) -> None:
        # 5 bits: 28 + 6 = 34 wraps to 2 -> 0; saturates at 31, limited to 28 -> 7
        accumulate = site(signed=False, width=5, overflow=overflow)
        event = replace(EVENT, accumulate_site=accumulate)
        trace = run(network(projection((0, 0, 7), plasticity=event)), {"A": times(0)}, 1)
        assert trace.weights[0] == expected

    def test_synapses_are_numbered_by_pre_then_post(self) -> None:
        plastic = projection((1, 0, 1), (0, 1, 2), (0, 0, 3), plasticity=EVENT)
        trace = run(network(plastic, size=2, n_sources=2), {"A": [(0, 0), (1, 1)]}, 2)
        # numbers: (0, 0) 0, (0, 1) 1, (1, 0) 2
        assert trace.weights[0] == [(0, 0, 4), (0, 1, 3), (1, 2, 2)]
        assert trace.membrane["N"][1] == [3, 2]


def homeostatic(bits: int, rounding: str, w: int) -> Network:
    """An unsigned weight of full scale 2, increments 0.05; K makes N spike, A does not."""
    lsb = Fraction(2, 2**bits - 1)
    increment = round(Fraction(5, 100) / lsb * 2**9)
    event = Event(
        dw_plus=increment,
        dw_minus=increment,
        unit=2**9,
        w_min=0,
        w_max=2**bits - 1,
        accumulate_site=FREE,
        store_site=site(9, rounding, signed=False, width=bits),
    )
    neuron = replace(INTEGRATOR, threshold=100)
    kick = projection((0, 0, 127), pre="K")
    return network(projection((0, 0, w), gain=0, plasticity=event), kick, neuron=neuron)


class TestEffectiveIncrements:
    def test_six_bits_floor_is_one_up_two_down(self) -> None:
        # 0.05 / (2/63) = 1.575 weight LSBs; nothing here is a float
        up = run(homeostatic(6, "floor", 10), {"A": times(*range(5))}, 5)
        assert [w for _, _, w in up.weights[0]] == [11, 12, 13, 14, 15]
        # K every second step: N spikes in steps 1, 3, 5
        down = run(homeostatic(6, "floor", 10), {"K": times(0, 2, 4)}, 6)
        assert down.weights[0] == [(1, 0, 8), (3, 0, 6), (5, 0, 4)]

    @pytest.mark.parametrize("rounding", ["around", "half_up"])
    def test_four_bits_nearest_never_moves(self, rounding: str) -> None:
        # 0.05 / (2/15) = 0.375 weight LSBs
        for w in range(16):
            spikes = {"A": times(*range(5)), "K": times(0, 2, 4)}
            trace = run(homeostatic(4, rounding, w), spikes, 6)
            assert len(trace.spikes["N"]) == 3
            assert trace.weights[0] == []

    def test_four_bits_floor_only_falls(self) -> None:
        up = run(homeostatic(4, "floor", 7), {"A": times(*range(5))}, 5)
        assert up.weights[0] == []
        down = run(homeostatic(4, "floor", 7), {"K": times(0, 2)}, 4)
        assert down.weights[0] == [(1, 0, 6), (3, 0, 5)]


class TestPeriodicUpdate:
    @pytest.mark.parametrize("overflow", ["saturate", "wrap"])
    def test_counts_act_at_the_end_of_the_period_and_are_cleared(self, overflow: str) -> None:
        rule = replace(PERIODIC, counter_site=site(signed=False, width=2, overflow=overflow))
        plastic = projection((0, 0, 2), plasticity=rule)
        trace = run(network(plastic), {"A": times(0, 1, 2, 3, 4)}, 8)
        # v: 2, 4, 6, spike in 3.  A counts 4 in two bits: reads 3, for the flag is sticky.
        # End of 3: change = 3*3 - 5*1 = 4, total = 4 + 4 = 8 -> 4.
        # 4: v = 4 with the new weight, A counts 1.  End of 7: total = 8 + 3 = 11 -> 5.
        assert [v for (v,) in trace.membrane["N"]] == [0, 2, 4, 6, 0, 4, 4, 4]
        assert trace.spikes["N"] == [(3, 0)]
        assert trace.weights[0] == [(3, 0, 4), (7, 0, 5)]

    @pytest.mark.parametrize(
        ("name", "w"),
        [
            # A spikes twice, N does not: plus = 6
            (None, 5),  # 4 + 6 = 10 -> 5
            ("plus_site", 3),  # 3 bits signed hold 3: 4 + 3 = 7 -> 3
            ("change_site", 3),
            ("minus_site", 5),  # 0 fits
        ],
    )
    def test_every_site_narrows(self, name: str | None, w: int) -> None:
        change = {} if name is None else {name: site(width=3)}
        rule = replace(PERIODIC, **change)  # type: ignore[arg-type]
        trace = run(network(projection((0, 0, 2), plasticity=rule)), {"A": times(0, 1)}, 4)
        assert trace.weights[0] == [(3, 0, w)]

    def test_minus_narrows_what_the_neuron_counted(self) -> None:
        kick = projection((0, 0, 6), pre="K")
        for narrow, w in ((FREE, 2), (site(width=3), 3)):
            rule = replace(PERIODIC, minus_site=narrow)
            connected = network(projection((0, 0, 5), plasticity=rule), kick)
            trace = run(connected, {"K": times(0)}, 4)
            # N spikes once: 10 - 5 = 5 -> 2; with 5 saturated at 3: 10 - 3 = 7 -> 3
            assert trace.weights[0] == [(3, 0, w)]

    def test_both_sides_of_a_recurrent_projection_count_for_themselves(self) -> None:
        kick = projection((0, 0, 6), pre="K")
        own = projection((0, 1, 4), pre="N", plasticity=PERIODIC)
        trace = run(network(kick, own, size=2), {"K": times(0, 2)}, 8)
        # N0 spikes in 1 and 3, N1 (4 + 4 = 8) in 4, after the weight changed at the end of 3:
        # 8 + 2*3 - 0 = 14 -> 7.  End of 7: 14 + 0 - 5 = 9 -> 4.
        assert trace.spikes["N"] == [(1, 0), (3, 0), (4, 1)]
        assert trace.weights[1] == [(3, 0, 7), (7, 0, 4)]


class TestRandomWords:
    def test_the_word_of_step_and_synapse_rounds_the_weight(self) -> None:
        event = replace(EVENT, dw_plus=1, store_site=site(2, "stochastic", signed=False, width=3))
        asked: list[tuple[str, int, int]] = []

        def words(name: str, lane: int, step: int) -> int:
            asked.append((name, lane, step))
            return (step % 4) << 30

        trace = run(
            network(projection((0, 0, 0), plasticity=event)),
            {"A": times(0, 1, 2, 3)},
            4,
            words=words,
        )
        # r = 0, 1, 2, 3: (1 + r) / 4 reaches 1 with the last
        assert trace.weights[0] == [(3, 0, 1)]
        assert asked == [("store", 0, step) for step in range(4)]

    def test_every_drawing_site_asks_in_the_order_of_the_step(self) -> None:
        neuron = replace(INTEGRATOR, leak=0, unit=2, leak_site=site(1, "stochastic", width=8))
        event = replace(EVENT, store_site=site(2, "stochastic", signed=False, width=3))
        plastic = projection(
            (0, 0, 3),
            (0, 1, 7),
            gain=2,
            drive_site=site(1, "stochastic", width=8),
            plasticity=event,
        )
        asked: list[tuple[str, int, int]] = []

        def words(name: str, lane: int, step: int) -> int:
            asked.append((name, lane, step))
            return 0

        trace = run(network(plastic, neuron=neuron, size=2), {"A": times(0, 1)}, 2, words=words)
        leaks = [("leak", 0), ("leak", 1)]
        inputs = [("drive", 0), ("store", 0), ("drive", 1), ("store", 1)]
        # in step 1 neuron 1 (v = 7) spikes: its drive is lost, its synapse is updated twice
        assert trace.spikes["N"] == [(1, 1)]
        assert [(name, lane) for name, lane, step in asked if step == 0] == leaks + inputs
        assert [(name, lane) for name, lane, step in asked if step == 1] == [
            *leaks,
            *inputs,
            ("store", 1),
        ]

    def test_without_bits_to_drop_nothing_is_drawn(self) -> None:
        def words(name: str, lane: int, step: int) -> int:
            raise LookupError((name, lane, step))

        connected = projection((0, 0, 3), drive_site=site(0, "stochastic", width=8))
        trace = run(network(connected), {"A": times(0)}, 2, words=words)
        assert trace.membrane["N"][1] == [3]
        drawing = projection((0, 0, 3), drive_site=site(1, "stochastic", width=8))
        with pytest.raises(LookupError, match="drive"):
            run(network(drawing), {"A": times(0)}, 2, words=words)
