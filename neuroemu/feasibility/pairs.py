"""Learning by a pair controller: docs/spec/feasibility.md, "Learning"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from neuroemu.feasibility.findings import Finding
from neuroemu.feasibility.learning import period_s, rule_of
from neuroemu.feasibility.signs import slow_steps
from neuroemu.feasibility.traffic import learns, rows, single_rate
from neuroemu.models.registers import Discretized


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """A rule that a controller of pair sensors and tables stands for.

    Parameters
    ----------
    projection : str
        Whose.
    period_ms, period_us : float
        From one readout of a synapse to the next; biological, hardware.
    tau_ms : float
        Time constant of the sensors, biological.
    threshold : float
        In charges of a pair without distance.
    step : int
        Codes that a readout moves the weight by.
    lsb : float
        Of the weight, biological units.
    periods : int
        Readouts from the lower limit to the upper.
    speed : float
        Fastest change of the weight, relative to that of the rule without postsynaptic spikes.
    rows : int
        Presynaptic units of all plastic projections.
    rows_us : float or None
        Hardware time to read them; None if the target does not state ``plasticity.row_time_us``.
    """

    projection: str
    period_ms: float
    period_us: float
    tau_ms: float
    threshold: float
    step: int
    lsb: float
    periods: int
    speed: float
    rows: int
    rows_us: float | None


def pairs(d: Discretized) -> tuple[Pairs, ...]:
    """Return the controller's side of each plastic projection; nothing where learning is of another form."""
    if d.target.plasticity.update != "pairs":
        return ()
    return tuple(_pairs(d, name) for name in d.experiment.projections if learns(d, name))


def _pairs(d: Discretized, name: str) -> Pairs:
    table, settings, synapse = d.target.plasticity, d.synapses[name].pairs, d.synapses[name]
    if table.pairs is None or settings is None:
        raise ValueError("a pair controller has its table and its settings")
    rate = single_rate(d.experiment, d.experiment.projections[name].pre) or 0.0
    fastest = rate * rule_of(d, name).dw_plus * period_s(d)
    step, n, seconds = table.pairs.step, rows(d), period_s(d)
    return Pairs(
        projection=name,
        period_ms=1000 * seconds,
        period_us=d.clock.hardware_us(1000 * seconds),
        tau_ms=table.pairs.tau_us * d.clock.acceleration / 1000.0,
        threshold=settings.threshold_high,
        step=step,
        lsb=float(synapse.lsb),
        periods=-(-(synapse.w_max - synapse.w_min) // step),
        speed=step * float(synapse.lsb) / fastest if fastest else 1.0,
        rows=n,
        rows_us=None if table.row_time_us is None else n * table.row_time_us,
    )


def pair_findings(d: Discretized, found: tuple[Pairs, ...]) -> Iterator[Finding]:
    """Yield where the controller is far from the rule as asked."""
    for one in found:
        yield from slow_steps(
            d, one.projection, one.speed, one.step * one.lsb, one.periods, one.period_ms
        )
