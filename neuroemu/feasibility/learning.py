"""What an update does to a stored weight, under every rounding: docs/spec/feasibility.md, "Learning"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from neuroemu.experiment import Homeostasis
from neuroemu.feasibility.balance import balance
from neuroemu.feasibility.traffic import learns, single_rate
from neuroemu.hardware.config import PlasticityTable
from neuroemu.models.drift import Drift
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal

STORED = ("floor", "ceil", "fix", "around", "half_up", "stochastic")
WRITTEN = STORED[:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What the rule becomes under one rounding.

    Parameters
    ----------
    rounding : str
        Of the stored weight, or of the increment as it is written: see `Learning.varied`.
    plus, minus : Fraction
        Effective increments up and down, weight LSB; for ``fix`` of a weight above 0.
    bias : Fraction
        Change by each periodic update, or by each deferred one, that no spike asked for, weight LSB.
    set_point : float or None
        Relative to the rule's own; None if the rule is dead, or it depends on an unknown rate.
    set_point_hz : float or None
        Where the presynaptic side has one rate.
    speed : float
        Relative to float.
    is_used : bool
        Whether this is the target's own rounding.
    is_expected : bool
        Whether bias and set point are what is expected: those of the prediction, which knows what a period counts, or
        of a deferred rule. Else they are a balance of means, and of a biased rounding the worst case.
    """

    rounding: str
    plus: Fraction
    minus: Fraction
    bias: Fraction
    set_point: float | None
    set_point_hz: float | None
    speed: float
    is_used: bool
    is_expected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """The rule of the plastic projections that share all constants.

    Parameters
    ----------
    projections : tuple of str
        Who they are.
    asked_plus, asked_minus : Fraction
        Increments as asked, weight LSB.
    lsb : float
        Weight LSB in biological units.
    pre_hz : float or None
        Rate of the presynaptic side, if it has one.
    varied : str
        The target's key that `effects` vary.
    effects : tuple of Effect
        One for each rounding.
    """

    projections: tuple[str, ...]
    asked_plus: Fraction
    asked_minus: Fraction
    lsb: float
    pre_hz: float | None
    varied: str
    effects: tuple[Effect, ...]

    @property
    def used(self) -> Effect:
        """What the target's own rounding makes of the rule."""
        return next(e for e in self.effects if e.is_used)


def rule_of(d: Discretized, name: str) -> Homeostasis:
    """Return the rule of a plastic projection."""
    rule = d.experiment.projections[name].plasticity
    if rule is None:
        raise ValueError(f"{name} is not plastic")
    return rule


def period_s(d: Discretized) -> float:
    """Return the biological time between periodic updates, 0 if event-driven."""
    return float(d.clock.period_steps * d.clock.step_ms) / 1000.0


def learning(d: Discretized) -> tuple[Learning, ...]:
    """Return what becomes of each rule, those with the same constants and rates together."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    if not d.target.plasticity.by_increments:
        return ()
    for name, projection in d.experiment.projections.items():
        if learns(d, name):
            rate = single_rate(d.experiment, projection.pre)
            groups.setdefault((projection.plasticity, d.synapses[name].lsb, rate), []).append(name)
    return tuple(_learning(d, names) for names in groups.values())


def _learning(d: Discretized, names: list[str]) -> Learning:
    table, rule, lsb = d.target.plasticity, rule_of(d, names[0]), d.synapses[names[0]].lsb
    rate = single_rate(d.experiment, d.experiment.projections[names[0]].pre)
    has_fraction = table.increment.format.fraction > 0
    own = table.weight.rounding if has_fraction else table.increment.rounding
    own = "fix" if own == "trunc" else own
    effects = []
    for rounding in STORED if has_fraction else WRITTEN:
        varied = _varied(table, rounding, has_fraction)
        found = balance(varied, rule, lsb, period_s(d), rate)
        effects.append(_effect(found, rounding, rate, table.update, is_used=rounding == own))
    return Learning(
        projections=tuple(names),
        asked_plus=decimal(rule.dw_plus) / lsb,
        asked_minus=decimal(rule.dw_minus) / lsb,
        lsb=float(lsb),
        pre_hz=rate,
        varied="plasticity.weight.rounding" if has_fraction else "plasticity.increment.rounding",
        effects=tuple(effects),
    )


def _varied(table: PlasticityTable, rounding: str, has_fraction: bool) -> PlasticityTable:
    name = "weight" if has_fraction else "increment"
    register = getattr(table, name).model_copy(update={"rounding": rounding})
    return table.model_copy(update={name: register})


def _effect(
    found: Drift, rounding: str, rate: float | None, update: str, *, is_used: bool
) -> Effect:
    relative = hz = None
    is_defined = found.asked_plus > 0 and found.asked_minus > 0 and not found.is_dead
    if is_defined and rate:
        hz = found.set_point_hz(rate)
        wanted = rate * float(found.asked_plus / found.asked_minus)
        relative = None if hz is None else hz / wanted
    elif is_defined and (found.bias == 0 or update == "deferred"):
        up = found.plus + found.bias
        relative = float((up / found.minus) / (found.asked_plus / found.asked_minus))
    return Effect(
        rounding=rounding,
        plus=found.plus,
        minus=found.minus,
        bias=found.bias,
        set_point=relative,
        set_point_hz=hz,
        speed=float(found.minus / found.asked_minus) if found.asked_minus else 1.0,
        is_used=is_used,
        is_expected=update == "deferred",
    )


def with_prediction(
    d: Discretized, found: tuple[Learning, ...], set_point_hz: float
) -> tuple[Learning, ...]:
    """Return the rules with what the target's rounding does to the one in question as predicted."""
    question = d.experiment.question
    return tuple(
        _as_predicted(d, rule, set_point_hz)
        if question is not None
        and (question.projection in rule.projections and rule.used.bias)
        and d.clock.period_steps
        else rule
        for rule in found
    )


def _as_predicted(d: Discretized, rule: Learning, hz: float) -> Learning:
    used = rule.used
    if not rule.pre_hz or not rule.asked_minus or not rule.asked_plus:
        return rule
    wanted = rule.pre_hz * float(rule.asked_plus / rule.asked_minus)
    known = replace(
        used,
        bias=Fraction((hz - wanted) * period_s(d) * float(used.minus)),
        set_point=hz / wanted,
        set_point_hz=hz,
        is_expected=True,
    )
    return replace(rule, effects=tuple(known if e.is_used else e for e in rule.effects))
