"""What ``neuroemu check`` shows of leak, current, reset and refractory time."""

from __future__ import annotations

import math

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neuroemu.feasibility.check import Feasibility
from neuroemu.feasibility.leak import Leak, reset_from_rest
from neuroemu.report.check_parts import facts, owners


def leak_facts(c: Feasibility) -> RenderableType:
    """Return the facts of each population, those with the same constants together."""
    parts: list[RenderableType] = []
    for leak in c.leak:
        grid = facts()
        for name, what in _times(c, leak):
            grid.add_row(name, what)
        if not c.discretized.is_analog:
            _standing(c, grid, leak)
        grid.add_row("reset", _reset(c, leak))
        grid.add_row("refractory", _refractory(c, leak))
        title = f"\nLeak of {owners(c, leak.populations)}: {_how(c, leak)}"
        parts += [Text(title, style="italic"), grid]
    return Group(*parts)


def _how(c: Feasibility, leak: Leak) -> str:
    if c.discretized.is_analog:
        return "analog"
    return {
        "multiply": f"rounded with {leak.rounding}",
        "shift": "minus its own right shift, at least 1 LSB",
        "subtract": f"{leak.amount} LSB towards rest in a step",
        "constant": f"{leak.amount} LSB down in a step, whatever the membrane",
    }[leak.kind]


def _times(c: Feasibility, leak: Leak) -> list[tuple[str, str]]:
    asked = f"asked {leak.tau_ms:g} ms, float steps {leak.float_tau_ms:.4g} ms"
    step = float(c.discretized.clock.step_ms)
    decays = ", ".join(f"from {start} {_time_of(t)}" for start, t in leak.decay_ms.items())
    if leak.is_linear:
        rests = "never at rest" if leak.rests_after_ms is None else f"{leak.rests_after_ms:.4g} ms"
        found = [
            ("time constant", f"{asked}; a linear leak has none"),
            ("threshold to rest", rests),
        ]
    elif c.discretized.is_analog:
        return [("time constant", asked)]
    elif leak.kind == "shift":
        bits = round(-math.log2(1 - leak.multiplier))
        real = f"{step:g} ms x 2^{bits} = {step * 2**bits:g} ms, in steps {leak.register_tau_ms:.4g} ms"
        found = [("time constant", f"{asked}, a shift by {bits} gives {real}")]
    else:
        real = f"multiplier {leak.multiplier:.6g} gives {leak.register_tau_ms:.4g} ms"
        found = [("time constant", f"{asked}, {real}")]
    if decays:
        found.append(("decay to 1/e", decays))
    if leak.current is not None:
        found.append(("current", _current(leak)))
    return found


def _current(leak: Leak) -> str:
    current = leak.current
    if current is None:
        return ""
    asked = "as short as can be" if current.asked_ms == 0 else f"{current.asked_ms:g} ms"
    if current.multiplier == 0:
        return f"asked {asked}: gone after the step in which it acts"
    return f"asked {asked}: {current.multiplier:.4g} is left after a step, {current.tau_ms:.4g} ms"


def _standing(c: Feasibility, grid: Table, leak: Leak) -> None:
    (low, high), (low_v, high_v) = leak.dead_zone, leak.dead_zone_value
    zone = f"{low} to {high} LSB, {low_v:.4g} to {high_v:.4g} from rest"
    if not leak.has_rest:
        zone = "no membrane stays where it is"
    elif not (low or high):
        zone = "none"
    grid.add_row("dead zone", zone)
    first = [f"{v:+}" for v in leak.smallest_decaying if v is not None]
    if first:
        grid.add_row("first that decay", f"{' and '.join(first)} LSB")
    if leak.bias_lsb:
        grid.add_row(
            "bias",
            f"{leak.bias_lsb:+.3g} LSB a step{_towards(c, leak)}, which shifts the membrane by {leak.shift:+.3g}",
        )


def _towards(c: Feasibility, leak: Leak) -> str:
    table = c.discretized.target.neuron
    if leak.rounding not in ("fix", "trunc"):
        return ""
    is_bias = table is not None and table.rest == "bias"
    return " towards the register's 0" if is_bias else " towards rest"


def _reset(c: Feasibility, leak: Leak) -> str:
    table = c.discretized.target.neuron
    asked, lands = reset_from_rest(c.discretized, leak.populations[0])
    if table is None or table.reset == "value":
        return f"to {lands:g} from rest, asked {asked:g}"
    if table.reset == "zero":
        return f"to the register's 0: {lands:g} from rest, asked {asked:g}"
    most = f", up to {table.most_spikes} spikes in a step" if table.most_spikes > 1 else ""
    return f"takes the threshold away: from there to {lands:g} from rest, asked {asked:g}{most}"


def _refractory(c: Feasibility, leak: Leak) -> str:
    times = f"{leak.refractory_ms:g} ms, in float {leak.float_refractory_ms:g} ms"
    return times if c.discretized.target.refractory.counter else f"no counter: a step, {times}"


def _time_of(time: float | None) -> str:
    if time is None:
        return "never"
    return f"{time:.4g} ms" if math.isfinite(time) else "too slow to follow"
