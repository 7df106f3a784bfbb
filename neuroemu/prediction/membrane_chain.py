"""The membrane as a Markov chain on a grid, seen at the steps in which input comes: docs/spec/prediction.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroemu.prediction.grid import Floats, between, spread
from neuroemu.prediction.neuron import Neuron

GRID_NODES = 56
"""Nodes where the membrane is finer than the grid."""

FIRST_STEPS = (0, 1, 2, 3, 5, 8, 13, 21)
"""Steps after a reset for which the membrane then has a node of its own."""

EXACT_CODES = 96
"""Up to so many codes below threshold each is a node."""

SETTLED = 1e-3
"""A membrane that has leaked to this part of where it started counts as at rest."""

LONGEST = 4000
"""Steps for which a leak is followed."""


Outcome = Callable[[Floats], tuple[Floats, Floats]]
"""From membranes (drives, nodes) to chances (drives, nodes, nodes), and what their spikes are (drives, nodes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MembraneChain:
    """Membranes that have just received input and will not spike in the next step.

    Parameters
    ----------
    neuron : Neuron
    nodes : (nodes,) float64, unit of the membrane
        Ascending.
    below : (steps, nodes) int
        Node below which a membrane is 1, 2, ... steps after it was at a node.
    part : (steps, nodes) float64
        The part that belongs to the node above that.
    """

    neuron: Neuron
    nodes: Floats
    below: NDArray[np.intp]
    part: Floats

    @property
    def start(self) -> Floats:
        """The distribution over nodes after a spike."""
        return self.at(self.neuron.start)

    def at(self, v: float) -> Floats:
        """Return the distribution over nodes that stands for the membrane `v`."""
        return spread(self.nodes, np.array([v]), np.ones(1))

    def waiting(self, q: float) -> tuple[Floats, Floats]:
        """Return the chances of node to node until the step of the next input, it not included.

        Parameters
        ----------
        q : float
            Chance of input in a step.

        Returns
        -------
        chances : (nodes, nodes) float64
        steps : (nodes, nodes) float64
            The chances times the mean steps that each takes.
        """
        steps, n = self.part.shape
        if self.neuron.is_stochastic and steps == 1:
            one = self._moved(np.ones(1))
            still = np.linalg.inv(np.eye(n) - (1.0 - q) * one)
            chances = q * (still @ one)
            return chances, chances @ still
        count = np.arange(1, steps + 1)
        weight = q * (1.0 - q) ** (count - 1.0)
        long = weight * count
        weight[-1] += 1.0 - weight.sum()
        long[-1] += 1.0 / q - long.sum()
        return self._moved(weight), self._moved(long)

    def _moved(self, weight: Floats) -> Floats:
        """Return the chances of node to node after a number of steps drawn with `weight`."""
        n = len(self.nodes)
        cell = (np.arange(n) * n + self.below).ravel()
        above = (weight[:, None] * self.part).ravel()
        here = np.repeat(weight, n) - above
        matrix = np.bincount(cell, here, minlength=n * n)
        matrix = matrix + np.bincount(cell + 1, above, minlength=n * n)
        return np.asarray(matrix.reshape(n, n), np.float64)

    def jumps(self, drive: Floats) -> tuple[Floats, Floats]:
        """Return what input does to a membrane that has leaked.

        Parameters
        ----------
        drive : (drives,) float64

        Returns
        -------
        moved : (drives, nodes, nodes) float64
            Chances of node to node where no spike follows.
        spikes : (drives, nodes) float64
            Chance that a spike follows.
        """
        return self._mixed(drive, self._landed)

    def outcomes(self, drive: Floats) -> tuple[Floats, Floats]:
        """Return what input does to a membrane that has leaked, with where it starts anew if it spikes.

        Parameters
        ----------
        drive : (drives,) float64

        Returns
        -------
        moved : (drives, nodes, nodes) float64
            Chances of node to node.
        spikes : (drives, nodes) float64
            Mean number of spikes on the way.
        """
        return self._mixed(drive, self._started_anew)

    def _mixed(self, drive: Floats, outcome: Outcome) -> tuple[Floats, Floats]:
        """Return the outcome of input; a mean drive stands for the two codes beside it."""
        wide = self.nodes[None, :] + drive[:, None]
        if not self.neuron.is_integer:
            return outcome(wide)
        low = np.floor(wide)
        part = wide - low
        moved, spikes = outcome(low)
        if part.any():
            above_moved, above_spikes = outcome(low + 1.0)
            moved = moved * (1.0 - part)[:, :, None] + above_moved * part[:, :, None]
            spikes = spikes * (1.0 - part) + above_spikes * part
        return moved, spikes

    def _landed(self, wide: Floats) -> tuple[Floats, Floats]:
        """Return where membranes (drives, nodes) after input go on, and the chance of a spike."""
        after = self.neuron.received(wide)
        spikes = self.neuron.fires(after)
        return self._spread(after, 1.0 - spikes), spikes

    def _started_anew(self, wide: Floats) -> tuple[Floats, Floats]:
        """Return the same where a spike leads back to the nodes, and how many spikes there are."""
        after = self.neuron.received(wide)
        fires = self.neuron.fires(after)
        count, starts = self.neuron.restarts(after)
        moved = self._spread(after, 1.0 - fires) + self._spread(starts, fires)
        return moved, fires * count

    def _spread(self, v: Floats, chance: Floats) -> Floats:
        """Return membranes (drives, nodes) as distributions over nodes, times their chance."""
        below, part = between(self.nodes, v)
        matrix = np.zeros((*v.shape, len(self.nodes)))
        d, i = np.arange(v.shape[0])[:, None], np.arange(v.shape[1])[None, :]
        matrix[d, i, below] += chance * (1.0 - part)
        matrix[d, i, below + 1] += chance * part
        return matrix


def membrane_chain(neuron: Neuron, lowest: float) -> MembraneChain:
    """Return the chain of a neuron whose membrane does not fall below `lowest`."""
    nodes = _nodes(neuron, lowest)
    exact = neuron.is_integer and len(nodes) == round(nodes[-1] - nodes[0]) + 1
    paths = _paths(neuron, nodes, 1 if exact and neuron.is_stochastic else LONGEST)
    below, part = between(nodes, paths)
    return MembraneChain(neuron=neuron, nodes=nodes, below=below, part=part)


def _nodes(neuron: Neuron, lowest: float) -> Floats:
    rest, top = neuron.rest, neuron.top
    lowest = min(lowest, neuron.start, rest)
    if neuron.is_integer and top - lowest < EXACT_CODES:
        return np.arange(np.floor(lowest), top + 1.0)
    # denser about rest, where a leaking membrane spends its time
    under, over = lowest - rest, top - rest
    below = max(int(GRID_NODES * under / (under - over)), 4 if under < 0 else 0)
    above = GRID_NODES - below
    nodes = np.concatenate(
        (
            rest + under * np.linspace(1.0, 0.0, below + 1)[:-1] ** 1.5,
            rest + over * np.linspace(0, 1, above) ** 1.5,
        )
    )
    # a membrane that has just been reset is all in one place, so its first steps have nodes too
    after_reset = _paths(neuron, np.array([neuron.start]), max(FIRST_STEPS))[:, 0]
    last = len(after_reset)
    first = [after_reset[min(k, last) - 1] for k in FIRST_STEPS if k > 0]
    nodes = np.append(nodes, [neuron.start, *first])
    return np.unique(np.round(nodes) if neuron.is_integer else nodes)


def _paths(neuron: Neuron, nodes: Floats, longest: int) -> Floats:
    """Return the membranes (steps, nodes) 1, 2, ... steps later, until they are at rest."""
    a = neuron.multiplier
    settled = 1 if a <= SETTLED else int(np.log(SETTLED) / np.log(a)) + 1 if a < 1.0 else longest
    in_codes = neuron.is_integer and not neuron.is_stochastic
    v = np.round(nodes).astype(np.int64) if in_codes else nodes
    paths: list[Floats] = []
    while len(paths) < min(settled, longest):
        before, v = v, neuron.leaked(v)
        paths.append(np.asarray(v, np.float64))
        if (v == before).all():
            break
    return np.array(paths)
