"""The verdict's reason in plain words, from what is known about the arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from neuroemu.metrics.attribution import Attribution
from neuroemu.metrics.verdict import Decision, Reason, Verdict
from neuroemu.models.drift import Drift, drift
from neuroemu.models.registers import Discretized
from neuroemu.wording import STILL, dead, moved, number, site_words, weights

RUNG_WORDS = {
    "parameters": "constants and time grid as the chip has them",
    "range": "the limits of the registers",
    "fixed": "the rounding in every step",
}


def explain(
    d: Discretized,
    decision: Decision,
    split: Attribution,
    site: str,
    balance_hz: float | None,
    control_off_hz: Sequence[float],
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
    control_off_hz : sequence of float
        The control on the target minus the control in float, in each phase.
    """
    if decision.verdict is Verdict.INCONCLUSIVE:
        return _inconclusive(decision)
    if d.target.plasticity.update == "none":
        return f"{STILL} {_neuron(control_off_hz)}"
    head = f"{weights(d)}: "
    balance = drift(d) if d.target.plasticity.by_increments else None
    if balance is None:
        return head + _without_increments(d, decision, split, site)
    if balance.is_dead:
        return head + dead(d, balance)
    if decision.verdict is Verdict.SURVIVES:
        return head + _survives(d, balance, decision)
    off = (
        balance_hz is not None and abs(balance_hz - decision.set_point_hz) > decision.margin_hz / 4
    )
    if off and balance_hz is not None:
        return head + moved(d, balance, wanted_hz=decision.set_point_hz, balance_hz=balance_hz)
    return head + _elsewhere(d, balance, decision, split, site)


def _survives(d: Discretized, balance: Drift, decision: Decision) -> str:
    if d.target.plasticity.update == "deferred":
        moves = f"an increment is {number(balance.asked_plus)} LSB, and each update is rounded once"
    elif balance.period_s:
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
    return f"{moves}; {_near(decision)}"


def _near(decision: Decision) -> str:
    largest = max(abs(p.difference.value) for p in decision.phases)
    near = f"{largest:.1f}" if largest >= 0.05 else "0.1"
    return f"the rate stays within {near} Hz of the float reference in every phase."


def _neuron(control_off_hz: Sequence[float]) -> str:
    """Say how the neuron alone compares with that of the float reference."""
    largest = max(map(abs, control_off_hz))
    if largest < 0.05:
        return "The neuron alone fires as in float."
    return f"The neuron alone fires within {largest:.1f} Hz of the one in float, in every phase."


def _without_increments(d: Discretized, decision: Decision, split: Attribution, site: str) -> str:
    if decision.verdict is Verdict.SURVIVES:
        return _near(decision)
    return f"{_result(decision)}, mostly by {_cause(d, decision, split, site)}."


def _elsewhere(
    d: Discretized, balance: Drift, decision: Decision, split: Attribution, site: str
) -> str:
    return (
        f"the increments balance ({number(balance.plus)} LSB up, {number(balance.minus)} down), but "
        f"{_result(decision)}, mostly by {_cause(d, decision, split, site)}."
    )


def _result(decision: Decision) -> str:
    phase = decision.worst_phase
    if decision.verdict is Verdict.DEAD:
        return "the rate is not regulated"
    return f"the rate is {decision.phases[phase].difference.value:+.1f} Hz off in phase {phase + 1}"


def _cause(d: Discretized, decision: Decision, split: Attribution, site: str) -> str:
    """Return the site to blame, or the rung, with the constant that is furthest off where it is that one's."""
    step = max(split.steps, key=lambda s: abs(s.phases[decision.worst_phase].value))
    if d.target.plasticity.update == "pairs":
        return "steps of whole codes, one a readout"
    cause = site_words(d, site) or RUNG_WORDS[step.rung]
    if step.rung == "parameters" and d.target.neuron is not None and not site:
        cause = "constants, time grid and step of the neuron as the chip has them"
    worst = max(d.constants, key=lambda c: abs(c.relative_error) if c.asked else 0.0)
    constant = ""
    if step.rung == "parameters" and abs(worst.relative_error) > 0.01:
        constant = f" ({worst.key} is {100 * worst.relative_error:+.1f} % off)"
    return f"{cause}{constant}"


def _inconclusive(decision: Decision) -> str:
    lean = f", leaning to {decision.leaning}" if decision.leaning else ""
    need = f"; about {decision.trials_needed} trials would do" if decision.trials_needed else ""
    if decision.reason is Reason.TOO_FEW_TRIALS:
        return f"One trial has no interval{lean}. Use --trials 8 or more{need}."
    return f"The intervals of {decision.trials} trials are too wide to decide{lean}{need}."
