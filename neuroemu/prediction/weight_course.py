"""The weight's chain in time, by the kind of update: docs/spec/prediction.md, "Weight"."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from neuroemu.prediction.arrivals import Arrivals
from neuroemu.prediction.course import Flow, renewal_flow
from neuroemu.prediction.grid import Floats, spread
from neuroemu.prediction.held import held
from neuroemu.prediction.membrane_chain import MembraneChain
from neuroemu.prediction.passage import renewal
from neuroemu.prediction.period_chain import (
    FEW,
    FOLLOWED,
    Balance,
    balance,
    check_period,
    counts,
    is_lossy,
    period_levels,
    period_moves,
)
from neuroemu.prediction.slow_chain import at_levels, event_walk, fine_levels, slow_flow
from neuroemu.prediction.weight_chain import (
    Levels,
    Synapse,
    changes,
    event_levels,
    grid_levels,
)

LARGE_PARTS = 8
"""An increment of periodic updates is large from this part of the weight's range on."""


class Learning(Protocol):
    """A way in which a weight changes.

    Parameters
    ----------
    start : (states,) float64
        Distribution over the states of its chain at the start.
    is_rough : bool
        Whether the analysis is less exact here: see docs/spec/prediction.md, "Tolerance".
    """

    start: Floats
    is_rough: bool

    def flow(self, chain: MembraneChain, arriving: Arrivals) -> tuple[Flow, Balance | None]:
        """Return the chain in time while `arriving` holds, and where periodic updates balance."""


def learning(
    synapse: Synapse, *, plus: float, minus: float, period: int, full: int, most_pre: float
) -> Learning:
    """Return how the weight of `synapse` changes.

    Parameters
    ----------
    synapse : Synapse
    plus, minus : float
        Mean change of a stored weight on a presynaptic and a postsynaptic spike.
    period : int
        Steps between updates, 0 if they are event-driven.
    full : int
        What a counter reads once it has overflowed.
    most_pre : float
        Largest mean number of presynaptic spikes in a step.

    Raises
    ------
    OutOfScopeError
        If this cannot be followed.
    """
    if not period:
        levels = event_levels(synapse, plus, minus)
        if levels.is_coarse:
            return Walk(synapse, levels, plus, minus)
        return Sweep(levels)
    check_period(synapse, period, most_pre)
    if is_lossy(synapse) or period * most_pre > FEW:
        return Periodic(synapse, period, full)
    return ShortPeriods(synapse, period, full, plus, minus)


class Sweep:
    """Event-driven: from one spike of the neuron to the next, level by level."""

    is_rough = False

    def __init__(self, levels: Levels) -> None:
        self.levels = levels
        # a neuron that has not spiked yet counts as one that has waited for long
        self.start = np.concatenate((np.zeros(len(levels.start)), levels.start))

    def flow(self, chain: MembraneChain, arriving: Arrivals) -> tuple[Flow, Balance | None]:
        """See `Learning`."""
        return renewal_flow(renewal(chain, arriving, self.levels)), None


class Walk:
    """Event-driven, by changes that are smaller than a level."""

    is_rough = False

    def __init__(self, synapse: Synapse, levels: Levels, plus: float, minus: float) -> None:
        self.levels = levels
        self.changes = changes(plus, minus, is_stochastic=synapse.random_bits > 0)
        self.values = fine_levels(levels.values, plus or minus)
        self.start = spread(self.values, np.array([float(synapse.weight)]), np.ones(1))

    def flow(self, chain: MembraneChain, arriving: Arrivals) -> tuple[Flow, Balance | None]:
        """See `Learning`."""
        neuron = held(chain, arriving, self.levels.drives)
        fine = at_levels(neuron, self.levels.values, self.values)
        drift, variance = event_walk(fine, arriving.mean_plastic, self.changes)
        return slow_flow(self.values, drift, variance, fine.rates), None


class Periodic:
    """At the end of each period, from its counts."""

    def __init__(self, synapse: Synapse, period: int, full: int) -> None:
        self.synapse, self.period, self.full = synapse, period, full
        self.levels = period_levels(synapse)
        self.start = self.levels.start
        low, high = synapse.limits
        largest = max(synapse.rule.dw_plus, synapse.rule.dw_minus) / synapse.rule.unit
        self.is_rough = bool(high - low < LARGE_PARTS * largest)

    def flow(self, chain: MembraneChain, arriving: Arrivals) -> tuple[Flow, Balance | None]:
        """See `Learning`."""
        neuron = held(chain, arriving, self.levels.drives)
        most = FOLLOWED if is_lossy(self.synapse) else FEW
        seen = counts(self.period, arriving, neuron, most=most)
        moves = period_moves(self.synapse, self.levels.values, seen, self.full)
        found = balance(self.synapse, self.levels.values, moves, neuron.rates, self.period)
        return Flow(moves, self.period, neuron.rates, is_aligned=True), found


class ShortPeriods:
    """Periods of few spikes, which follow one another like those of the event-driven rule.

    The counts of neighbouring periods are not independent. So the weight moves at each spike, by changes that
    balance where the periodic updates do.
    """

    def __init__(self, synapse: Synapse, period: int, full: int, plus: float, minus: float) -> None:
        self.periodic = Periodic(synapse, period, full)
        self.synapse, self.plus, self.minus = synapse, plus, minus
        self.like = self._like(minus)
        self.start, self.is_rough = self.like.start, self.periodic.is_rough

    def _like(self, minus: float) -> Sweep | Walk:
        levels = grid_levels(self.synapse, self.plus, minus)
        # levels depend on `plus` alone, so that all phases share them
        if levels.is_coarse:
            return Walk(self.synapse, levels, self.plus, minus)
        return Sweep(levels)

    def flow(self, chain: MembraneChain, arriving: Arrivals) -> tuple[Flow, Balance | None]:
        """See `Learning`."""
        _, found = self.periodic.flow(chain, arriving)
        if found is None or not found.rate:
            return self.like.flow(chain, arriving)[0], found
        minus = self.plus * arriving.mean_plastic / found.rate
        return self._like(minus).flow(chain, arriving)[0], found
