"""A neuron behind a current that lasts, its weights held: docs/spec/prediction.md, "A chip's own step"."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroemu.prediction.arrivals import Arrivals
from neuroemu.prediction.chip_neuron import ChipNeuron
from neuroemu.prediction.grid import Floats, between, spread

MEMBRANES = 192
"""Nodes of the membrane, equally spaced, where it has more codes."""

HALVINGS = 12
"""Down to this many halvings of the largest current there are nodes."""

OFTEN = 1e-6
"""Sums of input that come with a smaller chance in a step are left out."""

SETTLED = 1e-9
"""Relative change of the rate at which it counts as that of the long run."""

LONGEST = 5_000
"""Steps after which the chain has settled in any case."""


def lasting_rate(neuron: ChipNeuron, arriving: Arrivals, lowest: float) -> float:
    """Return the spikes per step in the long run.

    In each step the current decays, joins the membrane that has leaked, and input joins it.

    Parameters
    ----------
    neuron : ChipNeuron
        Without a refractory counter.
    arriving : Arrivals
        With drives in units of the current.
    lowest : float
        Membrane below which it does not fall.
    """
    if arriving.any_event <= 0.0:
        return 0.0
    jumps, chances = arriving.static
    jumps, chances = jumps[chances > OFTEN], chances[chances > OFTEN]
    v, x = _membranes(neuron, lowest), _currents(neuron, jumps)
    turns = np.array([spread(x, neuron.current_after(x[c], jumps), chances) for c in range(len(x))])
    turns /= turns.sum(axis=1, keepdims=True)
    after = neuron.received(neuron.leaked(v.astype(np.int64))[:, None] + x[None, :] * neuron.force)
    fires = neuron.fires(after) > 0.0
    counts, starts = neuron.restarts(after)
    below, part = between(v, np.where(fires, starts, after))
    one = np.ones(1)
    rest, none = spread(v, np.array([neuron.rest]), one), spread(x, np.zeros(1), one)
    state: Floats = rest[:, None] * none[None, :]
    made, rate = np.where(fires, counts, 0.0), 0.0
    for _ in range(LONGEST):
        before, rate = rate, float((state * made).sum())
        if before > 0.0 and abs(rate - before) <= SETTLED * rate:
            break
        state = _landed(state, below, part) @ turns
    return rate


def _landed(state: Floats, below: NDArray[np.intp], part: Floats) -> Floats:
    """Return the distribution (membranes, currents) when each membrane has come to where it goes."""
    rows, columns = state.shape
    cell = below * columns + np.arange(columns)
    above = (state * part).ravel()
    landed = np.bincount(cell.ravel(), state.ravel() - above, minlength=rows * columns)
    landed += np.bincount((cell + columns).ravel(), above, minlength=rows * columns)
    return np.asarray(landed.reshape(rows, columns), np.float64)


def _membranes(neuron: ChipNeuron, lowest: float) -> Floats:
    lowest = min(lowest, neuron.start, neuron.rest)
    count = int(min(neuron.top - lowest + 1.0, MEMBRANES))
    nodes = np.append(np.linspace(lowest, neuron.top, count), neuron.rest)
    return np.unique(np.round(nodes))


def _currents(neuron: ChipNeuron, jumps: Floats) -> Floats:
    """Return nodes on which the current that one input leaves decays, and others up to where many lead."""
    way = [0.0]
    for jump in jumps[np.abs(jumps) > 0.0]:
        x = neuron.current_after(np.zeros(1), np.array([jump]))
        for _ in range(HALVINGS):
            way.append(float(x[0]))
            x = neuron.current_after(x, np.zeros(1))
    most = np.array([min(way), max(way)]) / max(1.0 - neuron.lasting, 1e-3)
    return np.unique(np.append(way, np.outer(most, 0.5 ** np.arange(0.0, HALVINGS, 0.5))))
