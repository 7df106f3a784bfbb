"""What an arithmetic does to the rule, in plain words: for predictions and for verdicts."""

from __future__ import annotations

from fractions import Fraction

from neuroemu.models.discretize_synapse import weight_lsb
from neuroemu.models.drift import Drift, drift_of
from neuroemu.models.network_load import network_load
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
    "decay": "the rounding of the current's decay",
    "current": "the range of the synaptic current",
    "force": "the rounding of what the current does to the membrane",
    "leak": "the rounding of the membrane's leak",
    "slope": "the range of the membrane's change in a step",
    "membrane": "the range of the membrane",
    "drive": "the rounding of the synaptic input",
    "input": "the range of the membrane",
    "accumulate": "the range of the accumulator",
    "store": "the rounding of the stored weight",
    "plus": "the range of the accumulator",
    "minus": "the range of the accumulator",
    "change": "the range of the accumulator",
    "count": "the width of the spike counters",
    "read": "the sign with which the spike counters are read",
    "charge": "the range of the pair sensors",
}

PLACE_WORDS = {
    "current": "the range of the synaptic current",
    "buffer": "the range of the input buffer",
}


def site_words(d: Discretized, site: str) -> str:
    """Return what a site does on this target; empty for an unknown one."""
    table = d.target.neuron
    if site == "input" and table is not None:
        return PLACE_WORDS.get(table.input, SITE_WORDS[site])
    if site == "change" and not d.target.plasticity.by_increments:
        return "the step by one LSB"
    return SITE_WORDS.get(site, "")


STILL = "No rule like this runs on the chip: the weight stays as it was loaded."


def weights(d: Discretized) -> str:
    """Return what the weights are and how they are updated."""
    table = d.target.plasticity
    bits = table.weight.format.width
    rounding = (
        table.weight.rounding if table.increment.format.fraction else table.increment.rounding
    )
    how = ROUNDING_WORDS[rounding]
    period = float(d.clock.period_steps * d.clock.step_ms)
    if table.update == "pairs":
        return f"{bits}-bit weights, rewritten by a pair controller every {period:g} ms"
    if not table.by_increments:
        return f"{bits}-bit weights, updated every {period:g} ms by the sign of a spike count"
    if table.update == "deferred":
        return f"{bits}-bit weights, updated at presynaptic spikes with {how}"
    if table.update == "periodic":
        return f"{bits}-bit weights, updated every {period:g} ms with {how}"
    return f"{bits}-bit weights with {how}"


def _increment(d: Discretized, balance: Drift) -> str:
    question = d.experiment.question
    rule = d.experiment.projections[question.projection].plasticity if question else None
    if rule is None:
        raise ValueError("the experiment asks about a projection without a rule")
    return f"an increment of {rule.dw_plus:g} is {number(balance.asked_plus)} LSB"


def dead(d: Discretized, balance: Drift) -> str:
    """Return why the weight cannot move both ways, and what would help."""
    start = _increment(d, balance)
    if balance.plus == 0 and balance.minus == 0:
        what = "rounds to 0, so the weight never moves"
    elif balance.plus == 0:
        what = f"adds 0 but takes {number(balance.minus)}, so the weight only falls"
    else:
        what = f"adds {number(balance.plus)} but takes 0, so the weight only rises"
    return f"{start} and {what}. {remedy(d)}"


def moved(d: Discretized, balance: Drift, *, wanted_hz: float, balance_hz: float) -> str:
    """Return why the increments balance at another rate than the wanted one, and what would help."""
    wanted = f"instead of {wanted_hz:g} Hz"
    if balance.period_s:
        lost = (wanted_hz - balance_hz) * balance.period_s * float(balance.minus)
        does = "loses" if lost > 0 else "adds"
        return (
            f"each update {does} {abs(lost):.4g} LSB on average by the rounding, so the rule "
            f"balances near {balance_hz:.1f} Hz {wanted}. {remedy(d)}"
        )
    start = _increment(d, balance)
    return (
        f"{start}, but adds {number(balance.plus)} and takes {number(balance.minus)}, so the rule "
        f"balances at {balance_hz:.1f} Hz {wanted}. {remedy(d)}"
    )


def remedy(d: Discretized) -> str:
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
    lsb = weight_lsb(weight, largest, network_load(d.experiment))
    return drift_of(changed, decimal(rule.dw_plus), decimal(rule.dw_minus), lsb)


def number(value: Fraction) -> str:
    """Return an amount of weight LSBs, short."""
    return f"{float(value):.4g}"
