"""Learning by the sign of a spike count: docs/spec/feasibility.md, "Learning"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from neuroemu.feasibility.counts import Counts, counts_of, negative_from, signed_findings
from neuroemu.feasibility.findings import Finding
from neuroemu.feasibility.learning import period_s, rule_of
from neuroemu.feasibility.traffic import learns, rows, single_rate
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal

SLOW = 0.5
"""Speed, relative to the rule as asked, below which it is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """A rule that compares a period's count with a target, and moves the weight by one LSB.

    Parameters
    ----------
    projection : str
        Whose.
    target, asked : int, float
        Spikes of a period that it regulates to, and those of the set point.
    set_point_hz : float
        Of the target count.
    period_ms, period_us : float
        Biological, hardware.
    lsb : float
        What an update moves the weight by, biological units.
    periods : int
        Updates from the lower limit to the upper.
    speed : float
        Fastest change of the weight, relative to that of the rule without postsynaptic spikes.
    post : Counts
        The counter that is read.
    negative_from : int or None
        Count from which it is read as negative; None where none is.
    rows : int
        Presynaptic units of all plastic projections.
    rows_us : float or None
        Hardware time to serve them; None if the target does not state ``plasticity.row_time_us``.
    """

    projection: str
    target: int
    asked: float
    set_point_hz: float
    period_ms: float
    period_us: float
    lsb: float
    periods: int
    speed: float
    post: Counts
    negative_from: int | None
    rows: int
    rows_us: float | None


def signs(d: Discretized) -> tuple[Signs, ...]:
    """Return the rule of signs of each projection; nothing where learning is of another form."""
    table = d.target.plasticity
    if table.update != "periodic" or table.form != "sign":
        return ()
    return tuple(_signs(d, name) for name in d.experiment.projections if learns(d, name))


def _signs(d: Discretized, name: str) -> Signs:
    table, seconds, rule = d.target.plasticity, period_s(d), rule_of(d, name)
    projection, synapse = d.experiment.projections[name], d.synapses[name]
    rate = single_rate(d.experiment, projection.pre) or 0.0
    asked_hz = rate * float(decimal(rule.dw_plus) / decimal(rule.dw_minus))
    lsb = float(synapse.lsb)
    fastest = rate * rule.dw_plus * seconds
    hz = synapse.target_count / seconds
    post = counts_of(d, projection.post, 2**table.counter.width, hz)
    n = rows(d)
    return Signs(
        projection=name,
        target=synapse.target_count,
        asked=asked_hz * seconds,
        set_point_hz=hz,
        period_ms=1000 * seconds,
        period_us=d.clock.hardware_us(1000 * seconds),
        lsb=lsb,
        periods=synapse.w_max - synapse.w_min,
        speed=lsb / fastest if fastest else 1.0,
        post=post,
        negative_from=negative_from(d),
        rows=n,
        rows_us=None if table.row_time_us is None else n * table.row_time_us,
    )


def sign_findings(d: Discretized, found: tuple[Signs, ...]) -> Iterator[Finding]:
    """Yield where the rule of signs is far from the rule as asked."""
    for one in found:
        if one.target == 0:
            yield Finding(
                kind="dead_update",
                key="plasticity.update_period_us",
                sentence=f"the target count of {one.projection} is 0: {one.asked:.3g} spikes are due in a period of "
                f"{one.period_ms:g} ms, and the weight never rises",
                remedy="lengthen plasticity.update_period_us",
            )
        yield from slow_steps(d, one.projection, one.speed, one.lsb, one.periods, one.period_ms)
        yield from signed_findings(d, one.post)


def slow_steps(
    d: Discretized, projection: str, speed: float, step: float, periods: int, period_ms: float
) -> Iterator[Finding]:
    """Yield that a weight which moves by one step a period is slower than the rule; a problem if a phase is over first.

    Parameters
    ----------
    speed : float
        Relative to the rule's fastest.
    step : float
        Biological units.
    periods : int
        From limit to limit.
    """
    if speed >= SLOW:
        return
    whole = periods * period_ms
    yield Finding(
        kind="slow",
        key=f"projections.{projection}.plasticity.dw_plus",
        sentence=f"a weight step of {step:.3g} every {period_ms:g} ms is {speed:.3g} times as fast as the rule can be; "
        f"from limit to limit it takes {periods} periods, {whole / 1000:.3g} s",
        remedy="shorten plasticity.update_period_us; the size of the increments is not in this rule",
        severity="problem" if whole > shortest_phase_ms(d) else "note",
    )


def shortest_phase_ms(d: Discretized) -> float:
    """Return the shortest time of constant stimulus in which the experiment's question wants an answer."""
    edges = d.experiment.phase_edges_ms()
    return min(b - a for a, b in pairwise(edges))
