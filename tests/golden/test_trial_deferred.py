"""Deferred updates, worked out by hand: halves of a weight LSB, +1.5 and -2.5, floor."""

from dataclasses import replace

import pytest

from neuroemu.golden.trial import SiteOverflowError, run
from tests.golden.networks import (
    CHIP,
    DEFERRED,
    HALVES,
    INTEGRATOR,
    network,
    projection,
    site,
    times,
)

QUIET = replace(INTEGRATOR, threshold=100)


def test_the_updated_weight_is_delivered() -> None:
    trace = run(network(projection((0, 0, 2), plasticity=DEFERRED)), {"A": times(0, 1)}, 3)
    # 0: 4 + 3 = 7 -> 3, v = 3.   1: 6 + 3 = 9 -> 4, v = 7.
    assert trace.membrane["N"] == [[0], [3], [7]]
    assert trace.weights[0] == [(0, 0, 3), (1, 0, 4)]


def test_postsynaptic_spikes_wait_and_act_before_the_increment() -> None:
    kick = projection((0, 0, 6), pre="K")
    learning = projection((0, 0, 6), plasticity=DEFERRED)
    trace = run(network(kick, learning), {"K": times(0, 2), "A": times(5, 6)}, 7)
    # N spikes in 1 and 3.  5: 12 - 2*5 = 2, + 3 = 5 -> 2.   6: nothing waits, 4 + 3 = 7 -> 3.
    assert trace.spikes["N"] == times(1, 3)
    assert trace.weights[1] == [(5, 0, 2), (6, 0, 3)]
    assert trace.membrane["N"][6] == [2]


def test_a_spike_of_the_same_step_waits() -> None:
    kick = projection((0, 0, 6), pre="K")
    learning = projection((0, 0, 4), plasticity=DEFERRED)
    trace = run(network(kick, learning), {"K": times(0), "A": times(1, 2)}, 3)
    # 1: N spikes as well: 8 + 3 = 11 -> 5.   2: 10 - 5 + 3 = 8 -> 4.
    assert trace.spikes["N"] == times(1)
    assert trace.weights[1] == [(1, 0, 5), (2, 0, 4)]


def test_a_neuron_onto_itself_raises_first_and_lowers_at_its_next_spike() -> None:
    kick = projection((0, 0, 6), pre="K")
    own = projection((0, 0, 4), pre="N", plasticity=DEFERRED)
    trace = run(network(kick, own), {"K": times(0, 2)}, 4)
    # 1: 11 -> 5.   3: 10 - 5 + 3 = 8 -> 4.
    assert trace.weights[1] == [(1, 0, 5), (3, 0, 4)]


def test_the_lower_limit_is_kept_between_the_two() -> None:
    kick = projection((0, 0, 6), pre="K")
    learning = projection((0, 0, 4), plasticity=DEFERRED)
    trace = run(network(kick, learning), {"K": times(0, 2), "A": times(5)}, 6)
    # 8 - 10 = -2, limited to 0, + 3 -> 1; without the limit it were 1 -> 0
    assert trace.weights[1] == [(5, 0, 1)]


def test_the_upper_limit_ends_it() -> None:
    lower = replace(DEFERRED, event=replace(HALVES, w_max=6))
    for rule, w in ((DEFERRED, 7), (lower, 6)):
        trace = run(network(projection((0, 0, 5), plasticity=rule)), {"A": times(0, 1)}, 2)
        # 10 + 3 = 13 -> 6.   12 + 3 = 15, limited to 14 or to 12.
        assert [raw for _, _, raw in trace.weights[0]] == ([6, 7] if w == 7 else [6])


def test_the_weight_is_rounded_once() -> None:
    kick = projection((0, 0, 6), pre="K")
    rule = replace(DEFERRED, event=replace(HALVES, dw_plus=1, dw_minus=1))
    trace = run(
        network(kick, projection((0, 0, 4), plasticity=rule)), {"K": times(0), "A": times(3)}, 4
    )
    # 8 - 1 + 1 = 8: back where it was; rounded twice it were 3, then 3
    assert trace.weights[1] == []


