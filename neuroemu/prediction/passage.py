"""From one spike of the neuron to the next, with the weight on its levels: docs/spec/prediction.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroemu.prediction.arrivals import Arrivals, binomial
from neuroemu.prediction.grid import Floats
from neuroemu.prediction.held import GIVES_UP, plastic_input, static_input, still_waiting
from neuroemu.prediction.membrane_chain import MembraneChain
from neuroemu.prediction.weight_chain import Levels

PATIENCE = 8
"""Levels that a weight may rise without a spike before the neuron's state is taken up anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A chain over the moments at which the neuron's state is known.

    The first half of the states follows a spike, one for each level of the weight; the second half has waited
    for long.

    Parameters
    ----------
    moves : (states, states) float64
        Chances of the next state.
    steps : (states,) float64
        Mean steps until then.
    spikes : (states,) float64
        Chance that a spike is what ends them.
    """

    moves: Floats
    steps: Floats
    spikes: Floats


def renewal(chain: MembraneChain, arriving: Arrivals, levels: Levels) -> Renewal:
    """Return the chain from one spike to the next while input rates stand still."""
    size = len(levels.values)
    if arriving.any_event <= 0.0:
        moves = np.eye(2 * size)
        return Renewal(moves=moves, steps=np.ones(2 * size), spikes=np.zeros(2 * size))
    sweep = _Sweep(chain, arriving, levels)
    for level in range(size):
        sweep.visit(level)
    dead = chain.neuron.dead_steps
    first, later = min(dead, 1), max(dead - 1, 0)  # of the spike's own step, before it is learned
    learned = _raised(arriving, levels, first) @ levels.down @ _raised(arriving, levels, later)
    spikes = sweep.spiked.sum(axis=1)
    return Renewal(
        moves=np.hstack((sweep.spiked @ learned, sweep.gave_up)),
        steps=sweep.visits / sweep.given.q + dead * spikes,
        spikes=spikes,
    )


def _raised(arriving: Arrivals, levels: Levels, steps: int) -> Floats:
    """Return what the plastic spikes of some steps do to the level, lost to the membrane or not."""
    size = len(levels.values)
    mean = arriving.mean_plastic
    total, power = np.zeros((size, size)), np.eye(size)
    for chance in binomial(steps * max(len(arriving.plastic) - 1, 1), _each(arriving, mean)):
        total += chance * power
        power = power @ levels.up
    return total


def _each(arriving: Arrivals, mean: float) -> float:
    return mean / max(len(arriving.plastic) - 1, 1)


class _Sweep:
    """Follows every start up the levels, which presynaptic spikes never lower."""

    def __init__(self, chain: MembraneChain, arriving: Arrivals, levels: Levels) -> None:
        self.levels = levels
        self.reset, self.rest = chain.start, chain.at(chain.neuron.rest)
        self.given = static_input(chain, arriving)
        counts = range(1, len(arriving.plastic))
        self.plastic = [plastic_input(chain, arriving, levels.drives, c) for c in counts]
        self.ups = [levels.up]
        for _ in counts[1:]:
            self.ups.append(self.ups[-1] @ levels.up)
        size, n = len(levels.values), len(chain.nodes)
        self.patience = max(PATIENCE, 4 * _largest_rise(levels))
        self.staying = self.given.waiting @ self.given.static_moved
        self.inverse = np.asarray(np.linalg.inv(still_waiting(self.staying)))
        self.coming = np.zeros((size, 2, size, n))  # at a level, from a state of each kind
        self.taken_up = np.zeros((size, n))
        self.visits = np.zeros(2 * size)
        self.spiked = np.zeros((2 * size, size))
        self.gave_up = np.zeros((2 * size, size))

    def visit(self, level: int) -> None:
        """Take all that has come to `level` on: to a spike, to a higher level, or to a new start."""
        self._begin(level)
        size = len(self.levels.values)
        first = max(level - self.patience + 1, 0)
        here = self.coming[level, :, first : level + 1]
        states = np.concatenate((np.arange(first, level + 1), np.arange(first, level + 1) + size))
        visits = here.reshape(len(states), -1) @ self._resolvent(level)
        self.visits[states] += visits.sum(axis=1)
        waited = visits @ self.given.waiting
        self.spiked[states, level] += waited @ self.given.static_spikes
        for (moved, spikes), up in zip(self.plastic, self.ups, strict=True):
            self.spiked[states] += (waited @ spikes[level])[:, None] * up[level]
            rising = (waited @ moved[level]).reshape(2, level + 1 - first, -1)
            for above in np.flatnonzero(up[level]):
                if above > level:
                    self._rise(first, level, int(above), rising * up[level, above])

    def _begin(self, level: int) -> None:
        self.coming[level, 0, level] += self.reset
        known = self.taken_up[level].sum()
        waiting = self.rest if known < GIVES_UP else self.taken_up[level] / known
        self.coming[level, 1, level] += waiting

    def _resolvent(self, level: int) -> Floats:
        """Return the expected visits of each node while the weight stays at `level`."""
        staying = self.staying
        for (moved, _), up in zip(self.plastic, self.ups, strict=True):
            if up[level, level] > 0.0:
                staying = staying + up[level, level] * (self.given.waiting @ moved[level])
        if staying is self.staying:
            return self.inverse
        return np.asarray(np.linalg.inv(still_waiting(staying)))

    def _rise(self, first: int, level: int, above: int, rising: Floats) -> None:
        """Hand on what rose to `above`; starts that it has left too far behind begin anew."""
        size = len(self.levels.values)
        oldest = max(above - self.patience + 1, 0)
        kept = max(oldest - first, 0)
        self.coming[above, :, first + kept : level + 1] += rising[:, kept:]
        if kept:
            gone = rising[:, :kept]
            self.taken_up[above] += gone.sum(axis=(0, 1))
            self.gave_up[first : first + kept, above] += gone[0].sum(axis=1)
            self.gave_up[size + first : size + first + kept, above] += gone[1].sum(axis=1)


def _largest_rise(levels: Levels) -> int:
    above = [int(np.flatnonzero(row)[-1]) - i for i, row in enumerate(levels.up)]
    return max(above)
