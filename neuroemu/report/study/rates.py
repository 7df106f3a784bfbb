"""The rate of each phase over an axis, beside the float reference and what `check` predicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from neuroemu.metrics.verdict import PhaseResult
from neuroemu.report.curves import phase_rates_hz
from neuroemu.report.panels import draw_estimates
from neuroemu.report.study import captions
from neuroemu.report.study.dimensions import Key, Roles, grouped, key_text, line_roles, spread
from neuroemu.report.study.lines import (
    lines,
    point_size,
    series_legend,
    shown_series,
    to_edges,
    x_axis,
)
from neuroemu.report.study.sheet import (
    EDGE,
    RIGHT,
    WIDTH,
    columns_for,
    panel,
    panel_title,
    sheet,
    top_of_panels,
    x_label,
)
from neuroemu.report.style import (
    GREY,
    MARGIN_ALPHA,
    REFERENCE,
    SMALL_PT,
    YELLOW,
    drawing_style,
)
from neuroemu.study.results import Row, StudyResults

MOST_GROUPS, MOST_COLUMNS = 6, 4
LEFT, GAP = 0.6, 0.14
WIDE, HEIGHT = 1.9, 1.3
"""Height of the panels where there is one in a row, and where there are several, inches."""
POINT_PT = 3.6
NAME, TITLE, FOOT, FOOT_LABEL = 0.26, 0.2, 0.22, 0.17


def rates(results: StudyResults) -> Figure:
    """Draw the rate of each phase, a panel each, over the longest numeric axis.

    Parameters
    ----------
    results : StudyResults
        With a numeric axis, and a point that has run.
    """
    with drawing_style():
        return _draw(results, line_roles(results))


def caption(results: StudyResults) -> str:
    """Return what the figure shows."""
    roles = line_roles(results)
    parts = [
        f"Output rate of each phase over {roles.x.label}.",
        f"Points: means over trials on the target with {captions.level(results.rows)} intervals.",
        "Dashed: the float reference on the same input, yellow the margin around it.",
    ]
    if _has_prediction(results):
        parts.append("Thin lines: what check predicts without running.")
    groups = len(grouped(results.rows, roles.panels))
    note = captions.left_out(
        min(groups, MOST_GROUPS), groups, f"combinations of {captions.over(roles.panels)}"
    )
    if roles.beside:
        shown = len(shown_series(roles.beside))
        note += captions.left_out(
            shown, len(roles.beside.values), f"values of {roles.beside.label}"
        )
    return " ".join([*parts, captions.ran(results)]) + note


def _has_prediction(results: StudyResults) -> bool:
    return any(_predicted(row, 0) is not None for row in results.rows)


def _predicted(row: Row | None, phase: int) -> float | None:
    found = (row.prediction or {}).get("rates_hz", ()) if row is not None else ()
    return found[phase] if phase < len(found) else None


def _phase(row: Row | None, phase: int) -> PhaseResult | None:
    if row is None or row.answer is None or phase >= len(row.answer.decision.phases):
        return None
    return row.answer.decision.phases[phase]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How the panels lie on the page: phases across, groups of rows down; lengths in inches."""

    groups: dict[Key, list[Row]]
    phases: int
    columns: int
    wide: float
    high: float
    name: float

    @property
    def pitch(self) -> float:
        """Height of a line of panels with its title and numbers."""
        return TITLE + self.high + FOOT

    @property
    def group(self) -> float:
        """Height of a group with its name."""
        return self.name + ceil(self.phases / self.columns) * self.pitch + GAP

    def boxes(self, top: float) -> Iterator[tuple[Key, int, float, float]]:
        """Return group, phase, left and top of each panel."""
        for i, key in enumerate(self.groups):
            for phase in range(self.phases):
                down, across = divmod(phase, self.columns)
                left = LEFT + across * (self.wide + GAP)
                begin = top + i * self.group + self.name + down * self.pitch + TITLE
                yield key, phase, left, begin


def _plan(results: StudyResults, roles: Roles) -> _Plan:
    groups = grouped(results.rows, roles.panels)
    phases = max(len(r.answer.decision.phases) for r in results.rows if r.answer)
    columns = columns_for(phases, MOST_COLUMNS)
    return _Plan(
        groups={key: groups[key] for key in spread(list(groups), MOST_GROUPS)},
        phases=phases,
        columns=columns,
        wide=(WIDTH - LEFT - RIGHT - (columns - 1) * GAP) / columns,
        high=WIDE if columns == 1 else HEIGHT,
        name=NAME if roles.panels else 0.0,
    )


