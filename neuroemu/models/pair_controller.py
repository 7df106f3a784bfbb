"""Pair sensors and look-up tables of BrainScaleS-1 and Spikey: docs/spec/pair-controller.md.

The charges are analog, numbers in double precision; the weight is a code of four bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroemu.numeric.ops import limit, lookup, lookup_in, requantize


class PairState(NamedTuple):
    """Weight code, charges of the two sensors, and the steps of the last spikes on either side."""

    weight: Any
    causal: Any
    acausal: Any
    pre_step: Any
    post_step: Any


class Pattern(NamedTuple):
    """Evaluation bits of one configuration, 0 or 1, by the names of NEST."""

    cc: Any
    ca: Any
    ac: Any
    aa: Any


class PairParams(NamedTuple):
    """Constants of docs/spec/pair-controller.md; the last three are indexed by the choice."""

    causal_decay: Any
    acausal_decay: Any
    threshold_high: Any
    threshold_low: Any
    pattern_0: Any
    pattern_1: Any
    tables: Any
    keep_causal: Any
    keep_acausal: Any


class PairSites(NamedTuple):
    """Where a sensor narrows: its capacitor may be full."""

    charge: Any


def start(weight: Any, params: Any) -> Any:
    """Return the state of a synapse whose two neurons have never spiked."""
    never = -max(len(params.causal_decay), len(params.acausal_decay))
    return PairState(weight, 0.0, 0.0, never, never)


def at_post(state: Any, k: Any, params: Any, sites: Any) -> Any:
    """Take a postsynaptic spike of step `k`, before a presynaptic one of the same step.

    Returns
    -------
    PairState
    """
    pair = _pair(k - state.pre_step, params.causal_decay)
    full = requantize(state.causal + pair, sites.charge, 0)
    is_first = state.pre_step >= state.post_step
    causal = full if is_first else state.causal
    return PairState(state.weight, causal, state.acausal, state.pre_step, k)


def at_pre(state: Any, k: Any, params: Any, sites: Any) -> Any:
    """Take a presynaptic spike of step `k`.

    Returns
    -------
    PairState
    """
    pair = _pair(k - state.post_step, params.acausal_decay)
    full = requantize(state.acausal + pair, sites.charge, 0)
    is_first = state.post_step > state.pre_step
    acausal = full if is_first else state.acausal
    return PairState(state.weight, state.causal, acausal, k, state.post_step)


def evaluate(causal: Any, acausal: Any, pattern: Any, params: Any) -> Any:
    """Return whether a configuration's comparison holds."""
    low = params.threshold_low + pattern.ac * causal + pattern.ca * acausal
    high = params.threshold_high + pattern.cc * causal + pattern.aa * acausal
    return low * (1 + pattern.cc + pattern.aa) > high * (1 + pattern.ac + pattern.ca)


def at_readout(state: Any, params: Any, sites: Any) -> Any:
    """Let the controller read the synapse, after all spikes of the step.

    Returns
    -------
    state : PairState
    choice : int
        Which table was used: 0 none, 1 causal, 2 acausal, 3 combined.
    """
    bit_0 = 1 if evaluate(state.causal, state.acausal, params.pattern_0, params) else 0
    bit_1 = 1 if evaluate(state.causal, state.acausal, params.pattern_1, params) else 0
    choice = bit_0 + bit_1 + bit_1
    weight = lookup_in(choice, state.weight, params.tables)
    causal = lookup(choice, params.keep_causal) * state.causal
    acausal = lookup(choice, params.keep_acausal) * state.acausal
    return PairState(weight, causal, acausal, state.pre_step, state.post_step), choice


def _pair(elapsed: Any, decay: Any) -> Any:
    return lookup(limit(elapsed, 0, len(decay) - 1), decay)
