"""What reaches one neuron in a step, as probabilities: the input side of docs/spec/prediction.md."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from neuroemu.experiment import Experiment, Projection

RARE = 1e-9
"""Combinations of input spikes in one step that are rarer than this are left out."""


class OutOfScopeError(Exception):
    """The analysis does not cover this; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Afferents:
    """The projections onto one neuron of a population, and how many synapses each gives it.

    Parameters
    ----------
    static : dict of str to int
        Projections without a rule.
    plastic : str or None
        The one projection with a rule, of one synapse.
    """

    static: dict[str, int]
    plastic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What comes in one step while all rates stand still.

    Parameters
    ----------
    static : (jumps,) float64, (jumps,) float64
        Summed static drive, and how probable it is; the jump 0 is first.
    plastic : (counts,) float64
        Probability of 0, 1, ... spikes at the plastic synapse.
    orders : tuple of tuple of float
        The static drives that make up each jump, in the order in which they come.
    """

    static: tuple[NDArray[np.float64], NDArray[np.float64]]
    plastic: NDArray[np.float64]
    orders: tuple[tuple[float, ...], ...] = ()

    @property
    def any_event(self) -> float:
        """Probability that something comes."""
        return 1.0 - float(self.static[1][0] * self.plastic[0])

    @property
    def mean_plastic(self) -> float:
        """Mean number of spikes at the plastic synapse."""
        return float(self.plastic @ np.arange(len(self.plastic)))


def afferents(experiment: Experiment, population: str) -> Afferents:
    """Return what projects onto `population`.

    Raises
    ------
    OutOfScopeError
        If something does that the analysis does not cover.
    """
    static: dict[str, int] = {}
    plastic = None
    for name, projection in experiment.projections.items():
        if projection.post != population:
            continue
        degree = _in_degree(experiment, name, projection)
        if projection.plasticity is None:
            static[name] = degree
            continue
        if plastic is not None:
            raise OutOfScopeError(f"{population} has more than one plastic projection")
        if degree != 1:
            raise OutOfScopeError(
                f"a neuron of {population} has {degree} plastic synapses in {name}; "
                "only one can be followed"
            )
        plastic = name
    return Afferents(static=static, plastic=plastic)


def _in_degree(experiment: Experiment, name: str, projection: Projection) -> int:
    stimulus = experiment.stimuli.get(projection.pre)
    if stimulus is None:
        raise OutOfScopeError(f"{name} comes from neurons: their spikes are not independent")
    if projection.connector == "fixed_probability":
        raise OutOfScopeError(f"{name} gives each neuron another number of synapses")
    return 1 if projection.connector == "one_to_one" else stimulus.size


def arrivals(
    inputs: Afferents,
    drives: dict[str, float],
    probabilities: dict[str, float],
    draws: int,
    *,
    merges: bool = False,
) -> Arrivals:
    """Return what one step brings.

    Parameters
    ----------
    inputs : Afferents
    drives : dict of str to float
        What one spike of each static projection adds to the membrane, in its unit.
    probabilities : dict of str to float
        Chance of a spike of one source of each projection in one step of the experiment's grid.
    draws : int
        Steps of that grid in one step of the target.
    merges : bool
        Whether several spikes of one source in one step of the target are one.
    """
    if merges:
        probabilities = {name: 1.0 - (1.0 - p) ** draws for name, p in probabilities.items()}
        draws = 1
    counts = {
        name: binomial(draws * degree, probabilities[name])
        for name, degree in inputs.static.items()
    }
    found: dict[tuple[float, ...], float] = {(): 0.0}
    for combination in product(*(range(len(c)) for c in counts.values())):
        chance = float(np.prod([c[k] for c, k in zip(counts.values(), combination, strict=True)]))
        if chance > RARE:
            pairs = zip(counts, combination, strict=True)
            order = tuple(drives[name] for name, k in pairs for _ in range(k) if drives[name])
            found[order] = found.get(order, 0.0) + chance
    plastic = np.ones(1)
    if inputs.plastic is not None:
        plastic = binomial(draws, probabilities[inputs.plastic])
    chances = np.array(list(found.values()))
    jumps = np.array([sum(order) for order in found], np.float64)
    return Arrivals(static=(jumps, chances / chances.sum()), plastic=plastic, orders=tuple(found))


def binomial(n: int, p: float) -> NDArray[np.float64]:
    """Return the probabilities of 0, 1, ... successes, as far as they are not rare.

    Examples
    --------
    >>> binomial(2, 0.5)
    array([0.25, 0.5 , 0.25])
    """
    if p <= 0.0 or p >= 1.0:
        return np.array([1.0]) if p <= 0.0 else np.eye(n + 1)[n]
    mean = n * p
    most = min(n, int(mean + 8.0 * (mean * (1.0 - p)) ** 0.5) + 12)
    k = np.arange(most)
    steps = np.log((n - k) / (k + 1.0)) + np.log(p / (1.0 - p))
    logs = n * np.log1p(-p) + np.concatenate(([0.0], np.cumsum(steps)))
    chances = np.exp(logs)
    likely = np.flatnonzero((chances > RARE) | (np.arange(most + 1) <= mean))
    kept: NDArray[np.float64] = chances[: likely[-1] + 1]
    return np.asarray(kept / kept.sum())
