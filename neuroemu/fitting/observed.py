"""What every register held in the float run, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroemu.fitting.histogram import Histogram
from neuroemu.models.arithmetic import Arithmetic

LABELS = {
    "membrane.format": "membrane",
    "input": "input per step",
    "membrane.leak.format": "leak multiplier",
    "refractory.format": "refractory counter",
    "synapse.weight.format": "static weight",
    "synapse.gain.format": "gain",
    "plasticity.weight.format": "plastic weight",
    "plasticity.increment.format": "increment",
    "plasticity.accumulator.format": "accumulator",
    "plasticity.counter.width": "spike counter",
}
"""Registers by the key of their format, and how tables and figures call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What one register held.

    Parameters
    ----------
    key : str
        Of `LABELS`.
    low, high : float
        Smallest and largest value.
    edges, counts : (bins + 1,) and (bins,) float64
        Distribution; empty for constants.
    quantiles : dict of float to float
        At 0.001, 0.5 and 0.999; empty for constants.
    constants : dict of float to int
        Values and how many hold each; empty where the register changes.
    """

    key: str
    low: float
    high: float
    edges: NDArray[np.float64]
    counts: NDArray[np.float64]
    quantiles: dict[float, float]
    constants: dict[float, int]

    @property
    def label(self) -> str:
        """Name in tables and figures."""
        return LABELS[self.key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """An experiment in float on a target's time grid.

    Parameters
    ----------
    registers : dict of str to Observed
        By key of `LABELS`; those that the experiment uses.
    arithmetic : Arithmetic
        What ran.
    trials, seed : int
    presynaptic : dict of str to float
        By plastic projection: mean number of presynaptic spikes in a period; empty without one.
    neurons, counters : int
        How many there are.
    synapses : dict of str to int
        By projection.
    positive, negative : (neurons,) float64
        Largest sum of positive, and of negative weights, that one step can bring.
    """

    registers: dict[str, Observed]
    arithmetic: Arithmetic
    trials: int
    seed: int
    presynaptic: dict[str, float]
    neurons: int
    counters: int
    synapses: dict[str, int]
    positive: NDArray[np.float64]
    negative: NDArray[np.float64]


def from_histogram(key: str, seen: Histogram) -> Observed:
    """Return what a register held that changes."""
    has_counts = seen.counts.size > 0
    return Observed(
        key=key,
        low=seen.low if has_counts else 0.0,
        high=seen.high if has_counts else 0.0,
        edges=seen.edges,
        counts=seen.counts,
        quantiles={q: seen.quantile(q) for q in (0.001, 0.5, 0.999)} if has_counts else {},
        constants={},
    )


def from_constants(key: str, found: Sequence[tuple[float, int]]) -> Observed:
    """Return what registers hold that do not change: values, and how many hold each."""
    constants: dict[float, int] = {}
    for value, often in found:
        constants[value] = constants.get(value, 0) + often
    return Observed(
        key=key,
        low=min(constants),
        high=max(constants),
        edges=np.zeros(0),
        counts=np.zeros(0),
        quantiles={},
        constants=dict(sorted(constants.items())),
    )
