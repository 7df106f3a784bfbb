"""Drift balance: what an update does to a stored weight on average, and the rate where it balances.

Known without running anything; docs/spec/plasticity.md, "Effective increments".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from neuroemu.experiment import Experiment
from neuroemu.hardware.config import PlasticityTable
from neuroemu.models.discretize_synapse import leading_step
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal, round_fraction

MOST_FOLLOWED = 256
"""Postsynaptic spikes between two presynaptic ones, in deferred updates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Average change of a stored weight that is inside its limits.

    Parameters
    ----------
    plus, minus : Fraction
        Up on a presynaptic, down on a postsynaptic spike; in weight LSBs.
    asked_plus, asked_minus : Fraction
        What the rule asks for, in weight LSBs.
    bias : Fraction
        Drift for each periodic update that the spikes do not ask for, in weight LSBs: 0 if event-driven.
    period_s : float
        Biological time between periodic updates, 0 if event-driven or in every step.
    by_sign : bool
        Whether an update is one LSB towards a target count: `plus` and `minus` are then those of a period.
    target_hz : float or None
        The rate that is this count.
    """

    plus: Fraction
    minus: Fraction
    asked_plus: Fraction
    asked_minus: Fraction
    bias: Fraction = Fraction(0)
    period_s: float = 0.0
    by_sign: bool = False
    target_hz: float | None = None

    @property
    def is_dead(self) -> bool:
        """Whether the weight can move in one direction at most."""
        return self.plus == 0 or self.minus == 0

    def set_point_hz(self, presynaptic_hz: float) -> float | None:
        """Return the rate at which the weight stands still, None if there is none."""
        if self.is_dead:
            return None
        if self.by_sign:
            asked = self.asked_minus and presynaptic_hz * float(self.asked_plus / self.asked_minus)
            return self.target_hz if self.target_hz is not None else float(asked) or None
        bias_hz = float(self.bias / self.minus) / self.period_s if self.period_s else 0.0
        return presynaptic_hz * float(self.plus / self.minus) + bias_hz


def stored_change(change: Fraction, rounding: str) -> Fraction:
    """Return the mean change of a weight on its grid when `change` LSBs are added and it is rounded.

    Examples
    --------
    >>> stored_change(Fraction(63, 40), "floor"), stored_change(Fraction(-63, 40), "floor")
    (Fraction(1, 1), Fraction(-2, 1))
    """
    if rounding == "stochastic":
        return change
    towards_zero = rounding in ("fix", "trunc")  # of the updated weight, which is not negative
    return Fraction(round_fraction(change, "floor" if towards_zero else rounding))


def mean_rounding(part: Fraction, rounding: str) -> Fraction:
    """Return the mean change by the rounding of a sum that is any multiple of `part` LSBs alike."""
    if part == 1:
        return Fraction(0)
    match rounding:
        case "floor" | "fix" | "trunc":  # of the updated weight, which is not negative
            return -(1 - part) / 2
        case "ceil":
            return (1 - part) / 2
        case "half_up":  # of the ties
            return part / 2
        case _:
            return Fraction(0)


def drift_of(
    table: PlasticityTable,
    dw_plus: Fraction,
    dw_minus: Fraction,
    lsb: Fraction,
    period_s: float = 0.0,
) -> Drift:
    """Return the drift for given increments and weight LSB.

    Parameters
    ----------
    table : PlasticityTable
        Formats and roundings.
    dw_plus, dw_minus, lsb : Fraction
        In the experiment's unit.
    period_s : float
        Biological time between periodic updates; 0 if event-driven.
    """
    asked = (dw_plus / lsb, dw_minus / lsb)
    plus, minus = (held(table, a) for a in asked)
    bias, by_sign = Fraction(0), table.by_sign
    if by_sign:
        plus = minus = Fraction(1)
    elif table.update == "deferred":
        plus, minus = _deferred(table, plus, minus)
    elif period_s:
        bias = mean_rounding(table.increment.format.lsb, table.weight.rounding)
    else:
        plus = stored_change(plus, table.weight.rounding)
        minus = -stored_change(-minus, table.weight.rounding)
    return Drift(
        plus=plus,
        minus=minus,
        asked_plus=asked[0],
        asked_minus=asked[1],
        bias=bias,
        period_s=period_s,
        by_sign=by_sign,
    )


def held(table: PlasticityTable, asked: Fraction) -> Fraction:
    """Return an increment of `asked` weight LSBs as its register holds it."""
    increment, step = table.increment, 1
    wished = asked / increment.format.lsb
    if increment.mantissa_bits is not None:
        step = leading_step(wished, increment.mantissa_bits, increment.rounding)
    raw = step * round_fraction(wished / step, increment.rounding)
    return min(raw, increment.format.hi) * increment.format.lsb


def _deferred(table: PlasticityTable, plus: Fraction, minus: Fraction) -> tuple[Fraction, Fraction]:
    """Return mean changes by a presynaptic and a postsynaptic spike, where the sum of both is rounded once.

    A presynaptic spike stores ``plus - n*minus`` for n postsynaptic spikes since the last one. Where the two
    balance n has the mean at which the stored sum is 0 on average; it is taken as Poisson.
    """
    if stored_change(plus, table.weight.rounding) == 0:
        return Fraction(0), minus
    if minus == 0:
        return stored_change(plus, table.weight.rounding), minus
    full = 2**table.counter.width - 1
    counted = [min(n, full) for n in range(MOST_FOLLOWED)]
    stored = [float(stored_change(plus - n * minus, table.weight.rounding)) for n in counted]
    low, high = 0.0, MOST_FOLLOWED / 4.0
    for _ in range(60):
        mean = (low + high) / 2.0
        up = _poisson_mean(stored, mean) > 0.0
        low, high = (mean, high) if up else (low, mean)
    taken = float(minus) * _poisson_mean(counted, mean)
    return Fraction(taken).limit_denominator(2**20), Fraction(taken / mean).limit_denominator(2**20)


def _poisson_mean(values: Sequence[float], mean: float) -> float:
    """Return the mean of ``values[n]`` for n from a Poisson distribution."""
    chance, total = math.exp(-mean), 0.0
    for n, value in enumerate(values):
        total += chance * value
        chance *= mean / (n + 1)
    return total


def drift(d: Discretized) -> Drift | None:
    """Return the drift of the projection that the experiment asks about; None if it cannot learn."""
    question, table = d.experiment.question, d.target.plasticity
    if question is None or not table.computes:
        return None
    rule = d.experiment.projections[question.projection].plasticity
    if rule is None:
        return None
    synapse = d.synapses[question.projection]
    found = drift_of(
        table, decimal(rule.dw_plus), decimal(rule.dw_minus), synapse.lsb, update_period_s(d)
    )
    if not found.by_sign:
        return found
    up = Fraction(int(synapse.target_count > 0))  # no count is below 0
    seconds = float(d.clock.period_steps * d.clock.step_ms) / 1000.0
    return replace(found, plus=up, target_hz=synapse.target_count / seconds)


def update_period_s(d: Discretized) -> float:
    """Return the biological time between periodic updates; 0 where none waits, as at one a step.

    A period of one step sees one spike or none: each update is that of a spike, and no sum of several is rounded.
    """
    if d.clock.period_steps <= 1 and not d.target.plasticity.by_sign:
        return 0.0
    return float(d.clock.period_steps * d.clock.step_ms) / 1000.0


def presynaptic_rate(experiment: Experiment) -> float | None:
    """Return the steady rate of the plastic projection's stimulus, if it has one."""
    if experiment.question is None:
        return None
    stimulus = experiment.stimuli.get(experiment.projections[experiment.question.projection].pre)
    if stimulus is None or len(stimulus.rates_hz) != 1:
        return None
    return stimulus.rates_hz[0]
