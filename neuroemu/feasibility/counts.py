"""What spike counters meet in a period of learning: docs/spec/feasibility.md, "Learning"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from neuroemu.feasibility.delivery import excites
from neuroemu.feasibility.findings import RARE, Finding
from neuroemu.feasibility.learning import period_s
from neuroemu.feasibility.traffic import at_least, busiest_hz, fan_in, onto, stretches
from neuroemu.models.registers import Discretized

MANY = 10**9
"""Trials of the binomial that stands for a Poisson number of spikes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What one spike counter meets in a period.

    Parameters
    ----------
    unit : str
        Stimulus or population.
    expected, most : float or None, int
        Spikes in a period: in the busiest stretch (of a population: at the set point), and at worst.
    limit : int
        The count from which the counter overflows.
    overflow : float or None
        Probability of an overflow in a period, at that expectation. None if unknown.
    bound : float or None
        Bound of that probability. None if unknown.
    overflows : float or None
        Expected number of overflows in the whole run, over all units. None if unknown.
    """

    unit: str
    expected: float | None
    most: int
    limit: int
    overflow: float | None
    bound: float | None
    overflows: float | None


def counts_of(d: Discretized, unit: str, limit: int, set_point_hz: float | None) -> Counts:
    """Return what the counter of `unit` meets.

    Parameters
    ----------
    unit : str
        Stimulus or population.
    limit : int
        The count that overflows.
    set_point_hz : float or None
        Rate at which the rule balances, of a population.
    """
    stimulus = d.experiment.stimuli.get(unit)
    steps = d.clock.period_steps
    if stimulus is None:
        return _neuron_counts(d, unit, limit, set_point_hz)
    trials = steps * d.clock.input_steps
    per_step = d.experiment.time.dt_ms / 1000.0
    busiest = busiest_hz(d.experiment, stimulus) * per_step
    overflows = sum(
        s.steps / trials * at_least(limit, trials, s.rate_hz * per_step)
        for s in stretches(d.experiment, stimulus)
    )
    probability = at_least(limit, trials, busiest)
    return Counts(
        unit=unit,
        expected=trials * busiest,
        most=trials,
        limit=limit,
        overflow=probability,
        bound=probability,
        overflows=overflows * stimulus.size,
    )


def _neuron_counts(d: Discretized, unit: str, limit: int, set_point_hz: float | None) -> Counts:
    steps, neuron = d.clock.period_steps, d.neurons[unit]
    most = -(-steps // max(neuron.refractory_steps, 1))
    mean = _exciting_spikes(d, unit)
    expected = None if set_point_hz is None else min(set_point_hz * period_s(d), float(most))
    overflow = bound = None
    if most < limit:
        overflow = bound = 0.0
    else:
        overflow = None if expected is None else poisson_at_least(limit, expected)
        bound = None if mean is None else poisson_at_least(limit, mean)
    n_periods = d.clock.n_steps // steps
    size = d.experiment.populations[unit].size
    return Counts(
        unit=unit,
        expected=expected,
        most=most,
        limit=limit,
        overflow=overflow,
        bound=bound,
        overflows=None if overflow is None else overflow * n_periods * size,
    )


def _exciting_spikes(d: Discretized, population: str) -> float | None:
    """Return the mean number of exciting spikes on a neuron in a period; None if one comes from neurons."""
    total = 0.0
    for name, projection in onto(d.experiment, population):
        if not excites(d, name):
            continue
        stimulus = d.experiment.stimuli.get(projection.pre)
        if stimulus is None:
            return None
        total += fan_in(d.experiment, projection) * busiest_hz(d.experiment, stimulus)
    return total * period_s(d)


def poisson_at_least(k: int, mean: float) -> float:
    """Return the probability that a Poisson number with this mean is `k` or more."""
    return at_least(k, MANY, max(mean, 0.0) / MANY)


def counter_findings(counts: Counts, *, refuses: bool = False) -> Iterator[Finding]:
    """Yield that a counter overflows too often to be trusted, or at times.

    Parameters
    ----------
    counts : Counts
    refuses : bool
        Whether a single overflow refuses the run: it has then to be rare in a whole trial.
    """
    if counts.overflow is None or not counts.overflow:
        return
    lost = " (the second spike of a period is lost)" if counts.limit == 2 else ""
    is_problem = counts.overflow > RARE or (refuses and (counts.overflows or 0.0) > RARE)
    if not is_problem and (counts.overflows or 0.0) < 1:
        return
    yield Finding(
        kind="counter",
        key="plasticity.counter.width",
        sentence=f"the counters of {counts.unit} overflow in {100 * counts.overflow:.3g} % of the periods: they hold "
        f"{counts.limit - 1}, and {counts.expected or 0:.4g} spikes are expected{lost}"
        f"{'; one overflow refuses the run' if refuses else ''}",
        remedy="widen plasticity.counter.width, or shorten plasticity.update_period_us",
        severity="problem" if is_problem else "note",
        register="plasticity.counter.width",
    )


def negative_from(d: Discretized) -> int | None:
    """Return the count from which a program reads a counter as negative; None where it does not."""
    table = d.target.plasticity.counter
    return 2 ** (table.width - 1) if table.signed else None


def signed_findings(d: Discretized, counts: Counts) -> Iterator[Finding]:
    """Yield that a count can be read as negative, so that the rule turns round."""
    start = negative_from(d)
    if start is None or start > counts.most:
        return
    expected = counts.expected or 0.0
    chance = poisson_at_least(start, expected)
    yield Finding(
        kind="counter",
        key="plasticity.counter.signed",
        sentence=f"from {start} spikes in a period ({start / period_s(d):.4g} Hz) the count of {counts.unit} is read "
        f"as negative, and the rule turns round; {expected:.4g} are expected, so many in {100 * chance:.2g} % of the "
        "periods",
        remedy="shorten plasticity.update_period_us, or let the program read it unsigned (counter.signed = false)",
        severity="problem" if chance > RARE else "note",
    )
