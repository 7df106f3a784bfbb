"""What is wrong with a rule that adds increments: docs/spec/feasibility.md, "Learning"."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from neuroemu.feasibility.findings import Finding, Severity, percent, severity
from neuroemu.feasibility.learning import Learning
from neuroemu.models.constants import COARSE
from neuroemu.models.registers import Discretized
from neuroemu.wording import number

SET_POINT_LIMIT = 0.1
"""Part by which a set point may be off where no question states a margin."""

SET_POINT_NOTE = 0.02
SPEED_LIMITS = (0.5, 2.0)


def learning_findings(d: Discretized, found: tuple[Learning, ...]) -> Iterator[Finding]:
    """Yield what is wrong with each rule."""
    for rule in found:
        if _is_drawn_to_zero(d, rule):
            yield _to_zero(rule)
            continue
        yield from _dead(rule)
        yield from _lopsided(d, rule)
        yield from _slow(d, rule)
    yield from _no_learning(d)
    if found:
        yield from _lfsr(d)


def _no_learning(d: Discretized) -> Iterator[Finding]:
    plastic = [n for n, p in d.experiment.projections.items() if p.plasticity is not None]
    if not plastic or d.target.plasticity.update != "none":
        return
    stays = "keep their initial weights" if len(plastic) > 1 else "keeps its initial weight"
    yield Finding(
        kind="no_learning",
        key="plasticity.update",
        sentence=f"no on-chip plasticity for this rule: {', '.join(plastic)} {stays}",
        remedy="choose a target that learns, or make the projection static and compare the neurons alone",
    )


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
        each = "presynaptic spike" if d.target.plasticity.update == "deferred" else "update"
        does = "loses" if used.bias < 0 else "gains"
        how = f"each {each} {does} {number(abs(used.bias))} LSB by the rounding {used.rounding}"
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


def _slow(d: Discretized, rule: Learning) -> Iterator[Finding]:
    speed = rule.used.speed
    if speed == 0 or abs(speed - 1) <= COARSE:
        return
    is_far = not SPEED_LIMITS[0] <= speed <= SPEED_LIMITS[1]
    bits = d.target.plasticity.increment.mantissa_bits
    leading = "" if bits is None else f" in {bits} leading bits"
    key = "plasticity.increment." + ("format" if bits is None else "mantissa_bits")
    yield Finding(
        kind="slow",
        key=f"projections.{rule.projections[0]}.plasticity.dw_minus",
        sentence=f"the rule learns {speed:.3g} times as fast as asked ({number(rule.asked_minus)} LSB down "
        f"become {number(rule.used.minus)}{leading})",
        remedy=f"add bits to plasticity.weight.format, or to {key}",
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
