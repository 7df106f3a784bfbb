"""What the terminal shows of a study: the plan, the map of answers, the points, what a search found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neuroemu.report.console import MARKS, WIDTH
from neuroemu.report.tables import phase_labels
from neuroemu.study.config import Study, Value
from neuroemu.study.find import Counterexample, Frontier, Judged
from neuroemu.study.plan import Plan
from neuroemu.study.points import axis_values
from neuroemu.study.results import Row, StudyResults

ANSWER_MARKS = MARKS | {
    "within": ("✓", "green"),
    "beyond": ("✗", "red"),
    "undecided": ("?", "cyan"),
    "refused": ("x", "bright_black"),
    "missing": (".", "bright_black"),
}
MAP_CELLS = 400
"""Above this a map is no longer read in a terminal."""


def study_list(studies: Sequence[Study]) -> Table:
    """Return a table of the shipped studies."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("study", "what it asks"):
        table.add_column(column)
    for study in studies:
        table.add_row(Text(study.name, style="bold"), study.title)
    return table


def plan_report(study: Study, plan: Plan) -> RenderableType:
    """Return what a study will take."""
    table = Table.grid(padding=(0, 2))
    for name, text in _plan_lines(study, plan):
        table.add_row(Text(name, style="bold"), text)
    return Group(Text(f"{study.name}: {study.title}\n", style="bold"), table)


def _plan_lines(study: Study, plan: Plan) -> Iterator[tuple[str, str]]:
    axes = " x ".join(f"{len(axis_values(a))} {a.name}" for a in study.axes)
    yield "Points", f"{plan.points:,}: {len(study.targets)} target(s) x {axes}"
    if plan.refused:
        yield "", f"{plan.refused:,} cannot be: {plan.reasons[0]}"
        if len(plan.reasons) > 1:
            yield "", f"and {len(plan.reasons) - 1} other reasons"
    if plan.finished:
        yield "", f"{plan.finished:,} are finished"
    if study.searched:
        yield "Search", "for the minimum of " + ", ".join(a.name for a in study.searched)
        yield "", "so that fewer points than these may do"
    yield "Runs", f"{plan.least_runs:,} to {plan.most_runs:,}, and the float reference's"
    if plan.seconds is None:
        yield "Time", "unknown before a kernel is compiled"
    else:
        low, high = (_duration(s) for s in plan.seconds)
        yield "Time", f"{low} to {high} on {plan.workers} workers"
    if plan.kernels:
        yield "", f"and {plan.kernels} kernel(s) to compile first, some 20 s each, once"
    if plan.bytes is not None:
        yield "Disk", " to ".join(_size(b) for b in plan.bytes)


def _duration(seconds: float) -> str:
    """Return a time to two digits.

    >>> _duration(0.4), _duration(75), _duration(7300)
    ('1 s', '75 s', '122 min')
    """
    return f"{max(seconds, 1):.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _size(number: float) -> str:
    return f"{number / 1e3:.0f} kB" if number < 1e6 else f"{number / 1e6:.1f} MB"


def study_report(results: StudyResults) -> RenderableType:
    """Return the outcome: the map if there is one to draw, counts, and what a search found."""
    parts: list[RenderableType] = [Text(results.study.title, style="bold")]
    parts += _maps(results)
    parts.append(_counts(results))
    parts += [_frontier(f) for f in results.frontiers]
    return Group(*parts)


def point_table(results: StudyResults) -> Table:
    """Return one line for each point."""
    labels = phase_labels(results.space.experiment)
    if len(results.columns) + len(labels) > MOST_COLUMNS:
        labels = []
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in results.columns:
        table.add_column(name)
    table.add_column("answer", no_wrap=True)
    if results.study.question.metric != "verdict":
        table.add_column(results.study.question.metric, justify="right")
    for label in labels:
        table.add_column(label, justify="right")
    for name in ("worst Hz", "trials"):
        table.add_column(name, justify="right")
    table.add_column("predicted")
    for row in results.rows:
        table.add_row(*_cells(row, results, len(labels)))
    return table


MOST_COLUMNS = 8
"""Axes and phases beside which the rest still fits."""


