"""The verdict's reason in plain words, from what is known about the arithmetic."""

from __future__ import annotations

from neuroemu.metrics.attribution import Attribution
from neuroemu.metrics.verdict import Decision, Reason, Verdict
from neuroemu.models.drift import Drift, drift
from neuroemu.models.registers import Discretized
from neuroemu.wording import SITE_WORDS, dead, moved, number, weights

RUNG_WORDS = {
    "parameters": "constants and time grid as the chip has them",
    "range": "the limits of the registers",
    "fixed": "the rounding in every step",
}


def explain(
    d: Discretized, decision: Decision, split: Attribution, site: str, balance_hz: float | None
) -> str:
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
    balance_hz : float or None
        Predicted rate at which the rule balances, if it does.
    """
    if decision.verdict is Verdict.INCONCLUSIVE:
        return _inconclusive(decision)
    balance = drift(d)
    if balance is None:
        return "The target has no on-chip learning: the weight stays as it was loaded."
    head = f"{weights(d)}: "
    if balance.is_dead:
        return head + dead(d, balance)
    if decision.verdict is Verdict.SURVIVES:
        return head + _survives(balance, decision)
    off = (
        balance_hz is not None and abs(balance_hz - decision.set_point_hz) > decision.margin_hz / 4
    )
    if off and balance_hz is not None:
        return head + moved(d, balance, wanted_hz=decision.set_point_hz, balance_hz=balance_hz)
    return head + _elsewhere(d, balance, decision, split, site)


def _survives(balance: Drift, decision: Decision) -> str:
    largest = max(abs(p.difference.value) for p in decision.phases)
    if balance.period_s:
        moves = f"one spike is worth {number(balance.plus)} LSB"
    elif balance.plus == balance.minus:
        moves = (
            f"an increment of {number(balance.asked_plus)} LSB moves it by {number(balance.plus)}"
        )
    else:
        moves = (
            f"an increment of {number(balance.asked_plus)} LSB adds {number(balance.plus)} "
            f"and takes {number(balance.minus)}"
        )
    near = f"{largest:.1f}" if largest >= 0.05 else "0.1"
    return f"{moves}; the rate stays within {near} Hz of the float reference in every phase."


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
        f"the increments balance ({number(balance.plus)} LSB up, {number(balance.minus)} down), but {result}, "
        f"mostly by {cause}{constant}."
    )


def _inconclusive(decision: Decision) -> str:
    lean = f", leaning to {decision.leaning}" if decision.leaning else ""
    need = f"; about {decision.trials_needed} trials would do" if decision.trials_needed else ""
    if decision.reason is Reason.TOO_FEW_TRIALS:
        return f"One trial has no interval{lean}. Use --trials 8 or more{need}."
    return f"The intervals of {decision.trials} trials are too wide to decide{lean}{need}."
