"""The pair controller's text: traces by hand, every pattern, and the definition of a pair written out."""

from fractions import Fraction
from itertools import pairwise, product

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroemu.engine import compiled as _overloads  # noqa: F401  what the text is to numba
from neuroemu.models.pair_controller import (
    PairParams,
    PairSites,
    PairState,
    Pattern,
    at_post,
    at_pre,
    at_readout,
    evaluate,
    start,
)
from neuroemu.numeric.site import Clip, Exact
from neuroemu.testing.texts import text_faults

SITES = PairSites(Exact())
PATTERNS = [Pattern(*bits) for bits in product((0, 1), repeat=4)]
HALVES = (1.0, 0.5, 0.25, 0.125, 0.0)
"""A decay whose sums are exact: half the charge a step, nothing from the fourth on."""
QUARTERS = (1.0, 0.25, 0.0625, 0.0)
UP = tuple(min(code + 1, 15) for code in range(16))
DOWN = tuple(max(code - 1, 0) for code in range(16))
SAME = tuple(range(16))
ODD = tuple((7 * code + 3) % 16 for code in range(16))
"""A permutation: each entry occurs once."""


def constants(**changed):
    plain = PairParams(
        causal_decay=HALVES,
        acausal_decay=QUARTERS,
        threshold_high=1.0,
        threshold_low=1.0,
        pattern_0=Pattern(cc=0, ca=0, ac=1, aa=0),
        pattern_1=Pattern(cc=0, ca=1, ac=0, aa=0),
        tables=np.array([SAME, UP, DOWN, ODD]),
        keep_causal=(1.0, 0.0, 0.0, 0.0),
        keep_acausal=(1.0, 0.0, 0.0, 0.0),
    )
    return plain._replace(**changed)


def charged(causal, acausal, weight=5):
    return PairState(weight, causal, acausal, -9, -9)


def spelled(events):
    words = events.split()
    return [(what, int(k)) for what, k in zip(words[::2], words[1::2], strict=True)]


def play(events, params, weight=5, sites=SITES):
    """Return the states after each of the events (what, step)."""
    state, states = start(weight, params), []
    for what, k in events:
        if what == "read":
            state, _ = at_readout(state, params, sites)
        else:
            state = {"pre": at_pre, "post": at_post}[what](state, k, params, sites)
        states.append(state)
    return states


def test_the_text_keeps_the_rules_of_a_step_text():
    for text in (start, at_post, at_pre, evaluate, at_readout):
        assert text_faults(text) == []


@pytest.mark.parametrize(
    ("events", "causal", "acausal"),
    [
        # by hand from docs/spec/pair-controller.md: causal 1/2 a step, acausal 1/4 a step
        ("post 0", 0, 0),  # nobody spiked before
        ("pre 0", 0, 0),
        (
            "pre 0 post 0",
            1,
            0,
        ),  # called in this order it is distance 0; the engine calls post first
        ("post 0 pre 0", 0, 1),
        ("pre 2 post 3", 0.5, 0),
        ("pre 2 post 3 post 4", 0.5, 0),  # the second has no presynaptic spike of its own
        ("pre 2 pre 3 post 5", 0.25, 0),  # the nearest only
        ("pre 2 post 3 pre 5", 0.5, 0.0625),  # one spike, two pairs
        ("pre 2 post 3 pre 5 pre 6", 0.5, 0.0625),  # the second finds no new postsynaptic spike
        ("post 3 post 4 pre 5", 0, 0.25),  # the nearest only
        ("pre 2 post 4 pre 4 post 5", 0.25 + 0.5, 1),  # both in step 4, the postsynaptic first
        ("pre 2 post 6", 0, 0),  # entry 4 of the decay is 0
        ("pre 2 post 600", 0, 0),
        ("post 2 pre 5", 0, 0),
        ("pre 0 read 0 post 1", 0.5, 0),  # a readout takes no partner away
    ],
)
def test_traces_by_hand(events, causal, acausal):
    last = play(spelled(events), constants())[-1]
    assert (last.weight, last.causal, last.acausal) == (5, causal, acausal)


