"""Which neuron's text runs: chosen by the class of its state, as a site's arithmetic is by the site's."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from neuroemu.models import cuba, lif

NEURONS: dict[type, ModuleType] = {lif.LifState: lif, cuba.CubaState: cuba}

_STATES: dict[type, Any] = {lif.LifSites: lif.LifState, cuba.CubaSites: cuba.CubaState}


def state_of(sites: Any) -> Any:
    """Return the class of the state of a neuron with these sites."""
    return _STATES[type(sites)]


def advance(state: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Return the state after one step without input, and how many spikes the neuron sends."""
    return NEURONS[type(state)].advance(state, params, sites, bits)


def receive(state: Any, drive: Any, params: Any, sites: Any) -> Any:
    """Return the state after the input of one spike, and whether the site ``input`` left its range."""
    return NEURONS[type(state)].receive(state, drive, params, sites)


def reset(state: Any, params: Any) -> Any:
    """Return the state of a neuron that has spiked at the end of the step."""
    return NEURONS[type(state)].reset(state, params)


def stuck(state: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Return whether the leak leaves a live membrane off its rest where it is."""
    return NEURONS[type(state)].stuck(state, params, sites, bits)


def flushed(state: Any, tiny: Any) -> Any:
    """Return the state with what is smaller than `tiny` set to 0."""
    return NEURONS[type(state)].flushed(state, tiny)


def clipped(state: Any) -> Any:
    """Return how often a site of `advance` left its range."""
    return NEURONS[type(state)].clipped(state)
