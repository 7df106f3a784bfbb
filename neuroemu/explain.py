"""The verdict's reason in plain words, from what is known about the arithmetic."""

from __future__ import annotations

from fractions import Fraction

from neuroemu.experiment import Homeostasis
from neuroemu.metrics.attribution import Attribution
from neuroemu.metrics.verdict import Decision, Reason, Verdict
from neuroemu.models.discretize import weight_lsb
from neuroemu.models.drift import Drift, drift, drift_of, presynaptic_rate
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal

ROUNDING_WORDS = {
    "floor": "rounding down",
    "ceil": "rounding up",
    "fix": "rounding toward zero",
    "trunc": "rounding toward zero",
    "around": "rounding to nearest",
    "half_up": "rounding to nearest",
    "stochastic": "stochastic rounding",
}

SITE_WORDS = {
    "leak": "the rounding of the membrane's leak",
    "drive": "the rounding of the synaptic input",
    "input": "the range of the membrane",
    "accumulate": "the range of the accumulator",
    "store": "the rounding of the stored weight",
    "plus": "the range of the accumulator",
    "minus": "the range of the accumulator",
    "change": "the range of the accumulator",
    "count": "the width of the spike counters",
}

RUNG_WORDS = {
    "parameters": "constants and time grid as the chip has them",
    "range": "the limits of the registers",
    "fixed": "the rounding in every step",
}


def explain(d: Discretized, decision: Decision, split: Attribution, site: str) -> str:
    """Return one or two sentences: what the arithmetic does to the rule, and what would save it.

    Parameters
    ----------
    d : Discretized
        The experiment in the target's numbers.
    decision : Decision
        What was measured.
    split : Attribution
        Which rung costs how much.
    site : str
        The site to blame, or empty.
    """
    if decision.verdict is Verdict.INCONCLUSIVE:
        return _inconclusive(decision)
    balance = drift(d)
    if balance is None:
        return "The target has no on-chip learning: the weight stays as it was loaded."
    head = f"{_weights(d)}: "
    if balance.is_dead:
        return head + _dead(d, balance)
    rate = presynaptic_rate(d.experiment)
    balance_hz = None if rate is None else balance.set_point_hz(rate)
    if decision.verdict is Verdict.SURVIVES:
        return head + _survives(balance, decision)
    off = (
        balance_hz is not None and abs(balance_hz - decision.set_point_hz) > decision.margin_hz / 4
    )
    if off and balance_hz is not None:
        return head + _moved(d, balance, decision, balance_hz)
    return head + _elsewhere(d, balance, decision, split, site)


def _weights(d: Discretized) -> str:
    table = d.target.plasticity
    bits = table.weight.format.width
    rounding = (
        table.weight.rounding if table.increment.format.fraction else table.increment.rounding
    )
    how = ROUNDING_WORDS[rounding]
    if table.update == "periodic":
        period = float(d.clock.period_steps * d.clock.step_ms)
        return f"{bits}-bit weights, updated every {period:g} ms with {how}"
    return f"{bits}-bit weights with {how}"


def _increment(d: Discretized, balance: Drift) -> tuple[Homeostasis, str]:
    question = d.experiment.question
    rule = d.experiment.projections[question.projection].plasticity if question else None
    if rule is None:
        raise ValueError("the experiment asks about a projection without a rule")
    return rule, f"an increment of {rule.dw_plus:g} is {_number(balance.asked_plus)} LSB"


def _dead(d: Discretized, balance: Drift) -> str:
    _, start = _increment(d, balance)
    if balance.plus == 0 and balance.minus == 0:
        what = "rounds to 0, so the weight never moves"
    elif balance.plus == 0:
        what = f"adds 0 but takes {_number(balance.minus)}, so the weight only falls"
    else:
        what = f"adds {_number(balance.plus)} but takes 0, so the weight only rises"
    return f"{start} and {what}. {_remedy(d)}"


def _survives(balance: Drift, decision: Decision) -> str:
    largest = max(abs(p.difference.value) for p in decision.phases)
    if balance.period_s:
        moves = f"one spike is worth {_number(balance.plus)} LSB"
    elif balance.plus == balance.minus:
        moves = (
            f"an increment of {_number(balance.asked_plus)} LSB moves it by {_number(balance.plus)}"
        )
    else:
        moves = (
            f"an increment of {_number(balance.asked_plus)} LSB adds {_number(balance.plus)} "
            f"and takes {_number(balance.minus)}"
        )
    near = f"{largest:.1f}" if largest >= 0.05 else "0.1"
    return f"{moves}; the rate stays within {near} Hz of the float reference in every phase."


