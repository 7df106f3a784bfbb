"""The report of several targets that ran together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuroemu.errors import OutputError
from neuroemu.metrics.verdict import Verdict
from neuroemu.report.html import run_tables as tables
from neuroemu.report.html.embed import picture
from neuroemu.report.html.parts import (
    Badge,
    Cell,
    Facts,
    Headline,
    Mark,
    Page,
    Paragraph,
    Picture,
    Section,
    Table,
)
from neuroemu.report.html.quantities import NONE, signed, tight
from neuroemu.report.html.reproduce import again
from neuroemu.report.html.run_page import badge, blame, extent, times
from neuroemu.report.html.saved import SavedRun, read_json, read_run


def read_summary(parent: Path) -> list[SavedRun]:
    """Read the runs that a summary tells of, from the folders beside it.

    Raises
    ------
    OutputError
        If one of them is gone, or cannot be read.
    """
    verdicts = read_json(parent / "summary" / "verdicts.json")
    if not isinstance(verdicts, list) or not verdicts:
        raise OutputError(
            f"{parent}/summary/verdicts.json: a report needs the verdicts of some targets; "
            "there are none; run them again"
        )
    return [_run_of(parent, verdict) for verdict in verdicts]


def _run_of(parent: Path, verdict: Any) -> SavedRun:
    """Return the run with this verdict; folders of the same target have numbers."""
    name = verdict.get("target", "") if isinstance(verdict, dict) else ""
    for folder in sorted(parent.glob(f"{name}*")) if name else []:
        if (folder / "manifest.json").is_file() and read_json(folder / "verdict.json") == verdict:
            return read_run(folder)
    raise OutputError(
        f"{parent}/summary: a report needs the folders of its targets beside it; none holds the run of "
        f"{name or 'a target without a name'}; run them again, or name the folder of one run"
    )


def summary_page(parent: Path) -> Page:
    """Return the report of the targets in a folder that ``neuroemu run`` filled."""
    runs = read_summary(parent)
    first = runs[0]
    return Page(
        title=f"{first.experiment.title} on {len(runs)} targets",
        about=f"{extent(first)}. Each target against the float reference, on the same input spikes.",
        headlines=_headlines(runs),
        sections=[
            Section(title="All targets", parts=[_side_by_side(runs), _reasons(runs)]),
            Section(title="Figure", parts=[_figure(parent)]),
            *(_target(run) for run in runs),
            Section(title="Versions", parts=[Facts(rows=_versions(runs))]),
            again(runs),
        ],
    )


def _headlines(runs: Sequence[SavedRun]) -> list[Headline]:
    found = []
    for verdict in Verdict:
        names = [run.target.name for run in runs if run.decision.verdict is verdict]
        if names:
            word = f"{verdict} on {len(names)} of {len(runs)}"
            found.append(
                Headline(badge=Badge(look=str(verdict), word=word), sentence=", ".join(names))
            )
    return found


def _side_by_side(runs: Sequence[SavedRun]) -> Table:
    phases = runs[0].decision.phases
    body: list[tuple[Cell, ...]] = [
        ("float reference", "", *(f"{p.reference.value:.1f}" for p in phases), ""),
    ]
    for run in runs:
        expected = run.prediction["set_point_hz"]
        body.append(
            (
                run.target.name,
                badge(run),
                *(_rate(run, i) for i in range(len(phases))),
                NONE if expected is None else f"{expected:.1f}",
            )
        )
    columns = tables.stimulus_titles(runs[0].experiment)
    return Table(
        caption="Mean rate on each target by the stimulus of the phase, Hz",
        columns=("target", "verdict", *columns, "set point expected"),
        rows=body,
        numbers=frozenset(range(2, 3 + len(columns))),
        note=f"✗ outside the margin, ? not shown to be within it. {tables.phase_note(runs[0])}",
    )


def _rate(run: SavedRun, phase: int) -> Cell:
    result = run.decision.phases[phase]
    value = f"{result.target.value:.1f}"
    mark = tables.within(result, run.decision.margin_hz)
    return value if result.within_margin else Mark(look=mark.look, sign=mark.sign, text=value)


def _reasons(runs: Sequence[SavedRun]) -> Facts:
    return Facts(rows=[(run.target.name, tight(run.sentence)) for run in runs])


def _figure(parent: Path) -> Picture:
    return picture(
        parent / "summary",
        "figure",
        alt="One panel for each target: mean output rate in each phase on the target, in float and without "
        "homeostasis. The same means stand in the tables.",
        caption="Phase means on each target with their intervals, sorted by stimulus rate: a regulated rate is level.",
    )


def _target(run: SavedRun) -> Section:
    worst = run.decision.worst_phase
    steps = ", ".join(f"{s.rung} {signed(s.phases[worst].value, 1)}" for s in run.attribution.steps)
    flagged = [
        f"{row.key.partition('.')[2]} ({' '.join(row.flags)})" for row in run.constants if row.flags
    ]
    lost = [name for name, did in run.sites.items() if did["overflowed"] or did["lost"]]
    facts = [
        ("Attribution", f"in phase {worst + 1}, the worst: {steps} Hz"),
        ("Site to blame", blame(run)),
        ("Flagged constants", ", ".join(flagged) or "none"),
        ("Sites that lost something", ", ".join(lost) or "none"),
        *times(run),
        ("Digest", run.digest),
    ]
    return Section(
        title=run.target.name,
        badge=badge(run),
        parts=[
            Paragraph(text=f"{run.target.title}. {tight(run.sentence)}"),
            tables.phase_table(run, of=f" on {run.target.name}"),
            Facts(rows=facts),
        ],
    )


def _versions(runs: Sequence[SavedRun]) -> list[tuple[str, str]]:
    names = dict.fromkeys(
        ", ".join(f"{name} {number}" for name, number in run.versions.items()) for run in runs
    )
    return [("Software", text) for text in names]
