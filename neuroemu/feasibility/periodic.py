"""Learning by a processor that wakes up every period: docs/spec/feasibility.md, "Learning"."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from neuroemu.feasibility.constants import threshold_from_rest
from neuroemu.feasibility.counts import Counts, counter_findings, counts_of, poisson_at_least
from neuroemu.feasibility.findings import RARE, Finding
from neuroemu.feasibility.learning import Learning, period_s
from neuroemu.feasibility.search import last
from neuroemu.feasibility.traffic import busiest_hz, fan_in, learns, size_of
from neuroemu.models.drift import stored_change
from neuroemu.models.registers import Discretized
from neuroemu.wording import number

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
        Spikes of one side from which ``plus`` or ``minus`` leave the accumulator.
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
    rows = _rows(d)
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
        rows=rows,
        rows_us=None if table.row_time_us is None else rows * table.row_time_us,
        loop_gain=_loop_gain(d, rule) if gain is None else gain,
    )


def _rows(d: Discretized) -> int:
    pres = {p.pre for n, p in d.experiment.projections.items() if learns(d, n)}
    return sum(size_of(d.experiment, pre) for pre in pres)


def _moves_from(change: Fraction, rounding: str, most: int) -> int | None:
    found = last(lambda n: stored_change(n * change, rounding) * change <= 0, most) + 1
    return found if found <= most else None


def _leaves(dw: int, d: Discretized, site: str) -> int | None:
    form = d.target.plasticity.accumulator.format
    return None if form is None or dw == 0 else d.sites[site].hi // dw + 1


def _loop_gain(d: Discretized, rule: Learning) -> float | None:
    projection = d.experiment.projections[rule.projections[0]]
    stimulus = d.experiment.stimuli.get(projection.pre)
    if stimulus is None:
        return None
    spikes = fan_in(d.experiment, projection) * busiest_hz(d.experiment, stimulus) * period_s(d)
    step = float(rule.used.minus) * rule.lsb
    return spikes * step / float(threshold_from_rest(d, projection.post))


def periodic_findings(d: Discretized, found: tuple[Periodic, ...]) -> Iterator[Finding]:
    """Yield what is wrong with the period, the counters and the accumulator."""
    refuses = d.target.plasticity.counter.overflow == "error"
    for rule in found:
        yield from _still(rule)
        for counts in (rule.pre, rule.post):
            yield from counter_findings(counts, refuses=refuses)
        yield from _accumulator(d, rule)
        yield from _stability(rule)
    if found and found[0].rows_us is not None and found[0].rows_us > found[0].period_us:
        yield Finding(
            kind="row_time",
            key="plasticity.update_period_us",
            sentence=f"to serve the rows ({found[0].rows}) takes {found[0].rows_us:g} us, the period is "
            f"{found[0].period_us:g} us",
            remedy=f"lengthen plasticity.update_period_us to at least {found[0].rows_us:g}",
        )


def _still(rule: Periodic) -> Iterator[Finding]:
    """Yield a finding where a period's spikes can hardly move the weight one way."""
    mean = rule.pre.expected
    if mean is None or mean == 0:
        return
    plausible = mean + 3 * math.sqrt(mean)
    if rule.up_from is None or rule.up_from > plausible:
        need = "more than the counter holds" if rule.up_from is None else f"{rule.up_from}"
        yield Finding(
            kind="dead_update",
            key="plasticity.update_period_us",
            sentence=f"the weight rises only from {need} presynaptic spikes in a period of {rule.period_ms:g} ms, "
            f"where {mean:.3g} are expected",
            remedy="lengthen plasticity.update_period_us, or round the stored weight stochastically",
            register="plasticity.weight.format",
        )


def _accumulator(d: Discretized, rule: Periodic) -> Iterator[Finding]:
    table = d.target.plasticity.accumulator
    if table.format is None:
        return
    does = _DOES[table.overflow]
    for site, counts in (("plus", rule.pre), ("minus", rule.post)):
        start = rule.saturates_from[site]
        if start is None or counts.expected is None or start >= counts.limit:
            continue
        chance = poisson_at_least(start, counts.expected)
        if chance > RARE:
            yield Finding(
                kind="accumulator",
                key="plasticity.accumulator.format",
                sentence=f"dw_{site} times the count {does} from {start} spikes in a period, where "
                f"{counts.expected:.4g} are expected ({100 * chance:.3g} % of the periods)",
                remedy="widen plasticity.accumulator.format, or shorten plasticity.update_period_us",
                register="plasticity.accumulator.format",
            )
    if table.format.lo >= 0:
        yield Finding(
            kind="accumulator",
            key="plasticity.accumulator.format",
            sentence=f"the accumulator {table.format} is unsigned: a change below 0 {does}, so the weight never falls",
            remedy="use a signed plasticity.accumulator.format",
        )


def accumulator_findings(d: Discretized, rules: tuple[Learning, ...]) -> Iterator[Finding]:
    """Yield where the accumulator cannot hold the weights between the limits of a rule, or the sums beyond.

    A sum beyond the limits that saturates is brought back to them all the same.
    """
    table = d.target.plasticity.accumulator
    if table.format is None:
        return
    for rule in rules:
        synapse, used = d.synapses[rule.projections[0]], rule.used
        lowest, highest = synapse.w_min * synapse.unit, synapse.w_max * synapse.unit
        if table.overflow != "saturate":
            taken, added = _largest_change(d, rule)
            lowest, highest = lowest - taken, highest + added
        if used.plus == used.minus == 0:  # the weight stays where it starts
            lowest = highest = synapse.weight * synapse.unit
        if table.format.lo <= lowest and highest <= table.format.hi:
            continue
        holds, needs = (
            " to ".join(number(Fraction(end, synapse.unit)) for end in ends)
            for ends in ((table.format.lo, table.format.hi), (lowest, highest))
        )
        yield Finding(
            kind="accumulator",
            key="plasticity.accumulator.format",
            sentence=f"the accumulator holds {holds} weight LSB, the sums take {needs}: it "
            f"{_DOES[table.overflow]}{' inside the limits' if table.overflow == 'saturate' else ''}",
            remedy="widen plasticity.accumulator.format",
            register="plasticity.accumulator.format",
        )


_DOES = {
    "saturate": "saturates",
    "wrap": "wraps",
    "error": "overflows (the run would be refused)",
}


def _largest_change(d: Discretized, rule: Learning) -> tuple[int, int]:
    """Return the most that an update takes and adds, in parts of an LSB; by counts that are not `RARE`."""
    name = rule.projections[0]
    synapse, projection = d.synapses[name], d.experiment.projections[name]
    if not d.clock.period_steps:
        return synapse.dw_minus, synapse.dw_plus
    limit = 2**d.target.plasticity.counter.width
    pre = counts_of(d, projection.pre, limit, None)
    post = counts_of(d, projection.post, limit, rule.used.set_point_hz)
    minus, plus = synapse.dw_minus * _plausible(post), synapse.dw_plus * _plausible(pre)
    return min(minus, d.sites["minus"].hi), min(plus, d.sites["plus"].hi)


def _plausible(counts: Counts) -> int:
    """Return the largest count that more than `RARE` of the periods reach; 1 where what to expect is not known."""
    expected, most = counts.expected, min(counts.most, counts.limit - 1)
    if expected is None:
        return 1
    return last(lambda n: poisson_at_least(n, expected) > RARE, most)


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
