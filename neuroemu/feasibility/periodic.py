"""Learning by a processor that wakes up every period: docs/spec/feasibility.md, "Learning"."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from neuroemu.feasibility.constants import threshold_from_rest
from neuroemu.feasibility.counts import Counts, counter_findings, counts_of, signed_findings
from neuroemu.feasibility.findings import Finding
from neuroemu.feasibility.learning import Learning, period_s
from neuroemu.feasibility.search import last
from neuroemu.feasibility.traffic import busiest_hz, fan_in, rows
from neuroemu.models.drift import stored_change
from neuroemu.models.registers import Discretized

UNSTABLE = 2.0
"""Loop gain from which a deviation grows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """A rule that acts once a period.

    Parameters
    ----------
    projections : tuple of str
        Those of `Learning`.
    period_ms, period_us : float
        Biological, hardware.
    pre, post : Counts
        The counters at both ends.
    up_from, down_from : int or None
        Fewest spikes of one side alone that move the weight; None if no number up to the counter's limit does.
    saturates_from : dict of str to (int or None)
        Spikes of one side from which ``plus`` or ``minus`` leave the accumulator; where it wraps, spikes more than of
        the other side (as much as they are worth) from which the change does.
    rows : int
        Presynaptic units of all plastic projections.
    rows_us : float or None
        Hardware time to serve them; None if the target does not state ``plasticity.row_time_us``.
    loop_gain : float or None
        Estimate; None where the presynaptic side is no stimulus.
    """

    projections: tuple[str, ...]
    period_ms: float
    period_us: float
    pre: Counts
    post: Counts
    up_from: int | None
    down_from: int | None
    saturates_from: dict[str, int | None]
    rows: int
    rows_us: float | None
    loop_gain: float | None


def periodic(
    d: Discretized, rules: tuple[Learning, ...], asked_gain: float | None = None
) -> tuple[Periodic, ...]:
    """Return the periodic side of each rule; nothing where learning is event-driven.

    Parameters
    ----------
    asked_gain : float, optional
        A better estimate of the loop gain, for the projection of the question.
    """
    if not d.clock.period_steps:
        return ()
    question = d.experiment.question
    found = []
    for rule in rules:
        is_asked = question is not None and question.projection in rule.projections
        found.append(_periodic(d, rule, asked_gain if is_asked else None))
    return tuple(found)


def _periodic(d: Discretized, rule: Learning, gain: float | None) -> Periodic:
    projection = d.experiment.projections[rule.projections[0]]
    seconds, table = period_s(d), d.target.plasticity
    limit = 2**table.counter.width
    step = d.synapses[rule.projections[0]]
    plus, minus = Fraction(step.dw_plus, step.unit), Fraction(step.dw_minus, step.unit)
    n = rows(d)
    return Periodic(
        projections=rule.projections,
        period_ms=1000 * seconds,
        period_us=d.clock.hardware_us(1000 * seconds),
        pre=counts_of(d, projection.pre, limit, None),
        post=counts_of(d, projection.post, limit, rule.used.set_point_hz),
        up_from=_moves_from(plus, table.weight.rounding, limit - 1),
        down_from=_moves_from(-minus, table.weight.rounding, limit - 1),
        saturates_from={
            "plus": _leaves(step.dw_plus, d, "plus"),
            "minus": _leaves(step.dw_minus, d, "minus"),
        },
        rows=n,
        rows_us=None if table.row_time_us is None else n * table.row_time_us,
        loop_gain=_loop_gain(d, rule) if gain is None else gain,
    )


def _moves_from(change: Fraction, rounding: str, most: int) -> int | None:
    found = last(lambda n: stored_change(n * change, rounding) * change <= 0, most) + 1
    return found if found <= most else None


def products_overflow(d: Discretized) -> str:
    """Return what the accumulator does to products and their difference where they do not fit."""
    table = d.target.plasticity.accumulator
    return table.products or table.overflow


def _leaves(dw: int, d: Discretized, site: str) -> int | None:
    if d.target.plasticity.accumulator.format is None or dw == 0:
        return None
    wraps_below = site == "minus" and products_overflow(d) == "wrap"
    return (-d.sites[site].lo if wraps_below else d.sites[site].hi) // dw + 1


def _loop_gain(d: Discretized, rule: Learning) -> float | None:
    projection = d.experiment.projections[rule.projections[0]]
    stimulus = d.experiment.stimuli.get(projection.pre)
    if stimulus is None:
        return None
    spikes = fan_in(d.experiment, projection) * busiest_hz(d.experiment, stimulus) * period_s(d)
    step = float(rule.used.minus) * rule.lsb
    return spikes * step / float(threshold_from_rest(d, projection.post))


def periodic_findings(d: Discretized, found: tuple[Periodic, ...]) -> Iterator[Finding]:
    """Yield what is wrong with the period and the counters."""
    refuses = d.target.plasticity.counter.overflow == "error"
    for rule in found:
        yield from _still(rule)
        for counts in (rule.pre, rule.post):
            yield from counter_findings(counts, refuses=refuses)
            yield from signed_findings(d, counts)
        yield from _stability(rule)


def _still(rule: Periodic) -> Iterator[Finding]:
    """Yield a finding where a period's spikes can hardly move the weight one way."""
    mean = rule.pre.expected
    if mean is None or mean == 0:
        return
    plausible = mean + 3 * math.sqrt(mean)
    if rule.up_from is None or rule.up_from > max(plausible, 1):
        need = "more than the counter holds" if rule.up_from is None else f"{rule.up_from}"
        yield Finding(
            kind="dead_update",
            key="plasticity.update_period_us",
            sentence=f"the weight rises only from {need} presynaptic spikes in a period of {rule.period_ms:g} ms, "
            f"where {mean:.3g} are expected",
            remedy="lengthen plasticity.update_period_us, or round the stored weight stochastically",
            register="plasticity.weight.format",
        )


def _stability(rule: Periodic) -> Iterator[Finding]:
    gain = rule.loop_gain
    if gain is None or gain < 1:
        return
    what = "does not settle" if gain >= UNSTABLE else "overshoots before it settles"
    yield Finding(
        kind="unstable",
        key="plasticity.update_period_us",
        sentence=f"an update every {rule.period_ms:g} ms biological takes back {gain:.3g} times a deviation of the "
        f"weight: the loop {what}",
        remedy=f"shorten plasticity.update_period_us to about {rule.period_us / gain / 2:.2g} or less",
        severity="problem" if gain >= UNSTABLE else "note",
    )
