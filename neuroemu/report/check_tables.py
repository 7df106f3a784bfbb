"""What ``neuroemu check`` shows: a summary, the findings, then one table a topic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neuroemu.feasibility.check import Feasibility
from neuroemu.feasibility.findings import Finding
from neuroemu.prediction.predict import Prediction
from neuroemu.report.check_parts import empty_table, hertz
from neuroemu.report.check_topics import topics
from neuroemu.report.console import verdict_text


def summary_lines(checks: Sequence[Feasibility]) -> Table:
    """Return one line for each target."""
    table = empty_table("")
    for column in ("target", "predicted"):
        table.add_column(column, no_wrap=True)
    for column in ("set point", "findings", "notes"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("kinds of the findings")
    for c in checks:
        table.add_row(
            Text(c.discretized.target.name, style="bold"),
            verdict_or_unknown(c.prediction),
            hertz(None if c.prediction is None else c.prediction.set_point_hz),
            Text(str(len(c.findings)), style="bold red" if c.findings else "green"),
            str(len(c.notes)),
            " ".join(dict.fromkeys(f.kind for f in c.findings)),
        )
    return table


def details(c: Feasibility) -> RenderableType:
    """Return everything about one target."""
    parts: list[RenderableType] = [head(c)]
    for title, found in (("Findings", c.findings), ("Notes", c.notes)):
        if found:
            parts += [Text(f"\n{title}", style="bold"), finding_list(found)]
    return Group(*parts, Text(""), *topics(c))


def head(c: Feasibility) -> RenderableType:
    """Return title, prediction, and how much was found."""
    d = c.discretized
    seconds = d.experiment.time.duration_ms / 1000
    title = Text.assemble(
        (d.target.name, "bold"), f" with {d.experiment.name}: {seconds:g} s biological, not run"
    )
    parts: list[RenderableType] = [title]
    if c.prediction is not None:
        parts.append(_prediction(c, c.prediction))
    else:
        parts.append(Text("No verdict is predicted: the experiment asks no question."))
    found = f"{_count(len(c.findings), 'finding')}, {_count(len(c.notes), 'note')}"
    parts.append(Text(found, style="bold red" if c.findings else "bold green"))
    return Group(*parts)


def finding_list(found: Iterable[Finding]) -> Table:
    """Return findings as kind, sentence and remedy."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for f in found:
        mark = Text(f.kind, style="red" if f.is_problem else "yellow")
        grid.add_row(mark, Text(_sentence(f)))
        grid.add_row("", Text(f"-> {f.remedy}", style="dim"))
    return grid


def _sentence(f: Finding) -> str:
    """Return the sentence with a full stop, and with percent signs that stay by their numbers."""
    is_name = "_" in f.sentence.partition(" ")[0]
    text = f.sentence if is_name else f.sentence[:1].upper() + f.sentence[1:]
    return f"{text}.".replace(" %", "\u00a0%")


def _prediction(c: Feasibility, p: Prediction) -> RenderableType:
    line = Text.assemble("Predicted: ", verdict_or_unknown(p), f"  {p.sentence}")
    caveats = [Text(f"  not in it: {caveat}", style="dim") for caveat in p.caveats]
    if not any(r is not None for r in p.rates_hz):
        return Group(line, *caveats)
    table = empty_table("")
    table.add_column("rate, Hz")
    for label in _phase_labels(c):
        table.add_column(label, justify="right")
    table.add_column("set point", justify="right")
    wanted = c.discretized.experiment.set_point_hz()
    for name, rates, spans, point in (
        ("on the target", p.rates_hz, p.intervals_hz, p.set_point_hz),
        ("in float", p.float_rates_hz, p.float_intervals_hz, wanted),
        ("control", p.control_rates_hz, p.control_intervals_hz, None),
    ):
        cells = [
            _with_interval(r, spans[i] if i < len(spans) else None) for i, r in enumerate(rates)
        ]
        table.add_row(name, *cells, hertz(point) if point else "")
    return Group(line, *caveats, table)


def _phase_labels(c: Feasibility) -> list[str]:
    experiment = c.discretized.experiment
    question = experiment.question
    if question is None:
        return []
    rates = experiment.stimuli[question.stimulus].rates_hz
    edges = experiment.phase_edges_ms()
    return [f"at {rates[min(i, len(rates) - 1)]:g}" for i in range(len(edges) - 1)]


def _with_interval(rate: float | None, interval: tuple[float, float] | None) -> str:
    if rate is None:
        return "?"
    return (
        f"{rate:.1f}" if interval is None else f"{rate:.1f} ({interval[0]:.0f}-{interval[1]:.0f})"
    )


def verdict_or_unknown(p: Prediction | None) -> Text:
    """Return the predicted verdict, or that it is not known, or nothing."""
    if p is None:
        return Text("-")
    return Text("? not known", style="cyan") if p.verdict is None else verdict_text(p.verdict)


def _count(n: int, what: str) -> str:
    return f"{n or 'no'} {what}{'' if n == 1 else 's'}"