def test_a_trace_of_the_whole_controller_by_hand():
    steps = spelled("pre 0 post 1 pre 2 post 3 read 3 post 4 pre 4 post 5 read 5 pre 5 read 9")
    params = constants(threshold_high=0.75, threshold_low=0.6)
    got = [(s.weight, s.causal, s.acausal) for s in play(steps, params)]
    assert got == [
        (5, 0, 0),
        (5, 0.5, 0),
        (5, 0.5, 0.25),
        (5, 1.0, 0.25),
        (6, 0, 0),  # (0.6 + 1)/2 = 0.8 > 0.75, (0.6 + 0.25)/2 = 0.425: up, both sensors reset
        (6, 0, 0),  # the presynaptic spike of step 2 had its partner in step 3
        (6, 0, 1.0),  # step 4, the postsynaptic spike came first
        (6, 0.5, 1.0),
        (5, 0, 0),  # 0.55, then (0.6 + 1)/2 = 0.8 > 0.75: down
        (5, 0, 1.0),  # step 5, distance 0
        (4, 0, 0),
    ]


def test_a_full_capacitor_takes_no_more():
    full = PairSites(Clip(0.0, 1.25))
    events = [("post", 0), ("pre", 0), ("post", 1), ("pre", 1)]
    assert [s.acausal for s in play(events, constants(), sites=full)] == [0, 1, 1, 1.25]
    events = [("pre", 0), ("post", 0), ("pre", 1), ("post", 1)]
    assert [s.causal for s in play(events, constants(), sites=full)] == [0, 1, 1, 1.25]


def divided(causal, acausal, bits, high, low):
    """NEST's comparison, with its divisions, in fractions."""
    cc, ca, ac, aa = bits
    left = (Fraction(low) + ac * Fraction(causal) + ca * Fraction(acausal)) / (1 + ac + ca)
    right = (Fraction(high) + cc * Fraction(causal) + aa * Fraction(acausal)) / (1 + cc + aa)
    return left > right


def test_every_pattern_compares_as_the_divided_form():
    # charges and thresholds in eighths: neither the text nor the fractions round
    values = (0.0, 0.125, 0.5, 1.0, 1.5, 2.0, 2.125, 4.0)
    thresholds = list(product((0.0, 0.5, 1.0, 1.75, 3.0), repeat=2))
    for pattern, causal, acausal in product(PATTERNS, values, values):
        for high, low in thresholds:
            params = constants(threshold_high=high, threshold_low=low)
            got = evaluate(causal, acausal, pattern, params)
            assert bool(got) == divided(causal, acausal, pattern, high, low)


def test_every_pair_of_patterns_picks_the_table_of_its_two_bits():
    seen = set()
    for first, second in product(PATTERNS, PATTERNS):
        params = constants(pattern_0=first, pattern_1=second)
        for causal, acausal in product((0.0, 0.5, 2.0), repeat=2):
            after, choice = at_readout(charged(causal, acausal), params, SITES)
            bits = [divided(causal, acausal, bits, 1.0, 1.0) for bits in (first, second)]
            table = {(0, 0): SAME, (1, 0): UP, (0, 1): DOWN, (1, 1): ODD}[tuple(bits)]
            assert after.weight == table[5]
            assert [choice % 2 == 1, choice >= 2] == bits
            seen.add(int(choice))
    assert seen == {0, 1, 2, 3}


CHOICES = {0: (0.5, 0.5), 1: (2.0, 0.5), 2: (0.5, 2.0), 3: (2.0, 2.0)}
"""Charges at which the plain constants make each choice."""


@pytest.mark.parametrize("choice", CHOICES)
def test_every_code_goes_to_its_entry(choice):
    params = constants()
    for code in range(16):
        after, made = at_readout(charged(*CHOICES[choice], code), params, SITES)
        assert (made, after.weight) == (choice, params.tables[choice][code])


