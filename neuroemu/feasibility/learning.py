"""What an update does to a stored weight, under every rounding: docs/spec/feasibility.md, "Learning"."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from neuroemu.experiment import Homeostasis
from neuroemu.feasibility.findings import Finding, Severity, percent, severity
from neuroemu.feasibility.leak import mean_rounding
from neuroemu.feasibility.traffic import learns, single_rate
from neuroemu.hardware.config import PlasticityTable
from neuroemu.models.drift import Drift, drift_of
from neuroemu.models.registers import COARSE, Discretized
from neuroemu.numeric.constants import decimal
from neuroemu.wording import number

SET_POINT_LIMIT = 0.1
"""Part by which a set point may be off where no question states a margin."""

SET_POINT_NOTE = 0.02
SPEED_LIMITS = (0.5, 2.0)

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
        Change by each periodic update that no spike asked for, weight LSB.
    set_point : float or None
        Relative to the rule's own; None if the rule is dead, or it depends on an unknown rate.
    set_point_hz : float or None
        Where the presynaptic side has one rate.
    speed : float
        Relative to float.
    is_used : bool
        Whether this is the target's own rounding.
    is_predicted : bool
        Whether bias and set point are those of the prediction, which knows what a period counts. Else they are a
        balance of means, and of a biased rounding the worst case.
    """

    rounding: str
    plus: Fraction
    minus: Fraction
    bias: Fraction
    set_point: float | None
    set_point_hz: float | None
    speed: float
    is_used: bool
    is_predicted: bool = False


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
        balance = _balance(d, _varied(table, rounding, has_fraction), rule, lsb)
        effects.append(_effect(balance, rounding, rate, is_used=rounding == own))
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


def _balance(d: Discretized, table: PlasticityTable, rule: Homeostasis, lsb: Fraction) -> Drift:
    plus, minus = decimal(rule.dw_plus), decimal(rule.dw_minus)
    balance = drift_of(table, plus, minus, lsb, period_s(d))
    if (
        balance.bias
    ):  # a period's sum is a multiple of what both increments, as held, have in common
        part = _common(balance.plus, balance.minus)
        balance = replace(balance, bias=mean_rounding(part, table.weight.rounding))
    return with_lfsr(table, balance)


def _common(plus: Fraction, minus: Fraction) -> Fraction:
    """Return the largest part of an LSB of which both increments and 1 are multiples."""
    scale = math.lcm(plus.denominator, minus.denominator)
    return Fraction(math.gcd(int(plus * scale), int(minus * scale), scale), scale)


def with_lfsr(table: PlasticityTable, balance: Drift) -> Drift:
    """Return `balance` with what words of few bits do to stochastic rounding."""
    dropped, bits = table.increment.format.fraction, table.random.output_bits
    is_stochastic = table.weight.rounding == "stochastic"
    if not is_stochastic or table.random.source != "lfsr" or bits >= dropped:
        return balance
    if balance.period_s:
        return replace(balance, bias=-(Fraction(1, 2**bits) - Fraction(1, 2**dropped)) / 2)
    plus, minus = balance.plus * 2**bits, balance.minus * 2**bits
    return replace(
        balance,
        plus=Fraction(math.floor(plus), 2**bits),
        minus=Fraction(math.ceil(minus), 2**bits),
    )


def _effect(balance: Drift, rounding: str, rate: float | None, *, is_used: bool) -> Effect:
    relative = hz = None
    is_defined = balance.asked_plus > 0 and balance.asked_minus > 0 and not balance.is_dead
    if is_defined and rate:
        hz = balance.set_point_hz(rate)
        wanted = rate * float(balance.asked_plus / balance.asked_minus)
        relative = None if hz is None else hz / wanted
    elif is_defined and balance.bias == 0:
        ratio = (balance.plus / balance.minus) / (balance.asked_plus / balance.asked_minus)
        relative = float(ratio)
    speed = float(balance.minus / balance.asked_minus) if balance.asked_minus else 1.0
    return Effect(
        rounding=rounding,
        plus=balance.plus,
        minus=balance.minus,
        bias=balance.bias,
        set_point=relative,
        set_point_hz=hz,
        speed=speed,
        is_used=is_used,
    )


def with_prediction(
    d: Discretized, found: tuple[Learning, ...], set_point_hz: float
) -> tuple[Learning, ...]:
    """Return the rules with what the target's rounding does to the one in question as predicted."""
    question = d.experiment.question
    return tuple(
        _as_predicted(d, rule, set_point_hz)
        if question is not None and question.projection in rule.projections and rule.used.bias
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
        is_predicted=True,
    )
    return replace(rule, effects=tuple(known if e.is_used else e for e in rule.effects))


def learning_findings(d: Discretized, found: tuple[Learning, ...]) -> Iterator[Finding]:
    """Yield what is wrong with each rule."""
    for rule in found:
        if _is_drawn_to_zero(d, rule):
            yield _to_zero(rule)
            continue
        yield from _dead(rule)
        yield from _lopsided(d, rule)
        yield from _slow(rule)
    plastic = [n for n, p in d.experiment.projections.items() if p.plasticity is not None]
    if plastic and d.target.plasticity.update == "none":
        yield Finding(
            kind="no_learning",
            key="plasticity.update",
            sentence=f"the target has no on-chip learning: {', '.join(plastic)} keeps its initial weight",
            remedy="ask for a target that learns, or make the projection static",
        )
    if found:
        yield from _lfsr(d)


