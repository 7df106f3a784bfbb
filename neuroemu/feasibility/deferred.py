"""Learning that waits for the next presynaptic spike: docs/spec/feasibility.md, "Learning"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from neuroemu.feasibility.balance import waiting
from neuroemu.feasibility.findings import RARE, Finding
from neuroemu.feasibility.learning import Learning
from neuroemu.models.drift import stored_change
from neuroemu.models.registers import Discretized
from neuroemu.wording import number


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """A rule whose weights change at presynaptic spikes alone.

    Parameters
    ----------
    projections : tuple of str
        Those of `Learning`.
    expected : float
        Postsynaptic spikes between two presynaptic ones, where the rule balances.
    remembered : int
        The most that the counter holds.
    forgets : float
        Probability of more, at that expectation.
    loss : Fraction
        What the rounding takes at each presynaptic spike on average (below 0) or adds, weight LSB.
    rises : Fraction
        What a presynaptic spike adds that none postsynaptic came before, weight LSB.
    """

    projections: tuple[str, ...]
    expected: float
    remembered: int
    forgets: float
    loss: Fraction
    rises: Fraction


def deferred(d: Discretized, rules: tuple[Learning, ...]) -> tuple[Deferred, ...]:
    """Return the deferred side of each rule; nothing where learning is of another form."""
    if d.target.plasticity.update != "deferred":
        return ()
    return tuple(_deferred(d, rule) for rule in rules)


def _deferred(d: Discretized, rule: Learning) -> Deferred:
    table, used = d.target.plasticity, rule.used
    mean = rule.asked_plus / rule.asked_minus if rule.asked_minus else Fraction(0)
    return Deferred(
        projections=rule.projections,
        expected=float(mean),
        remembered=2**table.counter.width - 1,
        forgets=waiting(mean, 2**table.counter.width),
        loss=used.bias,
        rises=stored_change(used.plus, table.weight.rounding),
    )


def deferred_findings(d: Discretized, found: tuple[Deferred, ...]) -> Iterator[Finding]:
    """Yield where weights cannot rise, or spikes are forgotten."""
    table = d.target.plasticity
    for one in found:
        name = one.projections[0]
        increment = Fraction(d.synapses[name].dw_plus, d.synapses[name].unit)
        if increment > 0 and one.rises == 0:
            yield Finding(
                kind="dead_update",
                key=f"projections.{name}.plasticity.dw_plus",
                sentence=f"a presynaptic spike moves the stored weight by 0 at best: dw_plus is held as "
                f"{number(increment)} LSB (weight.rounding {table.weight.rounding})",
                remedy="set plasticity.weight.rounding = stochastic, or add bits to plasticity.weight.format",
                register="plasticity.weight.format",
            )
        if one.forgets > RARE:
            yield Finding(
                kind="counter",
                key="plasticity.counter.width",
                sentence=f"of the postsynaptic spikes between two presynaptic ones {one.remembered} are remembered: "
                f"{100 * one.forgets:.3g} % of the updates are expected to forget some, where {one.expected:.3g} are "
                "the mean",
                remedy="widen plasticity.counter.width",
                register="plasticity.counter.width",
            )