def _cells(row: Row, results: StudyResults, phases: int) -> list[Text | str]:
    cells: list[Text | str] = [shown(row.values[n]) for n in results.columns]
    cells.append(_answer(row.word))
    found = row.answer
    if results.study.question.metric != "verdict":
        metric = found.metric if found else None
        cells.append("" if metric is None else f"{metric.value:.3g}")
    rates = [f"{p.target.value:.1f}" for p in found.decision.phases] if found else []
    cells += rates[:phases] + [""] * (phases - len(rates[:phases]))
    cells.append(f"{found.worst_difference_hz:.2f}" if found else "")
    cells.append(str(row.trials) if row.trials else "")
    cells.append(row.predicted)
    return cells


def shown(value: Value) -> str:
    """Return a value of an axis as tables and figures have it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _answer(word: str) -> Text:
    mark, colour = ANSWER_MARKS[word]
    return Text(f"{mark} {word}", style=colour)


def _maps(results: StudyResults) -> Iterator[RenderableType]:
    """Return a map of marks for each combination of all but the last two columns."""
    columns = results.columns
    if len(columns) < 2 or results.study.searched or len(results.rows) > MAP_CELLS:
        return
    *outer, down, across = columns
    cells = {tuple(r.values[c] for c in columns): r.word for r in results.rows}
    ranges = [_in_order(results.rows, c) for c in columns]
    for fixed in product(*ranges[:-2]):
        table = Table(box=None, pad_edge=False, padding=(0, 1))
        table.add_column(f"{down} \\ {across}", justify="right", style="bold")
        for value in ranges[-1]:
            table.add_column(shown(value), justify="center")
        for value in ranges[-2]:
            words = [cells.get((*fixed, value, other), "missing") for other in ranges[-1]]
            table.add_row(shown(value), *(_mark(w) for w in words))
        if table.__rich_measure__(*_measuring()).minimum <= WIDTH:
            title = ", ".join(f"{n} = {shown(v)}" for n, v in zip(outer, fixed, strict=True))
            yield Group(Text(f"\n{title}") if title else Text(""), table)


def _measuring() -> tuple[Any, Any]:
    from neuroemu.report.console import console

    shown_on = console()
    return shown_on, shown_on.options


def _mark(word: str) -> Text:
    mark, colour = ANSWER_MARKS[word]
    return Text(mark, style=f"bold {colour}")


def _in_order(rows: Sequence[Row], column: str) -> list[Value]:
    return list(dict.fromkeys(r.values[column] for r in rows))


def _counts(results: StudyResults) -> Text:
    words = [r.word for r in results.rows]
    text = Text("\n")
    for word in (w for w in ANSWER_MARKS if w in words):
        text.append_text(_mark(word))
        text.append(f" {words.count(word)} {word}   ")
    right, known = results.agreement
    if known:
        text.append(f"\nPredicted without running: {right} of {known} decided verdicts as measured")
    text.append(
        f"\n{results.runs:,} runs, {results.core_seconds:.1f} s of one core, "
        f"{results.seconds:.1f} s in all"
    )
    if not results.is_current:
        text.append("\nThese results are of another version of the arithmetic.", style="yellow")
    return text


def _frontier(found: Frontier) -> RenderableType:
    others = ", ".join(f"{n} = {shown(v)}" for n, v in found.others.items())
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=others, title_justify="left")
    for name in (*found.axes, "total bits"):
        table.add_column(name, justify="right")
    table.add_column("answer", no_wrap=True)
    table.add_column("worst Hz", justify="right")
    table.add_column("")
    kinds = (("minimum", found.minima), ("contradicts monotony", found.exceptions))
    for note, judged in kinds:
        for one in judged:
            table.add_row(*_judged(one, found.axes), note)
    lines = [f"{found.judged} points judged."]
    if not found.minima:
        lines.append("None passes.")
    if not found.is_confirmed:
        lines.append("Monotony is assumed, not confirmed.")
    below = [_counterexample(c) for c in found.counterexamples]
    return Group(table, Text("\n".join([" ".join(lines), *below])))


def _counterexample(found: Counterexample) -> str:
    widths = ", ".join(f"{name} {bits}" for name, bits in found.widths.items())
    return f"Just below, {widths} ({found.word}): {found.sentence}."


def _judged(one: Judged, axes: Sequence[str]) -> list[Text | str]:
    difference = one.worst_difference_hz
    return [
        *(str(one.widths[a]) for a in axes),
        str(one.total),
        _answer(one.word),
        "" if difference is None else f"{difference:.2f}",
    ]
