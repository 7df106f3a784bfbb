"""One stretch of the observed run: what every spike brought, to whom, and what the weights were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.engine.bundles import PRE_START, PRE_STOP, ROW_START, SLOT_START, SYN_START, Wiring

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Weights:
    """The plastic weights of a stretch, as changes.

    Parameters
    ----------
    before : (trials, slots) float64
        At its start.
    changes : (changes, 3) int
        Step from the start of the stretch, slot, trial.
    values : (changes,) float64
        After these changes.
    n_steps : int
        Length of the stretch.
    """

    def __init__(self, before: Floats, changes: Ints, values: Floats, n_steps: int) -> None:
        self.slots = before.shape[1]
        self.span = n_steps + 2
        step, slot, trial = changes.T.astype(np.int64)
        lanes = np.arange(before.size, dtype=np.int64)
        keys = np.concatenate((lanes, trial * self.slots + slot)) * self.span
        keys[lanes.size :] += step + 1
        order = np.argsort(keys, kind="stable")
        self.keys, self.values = keys[order], np.concatenate((before.ravel(), values))[order]

    def at_start_of(self, step: Ints, slot: Ints, trial: Ints) -> Floats:
        """Return weights as they were when a step began."""
        keys = (trial * self.slots + slot) * self.span + step
        found: Floats = self.values[np.searchsorted(self.keys, keys, side="right") - 1]
        return found

    def lasting(self) -> tuple[Floats, Ints]:
        """Return each value, and after how many steps of the stretch a weight had it."""
        lane, begin = np.divmod(self.keys, self.span)
        is_last = np.append(lane[1:] != lane[:-1], True)[: lane.size]
        end = np.where(is_last, (lane + 1) * self.span - 1, np.roll(self.keys, -1))
        return self.values, end - self.keys - (begin == 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Spikes that reach synapses, in the order in which a step takes them.

    Parameters
    ----------
    step, trial, neuron, projection : (arrivals,) int64
        `step` from the start of the stretch; `neuron` is the postsynaptic one.
    slot : (arrivals,) int64
        Plastic synapse, or -1.
    weight : (arrivals,) float64
        As it was delivered.
    """

    step: Ints
    trial: Ints
    neuron: Ints
    projection: Ints
    slot: Ints
    weight: Floats


def arrivals(
    events: Ints, wiring: Wiring, weights: Weights, rules: Any, *, event_driven: bool
) -> Arrivals:
    """Return what each spike of a stretch delivers.

    Parameters
    ----------
    events : (spikes, 3) int64
        Step, unit, trial of sources and neurons; sorted by step, then unit.
    wiring : Wiring
    weights : Weights
    rules : HomeostasisParams of (projections,) arrays
    event_driven : bool
        Whether a weight changes between two spikes of one step.
    """
    pieces = [np.empty((6, 0), np.int64)]
    step, unit, trial = events.T
    for p, row in enumerate(wiring.projections):
        met = (unit >= row[PRE_START]) & (unit < row[PRE_STOP])
        rows = row[ROW_START] + unit[met] - row[PRE_START]
        begin = wiring.indptr[rows]
        sizes = wiring.indptr[rows + 1] - begin
        inside = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        synapse = np.repeat(begin, sizes) + inside
        is_plastic = row[SLOT_START] >= 0
        slot = row[SLOT_START] + synapse - row[SYN_START] if is_plastic else 0 * synapse - 1
        neuron = wiring.target[synapse].astype(np.int64)
        columns = (np.repeat(step[met], sizes), np.repeat(trial[met], sizes), neuron)
        pieces.append(np.stack((*columns, np.full_like(synapse, p), slot, synapse)))
    found = np.concatenate(pieces, axis=1)
    # what a neuron takes in a step lies together, in the engine's order
    found = found[:, np.lexsort((found[2], found[1], found[0]))]
    step, trial, neuron, projection, slot, synapse = found
    weight = np.asarray(wiring.weight[synapse], np.float64)
    plastic = np.flatnonzero(slot >= 0)
    at, who, where = step[plastic], trial[plastic], slot[plastic]
    weight[plastic] = weights.at_start_of(at, where, who)
    if event_driven:
        earlier = _earlier(((who * weights.slots + where) * weights.span) + at)
        p = projection[plastic]
        raised = np.minimum(weight[plastic] + earlier * rules.dw_plus[p], rules.w_max[p])
        weight[plastic] = np.where(earlier > 0, raised, weight[plastic])
    return Arrivals(
        step=step, trial=trial, neuron=neuron, projection=projection, slot=slot, weight=weight
    )


def _earlier(keys: Ints) -> Ints:
    """Return for each entry how many equal ones stand before it."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    ranks = np.empty(keys.size, np.int64)
    ranks[order] = np.arange(keys.size) - starts
    return ranks


def sums_in_order(a: Arrivals, start: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the running sum of the weights within each neuron's step, and which entries end one.

    The sum begins at the entry's own `start` and goes on in the engine's order, so that it is the same in every bit.
    """
    if start.size == 0:
        return start, np.zeros(0, np.bool_)
    same = (
        (a.step[1:] == a.step[:-1])
        & (a.trial[1:] == a.trial[:-1])
        & (a.neuron[1:] == a.neuron[:-1])
    )
    first = np.append(True, ~same)
    begins = np.flatnonzero(first)
    rank = np.arange(start.size) - np.repeat(begins, np.diff(np.append(begins, start.size)))
    order = np.argsort(rank, kind="stable")
    total = start + a.weight
    for entries in np.split(order, np.cumsum(np.bincount(rank))[:-1])[1:]:
        total[entries] = total[entries - 1] + a.weight[entries]
    return total, np.append(first[1:], True)
