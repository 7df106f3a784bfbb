"""ODIN: the circuit's equations written again, events recorded from its simulation, and what holds for sequences."""

import csv
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from numba.extending import register_jitable

import neuroemu.engine.compiled  # noqa: F401 - makes the texts callable from compiled code
from neuroemu.models import odin
from neuroemu.models.odin import (
    OdinParams,
    OdinSites,
    OdinState,
    SdspParams,
    SdspSites,
    advance,
    bistability,
    effective_weight,
    evaluate,
    receive,
    reset,
    sdsp,
)
from neuroemu.numeric.site import Site
from neuroemu.testing.texts import text_faults

TRACE = Path(__file__).parents[1] / "traces" / "odin" / "events.csv"


def site(name: str, hi: int, overflow: Any = "saturate") -> Any:
    return Site(name=name, shift=0, rounding="floor", overflow=overflow, lo=0, hi=hi).as_fixed()


SITES = OdinSites(
    leak=site("leak", 255),
    input=site("input", 255),
    calcium=site("calcium", 7),
    count=site("count", 31, "wrap"),
)
WEIGHT = SdspSites(weight=site("weight", 7))
PARAMS = OdinParams(
    leak=3,
    leak_en=1,
    threshold=20,
    reset=0,
    theta_m=10,
    th1=1,
    th2=4,
    th3=6,
    ca_en=1,
    ca_leak=3,
    most_spikes=1,
)
REST = OdinState(0, 0, 0, 0, 0, 0, 0)
MAPPED = SdspParams(mapped=1, propagate_unmapped=0, update_unmapped=0, half=4)


# The membrane, every value of it, against the circuit's modular subtractors and comparators


def circuit_membrane(v: int, drive: int, leaks: int, params: OdinParams) -> tuple[int, bool]:
    """lif_neuron_state.v: 8-bit results that wrap, each compared with the old value to find out."""
    weight = abs(drive)
    if leaks and params.leak_en:
        wrapped = (v - params.leak) % 256
        x = wrapped if v >= wrapped else 0
    elif leaks:
        x = v
    elif drive < 0:
        wrapped = (v - weight) % 256
        x = wrapped if v >= wrapped else 0
    else:
        wrapped = (v + weight) % 256
        x = wrapped if v <= wrapped else 255
    return (0, True) if x >= params.threshold else (x, False)


@pytest.mark.parametrize("threshold", [0, 1, 100, 254, 255])
def test_every_synaptic_event_of_the_membrane(threshold: int) -> None:
    params = PARAMS._replace(threshold=threshold)
    for v, drive in product(range(256), range(-7, 8)):
        after, spike = evaluate(REST._replace(v=v), drive, 0, params, SITES)
        assert (after.v, spike) == circuit_membrane(v, drive, 0, params)


@pytest.mark.parametrize(("threshold", "leak_en"), list(product([0, 1, 100, 255], [0, 1])))
def test_every_time_reference_of_the_membrane(threshold: int, leak_en: int) -> None:
    for v, leak in product(range(256), range(0, 128, 7)):
        params = PARAMS._replace(threshold=threshold, leak_en=leak_en, leak=leak)
        after, spike = evaluate(REST._replace(v=v), 5, 1, params, SITES)
        assert (after.v, spike) == circuit_membrane(v, 0, 1, params)


# Calcium and flags, every state of theirs


def circuit_calcium(
    calcium: int, count: int, spike: bool, leaks: int, params: OdinParams
) -> tuple[int, int]:
    """lif_calcium.v, its two always blocks."""
    leaked = False
    if params.ca_en and params.ca_leak and leaks:
        leaked = count == (params.ca_leak - 1) % 32
        count = 0 if leaked else (count + 1) % 32
    if params.ca_en and spike and not leaked and calcium != 0b111:
        calcium += 1
    elif params.ca_en and leaked and not spike and calcium != 0:
        calcium -= 1
    return calcium, count


@pytest.mark.parametrize(("ca_en", "leaks", "spike"), list(product([0, 1], [0, 1], [False, True])))
def test_every_state_of_calcium(ca_en: int, leaks: int, spike: bool) -> None:
    for ca_leak, calcium, count in product(range(32), range(8), range(32)):
        params = PARAMS._replace(ca_en=ca_en, ca_leak=ca_leak, leak=0)
        state = REST._replace(v=50 if spike else 5, calcium=calcium, calcium_count=count)
        after, found = evaluate(state, 0, leaks, params, SITES)
        assert found == spike
        expected = circuit_calcium(calcium, count, spike, leaks, params)
        assert (after.calcium, after.calcium_count) == expected


