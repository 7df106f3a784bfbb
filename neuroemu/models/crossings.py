"""How many spikes a neuron sends in one step: one, or as often as its threshold fits in."""

from __future__ import annotations

from typing import Any, NamedTuple


class Once(NamedTuple):
    """At most one spike in a step."""


class Often(NamedTuple):
    """A spike for every `step` above the threshold, up to `most_spikes`."""


def _once(v: Any, params: Any, fire: Any) -> Any:
    return 1 if v > params.threshold else 0


def _often(v: Any, params: Any, fire: Any) -> Any:
    spikes = 0
    while spikes < params.most_spikes and v - spikes * params.step > params.threshold:
        spikes += 1
    return spikes


CROSSINGS = {Once: _once, Often: _often}


def crossings(v: Any, params: Any, fire: Any) -> Any:
    """Return how many spikes a membrane of `v` makes."""
    return CROSSINGS[type(fire)](v, params, fire)
