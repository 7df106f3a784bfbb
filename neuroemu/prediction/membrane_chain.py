"""The membrane as a Markov chain on a grid, seen at the steps in which input comes: docs/spec/prediction.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.models.lif import LifParams
from neuroemu.numeric.ops import requantize, rounded
from neuroemu.numeric.site import Fixed
from neuroemu.prediction.grid import Floats, between, spread

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Neuron:
    """One neuron's constants and sites, and whether its membrane is an integer.

    Parameters
    ----------
    params : LifParams
    leak, input : site
        Of docs/spec/lif.md.
    is_integer : bool
    is_stochastic : bool
        Whether the leak draws random bits.
    """

    params: LifParams
    leak: Any
    input: Any
    is_integer: bool
    is_stochastic: bool

    @property
    def multiplier(self) -> float:
        """What the leak leaves of the membrane in one step, before it is rounded."""
        return 1.0 + float(self.params.leak) / float(self.params.unit)

    @property
    def dead_steps(self) -> int:
        """Steps from a spike on in which input is lost."""
        return max(int(self.params.refractory_steps), 1)

    def leaked(self, v: Any) -> Any:
        """Return the membranes `v` a step later; the mean if the leak is stochastic."""
        if self.is_stochastic or not self.is_integer:
            return v * self.multiplier
        wide = int(self.params.leak) * v + int(self.params.unit) * v
        if isinstance(self.leak, Fixed):
            return rounded(wide, self.leak, 0)  # a leak never leaves its range
        return requantize(wide, self.leak, 0)


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
    fires_from : float
        Lowest membrane that spikes in the next step, if the leak is not stochastic.
    """

    neuron: Neuron
    nodes: Floats
    below: NDArray[np.intp]
    part: Floats
    fires_from: float

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
        wide = self.nodes[None, :] + drive[:, None]
        if not self.neuron.is_integer:
            return self._landed(wide)
        # a mean drive stands for the two codes beside it
        low = np.floor(wide)
        part = wide - low
        moved, spikes = self._landed(low)
        if part.any():
            above_moved, above_spikes = self._landed(low + 1.0)
            moved = moved * (1.0 - part)[:, :, None] + above_moved * part[:, :, None]
            spikes = spikes * (1.0 - part) + above_spikes * part
        return moved, spikes

    def _landed(self, wide: Floats) -> tuple[Floats, Floats]:
        """Return where membranes (drives, nodes) after input go on, and the chance of a spike."""
        n = len(self.nodes)
        after = self._received(wide)
        spikes = self.fires(after)
        below, part = between(self.nodes, after)
        moved = np.zeros((len(wide), n, n))
        d, i = np.arange(len(wide))[:, None], np.arange(n)[None, :]
        stays = 1.0 - spikes
        moved[d, i, below] += stays * (1.0 - part)
        moved[d, i, below + 1] += stays * part
        return moved, spikes

    def _received(self, wide: Floats) -> Floats:
        site = self.neuron.input
        if not self.neuron.is_integer:
            return wide
        out = (wide < site.lo) | (wide > site.hi)
        if out.any():
            wide = wide.copy()
            wide[out] = [requantize(int(x), site, 0) for x in wide[out]]
        return wide

    def fires(self, v: Floats) -> Floats:
        """Return the chance of a spike in the step after the membrane was at `v`."""
        if self.neuron.is_stochastic:
            leaked, threshold = v * self.neuron.multiplier, float(self.neuron.params.threshold)
            return np.asarray(np.minimum(np.maximum(leaked - threshold, 0.0), 1.0))
        return np.asarray(v >= self.fires_from, np.float64)


def membrane_chain(neuron: Neuron, lowest: float) -> MembraneChain:
    """Return the chain of a neuron whose membrane does not fall below `lowest`."""
    threshold = _fires_from(neuron)
    if neuron.is_stochastic or np.isinf(threshold):
        top = float(neuron.params.threshold)
    else:
        top = threshold - 1.0 if neuron.is_integer else float(np.nextafter(threshold, -np.inf))
    nodes = _nodes(neuron, lowest, top)
    exact = neuron.is_integer and len(nodes) == round(nodes[-1] - nodes[0]) + 1
    paths = _paths(neuron, nodes, 1 if exact and neuron.is_stochastic else LONGEST)
    below, part = between(nodes, paths)
    return MembraneChain(neuron=neuron, nodes=nodes, below=below, part=part, fires_from=threshold)


def _fires_from(neuron: Neuron) -> float:
    """Return the lowest membrane that spikes in the next step."""
    threshold = neuron.params.threshold
    if not neuron.is_integer or neuron.is_stochastic:
        return float(np.nextafter(threshold / neuron.multiplier, np.inf))
    if neuron.multiplier == 0.0:
        return float("inf")
    low, high = int(threshold), int(threshold) + 1
    while neuron.leaked(high) <= threshold:
        low, high = high, 2 * high - int(threshold)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if neuron.leaked(middle) > threshold else (middle, high)
    return float(high)


def _nodes(neuron: Neuron, lowest: float, top: float) -> Floats:
    lowest = min(lowest, float(neuron.params.reset), 0.0)
    if neuron.is_integer and top - lowest < EXACT_CODES:
        return np.arange(np.floor(lowest), top + 1.0)
    # denser about rest, where a leaking membrane spends its time
    below = max(int(GRID_NODES * lowest / (lowest - top)), 4 if lowest < 0 else 0)
    above = GRID_NODES - below
    nodes = np.concatenate(
        (
            lowest * np.linspace(1.0, 0.0, below + 1)[:-1] ** 1.5,
            top * np.linspace(0, 1, above) ** 1.5,
        )
    )
    # a membrane that has just been reset is all in one place, so its first steps have nodes too
    after_reset = float(neuron.params.reset) * neuron.multiplier ** np.array(FIRST_STEPS)
    nodes = np.append(nodes, after_reset)
    return np.unique(np.round(nodes) if neuron.is_integer else nodes)


def _paths(neuron: Neuron, nodes: Floats, longest: int) -> Floats:
    a = neuron.multiplier
    steps = 1 if a <= SETTLED else int(np.log(SETTLED) / np.log(a)) + 1 if a < 1 else 1
    steps = min(steps, longest)
    if neuron.is_stochastic or not neuron.is_integer:
        return np.asarray(nodes * a ** np.arange(1, steps + 1)[:, None])
    v = nodes.astype(np.int64)
    paths = np.empty((steps, len(nodes)))
    for k in range(steps):
        v = neuron.leaked(v)
        paths[k] = v
    return paths
