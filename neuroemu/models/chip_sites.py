"""The sites of the chip neuron, and the widest value at each: docs/spec/chip-neuron.md."""

from __future__ import annotations

from typing import Any

from neuroemu.hardware.config import LeakTable, NeuronTable, Target
from neuroemu.models.chip import ChipRegisters, bias_joins_current
from neuroemu.numeric.format import Format
from neuroemu.numeric.site import Site

Interval = tuple[int, int]

WIDE = Format(True, 40, 0)
"""Of a buffer without a format: no sum of inputs fills it."""
FREE = Format(True, 62, 0)
"""Of a site that narrows nothing."""


def chip_sites(
    target: Target, table: NeuronTable, form: Format, leak: LeakTable, drive_shift: int
) -> dict[str, Site]:
    """Return the sites of a neuron that steps as its chip does."""
    membrane, current, resistance = target.membrane, table.current, table.resistance
    lowest = form.lo + (membrane.range == "symmetric")

    def site(name: str, held: Format, *, lo: int | None = None, **how: Any) -> Site:
        rules: dict[str, Any] = {"shift": 0, "rounding": "floor", "overflow": "saturate", **how}
        lsb = float(form.lsb)
        return Site(name=name, lo=held.lo if lo is None else lo, hi=held.hi, lsb=lsb, **rules)

    decay: dict[str, Any] = {}
    inner, inner_overflow = WIDE, "saturate"
    if current is not None:
        inner, inner_overflow = current.format, current.overflow
        is_shift = current.decay == "shift"
        decay["shift"] = current.decay_format.hi if is_shift else current.decay_format.fraction
        decay["rounding"] = "ceil" if is_shift else current.rounding
    place, low, overflow = {
        "membrane": (form, lowest, table.input_overflow),
        "current": (inner, inner.lo, inner_overflow),
        "buffer": (buffer := table.buffer.format or WIDE, buffer.lo, table.buffer.overflow),
    }[table.input]
    leak_shift = {"multiply": leak.format.fraction, "shift": leak.format.hi}.get(leak.kind, 0)
    drives, force = FREE, dict[str, Any](never_overflows=True)
    if bias_joins_current(table) and current is not None:
        drives, force = inner, {"overflow": inner_overflow}
    if resistance is not None:
        drives, force = form, {"shift": resistance.format.fraction, "rounding": resistance.rounding}
        force["overflow"] = membrane.overflow
    sites = (
        site("decay", inner, never_overflows=True, **decay),
        site("current", inner, overflow=inner_overflow, never_overflows=current is None),
        site("force", drives, **force),
        site(
            "leak",
            Format(True, form.width + 2, form.fraction),
            shift=leak_shift,
            rounding="ceil" if leak.kind == "shift" else membrane.rounding,
            never_overflows=True,
        ),
        site("slope", FREE, never_overflows=True)
        if table.slope == "exact"
        else site("slope", form, lo=lowest),
        site("membrane", form, lo=lowest, overflow=membrane.overflow),
        site(
            "drive",
            place,
            lo=-place.hi - place.signed,
            shift=drive_shift,
            rounding=target.synapse.gain.drive_rounding,
        ),
        site("input", place, lo=low, overflow=overflow),
    )
    return {s.name: s for s in sites}


def widest_of_chip(
    table: NeuronTable,
    chips: list[ChipRegisters],
    steps: list[int],
    sites: dict[str, Site],
    scale: int,
) -> dict[str, Interval]:
    """Follow a step of docs/spec/chip-neuron.md, a range for every value.

    Parameters
    ----------
    table : NeuronTable
    chips : list of ChipRegisters
        Of every population.
    steps : list of int
        What a spike takes from the membrane of each, 0 where it resets.
    sites : dict of str to Site
    scale : int
        Of the buffer.
    """
    v = _range(sites["membrane"])
    v = (v[0] - (v[0] == -v[1]), v[1])  # a neuron may start in the code that is not used
    drive = _range(sites["drive"])
    if table.channels == "two":
        drive = _hull(drive, _times(drive, -1))
    buffer = _range(sites["input"]) if table.input == "buffer" else (0, 0)
    fed = _times(buffer, scale)
    current = (0, 0) if table.input == "membrane" else _range(sites["current"])
    if table.input == "buffer" and table.current is None:
        current = fed
    decay = [_terms(c.current.leak, c.current.unit, current) for c in chips]
    down = current if table.channels == "two" else (0, 0)
    difference = _plus(current, _times(down, -1))
    biases = _hull(*((c.bias, c.bias) for c in chips), (0, 0))
    force_wide = _hull(*(_times(difference, c.resistance) for c in chips), (0, 0))
    force_wide = _plus(force_wide, biases)
    force = force_wide if sites["force"].never_overflows else _range(sites["force"])
    gap = v if table.resistance is None else _plus(v, _times(force, -1))
    gap = gap if table.resistance is None else _times(gap, -1)
    leaks = [_terms(c.leak.leak, c.leak.unit, gap) for c in chips]
    lost = _hull(_times(gap, -1), (0, 0))
    onto = force if table.resistance is None else (0, 0)
    turned = lost if table.resistance is None else _times(lost, -1)
    slope = _plus(_plus(turned, onto), biases)
    change = slope if sites["slope"].never_overflows else _range(sites["slope"])
    most = max(steps, default=0) * table.most_spikes
    floors = max((abs(c.floor) for c in chips if c.floor is not None), default=0)
    place = {"membrane": v, "current": current, "buffer": buffer}[table.input]
    return {
        "decay": _with_addend(_hull(*decay, current), sites["decay"]),
        "current": _plus(current, fed),
        "force": _with_addend(force_wide, sites["force"]),
        "leak": _with_addend(_hull(*leaks, gap), sites["leak"]),
        "slope": slope,
        "membrane": _hull(_plus(v, change), (v[0] - most - floors, v[1] + floors)),
        "input": _plus(place, drive),
    }


def _range(site: Site) -> Interval:
    return site.lo, site.hi


def _plus(x: Interval, y: Interval) -> Interval:
    return x[0] + y[0], x[1] + y[1]


def _times(x: Interval, factor: int) -> Interval:
    low, high = sorted((x[0] * factor, x[1] * factor))
    return low, high


def _hull(*intervals: Interval) -> Interval:
    return min(x[0] for x in intervals), max(x[1] for x in intervals)


def _terms(leak: int, unit: int, x: Interval) -> Interval:
    """Return the range of ``leak*x``, ``unit*x`` and their sum."""
    return _hull(_times(x, leak), _times(x, unit), x, (0, 0))


def _with_addend(x: Interval, site: Site) -> Interval:
    return x[0], x[1] + site.widest_addend
