"""The rule of signs, signed reading and products, worked out by hand: periods of four steps."""

from dataclasses import replace

import pytest

from neuroemu.golden.trial import SiteOverflowError, run
from tests.golden.networks import (
    CHIP,
    FREE,
    HALVES,
    PERIODIC,
    SIGN,
    network,
    projection,
    site,
    times,
)

SIGNED_3 = site(width=3, overflow="wrap")


def spikes_of_n(*steps: int) -> dict[str, list[tuple[int, int]]]:
    """What K sends to have N spike in `steps`."""
    return {"K": [(step - 1, 0) for step in steps]}


KICK = projection((0, 0, 6), pre="K")


@pytest.mark.parametrize(
    ("steps", "w"),
    [((), 4), ((2,), 3), ((1, 3), 2)],
)
def test_the_weight_goes_towards_the_target_by_one(steps: tuple[int, ...], w: int) -> None:
    learning = projection((0, 0, 3), gain=0, plasticity=SIGN)
    trace = run(network(KICK, learning), spikes_of_n(*steps), 4)
    assert trace.spikes["N"] == times(*steps)
    assert trace.weights[1] == ([] if w == 3 else [(3, 0, w)])


def test_far_from_the_target_it_is_still_one() -> None:
    learning = projection((0, 0, 3), gain=0, plasticity=replace(SIGN, target=7))
    assert run(network(learning), {}, 4).weights[0] == [(3, 0, 4)]


def test_presynaptic_spikes_and_increments_do_not_matter() -> None:
    loud = replace(SIGN, event=replace(SIGN.event, dw_plus=5, dw_minus=5))
    learning = projection((0, 0, 3), gain=0, plasticity=loud)
    assert run(network(learning), {"A": times(0, 1, 2)}, 4).weights[0] == [(3, 0, 4)]


def test_the_limits_hold() -> None:
    event = replace(SIGN.event, w_min=2, w_max=4)
    learning = projection((0, 0, 4), gain=0, plasticity=replace(SIGN, event=event))
    assert run(network(KICK, learning), {}, 8).weights[1] == []
    down = run(network(KICK, learning), spikes_of_n(1, 3, 5, 7, 9, 11), 12)
    assert down.weights[1] == [(3, 0, 3), (7, 0, 2)]


def test_counts_start_again_every_period() -> None:
    learning = projection((0, 0, 3), gain=0, plasticity=SIGN)
    trace = run(network(KICK, learning), spikes_of_n(1, 3), 12)
    assert trace.weights[1] == [(3, 0, 2), (7, 0, 3), (11, 0, 4)]


@pytest.mark.parametrize(("n", "unsigned", "signed"), [(3, 2, 2), (4, 2, 4), (7, 2, 4), (8, 2, 4)])
def test_from_half_of_the_counter_on_a_signed_reading_is_negative(
    n: int, unsigned: int, signed: int
) -> None:
    # three bits: 3 is 3, 4 is -4, 7 and what has overflowed are -1, below the target of 1
    rule = replace(SIGN, period_steps=20)
    spikes = spikes_of_n(*range(1, 2 * n + 1, 2))
    for read, w in ((None, unsigned), (SIGNED_3, signed)):
        learning = projection((0, 0, 3), gain=0, plasticity=replace(rule, read_site=read))
        trace = run(network(KICK, learning), spikes, 20)
        assert len(trace.spikes["N"]) == n
        assert trace.weights[1] == [(19, 0, w)]


def test_both_counts_of_increments_are_read_signed() -> None:
    rule = replace(
        PERIODIC,
        event=replace(HALVES, dw_plus=1, dw_minus=1),
        read_site=site(width=2, overflow="wrap"),
    )
    # two bits: 1 is 1, 2 is -2, 3 is -1
    for n, w in ((1, 4), (2, 3), (3, 3)):
        learning = projection((0, 0, 4), gain=0, plasticity=rule)
        trace = run(network(learning), {"A": times(*range(n))}, 4)
        # 8 + 1 = 9 -> 4.   8 - 2 = 6 -> 3.   8 - 1 = 7 -> 3.
        assert trace.weights[0] == ([] if w == 4 else [(3, 0, w)])
    learning = projection((0, 0, 4), gain=0, plasticity=rule)
    trace = run(network(KICK, learning), spikes_of_n(1, 3), 4)
    # two postsynaptic spikes: 8 + 2 = 10 -> 5
    assert trace.weights[1] == [(3, 0, 5)]


@pytest.mark.parametrize(("overflow", "w"), [("saturate", 2), ("wrap", 4)])
def test_what_was_read_is_narrowed_at_minus(overflow: str, w: int) -> None:
    # two bits signed hold -2 .. 1: a count of 3 is 1, or -1 where it wraps; the target is 0
    rule = replace(SIGN, target=0, minus_site=site(width=2, overflow=overflow), period_steps=8)
    learning = projection((0, 0, 3), gain=0, plasticity=rule)
    trace = run(network(KICK, learning), spikes_of_n(1, 3, 5), 8)
    assert trace.weights[1] == [(7, 0, w)]


def test_saturating_a_sign_is_no_overflow() -> None:
    narrow = site(width=2, overflow="error")
    rule = replace(SIGN, target=7, minus_site=narrow, period_steps=8)
    learning = projection((0, 0, 3), gain=0, plasticity=rule)
    assert run(network(KICK, learning), spikes_of_n(1), 8).weights[1] == [(7, 0, 4)]
    with pytest.raises(SiteOverflowError, match="site minus, lane 0, step 7"):
        run(network(KICK, learning), spikes_of_n(1, 3), 8)


def test_products_wrap_while_the_sum_with_the_weight_saturates() -> None:
    wraps, saturates = site(width=4, overflow="wrap"), site(width=4)
    event = replace(HALVES, accumulate_site=saturates)
    rule = replace(PERIODIC, event=event, plus_site=wraps, minus_site=wraps, change_site=wraps)
    # A spikes three times: 3*3 = 9 wraps to -7;  6 - 7 = -1, limited to 0
    learning = projection((0, 0, 3), gain=0, plasticity=rule)
    assert run(network(learning), {"A": times(0, 1, 2)}, 4).weights[0] == [(3, 0, 0)]
    # twice: 6;  6 + 6 = 12 saturates at 7 -> 3, where it wrapped it were -4 -> 0
    assert run(network(learning), {"A": times(0, 1)}, 4).weights[0] == []


def test_every_spike_of_a_step_is_counted() -> None:
    cell = replace(CHIP, step=6, most_spikes=3, threshold=5)
    kick = projection((0, 0, 13), pre="K")
    learning = projection((0, 0, 3), gain=0, plasticity=SIGN)
    trace = run(network(kick, learning, neuron=cell), {"K": times(0)}, 4)
    # 13 sends two at once, above the target of 1
    assert trace.spikes["N"] == times(1, 1)
    assert trace.weights[1] == [(3, 0, 2)]
    own = replace(PERIODIC, event=replace(HALVES, dw_plus=2, dw_minus=0), minus_site=FREE)
    presynaptic = projection((0, 0, 3), pre="N", gain=0, plasticity=own)
    trace = run(network(kick, presynaptic, neuron=cell), {"K": times(0)}, 4)
    # 6 + 2*2 = 10 -> 5
    assert trace.weights[1] == [(3, 0, 5)]