def _moved(d: Discretized, balance: Drift, decision: Decision, balance_hz: float) -> str:
    wanted = f"instead of {decision.set_point_hz:g} Hz"
    if balance.period_s:
        return (
            f"each update loses {_number(abs(balance.bias))} LSB on average to the rounding, so the rule "
            f"balances near {balance_hz:.1f} Hz {wanted}. {_remedy(d)}"
        )
    _, start = _increment(d, balance)
    return (
        f"{start}, but adds {_number(balance.plus)} and takes {_number(balance.minus)}, so the rule "
        f"balances at {balance_hz:.1f} Hz {wanted}. {_remedy(d)}"
    )


def _elsewhere(
    d: Discretized, balance: Drift, decision: Decision, split: Attribution, site: str
) -> str:
    phase = decision.worst_phase
    step = max(split.steps, key=lambda s: abs(s.phases[phase].value))
    cause = SITE_WORDS.get(site) or RUNG_WORDS[step.rung]
    result = (
        "the rate is not regulated"
        if decision.verdict is Verdict.DEAD
        else f"the rate is {decision.phases[phase].difference.value:+.1f} Hz off in phase {phase + 1}"
    )
    worst = max(d.constants, key=lambda c: abs(c.relative_error) if c.asked else 0.0)
    constant = ""
    if step.rung == "parameters" and abs(worst.relative_error) > 0.01:
        constant = f" ({worst.key} is {100 * worst.relative_error:+.1f} % off)"
    return (
        f"the increments balance ({_number(balance.plus)} LSB up, {_number(balance.minus)} down), but {result}, "
        f"mostly by {cause}{constant}."
    )


def _inconclusive(decision: Decision) -> str:
    lean = f", leaning to {decision.leaning}" if decision.leaning else ""
    need = f"; about {decision.trials_needed} trials would do" if decision.trials_needed else ""
    if decision.reason is Reason.TOO_FEW_TRIALS:
        return f"One trial has no interval{lean}. Use --trials 8 or more{need}."
    return f"The intervals of {decision.trials} trials are too wide to decide{lean}{need}."


def _remedy(d: Discretized) -> str:
    """Say what would save the rule: another rounding, or the fewest bits that do."""
    table = d.target.plasticity
    bits = _fewest_bits(d)
    stochastic = table.weight.rounding != "stochastic"
    if table.weight.rounding in ("floor", "ceil") and not _balanced(
        d, table.weight.format.width, table.weight.rounding
    ):
        nearest = _balanced(d, table.weight.format.width, "around")
        if nearest:
            return "Round to nearest, or stochastically."
    ways = ["stochastic rounding"] if stochastic else []
    if bits is not None and bits > table.weight.format.width:
        ways.append(f"at least {bits} bits")
    return f"Use {' or '.join(ways)}." if ways else ""


def _fewest_bits(d: Discretized) -> int | None:
    rounding = d.target.plasticity.weight.rounding
    for bits in range(2, 33):
        if _balanced(d, bits, rounding):
            return bits
    return None


def _balanced(d: Discretized, bits: int, rounding: str) -> bool:
    """Whether weights of `bits` bits move both ways by amounts within 5 % of one another's ratio."""
    balance = _drift_with(d, bits, rounding)
    if balance is None or balance.is_dead or balance.asked_minus == 0:
        return False
    wanted = balance.asked_plus / balance.asked_minus
    return abs(balance.plus / balance.minus / wanted - 1) <= Fraction(1, 20)


def _drift_with(d: Discretized, bits: int, rounding: str) -> Drift | None:
    question, table = d.experiment.question, d.target.plasticity
    rule = d.experiment.projections[question.projection].plasticity if question else None
    form = table.weight.format
    if rule is None or (form.signed and bits < 2):
        return None
    fraction = form.fraction + bits - form.width if table.weight.lsb == "format" else form.fraction
    wider = type(form)(form.signed, bits, fraction)
    weight = table.weight.model_copy(update={"format": wider, "rounding": rounding})
    increment = table.increment
    if rounding != table.weight.rounding or increment.format.fraction == 0:
        room = type(form)(increment.format.signed, 40, increment.format.fraction)
        increment = increment.model_copy(update={"format": room})
    changed = table.model_copy(update={"weight": weight, "increment": increment})
    largest = max(abs(decimal(rule.w_min)), abs(decimal(rule.w_max)))
    lsb = weight_lsb(weight, largest)
    return drift_of(changed, decimal(rule.dw_plus), decimal(rule.dw_minus), lsb)


def _number(value: Fraction) -> str:
    return f"{float(value):.4g}"