def _is_drawn_to_zero(d: Discretized, rule: Learning) -> bool:
    """Whether the rounding ``fix`` does something else to weights below 0 than to those above."""
    synapse, exact = d.synapses[rule.projections[0]], (rule.used.plus, rule.used.minus)
    held = tuple(Fraction(dw, synapse.unit) for dw in (synapse.dw_plus, synapse.dw_minus))
    lossy = exact != held or rule.used.bias != 0
    return (
        rule.varied == "plasticity.weight.rounding"
        and rule.used.rounding == "fix"
        and (synapse.w_min < 0 and lossy)
    )


def _to_zero(rule: Learning) -> Finding:
    used = rule.used
    how = f"{number(used.plus)} LSB up and {number(used.minus)} down above 0, the reverse below"
    if used.bias:
        how = f"each update loses {number(abs(used.bias))} LSB of its magnitude"
    return Finding(
        kind="lopsided",
        key=f"projections.{rule.projections[0]}.plasticity",
        sentence=f"weight.rounding fix draws weights of both signs towards 0: {how}",
        remedy="set plasticity.weight.rounding = stochastic, or add bits to plasticity.weight.format",
        register="plasticity.weight.format",
    )


def _dead(rule: Learning) -> Iterator[Finding]:
    used, lost = rule.used, []
    for name, asked, effective in (
        ("dw_plus", rule.asked_plus, used.plus),
        ("dw_minus", rule.asked_minus, used.minus),
    ):
        if asked > 0 and effective == 0:
            lost.append((name, asked))
    if not lost:
        return
    what = " and ".join(f"{name} of {number(asked)} LSB" for name, asked in lost)
    verb = "moves" if len(lost) == 1 else "move"
    then = "the weight stands still"
    if used.plus != used.minus:
        then = "the weight only falls" if used.minus else "the weight only rises"
    yield Finding(
        kind="dead_update",
        key=f"projections.{rule.projections[0]}.plasticity.{lost[0][0]}",
        sentence=f"{what} {verb} the stored weight by 0 ({rule.varied.split('.', 1)[1]} "
        f"{used.rounding}): {then}",
        remedy=_remedy(rule),
        register="plasticity.weight.format",
    )


def _remedy(rule: Learning) -> str:
    better = [
        e.rounding
        for e in rule.effects
        if e.set_point is not None
        and abs(e.set_point - 1) <= SET_POINT_NOTE
        and SPEED_LIMITS[0] <= e.speed <= SPEED_LIMITS[1]
    ]
    ways = [f"set {rule.varied} = {' or '.join(better)}"] if better else []
    return " or ".join([*ways, "add bits to plasticity.weight.format"])


def _lopsided(d: Discretized, rule: Learning) -> Iterator[Finding]:
    used = rule.used
    if used.set_point is None or abs(used.set_point - 1) <= SET_POINT_NOTE:
        return
    question = d.experiment.question
    limit = SET_POINT_LIMIT
    if question is not None and question.projection in rule.projections:
        limit = question.margin
    off = used.set_point - 1
    if rule.pre_hz and used.set_point_hz is not None:
        wanted = rule.pre_hz * float(rule.asked_plus / rule.asked_minus)
        where = f"at {used.set_point_hz:.1f} Hz instead of {wanted:g} Hz ({percent(off)})"
    else:
        where = f"at {used.set_point:.3g} times the rate asked for"
    if used.bias:
        how = f"each update loses {number(abs(used.bias))} LSB to the rounding {used.rounding}"
        if used.bias > 0:
            how = f"each update gains {number(used.bias)} LSB by the rounding {used.rounding}"
    else:
        how = (
            f"{number(rule.asked_plus)} LSB up and {number(rule.asked_minus)} LSB down become "
            f"{number(used.plus)} and {number(used.minus)} ({rule.varied.split('.', 1)[1]} {used.rounding})"
        )
    yield Finding(
        kind="lopsided",
        key=f"projections.{rule.projections[0]}.plasticity",
        sentence=f"{how}: the rule balances {where}",
        remedy=_remedy(rule),
        severity=severity(off, limit),
        register="plasticity.weight.format",
    )


def _slow(rule: Learning) -> Iterator[Finding]:
    speed = rule.used.speed
    if speed == 0 or abs(speed - 1) <= COARSE:
        return
    is_far = not SPEED_LIMITS[0] <= speed <= SPEED_LIMITS[1]
    yield Finding(
        kind="slow",
        key=f"projections.{rule.projections[0]}.plasticity.dw_minus",
        sentence=f"the rule learns {speed:.3g} times as fast as asked ({number(rule.asked_minus)} LSB down "
        f"become {number(rule.used.minus)})",
        remedy="add bits to plasticity.weight.format, or to plasticity.increment.format",
        severity="problem" if is_far else "note",
        register="plasticity.weight.format",
    )


def _lfsr(d: Discretized) -> Iterator[Finding]:
    table = d.target.plasticity
    random, dropped = table.random, table.increment.format.fraction
    if table.weight.rounding != "stochastic" or random.source != "lfsr" or dropped == 0:
        return
    kind: Severity = "note"
    if random.output_bits < dropped:
        yield Finding(
            kind="lfsr",
            key="plasticity.random.output_bits",
            sentence=f"random words have {random.output_bits} bits, the store drops {dropped}: the rounding is "
            f"biased by up to 1/{2**random.output_bits} LSB downwards",
            remedy=f"set plasticity.random.output_bits = {min(dropped, random.width)}",
            severity=kind,
        )
    if random.bits_per_draw < min(random.output_bits, dropped):
        yield Finding(
            kind="lfsr",
            key="plasticity.random.bits_per_draw",
            sentence=f"a draw clocks the register {random.bits_per_draw} times and takes {random.output_bits} bits: "
            "successive draws of a synapse share bits",
            remedy=f"set plasticity.random.bits_per_draw = {random.output_bits}",
            severity=kind,
        )
