"""A predicted verdict's reason in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from neuroemu.metrics.outcome import Verdict
from neuroemu.models.drift import Drift
from neuroemu.models.registers import Discretized
from neuroemu.prediction.expected import Expected
from neuroemu.prediction.outlook import Outlook
from neuroemu.prediction.period_chain import Balance
from neuroemu.wording import SITE_WORDS, STILL, dead, moved, number, weights

OVERSHOOT = 1.0
"""Part of a deviation that an update may take back without going beyond."""

FAR = 4.0
"""Deviations of a Poisson count that are taken to occur."""

SEEN_HZ = 1.0
"""A difference of two predicted rates from here on is named."""

STILL_NOTHING = f"{STILL} It delivers nothing: the neuron is its control."


def has_mismatch(d: Discretized) -> bool:
    """Tell whether the neurons of a population differ."""
    table = d.target.membrane.mismatch
    return table is not None and max(table.model_dump(exclude={"seed"}).values()) > 0.0


def is_control(d: Discretized) -> bool:
    """Tell whether the neuron of the question gets, and is, just what its control is, as nothing learns."""
    e, question = d.experiment, d.experiment.question
    if question is None or d.target.plasticity.update != "none" or has_mismatch(d):
        return False
    synapse = d.synapses[question.projection]
    if synapse.weight and synapse.gain:
        return False
    neurons = [e.populations[p] for p in (question.population, question.control)]
    same = ("pre", "connector", "weight", "plasticity")
    inputs = [
        sorted(
            str([getattr(projection, key) for key in same])
            for name, projection in e.projections.items()
            if projection.post == post and name != question.projection
        )
        for post in (question.population, question.control)
    ]
    return neurons[0] == neurons[1] and inputs[0] == inputs[1]


def unknown(d: Discretized, balance: Drift | None, caveat: str) -> str:
    """Return what is left to say where the analysis does not apply."""
    start = f"No rates are predicted: {caveat}."
    if balance is None:
        return start
    if balance.is_dead:
        return f"{start} {weights(d)}: {dead(d, balance)}".rstrip()
    if balance.by_sign:
        return f"{start} {weights(d)} move by one LSB a period."
    return f"{start} {weights(d)} move by {number(balance.plus)} LSB up and {number(balance.minus)} down."


def caveats_of(d: Discretized, gain: float | None, on_chip: Expected) -> tuple[str, ...]:
    """Return what the analysis leaves out here."""
    found = []
    table = d.target.plasticity
    draws = table.weight.rounding == "stochastic" and table.increment.format.fraction > 0
    random = table.random
    if draws and random.source == "lfsr" and random.bits_per_draw < random.output_bits:
        found.append("consecutive draws of the shift register share bits; taken as independent")
    if gain is not None and gain > OVERSHOOT:
        found.append(
            f"an update takes back {gain:.1f} times a deviation, so the weight swings; the rates are less exact"
        )
    if on_chip.is_rough:
        found.append(
            "a single spike moves the weight by a large part of its range, or by few LSBs; "
            "the rates are less exact"
        )
    if table.update == "periodic" and table.counter.signed and _may_turn_negative(d, on_chip):
        found.append(
            f"a counter of {table.counter.width} bits that is read as signed can pass its half: "
            "a high rate then counts as a negative one, and the weight runs away"
        )
    return tuple(found)


def _may_turn_negative(d: Discretized, on_chip: Expected) -> bool:
    """Tell whether a period can hold so many spikes that a signed counter is negative."""
    seconds = float(d.clock.period_steps * d.clock.step_ms) / 1000.0
    rates = [r for s in d.experiment.stimuli.values() for r in s.rates_hz]
    mean = seconds * max((*rates, *on_chip.rates_hz))
    return bool(mean + FAR * mean**0.5 >= 2 ** (d.target.plasticity.counter.width - 1))


def loop_gain(balances: Sequence[Balance]) -> float | None:
    """Return the largest gain of the phases that balance, or of all if none does."""
    gains = [b.gain for b in balances if b.rate is not None] or [b.gain for b in balances]
    return max(gains, default=None)


def reason(
    d: Discretized,
    balance: Drift | None,
    on_chip: Expected,
    on_float: Expected,
    found: Outlook,
    set_point_hz: float,
) -> str:
    """Return one to three sentences: what the arithmetic does to the rule, and what would save it."""
    if balance is None:
        weight = d.synapses[d.experiment.question.projection] if d.experiment.question else None
        delivers = weight is None or (weight.weight and weight.gain)
        return STILL if delivers else STILL_NOTHING
    head = f"{weights(d)}: "
    if balance.is_dead:
        return (head + dead(d, balance)).rstrip()
    off = [t - r for t, r in zip(on_chip.rates_hz, on_float.rates_hz, strict=True)]
    worst = off[found.worst_phase]
    if found.leaning is Verdict.SURVIVES:
        near = f"{max(abs(worst), 0.1):.1f} Hz"
        text = f"the rate stays within {near} of the float reference in every phase. "
        return (head + text + _edge(found)).rstrip()
    gain, balanced = loop_gain(on_chip.balances), _balance_hz(balance, on_chip, set_point_hz)
    if gain is not None and gain > OVERSHOOT:
        cause = (
            f"one update takes back {gain:.1f} times a deviation of the weight. Update more often"
        )
    elif balance.by_sign:
        return f"{head}{_by_sign(d, balance, worst, found)} {_edge(found)}".rstrip()
    elif abs(balanced - set_point_hz) > set_point_hz / 40:
        text = moved(d, balance, wanted_hz=set_point_hz, balance_hz=balanced)
        return f"{head}{text} {_edge(found)}".rstrip()
    else:
        cause = f"mostly by {_cause(d, on_chip, on_float)}"
    return (
        f"{head}the increments balance ({number(balance.plus)} LSB up, {number(balance.minus)} down), but the rate "
        f"is {worst:+.1f} Hz off in phase {found.worst_phase + 1}: {cause}. {_edge(found)}"
    ).rstrip()


def _by_sign(d: Discretized, balance: Drift, worst: float, found: Outlook) -> str:
    """Return what the rule of signs costs."""
    synapse = d.synapses[d.experiment.question.projection] if d.experiment.question else None
    count = synapse.target_count if synapse else 0
    seconds = float(d.clock.period_steps * d.clock.step_ms) / 1000.0
    crossing = seconds * (synapse.w_max - synapse.w_min) if synapse else 0.0
    return (
        f"the weight moves one LSB a period towards a count of {count} ({balance.target_hz or 0.0:.1f} Hz), "
        f"{crossing:.1f} s from limit to limit: the rate is {worst:+.1f} Hz off in phase {found.worst_phase + 1}."
    )


def _balance_hz(balance: Drift, on_chip: Expected, set_point_hz: float) -> float:
    """Return the rate that the rule holds, in the phase where it is farthest from the wanted one."""
    rates = [b.rate for b in on_chip.balances if b.rate is not None]
    if rates:
        return max(rates, key=lambda r: abs(r - set_point_hz))
    asked = balance.asked_plus / balance.asked_minus if balance.asked_minus else Fraction(1)
    return set_point_hz * float(balance.plus / balance.minus / asked) if asked else set_point_hz


def _edge(found: Outlook) -> str:
    if found.verdict is not None:
        return ""
    others = sorted(str(v) for v in found.possible if v is not found.leaning)
    return f"That is near the edge: it may also be {' or '.join(others)}."


def _cause(d: Discretized, on_chip: Expected, on_float: Expected) -> str:
    """Return what is to blame where the increments are not."""
    pairs = zip(on_chip.control_hz, on_float.control_hz, strict=True)
    if max(abs(t - r) for t, r in pairs) < SEEN_HZ:
        return SITE_WORDS["store"]
    return SITE_WORDS["leak"] if not d.is_analog else "constants and time grid as the chip has them"
