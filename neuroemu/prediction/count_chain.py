"""How many postsynaptic spikes a period holds while the weight stays: docs/spec/prediction.md, "The rule of signs"."""

from __future__ import annotations

import numpy as np

from neuroemu.prediction.arrivals import RARE
from neuroemu.prediction.grid import Floats
from neuroemu.prediction.held import Held
from neuroemu.prediction.period_chain import Counts

LEAST_RATE = 1e-12
"""Spikes per step below which there are none."""


def counts_of_one(period: int, neuron: Held) -> Counts:
    """Return what the postsynaptic counter sees; nothing of the presynaptic one.

    Intervals between spikes have a gamma distribution of the neuron's rate and regularity, and a period begins at no
    particular moment of one.

    Parameters
    ----------
    period : int
        Steps.
    neuron : Held

    Source
    ------
    D. R. Cox, *Renewal Theory* (Methuen 1962), ch. 3: the equilibrium renewal process.
    """
    rates = np.maximum(neuron.rates, LEAST_RATE)
    mean = float(rates.max()) * period
    most = int(mean + 8.0 * mean**0.5) + 8
    below = _summed(period, 1.0 / rates, np.maximum(neuron.variance / rates, 1e-3), most)
    at_least = np.ones((len(rates), most + 1))
    at_least[:, 1:] = (below[:, :-1] - below[:, 1:]) * rates[:, None]
    chances = np.maximum(-np.diff(at_least, axis=1, append=0.0), 0.0)
    level, count = np.nonzero(chances > RARE)
    chance = chances[level, count]
    chance /= np.bincount(level, chance)[level]
    after = count.astype(np.float64)
    return Counts(level=level, pre=np.zeros(len(after)), post=after, chance=chance)


def _summed(period: int, interval: Floats, irregularity: Floats, most: int) -> Floats:
    """Return the integrals over a period of the chance that 0, 1, ... intervals are over: (levels, counts).

    Parameters
    ----------
    period : int
    interval, irregularity : (levels,) float64
        Mean steps, and their squared coefficient of variation.
    most : int
    """
    from scipy.special import gammainc  # loaded where it is needed: `check` is to start quickly

    shapes = np.arange(1, most + 1) / irregularity[:, None]
    scale = (interval * irregularity)[:, None]
    over = period * gammainc(shapes, period / scale)
    late = shapes * scale * gammainc(shapes + 1.0, period / scale)
    first = np.full((len(interval), 1), float(period))
    return np.concatenate((first, over - late), axis=1)