@pytest.mark.parametrize("ca_en", [0, 1])
def test_every_threshold_of_the_flags(ca_en: int) -> None:
    for th1, th2, th3, calcium in product(range(8), repeat=4):
        params = PARAMS._replace(th1=th1, th2=th2, th3=th3, ca_en=ca_en)
        for v in (9, 10, 11):
            after, _ = evaluate(REST._replace(v=v, calcium=calcium), 0, 0, params, SITES)
            assert after.up == int(ca_en == 1 and v >= 10 and th1 <= calcium < th3)
            assert after.down == int(ca_en == 1 and v < 10 and th1 <= calcium < th2)


def test_a_neuron_that_spikes_is_judged_after_its_reset() -> None:
    after, spike = evaluate(REST._replace(v=18, calcium=2), 7, 0, PARAMS, SITES)
    assert spike
    assert (after.v, after.calcium, after.up, after.down) == (0, 3, 0, 1)


def test_recorded_events() -> None:
    lines = [line for line in TRACE.read_text().splitlines() if not line.startswith("#")]
    rows = [{k: int(x) for k, x in row.items()} for row in csv.DictReader(lines)]
    assert len(rows) == 435
    for row in rows:
        constants = {k: row[k] for k in OdinParams._fields if k in row}
        params = OdinParams(**constants, reset=0, most_spikes=1)
        state = REST._replace(
            v=row["v"], calcium=row["calcium"], calcium_count=row["calcium_count"]
        )
        after, spike = evaluate(state, row["drive"], row["leaks"], params, SITES)
        names = ("next_v", "next_calcium", "next_count", "next_up", "next_down", "spike")
        assert (*after[:5], int(spike)) == tuple(row[name] for name in names), row


# Traces by hand, from the equations of lif_neuron_state.v and lif_calcium.v (commit 17819318), with PARAMS


def test_a_trace_by_hand() -> None:
    steps = [
        # drive or None for a time reference; v, calcium, count, up, down; spike
        (7, (7, 0, 0, 0, 0), 0),  # calcium 0 is below th1: no flag
        (7, (14, 0, 0, 0, 0), 0),
        (5, (19, 0, 0, 0, 0), 0),
        (None, (16, 0, 1, 0, 0), 0),  # leak 3, first of three time references
        (4, (0, 1, 1, 0, 1), 1),  # 20 >= 20: at the threshold; judged at 0
        (7, (7, 1, 1, 0, 1), 0),
        (6, (13, 1, 1, 1, 0), 0),  # 13 >= theta_m
        (None, (10, 1, 2, 1, 0), 0),  # 10 >= theta_m still
        (-3, (7, 1, 2, 0, 1), 0),
        (-7, (0, 1, 2, 0, 1), 0),
        (-7, (0, 1, 2, 0, 1), 0),  # saturates
        (None, (0, 0, 0, 0, 0), 0),  # third: calcium leaks, 1 -> 0
    ]
    state = REST
    for drive, expected, spikes in steps:
        leaks = int(drive is None)
        state, spike = evaluate(state, drive or 0, leaks, PARAMS, SITES)
        assert (tuple(state[:5]), int(spike)) == (expected, spikes)


def test_a_counter_beyond_its_limit_runs_once_around() -> None:
    state = REST._replace(calcium=5, calcium_count=3)  # ca_leak is 3: the last count is 2
    counts = []
    for _ in range(32):
        state, _ = evaluate(state, 0, 1, PARAMS, SITES)
        counts.append(state.calcium_count)
    assert counts == [*range(4, 32), 0, 1, 2, 0]
    assert state.calcium == 4


def test_a_presynaptic_spike_takes_old_weight_and_old_flags() -> None:
    # v 4 is below theta_m 10: down. The event lifts it to 11, up; the weight still falls, from 7
    before = REST._replace(v=4, calcium=2, down=1)
    w = 7
    after, wide = receive(before, effective_weight(w, MAPPED), PARAMS, SITES)
    w, _ = sdsp(w, before.up, before.down, MAPPED, WEIGHT)
    assert (wide, after.v, after.up, after.down, w) == (11, 11, 1, 0, 6)
    # the next one finds the flags of this event
    w, _ = sdsp(w, after.up, after.down, MAPPED, WEIGHT)
    assert w == 7


# The tick


def test_spikes_of_events_leave_with_the_next_time_reference() -> None:
    params = PARAMS._replace(threshold=5)
    state = REST
    for _ in range(3):
        state, _ = receive(state, 7, params, SITES)
    assert (state.pending, state.v) == (3, 0)
    sent = []
    for _ in range(4):
        state, n_spikes = advance(state, params, SITES, 0)
        sent.append(n_spikes)
    assert sent == [1, 1, 1, 0]
    state, n_spikes = advance(state._replace(pending=3), params._replace(most_spikes=2), SITES, 0)
    assert (n_spikes, state.pending) == (2, 1)


def test_reset_and_refractory_do_nothing() -> None:
    state = OdinState(9, 3, 2, 1, 0, 2, 0)
    assert reset(state, PARAMS) == state
    assert advance(state, PARAMS, SITES, 0)[0].refractory == 0
    assert receive(state, 1, PARAMS, SITES)[0].refractory == 0