@pytest.mark.parametrize(("width", "w"), [(2, 4), (3, 1)])
def test_the_counter_forgets_what_it_cannot_hold(width: int, w: int) -> None:
    kick = projection((0, 0, 6), pre="K")
    event = replace(HALVES, dw_plus=0, dw_minus=2)
    rule = replace(DEFERRED, event=event, counter_site=site(signed=False, width=width))
    trace = run(
        network(kick, projection((0, 0, 7), plasticity=rule)),
        {"K": times(*range(0, 12, 2)), "A": times(13)},
        14,
    )
    # six spikes wait, of which two bits count three: 14 - 3*2 = 8 -> 4, 14 - 6*2 = 2 -> 1
    assert len(trace.spikes["N"]) == 6
    assert trace.weights[1] == [(13, 0, w)]


def test_every_synapse_waits_for_its_own_presynaptic_spike() -> None:
    kick = projection((0, 0, 6), pre="K")
    learning = projection((0, 0, 6), (1, 0, 6), (0, 1, 6), plasticity=DEFERRED)
    trace = run(
        network(kick, learning, size=2, n_sources=2), {"K": times(0), "A": [(3, 0), (5, 1)]}, 6
    )
    # only neuron 0 spiked: 12 - 5 + 3 = 10 -> 5.   The synapse to 1: 15, limited to 14 -> 7.
    assert trace.weights[1] == [(3, 0, 5), (3, 1, 7), (5, 2, 5)]


@pytest.mark.parametrize(("overflow", "down", "up"), [("saturate", 1, 3), ("wrap", 2, 0)])
def test_both_sums_are_narrowed(overflow: str, down: int, up: int) -> None:
    # four bits signed hold -8 .. 7
    kick = projection((0, 0, 6), pre="K")
    narrow = site(width=4, overflow=overflow)
    rule = replace(DEFERRED, event=replace(HALVES, dw_minus=10, accumulate_site=narrow))
    trace = run(
        network(kick, projection((0, 0, 3), plasticity=rule)), {"K": times(0, 2), "A": times(5)}, 6
    )
    # 6 - 20 = -14: saturates at -8, limited to 0, + 3 -> 1;  wraps to 2, + 3 = 5 -> 2
    assert trace.weights[1] == [(5, 0, down)]
    trace = run(network(projection((0, 0, 3), plasticity=rule)), {"A": times(0)}, 1)
    # 6 + 3 = 9: saturates at 7 -> 3;  wraps to -7 -> -4, which the weight saturates at 0
    assert trace.weights[0] == ([] if up == 3 else [(0, 0, up)])


def test_an_overflow_that_is_an_error_stops_at_the_synapse() -> None:
    event = replace(HALVES, accumulate_site=site(width=4, overflow="error"))
    learning = projection((0, 0, 1), (0, 1, 3), plasticity=replace(DEFERRED, event=event))
    with pytest.raises(SiteOverflowError, match="site accumulate, lane 1, step 2"):
        run(network(learning, neuron=QUIET, size=2), {"A": times(2)}, 3)


def test_every_spike_of_a_step_raises() -> None:
    kick = projection((0, 0, 6), pre="K")
    learning = projection((0, 0, 3), plasticity=DEFERRED)
    trace = run(network(kick, learning, neuron=CHIP), {"K": times(0), "A": times(2, 2, 2)}, 4)
    # N spiked in 1: 6 - 5 + 3 = 4 -> 2, then 4 + 3 = 7 -> 3, then 6 + 3 = 9 -> 4; each is delivered
    assert trace.weights[1] == [(2, 0, 4)]
    assert trace.membrane["N"][3] == [9]


def test_one_word_is_drawn_for_an_update() -> None:
    event = replace(HALVES, store_site=site(1, "stochastic", signed=False, width=3))
    asked: list[tuple[str, int, int]] = []

    def words(name: str, lane: int, step: int) -> int:
        asked.append((name, lane, step))
        return 2**31

    kick = projection((0, 0, 6), pre="K")
    learning = projection((0, 0, 4), plasticity=replace(DEFERRED, event=event))
    trace = run(network(kick, learning), {"K": times(0), "A": times(3)}, 4, words=words)
    # 8 - 5 + 3 = 6 -> 3 exactly: the word 1 at half an LSB does not lift it
    assert trace.weights[1] == [(3, 0, 3)]
    assert asked == [("store", 0, 3)]
