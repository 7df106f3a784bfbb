"""What ``neuroemu fit`` prints: each register's format with its reason, and what the proposal is worth."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neuroemu.fitting import Fit
from neuroemu.fitting.observed import Observed
from neuroemu.fitting.register import Register
from neuroemu.fitting.rules import percent
from neuroemu.report.tables import verdict_text

UNITS = {
    "refractory.format": "ticks",
    "plasticity.counter.width": "spikes",
}


def fit_report(found: Fit) -> RenderableType:
    """Return the table of registers and the judgement below it."""
    parts: list[RenderableType] = [Text(_title(found)), _registers(found), _judgement(found)]
    return Group(*parts)


def _title(found: Fit) -> str:
    request, seen = found.request, found.observation
    return (
        f"{request.target.name}, {request.experiment.name}: {seen.trials} trials in float, "
        f"seed {seen.seed}; margin {percent(request.margin)}, precision {percent(request.precision)}"
    )


def _registers(found: Fit) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("register", no_wrap=True)
    table.add_column("observed", no_wrap=True)
    table.add_column("proposed", no_wrap=True)
    table.add_column("target", no_wrap=True)
    table.add_column("why", ratio=1)
    by_key = {r.key: r for r in found.registers}
    for key, seen in found.observation.registers.items():
        if key not in by_key:
            table.add_row(*_without_format(found, seen))
    if table.row_count:
        table.add_section()
    for register in found.registers:
        table.add_row(
            register.label,
            _observed(register.observed),
            Text(_short(register), style="bold"),
            _own(register),
            Text(f"{register.range_reason}; {register.step_reason}"),
        )
    table.add_section()
    bits = found.bits
    table.add_row(
        "bits in total", "", Text(str(bits[0]), style="bold"), str(bits[1]), _memory(found)
    )
    return table


def _without_format(found: Fit, seen: Observed) -> tuple[str, str, str, str, Text]:
    why = "no register: spikes reach the membrane one by one"
    if found.request.target.membrane.arithmetic == "analog":
        why = "an analog quantity"
    return seen.label, _observed(seen), "", "", Text(why, style="dim")


def _observed(seen: Observed | None) -> str:
    if seen is None:
        return ""
    unit = UNITS.get(seen.key, "")
    ends = (
        _number(seen.low)
        if seen.low == seen.high
        else f"{_number(seen.low)} to {_number(seen.high)}"
    )
    return f"{ends} {unit}".rstrip()


def _short(register: Register) -> str:
    if register.key == "plasticity.counter.width":
        return f"{register.format.width} bits"
    return str(register.format).removeprefix("fxp-")


def _own(register: Register) -> str:
    if register.own is None:
        return "none"
    if register.key == "plasticity.counter.width":
        return f"{register.own.width} bits"
    return str(register.own).removeprefix("fxp-")


def _memory(found: Fit) -> str:
    proposed, own = found.memory
    return f"the network's neurons and synapses hold {proposed:,} bits, {own:,} on the target"


def _judgement(found: Fit) -> Text:
    lines = Text()
    if found.comparison is None:
        lines.append("Verdict    none: the experiment asks no question")
    else:
        lines.append("Verdict    ")
        lines.append_text(verdict_text(found.comparison.verdict))
        lines.append(f" on other input (seed {found.judged_seed}). {found.comparison.sentence}")
    clipped = {name: n for name, n in found.overflowed.items() if n}
    what = ", ".join(f"{name} {n:,} times" for name, n in clipped.items())
    lines.append(f"\nClipped    {what}" if what else "\nClipped    nothing: no site left its range")
    for constant in found.off:
        error = f"{100 * constant.relative_error:+.3g} %"
        lines.append(f"\nOff        {constant.key} is {error} off", style="yellow")
    for shortfall in found.proposal.shortfalls:
        lines.append(f"\nShortfall  {shortfall}", style="yellow")
    return lines


def _number(value: float) -> str:
    return f"{value:.4g}"
