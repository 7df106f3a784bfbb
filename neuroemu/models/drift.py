"""Drift balance: what an update does to a stored weight on average, and the rate where it balances.

Known without running anything; docs/spec/plasticity.md, "Effective increments".
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from neuroemu.experiment import Experiment
from neuroemu.hardware.config import PlasticityTable
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal, round_fraction


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
        Biological time between periodic updates, 0 if event-driven.
    """

    plus: Fraction
    minus: Fraction
    asked_plus: Fraction
    asked_minus: Fraction
    bias: Fraction = Fraction(0)
    period_s: float = 0.0

    @property
    def is_dead(self) -> bool:
        """Whether the weight can move in one direction at most."""
        return self.plus == 0 or self.minus == 0

    def set_point_hz(self, presynaptic_hz: float) -> float | None:
        """Return the rate at which the weight stands still, None if there is none."""
        if self.is_dead:
            return None
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


def _mean_rounding(part: Fraction, rounding: str) -> Fraction:
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
    form = table.increment.format
    asked = (dw_plus / lsb, dw_minus / lsb)
    held = [
        min(round_fraction(a / form.lsb, table.increment.rounding), form.hi) * form.lsb
        for a in asked
    ]
    if period_s:
        bias = _mean_rounding(form.lsb, table.weight.rounding)
        plus, minus = held
    else:
        bias = Fraction(0)
        plus = stored_change(held[0], table.weight.rounding)
        minus = -stored_change(-held[1], table.weight.rounding)
    return Drift(
        plus=plus,
        minus=minus,
        asked_plus=asked[0],
        asked_minus=asked[1],
        bias=bias,
        period_s=period_s,
    )


def drift(d: Discretized) -> Drift | None:
    """Return the drift of the projection that the experiment asks about; None if it cannot learn."""
    question, table = d.experiment.question, d.target.plasticity
    if question is None or table.update == "none":
        return None
    rule = d.experiment.projections[question.projection].plasticity
    if rule is None:
        return None
    return drift_of(
        table,
        decimal(rule.dw_plus),
        decimal(rule.dw_minus),
        d.synapses[question.projection].lsb,
        float(d.clock.period_steps * d.clock.step_ms) / 1000.0,
    )


def presynaptic_rate(experiment: Experiment) -> float | None:
    """Return the steady rate of the plastic projection's stimulus, if it has one."""
    if experiment.question is None:
        return None
    stimulus = experiment.stimuli.get(experiment.projections[experiment.question.projection].pre)
    if stimulus is None or len(stimulus.rates_hz) != 1:
        return None
    return stimulus.rates_hz[0]
