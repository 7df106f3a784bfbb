"""One table a topic of ``neuroemu check``."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neuroemu.feasibility.check import Feasibility
from neuroemu.feasibility.constants import rows
from neuroemu.feasibility.counts import Counts
from neuroemu.feasibility.deferred import Deferred
from neuroemu.feasibility.learning import Effect, Learning
from neuroemu.feasibility.pairs import Pairs
from neuroemu.feasibility.periodic import UNSTABLE, Periodic, products_overflow
from neuroemu.feasibility.ranges import Reach
from neuroemu.feasibility.signs import Signs
from neuroemu.feasibility.step import from_rest
from neuroemu.report.check_leak import leak_facts
from neuroemu.report.check_parts import NOT_STATED, duration, empty_table, facts, hertz, owners
from neuroemu.wording import number


def topics(c: Feasibility) -> list[RenderableType]:
    """Return the tables of all topics, in the order of docs/spec/feasibility.md."""
    return [
        _constants(c),
        *(_learning(rule) for rule in c.learning),
        *(_periodic(c, rule) for rule in c.periodic),
        *(_deferred(rule) for rule in c.deferred),
        *(_signs(rule) for rule in c.signs),
        *(_pairs(rule) for rule in c.pairs),
        leak_facts(c),
        _ranges(c.ranges),
        _widest(c),
        _time(c),
    ]


def _constants(c: Feasibility) -> Table:
    table = empty_table(_constants_title(c))
    table.add_column("constant", no_wrap=True)
    table.add_column("of", overflow="fold", max_width=34)
    for name in ("asked", "realised", "error"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("register", no_wrap=True)
    table.add_column("raw", justify="right", no_wrap=True)
    table.add_column("flags", min_width=13)
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
            Text("\n".join(k.flags), style="yellow"),
        )
    return table


def _constants_title(c: Feasibility) -> str:
    """Return the title, with what the register's 0 stands for where it is not rest, and where a weight LSB is from."""
    d = c.discretized
    zeros = {from_rest(d, name) for name in d.neurons}
    title = "Constants"
    if zeros != {0}:
        values = " or ".join(f"{float(z):g}" for z in sorted(zeros))
        title += f"; voltages from the register's 0, which stands for {values} from rest"
    for lsb in {(one.load, one.lsb) for one in c.network_lsb}:
        title += f"\nA weight LSB is {lsb[1]:.4g}: up to {lsb[0]:.4g} of weights can meet a neuron in a step"
    return title


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
    return bool(e.bias) and not e.is_expected


def _balance(e: Effect) -> str:
    if e.set_point_hz is None or not e.set_point or not _is_bound(e):
        return hertz(e.set_point_hz)
    ends = sorted((e.set_point_hz, e.set_point_hz / e.set_point))
    low, high = (f"{max(hz, 0.0):.1f}" for hz in ends)
    return f"{high} Hz" if low == high else f"{low} to {high} Hz"


def _periodic(c: Feasibility, rule: Periodic) -> RenderableType:
    grid = facts()
    grid.add_row("period", f"{rule.period_us:g} us hardware, {rule.period_ms:g} ms biological")
    moves = [
        f"{way} from {'no count' if n is None else n}"
        for way, n in (("up", rule.up_from), ("down", rule.down_from))
    ]
    grid.add_row("weight moves", f"{', '.join(moves)} spikes of one side alone in a period")
    for counts in (rule.pre, rule.post):
        grid.add_row(f"count of {counts.unit}", _counts(counts))
    grid.add_row("accumulator", _accumulator(c, rule))
    gain = (
        "not known"
        if rule.loop_gain is None
        else f"about {rule.loop_gain:.2g} (from {UNSTABLE:g} on unstable)"
    )
    grid.add_row("loop gain", gain)
    grid.add_row("rows", _rows(rule))
    return Group(Text(f"\nPeriodic updates of {', '.join(rule.projections)}", style="italic"), grid)


def _accumulator(c: Feasibility, rule: Periodic) -> str:
    full = {site: n for site, n in rule.saturates_from.items() if n is not None}
    if not full:
        return "never full"
    if products_overflow(c.discretized) == "wrap":
        more, fewer = full.get("plus", "no"), full.get("minus", "no")
        return f"the change wraps from {more} presynaptic spikes more than postsynaptic, or {fewer} fewer"
    return f"full at a count: {', '.join(f'{site} from {n}' for site, n in full.items())}"


def _rows(rule: Periodic | Signs | Pairs) -> str:
    time = NOT_STATED if rule.rows_us is None else f"{rule.rows_us:g} us of {rule.period_us:g} us"
    return f"{rule.rows}; time to serve them: {time}"


def _deferred(rule: Deferred) -> RenderableType:
    grid = facts()
    grid.add_row("waits for", "the next presynaptic spike, which delivers the new weight")
    grid.add_row(
        "counts",
        f"{rule.expected:.3g} postsynaptic spikes between two expected, {rule.remembered} remembered",
    )
    loss = "nothing on average"
    if rule.loss:
        loss = f"{'adds' if rule.loss > 0 else 'takes'} {number(abs(rule.loss))} LSB on average"
    grid.add_row("rounding", f"once at each presynaptic spike; {loss}")
    return Group(Text(f"\nDeferred updates of {', '.join(rule.projections)}", style="italic"), grid)


def _signs(rule: Signs) -> RenderableType:
    grid = facts()
    grid.add_row("period", f"{rule.period_us:g} us hardware, {rule.period_ms:g} ms biological")
    grid.add_row(
        "target",
        f"{rule.target} spikes in a period, {rule.set_point_hz:.4g} Hz; {rule.asked:.4g} asked",
    )
    whole = rule.periods * rule.period_ms / 1000
    grid.add_row("weight moves", f"by one LSB ({rule.lsb:.4g}) a period, whatever the increments")
    grid.add_row("whole range", f"{rule.periods} periods, {whole:.4g} s biological")
    grid.add_row(f"count of {rule.post.unit}", _counts(rule.post))
    if rule.negative_from is not None:
        hz = 1000 * rule.negative_from / rule.period_ms
        reached = "never reached" if rule.negative_from > rule.post.most else f"at {hz:.4g} Hz"
        grid.add_row("read as negative", f"from {rule.negative_from} on, {reached}")
    grid.add_row("rows", _rows(rule))
    return Group(
        Text(f"\nUpdates of {rule.projection} by the sign of a count", style="italic"), grid
    )


def _pairs(rule: Pairs) -> RenderableType:
    grid = facts()
    grid.add_row("read every", f"{rule.period_us:g} us hardware, {rule.period_ms:g} ms biological")
    grid.add_row(
        "sensors", f"time constant {rule.tau_ms:g} ms, threshold {rule.threshold:.4g} pairs"
    )
    grid.add_row(
        "weight moves", f"by {rule.step} LSB ({rule.lsb:.4g}) a readout, whatever the increments"
    )
    whole = rule.periods * rule.period_ms / 1000
    grid.add_row("whole range", f"{rule.periods} readouts, {whole:.4g} s biological")
    grid.add_row("rows", _rows(rule))
    return Group(Text(f"\nPair controller of {rule.projection}", style="italic"), grid)


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
    t, grid = c.timing, facts()
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


def _raw(value: int) -> str:
    return f"{value:,}" if abs(value) < 10**7 else f"{value:.4g}"
