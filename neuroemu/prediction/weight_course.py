"""The weight's chain in time, by the kind of update: docs/spec/prediction.md, "Weight"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from neuroemu.prediction.arrivals import Arrivals, OutOfScopeError
from neuroemu.prediction.chip_neuron import ChipNeuron
from neuroemu.prediction.count_chain import counts_of_one
from neuroemu.prediction.course import Flow, renewal_flow
from neuroemu.prediction.current_chain import lasting_rate
from neuroemu.prediction.deferred_chain import change_by_post
from neuroemu.prediction.grid import Floats, spread
from neuroemu.prediction.held import held, static_rate
from neuroemu.prediction.membrane_chain import MembraneChain
from neuroemu.prediction.passage import renewal
from neuroemu.prediction.period_chain import (
    FEW,
    FOLLOWED,
    Balance,
    Reading,
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
    deferred_levels,
    event_levels,
    grid_levels,
)

NOT_FOLLOWED = {
    "pairs": "a controller that reads correlations of pairs and rewrites weights by tables is not followed",
}
"""Forms of learning without an analysis, and the words for it."""

FEW_LSB = 8.0
"""Deferred updates: an increment of fewer weight LSBs is changed much by the one rounding of a sum."""

FEW_COUNTS = 4
"""And a counter that remembers fewer postsynaptic spikes forgets many."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """When and by how much a target changes a weight.

    Parameters
    ----------
    kind : str
        ``event``, ``periodic`` or ``deferred``.
    plus, minus : float
        Mean change of a stored weight on a presynaptic and a postsynaptic spike.
    period : int
        Steps between periodic updates.
    reading : Reading
        Of the counters.
    """

    kind: str
    plus: float
    minus: float
    period: int
    reading: Reading


def learning(synapse: Synapse, updates: Updates, most_pre: float) -> Learning:
    """Return how the weight of `synapse` changes.

    Parameters
    ----------
    synapse : Synapse
    updates : Updates
    most_pre : float
        Largest mean number of presynaptic spikes in a step.

    Raises
    ------
    OutOfScopeError
        If this cannot be followed.
    """
    if updates.kind in NOT_FOLLOWED:
        raise OutOfScopeError(NOT_FOLLOWED[updates.kind])
    plus, minus, period = updates.plus, updates.minus, updates.period
    if updates.kind == "deferred":
        return Deferred(synapse, updates)
    if updates.kind == "event" or (period == 1 and not synapse.by_sign):
        return _at_spikes(synapse, event_levels(synapse, plus, minus), plus, minus)
    if synapse.by_sign:
        return Periodic(synapse, updates)
    check_period(synapse, period, most_pre)
    if is_lossy(synapse) or period * most_pre > FEW:
        return Periodic(synapse, updates)
    return ShortPeriods(synapse, updates)


def _at_spikes(synapse: Synapse, levels: Levels, plus: float, minus: float) -> Sweep | Walk:
    return Walk(synapse, levels, plus, minus) if levels.is_coarse else Sweep(levels)


class Still:
    """A weight that nothing moves: its input is static."""

    def __init__(self, *, in_order: bool) -> None:
        self.start, self.is_rough, self.in_order = np.ones(1), False, in_order

    def flow(self, chain: MembraneChain, arriving: Arrivals) -> tuple[Flow, Balance | None]:
        """See `Learning`."""
        neuron = chain.neuron
        if isinstance(neuron, ChipNeuron) and neuron.lasting > 0.0:
            rate = lasting_rate(neuron, arriving, float(chain.nodes[0]))
        else:
            rate = static_rate(chain, arriving, in_order=self.in_order)
        return Flow(np.eye(1), 1.0, np.array([rate]), is_aligned=False), None


class Sweep:
    """Event-driven: from one spike of the neuron to the next, level by level."""

    def __init__(self, levels: Levels) -> None:
        self.levels, self.is_rough = levels, False
        # a neuron that has not spiked yet counts as one that has waited for long
        self.start = np.concatenate((np.zeros(len(levels.start)), levels.start))

    def flow(self, chain: MembraneChain, arriving: Arrivals) -> tuple[Flow, Balance | None]:
        """See `Learning`."""
        return renewal_flow(renewal(chain, arriving, self.levels)), None


class Walk:
    """Event-driven, by changes that are smaller than a level."""

    def __init__(self, synapse: Synapse, levels: Levels, plus: float, minus: float) -> None:
        self.levels, self.is_rough = levels, False
        self.changes = changes(plus, minus, is_stochastic=synapse.random_bits > 0)
        self.values = fine_levels(levels.values, plus or minus)
        self.start = spread(self.values, np.array([float(synapse.weight)]), np.ones(1))

    def flow(self, chain: MembraneChain, arriving: Arrivals) -> tuple[Flow, Balance | None]:
        """See `Learning`."""
        neuron = held(chain, arriving, self.levels.drives)
        fine = at_levels(neuron, self.levels.values, self.values)
        drift, variance = event_walk(fine, arriving.mean_plastic, self.changes)
        return slow_flow(self.values, drift, variance, fine.rates), None


class Deferred:
    """At presynaptic spikes, with one rounding for all spikes since the last one.

    The weight moves at each spike, by changes that balance where those sums do.
    """

    def __init__(self, synapse: Synapse, updates: Updates) -> None:
        self.synapse, self.plus, self.full = synapse, updates.plus, updates.reading.full
        self.like = self._like(updates.minus)
        self.start = self.like.start
        loses = not synapse.random_bits and updates.plus < FEW_LSB
        self.is_rough = loses or self.full < FEW_COUNTS

    def _like(self, minus: float) -> Sweep | Walk:
        # levels depend on `plus` alone, so that all phases share them
        levels = deferred_levels(self.synapse, self.plus, minus)
        return _at_spikes(self.synapse, levels, self.plus, minus)

    def flow(self, chain: MembraneChain, arriving: Arrivals) -> tuple[Flow, Balance | None]:
        """See `Learning`."""
        pre = arriving.mean_plastic
        if pre <= 0.0 or self.plus == 0.0:
            return self.like.flow(chain, arriving)
        neuron = held(chain, arriving, self.like.levels.drives)
        minus = change_by_post(self.synapse, neuron, pre, full=self.full, plus=self.plus)
        like = self.like if minus is None else self._like(minus)
        return like.flow(chain, arriving)


class Periodic:
    """At the end of each period, from its counts."""

    def __init__(self, synapse: Synapse, updates: Updates) -> None:
        self.synapse, self.period, self.reading = synapse, updates.period, updates.reading
        self.levels = period_levels(synapse)
        self.start = self.levels.start
        low, high = synapse.limits
        largest = max(synapse.rule.dw_plus, synapse.rule.dw_minus) / synapse.rule.unit
        self.is_rough = bool(high - low < LARGE_PARTS * largest)

    def flow(self, chain: MembraneChain, arriving: Arrivals) -> tuple[Flow, Balance | None]:
        """See `Learning`."""
        neuron = held(chain, arriving, self.levels.drives)
        if self.synapse.by_sign:
            seen = counts_of_one(self.period, neuron)
        else:
            most = FOLLOWED if is_lossy(self.synapse) else FEW
            seen = counts(self.period, arriving, neuron, most=most)
        moves = period_moves(self.synapse, self.levels.values, seen, self.reading)
        found = balance(self.synapse, self.levels.values, moves, neuron.rates, self.period)
        return Flow(moves, self.period, neuron.rates, is_aligned=True), found


class ShortPeriods:
    """Periods of few spikes, which follow one another like those of the event-driven rule.

    The counts of neighbouring periods are not independent. So the weight moves at each spike, by changes that
    balance where the periodic updates do.
    """

    def __init__(self, synapse: Synapse, updates: Updates) -> None:
        self.periodic = Periodic(synapse, updates)
        self.synapse, self.plus = synapse, updates.plus
        self.like = self._like(updates.minus)
        self.start, self.is_rough = self.like.start, self.periodic.is_rough

    def _like(self, minus: float) -> Sweep | Walk:
        # levels depend on `plus` alone, so that all phases share them
        levels = grid_levels(self.synapse, self.plus, minus)
        return _at_spikes(self.synapse, levels, self.plus, minus)

    def flow(self, chain: MembraneChain, arriving: Arrivals) -> tuple[Flow, Balance | None]:
        """See `Learning`."""
        _, found = self.periodic.flow(chain, arriving)
        if found is None or not found.rate:
            return self.like.flow(chain, arriving)[0], found
        minus = self.plus * arriving.mean_plastic / found.rate
        return self._like(minus).flow(chain, arriving)[0], found
