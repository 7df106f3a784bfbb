"""The chip neuron, a current-based LIF neuron with the choices of real chips: docs/spec/chip-neuron.md.

Every choice is a constant: a factor of 0 or 1, a limit that is never met, an amount of 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroemu.models.crossings import crossings
from neuroemu.numeric.ops import overflowed, requantize


class CubaState(NamedTuple):
    """Membrane, what drives it, and what is still to be told."""

    v: Any
    refractory: Any
    excitatory: Any
    inhibitory: Any
    excitatory_buffer: Any
    inhibitory_buffer: Any
    pending: Any
    clipped: Any


class CubaParams(NamedTuple):
    """Constants of docs/spec/chip-neuron.md."""

    # where input goes, each 0 or 1
    to_membrane: Any
    to_current: Any
    split: Any
    # the currents
    decay: Any
    decay_unit: Any
    decay_least: Any
    scale: Any
    resistance: Any
    # the membrane
    leak: Any
    unit: Any
    least: Any
    through: Any
    early_bias: Any
    bias: Any
    # firing
    unleaked: Any
    threshold: Any
    at_events: Any
    keep: Any
    step: Any
    reset: Any
    floor: Any
    refractory_steps: Any
    most_spikes: Any


class CubaSites(NamedTuple):
    """Where the neuron narrows; `wait` is the refractory counter, `fire` says how spikes are counted."""

    decay: Any
    current: Any
    force: Any
    leak: Any
    slope: Any
    membrane: Any
    input: Any
    wait: Any
    fire: Any


def decayed(x: Any, leak: Any, unit: Any, least: Any, site: Any, bits: Any) -> Any:
    """Return `x` nearer to 0: by a factor, and by `least` at least."""
    kept = requantize(leak * x + unit * x, site, bits)
    nearer = x - min(max(x, -least), least)
    return min(kept, nearer) if x > 0 else max(kept, nearer)


def _settle(v: Any, spikes: Any, params: Any) -> Any:
    """Return the membrane after its spikes: reset, subtraction, or the floor."""
    after = params.keep * v - spikes * params.step + params.reset
    below = params.keep * (v - params.floor)
    unfired = below if v < params.floor else v
    return after if spikes > 0 else unfired


def advance(state: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Wait, current, leak, threshold, reset: lines 1 to 5 of the step.

    Returns
    -------
    state : CubaState
    spikes : int
        How many the neuron sends.
    """
    waiting = requantize(state.refractory - 1, sites.wait, 0)
    decay, unit, least = params.decay, params.decay_unit, params.decay_least
    up = decayed(state.excitatory, decay, unit, least, sites.decay, 0)
    down = decayed(state.inhibitory, decay, unit, least, sites.decay, 0)
    up_wide = up + params.scale * state.excitatory_buffer
    down_wide = down + params.scale * state.inhibitory_buffer
    up, down = requantize(up_wide, sites.current, 0), requantize(down_wide, sites.current, 0)
    force_wide = (up - down) * params.resistance + params.early_bias
    force = requantize(force_wide, sites.force, 0)
    onto = 1 - params.through
    turn = onto - params.through
    gap = turn * (state.v - params.through * force)
    leaked = decayed(gap, params.leak, params.unit, params.least, sites.leak, bits)
    slope_wide = turn * (leaked - gap) + onto * force
    biased = requantize(slope_wide, sites.slope, 0) + params.bias
    wide = state.v + requantize(biased, sites.slope, 0)
    v = state.v if waiting > 0 else requantize(wide, sites.membrane, 0)
    tested = params.unleaked * state.v + (1 - params.unleaked) * v
    spikes = crossings(tested, params, sites.fire) if waiting == 0 else 0 * waiting
    slopes = overflowed(slope_wide, sites.slope, 0) | overflowed(biased, sites.slope, 0)
    over = (waiting == 0) & (overflowed(wide, sites.membrane, 0) | slopes)
    over = over | overflowed(up_wide, sites.current, 0) | overflowed(down_wide, sites.current, 0)
    over = over | overflowed(force_wide, sites.force, 0)
    settled = requantize(_settle(v, spikes, params), sites.membrane, 0)
    total = state.pending + spikes
    sent = min(total, params.most_spikes)
    refractory = params.refractory_steps if spikes > 0 else waiting
    after = CubaState(
        settled if waiting == 0 else v,
        refractory,
        up,
        down,
        0 * state.excitatory_buffer,
        0 * state.inhibitory_buffer,
        total - sent,
        state.clipped + (1 if over else 0),
    )
    return after, sent


def receive(state: Any, drive: Any, params: Any, sites: Any) -> Any:
    """Take one spike's input where the chip puts it: line 6.

    Returns
    -------
    state : CubaState
    over : bool
        Whether the site ``input`` left its range.
    """
    taken = params.split * min(drive, 0)
    at_membrane, at_current = params.to_membrane > 0, params.to_current > 0
    met = state.excitatory if at_current else state.excitatory_buffer
    up_wide = (state.v if at_membrane else met) + drive - taken
    down_wide = (state.inhibitory if at_current else state.inhibitory_buffer) - taken
    up, down = requantize(up_wide, sites.input, 0), requantize(down_wide, sites.input, 0)
    in_buffer = (params.to_membrane + params.to_current) == 0
    live = state.refractory == 0
    takes = live if at_membrane else True
    v = up if at_membrane & live else state.v
    fires = (params.at_events > 0) & live & (v > params.threshold)
    after = CubaState(
        requantize(_settle(v, 1, params), sites.membrane, 0) if fires else v,
        params.refractory_steps if fires else state.refractory,
        up if at_current else state.excitatory,
        down if at_current else state.inhibitory,
        up if in_buffer else state.excitatory_buffer,
        down if in_buffer else state.inhibitory_buffer,
        state.pending + (1 if fires else 0),
        state.clipped,
    )
    over = overflowed(up_wide, sites.input, 0) | overflowed(down_wide, sites.input, 0)
    return after, takes & over


def reset(state: Any, params: Any) -> Any:
    """Return the state: it was reset when it fired."""
    return state


def stuck(state: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Whether the leak alone leaves a membrane off its rest where it is."""
    leaked = decayed(state.v, params.leak, params.unit, params.least, sites.leak, bits)
    return (state.refractory == 0) & (state.v != 0) & (leaked == state.v)


def flushed(state: Any, tiny: Any) -> Any:
    """Return the state with what is smaller than `tiny` set to 0."""
    return CubaState(
        0 * state.v if abs(state.v) < tiny else state.v,
        state.refractory,
        0 * state.excitatory if abs(state.excitatory) < tiny else state.excitatory,
        0 * state.inhibitory if abs(state.inhibitory) < tiny else state.inhibitory,
        state.excitatory_buffer,
        state.inhibitory_buffer,
        state.pending,
        state.clipped,
    )


def clipped(state: Any) -> Any:
    """How often a site of `advance` left its range."""
    return state.clipped
