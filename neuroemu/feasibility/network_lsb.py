"""The weight step that the network's load leaves: docs/spec/feasibility.md, "Constants"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from neuroemu.feasibility.findings import Finding
from neuroemu.feasibility.traffic import learns
from neuroemu.models.constants import COARSE
from neuroemu.models.network_load import load_lsb, network_load
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLsb:
    """The LSB of a weight register that depends on the whole network.

    Parameters
    ----------
    key : str
        Of the register's format.
    load : float
        Largest sum of weights that can meet a neuron in a step.
    lsb : float
        In the experiment's unit.
    smallest : float or None
        What it has to resolve: the smallest weight of a static register, the smaller increment of a plastic one.
    """

    key: str
    load: float
    lsb: float
    smallest: float | None


def network_lsb(d: Discretized) -> tuple[NetworkLsb, ...]:
    """Return each register whose LSB the network decides; none where the target does not say ``network``."""
    load, found = network_load(d.experiment), []
    weights = {"synapse": _static(d), "plasticity": _increments(d)}
    for place, values in weights.items():
        table = getattr(d.target, place).weight
        if table.lsb == "network" and values:
            one = NetworkLsb(
                key=f"{place}.weight.format",
                load=float(load),
                lsb=float(load_lsb(load, table.format)),
                smallest=float(min((v for v in values if v), default=Fraction(0))) or None,
            )
            found.append(one)
    return tuple(found)


def _static(d: Discretized) -> list[Fraction]:
    projections = d.experiment.projections.values()
    return [abs(decimal(p.weight)) for p in projections if p.plasticity is None]


def _increments(d: Discretized) -> list[Fraction]:
    if not d.target.plasticity.by_increments:
        return []
    rules = [p.plasticity for n, p in d.experiment.projections.items() if learns(d, n)]
    return [decimal(dw) for r in rules if r is not None for dw in (r.dw_plus, r.dw_minus)]


def network_lsb_findings(found: tuple[NetworkLsb, ...]) -> Iterator[Finding]:
    """Yield where half an LSB is more than 5 % of what it has to resolve."""
    for one in found:
        if one.smallest is None or one.lsb / 2 <= COARSE * one.smallest:
            continue
        what = "increment" if one.key.startswith("plasticity") else "weight"
        share = one.lsb / one.smallest
        yield Finding(
            kind="network_lsb",
            key=one.key.replace(".format", ".lsb"),
            sentence=f"up to {one.load:.4g} of weights can meet a neuron in a step, so a weight LSB is {one.lsb:.4g}: "
            f"{100 * share:.3g} % of the smallest {what}, {one.smallest:.4g}",
            remedy=f"fewer or smaller weights on each neuron, or widen {one.key}",
            severity="problem" if share > 1 else "note",
            register=one.key,
        )
