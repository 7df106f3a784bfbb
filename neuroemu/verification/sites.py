"""Sampled emulator laws about single values: rounding, ranges, and that no overflow is silent."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroemu.engine.bundles import TALLIED
from neuroemu.engine.run import Run
from neuroemu.numeric.site import Site
from neuroemu.verification.chip_trace import overflows_of_chip
from neuroemu.verification.definition import extremes, narrowed, rounded
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Law


def rounds_otherwise(e: Evidence) -> str | None:
    """Hold every stored value against the definition of its site and the bound of its rounding."""
    for name, site in e.plan.sites.items():
        seen = e.by_site[name]
        wide, stored = seen["wide"], seen["stored"]
        if site.is_stochastic:
            low, high = extremes(wide, site)
            wrong = (stored != low) & (stored != high)
        else:
            wrong = stored != narrowed(wide, site)
        wrong |= _outside_bound(wide, stored, site)
        if wrong.any():
            return _told(e, name, int(np.flatnonzero(wrong)[0]))
    return None


def _outside_bound(wide: Any, stored: Any, site: Site) -> Any:
    """Return where a value that did not overflow is further from the exact one than it may be."""
    unit = 2**site.shift
    whole, rest = np.divmod(wide, unit)
    inside = (whole >= site.lo) & (whole + (rest > 0) <= site.hi)
    down = stored == whole  # by the remainder, else up by what is missing
    lost = np.where(down, rest, unit - rest)
    match site.rounding:
        case "floor":
            fair = down
        case "ceil":
            fair = ~down | (rest == 0)
        case "fix" | "trunc":
            fair = np.where(wide < 0, ~down | (rest == 0), down)
        case "around" | "half_up":
            fair = lost <= unit - lost
        case _:
            fair = lost < unit
    return inside & ~(fair & (down | (stored == whole + 1)))


def _told(e: Evidence, name: str, at: int) -> str:
    site, seen = e.plan.sites[name], {k: int(v[at]) for k, v in e.by_site[name].items()}
    return (
        f"site {name}, {site.rounding}, shift {site.shift}, {site.overflow} {site.lo} to {site.hi}: "
        f"{seen['wide']} was stored as {seen['stored']}; trial {seen['trial']}, step {seen['step']}, "
        f"index {seen['lane']}"
    )


def leaves_range(e: Evidence) -> str | None:
    """Hold stored values against registers, weights against the limits of their rule."""
    for name, site in e.plan.sites.items():
        stored = e.by_site[name]["stored"]
        if stored.size and not site.lo <= stored.min() <= stored.max() <= site.hi:
            worst = stored.min() if stored.min() < site.lo else stored.max()
            return f"site {name} stored {worst}, and its register holds {site.lo} to {site.hi}"
    return _weight_outside(e.kernel, e) or _membrane_outside(e.kernel, e)


def _weight_outside(run: Run | str, e: Evidence) -> str | None:
    table = e.case.target.plasticity
    for name, record in run.weights.items() if isinstance(run, Run) else ():
        r = e.plan.synapses[name]
        low, high = r.w_min, r.w_max
        if table.update == "pairs":  # whose tables know no limits but the register's
            low, high = table.weight.format.lo, table.weight.format.hi
        for trial, raw in enumerate(record.raw):
            if raw.size and not low <= raw.min() <= raw.max() <= high:
                return (
                    f"a weight of {name} goes from {raw.min()} to {raw.max()} in trial {trial}, and its "
                    f"limits are {low} and {high}"
                )
    return None


def _membrane_outside(run: Run | str, e: Evidence) -> str | None:
    lsb, form = e.plan.membrane_lsb, e.case.target.membrane.format
    if lsb is None or form is None or isinstance(run, str):
        return None
    for name, record in run.membrane.items():
        raw = np.rint((record.value - e.plan.neurons[name].zero) / float(lsb))
        if raw.size and not form.lo <= raw.min() <= raw.max() <= form.hi:
            return f"a membrane of {name} goes from {raw.min():g} to {raw.max():g} LSB in {form}"
    return None


def miscounts(e: Evidence) -> str | None:
    """Hold overflows that the trace shows against those that the kernel counted."""
    if isinstance(e.kernel, str):
        return None
    for name in TALLIED:
        site = e.plan.sites.get(name)
        if site is None:
            continue
        low, high = _overflows(e, name, site)
        counted = e.kernel.sites[name]["overflowed"] or 0
        if not low <= counted <= high:
            number = f"{low}" if low == high else f"{low} to {high}"
            return f"site {name} left its range {number} times, and {counted} are counted"
    return None


def _overflows(e: Evidence, name: str, site: Site) -> tuple[int, int]:
    """Return the fewest and the most overflows that the trace allows."""
    seen = e.by_site[name]
    is_deferred = e.case.target.plasticity.update == "deferred"
    if name in ("input", "membrane") and e.case.target.neuron is not None:
        return overflows_of_chip(e, name)
    if name == "count" and not is_deferred:
        period = max(e.plan.clock.period_steps, 1)
        over = seen["wide"] > site.hi
        rows = (seen["trial"][over], seen["lane"][over], seen["step"][over] // period)
        first = len(set(zip(*(r.tolist() for r in rows), strict=True)))
        return first, first
    highest = 2**site.shift - 1 if site.is_stochastic else 0
    outside: list[Any] = []
    for r in (0, highest):
        y = rounded(seen["wide"], site, r)
        outside.append((y < site.lo) | (y > site.hi))
    if name == "accumulate" and is_deferred:  # twice in an update, counted once
        outside = [over.reshape(-1, 2).any(axis=1) for over in outside]
    surely, perhaps = outside[0] & outside[1], outside[0] | outside[1]
    return int(surely.sum()), int(perhaps.sum())


LAWS = (
    Law(
        name="sites-round-as-defined",
        sentence="Every stored value is what its site's definition gives, within its rounding's bound.",
        kind="emulator",
        judge=rounds_otherwise,
    ),
    Law(
        name="registers-keep-their-range",
        sentence="Membranes stay in their register, weights between the limits of their rule.",
        kind="emulator",
        judge=leaves_range,
    ),
    Law(
        name="overflows-are-counted",
        sentence="No value leaves its range silently: each overflow is counted, and nothing else.",
        kind="emulator",
        judge=miscounts,
        judges=lambda e: isinstance(e.kernel, Run),
        unless="every run was refused",
    ),
)
