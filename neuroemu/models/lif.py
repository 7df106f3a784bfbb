"""The leaky integrate-and-fire neuron: docs/spec/lif.md, written once for every arithmetic.

``leak``, ``unit``, ... carry their scale with them, so the same lines are Brian2's Euler step in
doubles and a chip's multiply, add and shift in integers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroemu.numeric.ops import overflowed, requantize


class LifState(NamedTuple):
    """Membrane from rest, and steps still to wait (0: live)."""

    v: Any
    refractory: Any


class LifParams(NamedTuple):
    """Constants of docs/spec/lif.md."""

    leak: Any
    unit: Any
    threshold: Any
    reset: Any
    refractory_steps: Any


class LifSites(NamedTuple):
    """Where the neuron narrows; `wait` is the refractory counter, which stops at 0."""

    leak: Any
    input: Any
    wait: Any


def advance(state: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Wait, leak, threshold: lines 1 to 3 of the step.

    Returns
    -------
    state : LifState
    spike : bool
    """
    waiting = requantize(state.refractory - 1, sites.wait, 0)
    leaked = requantize(params.leak * state.v + params.unit * state.v, sites.leak, bits)
    v = state.v if waiting > 0 else leaked
    spike = (waiting == 0) & (v > params.threshold)
    return LifState(v, params.refractory_steps if spike else waiting), spike


def receive(state: Any, drive: Any, params: Any, sites: Any) -> Any:
    """Take synaptic input, unless refractory: line 4.

    Returns
    -------
    state : LifState
    over : bool
        Whether the site ``input`` left its range.
    """
    wide = state.v + drive
    live = state.refractory == 0
    v = requantize(wide, sites.input, 0) if live else state.v
    return LifState(v, state.refractory), live & overflowed(wide, sites.input, 0)


def reset(state: Any, params: Any) -> Any:
    """Return the state after a spike: line 6."""
    return LifState(params.reset, state.refractory)


def stuck(state: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Whether the leak leaves a live membrane off its rest where it is."""
    after, _ = advance(state, params, sites, bits)
    return (state.refractory == 0) & (state.v != 0) & (after.v == state.v)


def flushed(state: Any, tiny: Any) -> Any:
    """Return the state with a membrane smaller than `tiny` set to 0."""
    return LifState(0 * state.v if abs(state.v) < tiny else state.v, state.refractory)


def clipped(state: Any) -> Any:
    """How often a site of `advance` left its range: the leak never does."""
    return 0