@pytest.mark.parametrize("choice", CHOICES)
def test_every_reset_pattern_empties_what_it_says(choice):
    causal, acausal = CHOICES[choice]
    for resets in product((0, 1), repeat=6):
        keep = [1.0, 1.0, *(1.0 - bit for bit in resets)]
        params = constants(keep_causal=keep[0::2], keep_acausal=keep[1::2])
        after, _ = at_readout(charged(causal, acausal), params, SITES)
        first, second = (0, 0) if choice == 0 else resets[2 * choice - 2 : 2 * choice]
        assert after[1:] == (0.0 if first else causal, 0.0 if second else acausal, -9, -9)


@pytest.mark.parametrize("charge", [1.0, 1.0 + 2**-51])
def test_a_charge_at_the_threshold_is_not_above_it(charge):
    _, choice = at_readout(charged(charge, 0.0), constants(), SITES)
    assert choice == (1 if charge > 1.0 else 0)


STEPS = st.integers(0, 60)


def pairs_by_definition(pre, post, since, until):
    """Return the (causal, acausal) distances of the pairs completed in steps since to until.

    A moment is (step, side): the postsynaptic spike of a step comes before the presynaptic one.
    """
    moments = sorted([(k, 1) for k in pre] + [(k, 0) for k in post])
    causal, acausal = [], []
    for (k, side), (later, other) in pairwise(moments):
        # reduced and symmetric: only neighbours of different sides are pairs
        if side != other and since <= later <= until:
            (causal if side == 1 else acausal).append(later - k)
    return causal, acausal


@given(st.sets(STEPS), st.sets(STEPS), st.sets(STEPS), st.sampled_from(range(16)))
@settings(max_examples=300)
def test_any_sequence_is_as_the_pairs_by_definition(pre, post, reads, code):
    params = constants(threshold_high=0.75, threshold_low=0.6)
    state = start(code, params)
    since, weight = 0, code
    carried = [Fraction(0), Fraction(0)]
    for k in range(61):
        state = at_post(state, k, params, SITES) if k in post else state
        state = at_pre(state, k, params, SITES) if k in pre else state
        if k not in reads:
            continue
        found = pairs_by_definition(pre, post, since, k)
        for side, decay in ((0, HALVES), (1, QUARTERS)):
            for distance in found[side]:
                carried[side] += Fraction(decay[distance]) if distance < len(decay) else 0
        assert (state.causal, state.acausal) == tuple(carried)
        bits = [c * 1 + Fraction(0.6) > Fraction(0.75) * 2 for c in carried]
        weight = {(0, 0): SAME, (1, 0): UP, (0, 1): DOWN, (1, 1): ODD}[tuple(bits)][weight]
        if any(bits):
            carried = [Fraction(0), Fraction(0)]
        since = k + 1
        state, _ = at_readout(state, params, SITES)
        assert (state.weight, state.causal, state.acausal) == (weight, *carried)


@numba.njit
def _compiled_steps(codes, state, params, sites):
    out = np.zeros((len(codes), 6))
    for k in range(len(codes)):
        choice = 0
        if codes[k] & 1:
            state = at_post(state, k, params, sites)
        if codes[k] & 2:
            state = at_pre(state, k, params, sites)
        if codes[k] & 4:
            state, choice = at_readout(state, params, sites)
        out[k, 0], out[k, 1], out[k, 2] = state.weight, state.causal, state.acausal
        out[k, 3], out[k, 4], out[k, 5] = state.pre_step, state.post_step, choice
    return out


def test_the_compiled_text_is_the_text():
    decay = np.array([np.exp(-n / 7.0) for n in range(60)] + [0.0])
    keep = np.array([1.0, 0.0, 0.0, 0.0])
    params = constants(causal_decay=decay, acausal_decay=decay, keep_causal=keep, keep_acausal=keep)
    codes = np.random.default_rng(1).integers(0, 8, 3000)
    state = start(5, params)
    got = _compiled_steps(codes, state, params, SITES)
    for k, code in enumerate(codes.tolist()):
        choice = 0
        state = at_post(state, k, params, SITES) if code & 1 else state
        state = at_pre(state, k, params, SITES) if code & 2 else state
        if code & 4:
            state, choice = at_readout(state, params, SITES)
        assert got[k].tolist() == [*map(float, state), float(choice)]
    assert set(got[:, 5]) == {0.0, 1.0, 2.0, 3.0}
