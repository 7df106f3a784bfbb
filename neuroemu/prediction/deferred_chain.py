"""Deferred updates: where a sum that is rounded once balances. docs/spec/prediction.md, "Weight, deferred"."""

from __future__ import annotations

import numpy as np

from neuroemu.prediction.grid import Floats
from neuroemu.prediction.held import Held
from neuroemu.prediction.weight_chain import Synapse

MOST_POST = 64
"""Postsynaptic spikes between two presynaptic ones, at most."""


def change_by_post(
    synapse: Synapse, neuron: Held, pre: float, *, full: int, plus: float
) -> float | None:
    """Return what one postsynaptic spike may take so that the weight balances where the rounded sums do.

    Where it balances nowhere inside the limits it moves as those sums do at the limit that it comes to.

    Parameters
    ----------
    synapse : Synapse
    neuron : Held
    pre : float
        Presynaptic spikes per step.
    full : int
        Postsynaptic spikes that are remembered.
    plus : float
        What a presynaptic spike then adds.

    Returns
    -------
    float or None
        In units of the weight; None if the neuron is silent there.
    """
    change = mean_changes(stored_changes(synapse, full), neuron, pre)
    levels = np.arange(len(change), dtype=np.float64)
    rising = np.flatnonzero(change > 0.0)
    at = int(rising[-1]) if rising.size else 0
    is_inside = rising.size > 0 and at + 1 < len(change)
    where = at + (change[at] / (change[at] - change[at + 1]) if is_inside else 0.0)
    rate = float(np.interp(where, levels, neuron.rates))
    left = float(np.interp(where, levels, change))
    return (plus - left) * pre / rate if rate > 0.0 else None


def stored_changes(synapse: Synapse, full: int) -> Floats:
    """Return the mean change of a weight far from its limits, by 0, 1, ... postsynaptic spikes before."""
    rule = synapse.rule
    middle = type(rule.unit)(round((rule.w_min + rule.w_max) / (2 * rule.unit)))
    found = []
    for n in range(MOST_POST + 2):
        stored = synapse.updated(middle, rule.dw_plus - min(n, full) * rule.dw_minus)
        found.append(sum(chance * (value - float(middle)) for value, chance in stored))
    return np.array(found)


def mean_changes(stored: Floats, neuron: Held, pre: float) -> Floats:
    """Return the mean of `stored` at each level: one spike may be released, others come at random.

    Parameters
    ----------
    stored : (counts,) float64
    neuron : Held
    pre : float
        Presynaptic spikes per step.
    """
    follows = np.minimum(neuron.released / pre, 1.0)
    others = np.maximum(neuron.rates - neuron.released, 0.0) / pre
    again = (others / (1.0 + others))[:, None]
    chance = (1.0 - again) * again ** np.arange(MOST_POST + 1)
    return np.asarray(
        (1.0 - follows) * (chance @ stored[:-1]) + follows * (chance @ stored[1:]), np.float64
    )