def _draw(results: StudyResults, roles: Roles) -> Figure:
    plan = _plan(results, roles)
    handles = _handles(results, roles)
    top = top_of_panels(handles)
    height = top + len(plan.groups) * plan.group - GAP + FOOT_LABEL + EDGE
    figure = sheet("Output rate of the phases", results.study.title, handles, height)
    highest = _highest([r for rows in plan.groups.values() for r in rows])
    for key, phase, left, begin in plan.boxes(top):
        if phase == 0 and roles.panels:
            name, room = key_text(roles.panels, key), WIDTH - LEFT - RIGHT
            panel_title(figure, left, begin - TITLE, name, room, fontweight="bold")
        axes = panel(figure, left, begin, plan.wide, plan.high, f"rates {key} {phase}")
        title = _phase_name(results, phase)
        panel_title(figure, left, begin + 0.02, title, plan.wide, fontsize=SMALL_PT)
        axes.set_ylim(0.0, 1.06 * highest)
        _panel(axes, roles, plan.groups[key], phase, plan.wide)
        is_first = phase % plan.columns == 0
        axes.tick_params(axis="y", labelleft=is_first)
        if is_first:
            axes.set_ylabel("rate (Hz)")
            axes.yaxis.set_label_coords((0.26 - LEFT) / plan.wide, 0.5)
    x_label(figure, roles.x.label, LEFT)
    return figure


def _handles(results: StudyResults, roles: Roles) -> list[Artist]:
    predicted = Line2D([], [], color=GREY, linewidth=0.8, label="predicted by check")
    return [
        *series_legend(roles, points=True),
        Line2D([], [], label="float reference", **REFERENCE.line(1.3)),
        Patch(facecolor=YELLOW, alpha=2 * MARGIN_ALPHA, label="margin around it"),
        *([predicted] if _has_prediction(results) else []),
    ]


def _phase_name(results: StudyResults, phase: int) -> str:
    """Return a phase's number, with its stimulus if that is the same at all points."""
    experiments = [r.point.experiment for r in results.rows if r.point.experiment is not None]
    rates = [phase_rates_hz(e)[1] for e in experiments]
    found = {float(r[phase]) for r in rates if phase < len(r)}
    return f"phase {phase + 1}" + (f": stimulus {found.pop():g} Hz" if len(found) == 1 else "")


def _highest(rows: list[Row]) -> float:
    """Return the top of all that is drawn, Hz."""
    tops = [0.0]
    for row in rows:
        if row.answer is not None:
            margin = row.answer.decision.margin_hz
            for p in row.answer.decision.phases:
                tops += [p.reference.value + margin, p.target.high or p.target.value]
    return max(tops)


def _panel(axes: Axes, roles: Roles, rows: list[Row], phase: int, width: float) -> None:
    inch = x_axis(axes, roles.x, width)
    _reference(axes, roles, rows, phase)
    size = point_size(roles.x, inch, POINT_PT)
    for line in lines(roles, rows, inch):
        found = [_phase(row, phase) for row in line.rows]
        at = [a for a, p in zip(line.at, found, strict=True) if p is not None]
        means = [p.target for p in found if p is not None]
        if means:
            draw_estimates(
                axes, at, means, line.look, name=f"{line.label} points", size=size, caps=0.0
            )
        expected = [_predicted(row, phase) for row in line.rows]
        values = np.asarray([np.nan if e is None else e for e in expected])
        thin: dict[str, Any] = line.look.line(0.8) | {"linestyle": "solid", "zorder": 3.0}
        axes.plot(line.at, values, label=f"_{line.label} predicted", **thin)


def _reference(axes: Axes, roles: Roles, rows: list[Row], phase: int) -> None:
    """Draw the float reference and its margin; of each place the one over most trials."""
    best: dict[float, Row] = {}
    along = roles.x.along()
    for row in sorted((r for r in rows if _phase(r, phase) is not None), key=lambda r: r.trials):
        best[float(along[roles.x.place(row)])] = row
    if not best:
        return
    at = np.asarray(sorted(best))
    found = [best[float(a)] for a in at]
    values = np.asarray([p.reference.value for r in found if (p := _phase(r, phase)) is not None])
    margins = np.asarray([r.answer.decision.margin_hz for r in found if r.answer is not None])
    wide, middle = to_edges(axes, values, at)
    _, half = to_edges(axes, margins, at)
    axes.fill_between(
        wide,
        middle - half,
        middle + half,
        facecolor=YELLOW,
        edgecolor="none",
        alpha=2 * MARGIN_ALPHA,
    ).set(label="_margin", zorder=0.8)
    line = REFERENCE.line(1.2) | {"zorder": 2.0}
    axes.plot(wide, middle, label="_reference", **line)
