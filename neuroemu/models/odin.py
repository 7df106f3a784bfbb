"""ODIN's neuron with calcium, and its spike-driven plasticity: docs/spec/odin.md."""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroemu.numeric.ops import limit, requantize


class OdinState(NamedTuple):
    """Membrane, calcium, flags for the synapses, and spikes that have not been handed on."""

    v: Any
    calcium: Any
    calcium_count: Any
    up: Any
    down: Any
    pending: Any
    refractory: Any


class OdinParams(NamedTuple):
    """Constants of docs/spec/odin.md; flags are 0 or 1."""

    leak: Any
    leak_en: Any
    threshold: Any
    reset: Any
    theta_m: Any
    th1: Any
    th2: Any
    th3: Any
    ca_en: Any
    ca_leak: Any
    most_spikes: Any


class OdinSites(NamedTuple):
    """Where the neuron narrows."""

    leak: Any
    input: Any
    calcium: Any
    count: Any


class SdspParams(NamedTuple):
    """Constants of one synapse; all but `half` are flags."""

    mapped: Any
    propagate_unmapped: Any
    update_unmapped: Any
    half: Any


class SdspSites(NamedTuple):
    """Where a weight narrows."""

    weight: Any


def _counted(state: Any, leaks: Any, params: Any, sites: Any) -> Any:
    """Return the calcium counter after an event, and whether calcium leaks: line 3."""
    counts = (leaks != 0) & (params.ca_en != 0) & (params.ca_leak != 0)
    is_last = state.calcium_count == params.ca_leak - 1
    following = requantize(state.calcium_count + 1, sites.count, 0)
    count = (0 if is_last else following) if counts else state.calcium_count
    return count, counts & is_last


def evaluate(state: Any, drive: Any, leaks: Any, params: Any, sites: Any) -> Any:
    """Do one event: a time reference, or a signed synaptic drive.

    Parameters
    ----------
    state : OdinState
    drive : int
        Effective weight in membrane LSBs, negative if inhibitory; ignored by a time reference.
    leaks : int
        1 for a time reference, else 0.
    params : OdinParams
    sites : OdinSites

    Returns
    -------
    state : OdinState
    spike : bool
    """
    leaked = requantize(state.v - params.leak, sites.leak, 0)
    leaked = leaked if params.leak_en != 0 else state.v
    driven = requantize(state.v + drive, sites.input, 0)
    x = leaked if leaks != 0 else driven
    spike = x >= params.threshold
    v = params.reset if spike else x
    count, ca_leaks = _counted(state, leaks, params, sites)
    change = (1 if spike else 0) - (1 if ca_leaks else 0)
    calcium = requantize(state.calcium + change, sites.calcium, 0)
    calcium = calcium if params.ca_en != 0 else state.calcium
    learns = (params.ca_en != 0) & (params.th1 <= calcium)
    up = learns & (v >= params.theta_m) & (calcium < params.th3)
    down = learns & (v < params.theta_m) & (calcium < params.th2)
    after = OdinState(
        v,
        calcium,
        count,
        1 if up else 0,
        1 if down else 0,
        state.pending,
        state.refractory,
    )
    return after, spike


def _with_pending(state: Any, pending: Any) -> Any:
    return OdinState(
        state.v,
        state.calcium,
        state.calcium_count,
        state.up,
        state.down,
        pending,
        state.refractory,
    )


def advance(state: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Do the time reference of a tick, and hand on the spikes since the last one.

    Returns
    -------
    state : OdinState
    n_spikes : int
        At most ``params.most_spikes``; the rest stays pending.
    """
    after, spike = evaluate(state, 0, 1, params, sites)
    waiting = after.pending + (1 if spike else 0)
    n_spikes = limit(waiting, 0, params.most_spikes)
    return _with_pending(after, waiting - n_spikes), n_spikes


def receive(state: Any, drive: Any, params: Any, sites: Any) -> Any:
    """Do one synaptic event.

    Returns
    -------
    state : OdinState
        A spike that the event caused is pending.
    wide : int
        What met the site ``input``.
    """
    after, spike = evaluate(state, drive, 0, params, sites)
    return _with_pending(after, after.pending + (1 if spike else 0)), state.v + drive


def reset(state: Any, params: Any) -> Any:
    """Return the state: every event that spikes has reset it already."""
    return state


def effective_weight(w: Any, params: Any) -> Any:
    """Return what a synapse delivers, without the sign of its presynaptic neuron."""
    return w if (params.mapped != 0) | (params.propagate_unmapped != 0) else 0


def _moved(w: Any, change: Any, params: Any, sites: Any) -> Any:
    learns = (params.mapped != 0) | (params.update_unmapped != 0)
    wide = w + (change if learns else 0)
    return requantize(wide, sites.weight, 0), wide


def sdsp(w: Any, up: Any, down: Any, params: Any, sites: Any) -> Any:
    """Update a weight at a presynaptic spike.

    Parameters
    ----------
    w : int
    up, down : int
        Flags of the postsynaptic neuron from before the event.
    params : SdspParams
    sites : SdspSites

    Returns
    -------
    w : int
        The new weight.
    wide : int
        What met the site ``weight``.
    """
    falling = -1 if down != 0 else 0
    return _moved(w, 1 if up != 0 else falling, params, sites)


def bistability(w: Any, params: Any, sites: Any) -> Any:
    """Let a weight drift to the nearer end of its range; returns as `sdsp` does."""
    return _moved(w, 1 if w >= params.half else -1, params, sites)