# Synapses, all cases


def synapses() -> Iterator[SdspParams]:
    for mapped, propagate, update in product([0, 1], repeat=3):
        yield SdspParams(mapped, propagate, update, 4)


def test_every_case_of_sdsp() -> None:
    """sdsp_update.v: no step where the weight is at the end that it moves to."""
    for synapse, w, (up, down) in product(synapses(), range(8), [(0, 0), (1, 0), (0, 1)]):
        enabled = synapse.mapped or synapse.update_unmapped
        expected = w
        if enabled and up and w != 0b111:
            expected = w + 1
        elif enabled and down and w != 0:
            expected = w - 1
        wide = w + (up - down if enabled else 0)
        assert sdsp(w, up, down, synapse, WEIGHT) == (expected, wide)


def test_every_case_of_bistability() -> None:
    to = [0, 0, 1, 2, 5, 6, 7, 7]
    for synapse, w in product(synapses(), range(8)):
        learns = synapse.mapped or synapse.update_unmapped
        after, wide = bistability(w, synapse, WEIGHT)
        assert after == (to[w] if learns else w)
        assert wide == (w + (1 if w >= 4 else -1) if learns else w)


def test_every_case_of_the_effective_weight() -> None:
    for synapse, w in product(synapses(), range(8)):
        carries = synapse.mapped == 1 or synapse.propagate_unmapped == 1
        assert effective_weight(w, synapse) == (w if carries else 0)


# Sequences

u3, flags = st.integers(0, 7), st.integers(0, 1)
constants = st.builds(
    OdinParams,
    leak=st.integers(0, 127),
    leak_en=flags,
    threshold=st.sampled_from([0, 1, 2, 20, 100, 254, 255]),
    reset=st.just(0),
    theta_m=st.integers(0, 255),
    th1=u3,
    th2=u3,
    th3=u3,
    ca_en=flags,
    ca_leak=st.integers(0, 31),
    most_spikes=st.integers(1, 4),
)
TICK = 8
"""In a sequence of events: a time reference, where others are drives of -7 to 7."""
sequences = st.lists(st.one_of(st.integers(-7, 7), st.just(TICK)), max_size=60)


@given(params=constants, v=st.integers(0, 255), events=sequences)
def test_no_spike_is_lost_and_no_register_left(
    params: OdinParams, v: int, events: list[int]
) -> None:
    state = plain = REST._replace(v=v)
    fired = handed_on = 0
    for event in events:
        if event == TICK:
            state, n_spikes = advance(state, params, SITES, 0)
            assert 0 <= n_spikes <= params.most_spikes
            handed_on += n_spikes
        else:
            wide = state.v + event
            state, met = receive(state, event, params, SITES)
            assert met == wide
        plain, spike = evaluate(plain, 0 if event == TICK else event, event == TICK, params, SITES)
        fired += spike
        assert handed_on + state.pending == fired
        assert state[:5] == plain[:5]
        assert 0 <= state.v <= 255
        assert 0 <= state.calcium <= 7
        assert 0 <= state.calcium_count <= 31
        assert not (state.up and state.down)
        assert state.v < params.threshold or params.threshold == 0


# Compiled

for _text in vars(odin).values():
    if (
        callable(_text)
        and getattr(_text, "__module__", "") == odin.__name__
        and (not isinstance(_text, type))
    ):
        register_jitable(_text)


@njit(cache=False)
def compiled_sequence(state, events, params, sites, synapse, weight_sites):
    found = np.empty((len(events), 10), np.int64)
    w = 3
    for i, event in enumerate(events):
        up, down = state.up, state.down
        if event == 8:
            state, out = advance(state, params, sites, 0)
            w, wide = bistability(w, synapse, weight_sites)
        else:
            state, out = receive(state, event, params, sites)
            w, wide = sdsp(w, up, down, synapse, weight_sites)
        found[i, 0], found[i, 1], found[i, 2] = state.v, state.calcium, state.calcium_count
        found[i, 3], found[i, 4], found[i, 5] = state.up, state.down, state.pending
        found[i, 6], found[i, 7] = out, w
        found[i, 8], found[i, 9] = wide, effective_weight(w, synapse)
    return found


@given(params=constants, events=sequences, synapse=st.sampled_from(list(synapses())))
def test_compiled_as_python(params: OdinParams, events: list[int], synapse: SdspParams) -> None:
    array = np.array(events, np.int64)
    found = compiled_sequence(REST, array, params, SITES, synapse, WEIGHT)
    expected = compiled_sequence.py_func(REST, events, params, SITES, synapse, WEIGHT)
    np.testing.assert_array_equal(found, expected)


def test_the_text_uses_only_the_allowed_operators() -> None:
    assert text_faults(Path(odin.__file__).read_text(encoding="utf-8")) == []
