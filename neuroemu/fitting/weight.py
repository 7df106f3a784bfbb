"""Formats of static and of plastic weights: docs/spec/fitting.md."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from neuroemu.fitting.learning import update_bounds
from neuroemu.fitting.register import Register, Request
from neuroemu.fitting.rules import DELTA, Bound, fraction_bits, make_format, tightest, width_for
from neuroemu.hardware.config import WeightTable
from neuroemu.models.discretize_synapse import weight_lsb
from neuroemu.models.network_load import load_lsb, network_load
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.format import Format

Ranges = Mapping[str, tuple[Fraction, Fraction]]
Bounds = Mapping[str, Sequence[Bound]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A weight register, its LSB by projection, and what no format can mend."""

    register: Register
    lsb: dict[str, Fraction]
    shortfalls: tuple[str, ...] = ()


def static_weight(request: Request) -> Fitted | None:
    """Return the register of static weights; None if the experiment has none."""
    table, p = request.target.synapse.weight, request.precision
    weights = {n: decimal(s.weight) for n, s in request.static.items()}
    if not weights:
        return None
    delta = DELTA[table.rounding]
    bounds = {
        n: [Bound(p * abs(w) / delta, p, f"{float(abs(w)):g} off by {{}} at most")] if w else []
        for n, w in weights.items()
    }
    ranges = {n: (w, w) if table.format.signed else (abs(w), abs(w)) for n, w in weights.items()}
    return _weight(request, "synapse", table, ranges, bounds, signed=table.format.signed)


def plastic_weight(request: Request, whole_steps: bool) -> Fitted | None:
    """Return the register of plastic weights; None if the experiment has none."""
    if not request.plastic:
        return None
    table = request.target.plasticity.weight
    bounds = {
        n: [*_limits(request, n), *update_bounds(request, n, whole_steps)] for n in request.plastic
    }
    ranges = {n: (decimal(r.w_min), decimal(r.w_max)) for n, (_, r) in request.plastic.items()}
    signed = table.format.signed or any(low < 0 for low, _ in ranges.values())
    return _weight(request, "plasticity", table, ranges, bounds, signed=signed)


def _limits(request: Request, name: str) -> list[Bound]:
    projection, rule = request.plastic[name]
    p, delta = request.precision, DELTA[request.target.plasticity.weight.rounding]
    low, high, one = decimal(rule.w_min), decimal(rule.w_max), Fraction(1)
    constants = (
        ("w_max", high, one),
        ("w_min", low, one),
        ("w_max - w_min", high - low, one),
        ("the initial weight", decimal(projection.weight), delta),
    )
    return [
        Bound(p * abs(value) / d, p, f"{what} off by {{}} at most")
        for what, value, d in constants
        if value
    ]


def _weight(
    request: Request,
    place: Literal["synapse", "plasticity"],
    table: WeightTable,
    ranges: Ranges,
    bounds: Bounds,
    *,
    signed: bool,
) -> Fitted:
    """Return the narrowest weight register for ranges and bounds by projection."""
    key = f"{place}.weight.format"
    largest = {n: max(abs(low), abs(high)) for n, (low, high) in ranges.items()}
    load = network_load(request.experiment)
    if table.lsb == "network":
        width, tight = _by_load(load, bounds, signed=signed)
        fraction = table.format.fraction
    elif table.lsb == "full_scale":
        width, tight = _full_scale(largest, bounds, signed=signed)
        fraction = table.format.fraction
    else:
        fraction, lsb, tight = _step(table, bounds)
        width = _width(ranges, lsb, request.precision, signed=signed)
    form = make_format(key, width, fraction, signed=signed)
    fitted = table.model_copy(update={"format": form})
    lsbs = {n: weight_lsb(fitted, value, load) for n, value in largest.items()}
    bound = tightest(bounds.get(tight, ()))
    reason = "no weight but 0" if bound is None else bound.reason(lsbs[tight])
    shortfalls = []
    if bound is not None and lsbs[tight] > bound.lsb:
        fixed = f"{place}.weight.lsb = {float(lsbs[tight]):g} is the target's"
        shortfalls.append(f"{fixed}, and costs: {reason}; {float(bound.lsb):.3g} would do")
    register = Register(
        key=key,
        observed=request.observation.registers[key],
        needs=(
            float(min(a for a, _ in ranges.values())),
            float(max(b for _, b in ranges.values())),
        ),
        format=form,
        own=table.format,
        lsb=float(max(lsbs.values())),
        own_lsb=float(max(weight_lsb(table, value, load) for value in largest.values())),
        range_reason="the rule's limits" if place == "plasticity" else "the largest weight",
        step_reason=reason,
        is_proved=True,
    )
    return Fitted(register=register, lsb=lsbs, shortfalls=tuple(shortfalls))


def _full_scale(
    largest: Mapping[str, Fraction], bounds: Bounds, *, signed: bool
) -> tuple[int, str]:
    """Return the width whose highest code makes every step small enough, and who needs it."""
    steps = {n: max(largest[n] / b.lsb for b in found) for n, found in bounds.items() if found}
    tight = max(steps, key=lambda n: steps[n], default="")
    return width_for(Fraction(0), steps.get(tight, Fraction(1)), signed=signed), tight


def _by_load(load: Fraction, bounds: Bounds, *, signed: bool) -> tuple[int, str]:
    """Return the width at which the network's load leaves a step that is small enough, and who needs it."""
    needs = {n: found.lsb for n in bounds if (found := tightest(bounds[n])) is not None}
    tight = min(needs, key=lambda n: needs[n], default="")
    whole = load_lsb(load, Format(False, 1, 0)) * 2  # what all codes together stand for
    return width_for(Fraction(0), whole / needs.get(tight, whole) - 1, signed=signed), tight


def _step(table: WeightTable, bounds: Bounds) -> tuple[int, Fraction, str]:
    """Return fraction bits, LSB, and who needs it."""
    needs = {n: found.lsb for n in bounds if (found := tightest(bounds[n])) is not None}
    tight = min(needs, key=lambda n: needs[n], default="")
    if table.lsb != "format":
        return table.format.fraction, decimal(float(table.lsb)), tight
    fraction = fraction_bits(needs[tight]) if needs else table.format.fraction
    return fraction, Fraction(2) ** -fraction, tight


def _width(ranges: Ranges, lsb: Fraction, precision: Fraction, *, signed: bool) -> int:
    """Return the width that holds the ranges; it may saturate by the precision, and by one LSB at most."""
    keep = 1 - precision
    low = min(min(a * keep, math.ceil(a / lsb) * lsb) for a, _ in ranges.values())
    high = max(max(b * keep, b - lsb) for _, b in ranges.values())
    return width_for(low / lsb, high / lsb, signed=signed)
