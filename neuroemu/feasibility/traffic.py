"""Who sends how much to whom: spikes, synapses and what they deliver, by bound or by expectation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from neuroemu.experiment import Experiment, Poisson, Projection
from neuroemu.models.registers import Discretized
from neuroemu.numeric.ops import requantize, rounded
from neuroemu.numeric.site import WORD_BITS

LARGEST_WORD = 2**WORD_BITS - 1


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
    """Return how often one unit of `pre` can spike in one step."""
    return d.clock.input_steps if pre in d.experiment.stimuli else 1


def learns(d: Discretized, name: str) -> bool:
    """Whether the weights of a projection change on the target."""
    is_plastic = d.experiment.projections[name].plasticity is not None
    return is_plastic and d.target.plasticity.update != "none"


def codes(d: Discretized, name: str) -> tuple[int, int]:
    """Return the lowest and the highest weight code that a projection can hold."""
    synapse = d.synapses[name]
    return (synapse.w_min, synapse.w_max) if learns(d, name) else (synapse.weight, synapse.weight)


def delivered(d: Discretized, name: str, code: int, word: int = 0) -> Fraction:
    """Return what a spike adds to the membrane, in biological units, for one random word."""
    synapse = d.synapses[name]
    if d.membrane_lsb is None:
        return code * synapse.lsb
    site = d.sites["drive"].as_fixed()
    return int(requantize(code * synapse.gain, site, word)) * d.membrane_lsb


def mean_delivered(d: Discretized, name: str, code: int) -> Fraction:
    """Return what a spike adds on average; differs from one word only where the drive is stochastic."""
    if d.membrane_lsb is None or not d.sites["drive"].is_stochastic:
        return delivered(d, name, code)
    site = d.sites["drive"]
    exact = Fraction(code * d.synapses[name].gain, 2**site.shift)
    return min(max(exact, Fraction(site.lo)), Fraction(site.hi)) * d.membrane_lsb


def drive_range(d: Discretized, name: str) -> tuple[Fraction, Fraction]:
    """Return the least and the most that one spike can add, over all codes and words, biological units.

    Where a code in between may wrap at the site ``drive`` it is the whole register.
    """
    if d.membrane_lsb is not None and d.sites["drive"].overflow == "wrap":
        site, gain = d.sites["drive"], d.synapses[name].gain
        ends = [
            rounded(c * gain, site.as_fixed(), w) for c in codes(d, name) for w in (0, LARGEST_WORD)
        ]
        if learns(d, name) and not site.lo <= min(ends) <= max(ends) <= site.hi:
            return site.lo * d.membrane_lsb, site.hi * d.membrane_lsb
    values = [delivered(d, name, c, w) for c in codes(d, name) for w in (0, LARGEST_WORD)]
    return min(values), max(values)


def excites(d: Discretized, name: str) -> bool:
    """Whether a spike of a projection can raise the membrane."""
    return drive_range(d, name)[1] > 0


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
