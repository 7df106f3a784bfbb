"""One table a topic of ``neuroemu check``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neuroemu.feasibility.check import Feasibility
from neuroemu.feasibility.constants import rows
from neuroemu.feasibility.counts import Counts
from neuroemu.feasibility.leak import Leak
from neuroemu.feasibility.learning import Effect, Learning
from neuroemu.feasibility.periodic import UNSTABLE, Periodic
from neuroemu.feasibility.ranges import Reach
from neuroemu.wording import number

NOT_STATED = "not stated"


def topics(c: Feasibility) -> list[RenderableType]:
    """Return the tables of all topics, in the order of docs/spec/feasibility.md."""
    return [
        _constants(c),
        *(_learning(rule) for rule in c.learning),
        *(_periodic(rule) for rule in c.periodic),
        _leak(c),
        _ranges(c.ranges),
        _widest(c),
        _time(c),
    ]


def _constants(c: Feasibility) -> Table:
    table = empty_table("Constants")
    table.add_column("constant", no_wrap=True)
    table.add_column("of", overflow="fold", max_width=34)
    for name in ("asked", "realised", "error"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("register", no_wrap=True)
    table.add_column("raw", justify="right", no_wrap=True)
    table.add_column("flags")
    for row in rows(c.discretized.constants):
        k = row.constant
        error = "exact" if k.relative_error == 0 else f"{100 * k.relative_error:+.3g} %"
        table.add_row(
            row.name,
            owners(c, row.owners),
            f"{k.asked:.6g}",
            f"{k.realised:.6g}",
            error,
            k.register.removeprefix("fxp-") or "analog",
            "" if k.raw is None else str(k.raw),
            Text(" ".join(k.flags), style="yellow"),
        )
    return table


def _learning(rule: Learning) -> Table:
    asked = f"asked {number(rule.asked_plus)} LSB up, {number(rule.asked_minus)} down"
    table = empty_table(
        f"Learning of {', '.join(rule.projections)}: {asked}; a weight LSB is {rule.lsb:.4g}"
    )
    table.add_column(rule.varied.removeprefix("plasticity."))
    for name in ("up, LSB", "down, LSB", "bias, LSB", "balances at", "x asked", "speed"):
        table.add_column(name, justify="right")
    for e in rule.effects:
        is_dead = (e.plus == 0 and rule.asked_plus > 0) or (e.minus == 0 and rule.asked_minus > 0)
        hz = "dead" if is_dead else _balance(e)
        table.add_row(
            f"{e.rounding} (the target's)" if e.is_used else e.rounding,
            number(e.plus),
            number(e.minus),
            number(e.bias) if e.bias else "",
            hz,
            "" if e.set_point is None or _is_bound(e) else f"{e.set_point:.3f}",
            f"{e.speed:.3g}",
            style="bold" if e.is_used else None,
        )
    return table


def _is_bound(e: Effect) -> bool:
    """Whether the balance of a biased rounding is no more than the worst case."""
    return bool(e.bias) and not e.is_predicted


def _balance(e: Effect) -> str:
    if e.set_point_hz is None or not e.set_point or not _is_bound(e):
        return hertz(e.set_point_hz)
    low, high = (f"{hz:.1f}" for hz in sorted((e.set_point_hz, e.set_point_hz / e.set_point)))
    return f"{high} Hz" if low == high else f"{low} to {high} Hz"


def _periodic(rule: Periodic) -> RenderableType:
    grid = _facts()
    grid.add_row("period", f"{rule.period_us:g} us hardware, {rule.period_ms:g} ms biological")
    moves = [
        f"{way} from {'no count' if n is None else n}"
        for way, n in (("up", rule.up_from), ("down", rule.down_from))
    ]
    grid.add_row("weight moves", f"{', '.join(moves)} spikes of one side alone in a period")
    for counts in (rule.pre, rule.post):
        grid.add_row(f"count of {counts.unit}", _counts(counts))
    full = [f"{site} from {n}" for site, n in rule.saturates_from.items() if n is not None]
    grid.add_row("accumulator", f"full at a count: {', '.join(full)}" if full else "never full")
    gain = (
        "not known"
        if rule.loop_gain is None
        else f"about {rule.loop_gain:.2g} (from {UNSTABLE:g} on unstable)"
    )
    grid.add_row("loop gain", gain)
    time = NOT_STATED if rule.rows_us is None else f"{rule.rows_us:g} us of {rule.period_us:g} us"
    grid.add_row("rows", f"{rule.rows}; time to serve them: {time}")
    return Group(Text(f"\nPeriodic updates of {', '.join(rule.projections)}", style="italic"), grid)


def _counts(counts: Counts) -> str:
    expected = "unknown" if counts.expected is None else f"{counts.expected:.4g}"
    chance = ""
    if counts.most < counts.limit:
        chance = "; never overflows"
    elif counts.overflow is not None and counts.overflow < 1e-9:
        chance = "; overflow not expected"
    elif counts.overflow is not None:
        chance = f"; overflows in {100 * counts.overflow:.2g} % of the periods"
    return f"{expected} expected, {counts.most} at most, {counts.limit - 1} held{chance}"


def _leak(c: Feasibility) -> RenderableType:
    parts: list[RenderableType] = []
    for leak in c.leak:
        grid = _facts()
        taus = f"asked {leak.tau_ms:g} ms, float steps {leak.float_tau_ms:.4g} ms"
        if leak.rounding:
            taus += f", multiplier {leak.multiplier:.6g} gives {leak.register_tau_ms:.4g} ms"
        grid.add_row("time constant", taus)
        if leak.rounding:
            _rounded_leak(grid, leak)
        refractory = f"{leak.refractory_ms:g} ms, in float {leak.float_refractory_ms:g} ms"
        grid.add_row("refractory", refractory)
        how = f"rounded with {leak.rounding}" if leak.rounding else "analog"
        parts += [Text(f"\nLeak of {owners(c, leak.populations)}: {how}", style="italic"), grid]
    return Group(*parts)


def _rounded_leak(grid: Table, leak: Leak) -> None:
    decays = [f"from {start} {_time_of(t)}" for start, t in leak.decay_ms.items()]
    grid.add_row("decay to 1/e", ", ".join(decays))
    (low, high), (low_v, high_v) = leak.dead_zone, leak.dead_zone_value
    zone = (
        "none"
        if not (low or high)
        else f"{low} to {high} LSB, {low_v:.4g} to {high_v:.4g} from rest"
    )
    grid.add_row("dead zone", zone)
    first = [f"{v:+}" for v in leak.smallest_decaying if v is not None]
    if first:
        grid.add_row("first that decay", f"{' and '.join(first)} LSB")
    if leak.bias_lsb:
        towards = " towards rest" if leak.rounding in ("fix", "trunc") else ""
        bias = f"{leak.bias_lsb:+.3g} LSB a step{towards}, which shifts the membrane by {leak.shift:+.3g}"
        grid.add_row("bias", bias)


def _time_of(time: float | None) -> str:
    if time is None:
        return "never"
    return f"{time:.4g} ms" if math.isfinite(time) else "too slow to follow"


def _ranges(found: Sequence[Reach]) -> RenderableType:
    register = found[0].register
    holds = "" if register is None else f"; the register holds {_span(register)}"
    table = empty_table(f"Membrane from rest, at worst{holds}")
    table.add_column("population", overflow="fold")
    for name in ("threshold", "input in a step", "after one step", "ever"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("bounded by", no_wrap=True)
    for r in found:
        table.add_row(
            r.population,
            f"{r.threshold:.4g}",
            _span((r.inhibition, r.excitation)),
            _span(r.one_step),
            _span(r.experiment),
            f"{r.bounded_by[0]}, {r.bounded_by[1]}",
        )
    return Group(Text(""), table)


def _span(span: tuple[float, float]) -> str:
    return f"{span[0]:.4g} to {span[1]:.4g}"


def _widest(c: Feasibility) -> Table:
    table = empty_table("Widest values before narrowing, raw")
    table.add_column("site")
    table.add_column("made by")
    for name in ("lowest", "highest", "bits"):
        table.add_column(name, justify="right")
    table.add_column("container")
    table.add_column("free bits", justify="right")
    for w in c.widest:
        numbers = (_raw(w.low), _raw(w.high), str(w.bits))
        table.add_row(w.site, w.product, *numbers, w.container, str(w.free_bits))
    return table


def _time(c: Feasibility) -> RenderableType:
    t, grid = c.timing, _facts()
    grid.add_row(
        "tick",
        f"{duration(t.tick_us)} hardware: spikes are resolved to {t.resolution_ms:g} ms biological",
    )
    run = duration(t.run_us)
    grid.add_row("step", f"{t.step_ms:g} ms biological; the whole run takes {run} on the chip")
    shared = ""
    if t.coincident >= 1:
        shared = f", about {t.coincident:.3g} share a step with one of their source"
    grid.add_row("input", f"{t.input_spikes:.4g} spikes expected in a trial{shared}")
    most = NOT_STATED if t.most_events_per_us is None else f"{t.most_events_per_us:g} per us"
    busiest = (
        f"{t.events_per_us:.3g} input spikes per us"
        if t.events_per_us >= 0.01
        else f"{1e6 * t.events_per_us:.3g} input spikes per s"
    )
    grid.add_row("events", f"{busiest} hardware when busiest; the chip takes: {most}")
    for place in c.places:
        has = NOT_STATED if place.available is None else str(place.available)
        used = f"up to {place.used}" if place.is_bound else str(place.used)
        grid.add_row(place.what, f"{used}; the chip has: {has}")
    return Group(Text("\nTime and capacity", style="italic"), grid)


# Small pieces


def _raw(value: int) -> str:
    return f"{value:,}" if abs(value) < 10**7 else f"{value:.4g}"


def owners(c: Feasibility, names: Sequence[str]) -> str:
    """Return the names of populations or projections; shorter where they are all there are."""
    experiment = c.discretized.experiment
    if len(names) > 1 and set(names) == set(experiment.populations):
        return "all populations"
    return ", ".join(names)


def duration(us: float) -> str:
    """Return a time in a unit that suits it.

    Examples
    --------
    >>> duration(0.1), duration(4000.0), duration(4e7)
    ('0.1 us', '4 ms', '40 s')
    """
    for factor, unit in ((1e6, "s"), (1e3, "ms")):
        if us >= factor:
            return f"{us / factor:g} {unit}"
    return f"{us:g} us"


def empty_table(title: str) -> Table:
    """Return a table without rows, in the style of all of them."""
    return Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=title or None,
        title_justify="left",
    )


def _facts() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, min_width=16)
    grid.add_column()
    return grid


def hertz(value: float | None) -> str:
    """Return a rate, or a dash where there is none."""
    return "-" if value is None else f"{value:.1f} Hz"
