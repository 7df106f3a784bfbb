"""Who sends how many spikes to whom, by bound or by expectation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from neuroemu.experiment import Experiment, Poisson, Projection
from neuroemu.models.registers import Discretized


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Steps of the experiment's own grid in which a stimulus has one rate."""

    rate_hz: float
    steps: int


def stretches(experiment: Experiment, stimulus: Poisson) -> tuple[Stretch, ...]:
    """Return the stretches of `stimulus` that lie inside the experiment."""
    n_steps, rates = experiment.n_steps, stimulus.rates_hz
    if stimulus.interval_ms is None:
        return (Stretch(rate_hz=rates[0], steps=n_steps),)
    length = round(stimulus.interval_ms / experiment.time.dt_ms)
    found = []
    for i, rate in enumerate(rates):
        stop = n_steps if i == len(rates) - 1 else min(n_steps, (i + 1) * length)
        if stop > i * length:
            found.append(Stretch(rate_hz=rate, steps=stop - i * length))
    return tuple(found)


def busiest_hz(experiment: Experiment, stimulus: Poisson) -> float:
    """Return the highest rate that lies inside the experiment."""
    return max(s.rate_hz for s in stretches(experiment, stimulus))


def single_rate(experiment: Experiment, pre: str) -> float | None:
    """Return the rate of a presynaptic side that has only one."""
    stimulus = experiment.stimuli.get(pre)
    if stimulus is None:
        return None
    rates = {s.rate_hz for s in stretches(experiment, stimulus)}
    return rates.pop() if len(rates) == 1 else None


def size_of(experiment: Experiment, name: str) -> int:
    """Return how many units a stimulus or a population has."""
    units = experiment.stimuli.get(name) or experiment.populations[name]
    return units.size


def fan_in(experiment: Experiment, projection: Projection) -> int:
    """Return the most synapses that `projection` can make on one neuron."""
    return 1 if projection.connector == "one_to_one" else size_of(experiment, projection.pre)


def onto(experiment: Experiment, population: str) -> Iterator[tuple[str, Projection]]:
    """Yield the projections that end on `population`."""
    for name, projection in experiment.projections.items():
        if projection.post == population:
            yield name, projection


def spikes_at_once(d: Discretized, pre: str) -> int:
    """Return how many spikes of one unit of `pre` can be dealt with in one step."""
    table = d.target.neuron
    if pre in d.experiment.stimuli:
        return 1 if table is not None and table.merges_input else d.clock.input_steps
    return 1 if table is None else table.most_spikes


def learns(d: Discretized, name: str) -> bool:
    """Whether the weights of a projection change on the target."""
    is_plastic = d.experiment.projections[name].plasticity is not None
    return is_plastic and d.target.plasticity.update != "none"


def rows(d: Discretized) -> int:
    """Return how many presynaptic units have a plastic projection."""
    pres = {p.pre for n, p in d.experiment.projections.items() if learns(d, n)}
    return sum(size_of(d.experiment, pre) for pre in pres)


def codes(d: Discretized, name: str) -> tuple[int, int]:
    """Return the lowest and the highest weight code that a projection can hold."""
    synapse = d.synapses[name]
    return (synapse.w_min, synapse.w_max) if learns(d, name) else (synapse.weight, synapse.weight)


def at_least(k: int, n: int, p: float) -> float:
    """Return the probability of `k` or more successes in `n` trials.

    Examples
    --------
    >>> at_least(0, 5, 0.1), at_least(6, 5, 0.1), round(at_least(1, 2, 0.5), 12)
    (1.0, 0.0, 0.75)
    """
    if k <= 0:
        return 1.0
    if k > n or p <= 0.0:
        return 0.0
    if p >= 1.0:
        return 1.0
    mean, spread = n * p, math.sqrt(n * p * (1 - p))
    if k < mean - 8 * spread:
        return 1.0
    start = min(max(k, 0), n)
    log_term = (
        math.lgamma(n + 1)
        - math.lgamma(start + 1)
        - math.lgamma(n - start + 1)
        + start * math.log(p)
        + (n - start) * math.log1p(-p)
    )
    return min(1.0, _tail(start, n, p / (1 - p), math.exp(log_term), mean))


def _tail(start: int, n: int, odds: float, term: float, mean: float) -> float:
    """Sum the terms from `start` on, until what is left cannot be seen."""
    total = 0.0
    for i in range(start, n + 1):
        total += term
        if i > mean and term <= 1e-17 * total:
            break
        term *= odds * (n - i) / (i + 1)
    return total
