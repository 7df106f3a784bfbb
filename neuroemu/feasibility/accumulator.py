"""What meets the accumulator, and what it does to it: docs/spec/feasibility.md, "Learning"."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from neuroemu.feasibility.balance import waiting
from neuroemu.feasibility.counts import Counts, counts_of, poisson_at_least
from neuroemu.feasibility.findings import RARE, Finding
from neuroemu.feasibility.learning import Learning
from neuroemu.feasibility.periodic import Periodic, products_overflow
from neuroemu.feasibility.search import last
from neuroemu.models.registers import Discretized
from neuroemu.wording import number

DOES = {
    "saturate": "saturates",
    "wrap": "wraps",
    "error": "overflows (the run would be refused)",
}

KEY = "plasticity.accumulator.format"


def accumulator_findings(
    d: Discretized, rules: tuple[Learning, ...], periods: tuple[Periodic, ...] = ()
) -> Iterator[Finding]:
    """Yield what the accumulator changes of products, sums and weights."""
    form = d.target.plasticity.accumulator.format
    if form is None:
        return
    for period in periods:
        if products_overflow(d) == "wrap":
            yield from _difference(d, period)
        else:
            yield from _products(d, period)
    if periods and form.lo >= 0:
        yield Finding(
            kind="accumulator",
            key=KEY,
            sentence=f"the accumulator {form} is unsigned: a change below 0 {DOES[products_overflow(d)]}, so the "
            "weight never falls",
            remedy="use a signed plasticity.accumulator.format",
        )
    yield from _weights(d, rules)


def _products(d: Discretized, rule: Periodic) -> Iterator[Finding]:
    does = DOES[products_overflow(d)]
    for site, counts in (("plus", rule.pre), ("minus", rule.post)):
        start = rule.saturates_from[site]
        if start is None or counts.expected is None or start >= counts.limit:
            continue
        chance = poisson_at_least(start, counts.expected)
        if chance > RARE:
            yield Finding(
                kind="accumulator",
                key=KEY,
                sentence=f"dw_{site} times the count {does} from {start} spikes in a period, where "
                f"{counts.expected:.4g} are expected ({100 * chance:.3g} % of the periods)",
                remedy="widen plasticity.accumulator.format, or shorten plasticity.update_period_us",
                register=KEY,
            )


def _difference(d: Discretized, rule: Periodic) -> Iterator[Finding]:
    """Yield that the change of a period wraps; what wraps in one product alone wraps back in the difference."""
    pre, post = rule.pre.expected, rule.post.expected
    if pre is None or post is None:
        return
    synapse = d.synapses[rule.projections[0]]
    chance = _outside(d, pre, post, synapse.dw_plus, synapse.dw_minus)
    if chance <= RARE:
        return
    first, second = (rule.saturates_from[site] for site in ("plus", "minus"))
    yield Finding(
        kind="accumulator",
        key=KEY,
        sentence=f"the change of a period wraps to the other sign from {first} presynaptic spikes more than "
        f"postsynaptic ones, or {second} fewer: {pre:.4g} and {post:.4g} are expected ({100 * chance:.3g} % of the "
        "periods)",
        remedy="widen plasticity.accumulator.format, or shorten plasticity.update_period_us",
        register=KEY,
    )


def _outside(d: Discretized, pre: float, post: float, plus: int, minus: int) -> float:
    """Return the probability that the difference of both products leaves the accumulator, the counts Poisson."""
    site, total = d.sites["change"], 0.0
    for n in range(int(pre + 12 * math.sqrt(pre)) + 12):
        here = poisson_at_least(n, pre) - poisson_at_least(n + 1, pre)
        if minus == 0:
            total += here * (not site.lo <= n * plus <= site.hi)
            continue
        too_few = -(-(n * plus - site.hi) // minus)  # fewer postsynaptic spikes leave it above
        too_many = (n * plus - site.lo) // minus + 1
        total += here * (1 - poisson_at_least(too_few, post) + poisson_at_least(too_many, post))
    return total


def _weights(d: Discretized, rules: tuple[Learning, ...]) -> Iterator[Finding]:
    """Yield where it cannot hold the weights between the limits of a rule, or the sums beyond.

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
            key=KEY,
            sentence=f"the accumulator holds {holds} weight LSB, the sums take {needs}: it "
            f"{DOES[table.overflow]}{' inside the limits' if table.overflow == 'saturate' else ''}",
            remedy="widen plasticity.accumulator.format",
            register=KEY,
        )


def _largest_change(d: Discretized, rule: Learning) -> tuple[int, int]:
    """Return the most that an update takes and adds, in parts of an LSB; by counts that are not `RARE`."""
    name = rule.projections[0]
    synapse, projection = d.synapses[name], d.experiment.projections[name]
    if d.target.plasticity.update == "deferred":
        mean = rule.asked_plus / rule.asked_minus if rule.asked_minus else Fraction(0)
        n = last(lambda n: waiting(mean, n) > RARE, 2**d.target.plasticity.counter.width - 1)
        return synapse.dw_minus * n, synapse.dw_plus
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
