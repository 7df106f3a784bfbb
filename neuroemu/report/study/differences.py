"""How far from float, over an axis: a line with intervals for each rounding, or whatever else varies."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from neuroemu.metrics.intervals import Estimate
from neuroemu.report.study import captions
from neuroemu.report.study.answers import LOOKS, legend_of
from neuroemu.report.study.dimensions import Roles, grouped, key_text, line_roles, spread
from neuroemu.report.study.lines import (
    Line,
    Scale,
    apply,
    lines,
    point_size,
    scale_of,
    series_legend,
    shown_series,
    to_edges,
    x_axis,
)
from neuroemu.report.study.question import (
    asks_verdict,
    bound_text,
    bounds,
    quantity,
    quantity_label,
    quantity_words,
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
from neuroemu.report.style import BETWEEN, GREY, MARGIN_ALPHA, YELLOW, drawing_style
from neuroemu.study.results import Row, StudyResults

MOST_PANELS, MOST_COLUMNS = 12, 3
LEFT, GAP = 0.68, 0.16
ALONE, HEIGHT = 2.3, 1.6
"""Of a panel alone, and of one of several, inches."""
TITLE, FOOT, FOOT_LABEL = 0.24, 0.24, 0.2
POINT_PT = 5.0


def differences(results: StudyResults) -> Figure:
    """Draw the number that the answers rest on over the longest numeric axis.

    Parameters
    ----------
    results : StudyResults
        With a numeric axis.
    """
    with drawing_style():
        return _draw(results, line_roles(results))


def caption(results: StudyResults) -> str:
    """Return what the figure shows."""
    roles = line_roles(results)
    what = quantity_words(results)
    per = f", a line for each value of {roles.beside.label}" if roles.beside else ""
    where = f"{what[0].upper()}{what[1:]} over {roles.x.label}{per}."
    points = (
        f"Means over trials with {captions.level(results.rows)} intervals; marks tell the answer."
    )
    if asks_verdict(results):
        band = "Yellow: within the margin around the reference in every phase."
    else:
        band = f"Yellow: {bound_text(results)}."
    parts = [where, points, band]
    if _scale(results).is_log and any(0.0 in (e.value, e.low) for e in _estimates(results.rows)):
        parts.append("The lower edge stands for 0.")
    number, series = len(grouped(results.rows, roles.panels)), len(shown_series(roles.beside))
    note = captions.left_out(min(number, MOST_PANELS), number, "panels")
    if roles.beside:
        note += captions.left_out(
            series, len(roles.beside.values), f"values of {roles.beside.label}"
        )
    return " ".join([*parts, captions.ran(results)]) + note


def _estimates(rows: list[Row] | tuple[Row, ...]) -> list[Estimate]:
    return [e for e in map(quantity, rows) if e is not None]


def _scale(results: StudyResults) -> Scale:
    limits = [b for row in results.rows if row.answer for b in bounds(row, results)]
    return scale_of(_estimates(results.rows), limits)


def _draw(results: StudyResults, roles: Roles) -> Figure:
    groups = grouped(results.rows, roles.panels)
    chosen = spread(list(groups), MOST_PANELS)
    columns = columns_for(len(chosen), MOST_COLUMNS)
    words = {row.word for row in results.rows}
    name = "within the margin" if asks_verdict(results) else bound_text(results)
    band = Patch(facecolor=YELLOW, alpha=2 * MARGIN_ALPHA, label=name)
    handles = [*series_legend(roles, points=False), *legend_of(words, points=True), band]
    top = top_of_panels(handles)
    title = TITLE if roles.panels else 0.0
    wide = (WIDTH - LEFT - RIGHT - (columns - 1) * GAP) / columns
    high = ALONE if len(chosen) == 1 else HEIGHT
    pitch = title + high + FOOT + GAP
    height = top + ceil(len(chosen) / columns) * pitch - GAP + FOOT_LABEL + EDGE
    figure = sheet(_title(results, roles), results.study.title, handles, height)
    scale = _scale(results)
    for i, key in enumerate(chosen):
        down, across = divmod(i, columns)
        left, begin = LEFT + across * (wide + GAP), top + down * pitch + title
        axes = panel(figure, left, begin, wide, high, f"differences {i}")
        if roles.panels:
            text = key_text(roles.panels, key)
            panel_title(figure, left, begin, text, wide, fontweight="bold")
        _panel(axes, results, roles, groups[key], scale, wide)
        axes.tick_params(axis="y", labelleft=across == 0)
        if across == 0:
            axes.set_ylabel(quantity_label(results))
            axes.yaxis.set_label_coords((0.3 - LEFT) / wide, 0.5)
    x_label(figure, roles.x.label, LEFT)
    return figure


def _title(results: StudyResults, roles: Roles) -> str:
    if not asks_verdict(results):
        label = quantity_label(results)
        return label[0].upper() + label[1:]
    return "Which rounding?" if roles.beside and roles.beside.is_rounding else "How far from float?"


def _panel(
    axes: Axes, results: StudyResults, roles: Roles, rows: list[Row], scale: Scale, width: float
) -> None:
    inch = x_axis(axes, roles.x, width)
    apply(axes, scale)
    _band(axes, results, roles, rows, scale)
    size = point_size(roles.x, inch, POINT_PT)
    for line in lines(roles, rows, inch):
        _line(axes, line, scale, size)


def _band(axes: Axes, results: StudyResults, roles: Roles, rows: list[Row], scale: Scale) -> None:
    """Shade where points pass, with its limits as lines."""
    along = roles.x.along()
    found = {float(along[roles.x.place(r)]): bounds(r, results) for r in rows if r.answer}
    if not found:
        return
    at = np.asarray(sorted(found))
    lows, highs = (
        np.asarray(
            [np.nan if found[float(a)][end] is None else found[float(a)][end] for a in at], float
        )
        for end in (0, 1)
    )
    for name, limit in (("at least", lows), ("at most", highs)):
        if not np.isnan(limit).any():
            line: dict[str, Any] = {
                "color": GREY,
                "linewidth": 0.8,
                "linestyle": BETWEEN,
                "zorder": 1.0,
            }
            axes.plot(*to_edges(axes, limit, at), label=f"_{name}", **line)
    bottom, top = np.nan_to_num(lows, nan=scale.low), np.nan_to_num(highs, nan=scale.high)
    wide, under = to_edges(axes, bottom, at)
    _, over = to_edges(axes, top, at)
    axes.fill_between(
        wide, under, over, facecolor=YELLOW, edgecolor="none", alpha=MARGIN_ALPHA, zorder=0.5
    ).set_label("_band")


def _line(axes: Axes, line: Line, scale: Scale, size: float) -> None:
    """Draw a series: a thin line, bars for intervals, and a mark for each answer."""
    found = [None if r is None else quantity(r) for r in line.rows]
    values = np.asarray([np.nan if e is None else scale.shown(e.value) for e in found])
    axes.plot(line.at, values, label=f"_{line.label} line", **line.look.line(1.2))
    for a, row, e in zip(line.at, line.rows, found, strict=True):
        if row is None or e is None:
            continue
        if e.low is not None and e.high is not None:
            ends = [scale.shown(e.low), scale.shown(e.high)]
            bar: dict[str, Any] = {"color": line.look.colour, "linewidth": 1.0, "zorder": 4.5}
            axes.plot([a, a], ends, label=f"_{line.label} interval", **bar)
        marks = LOOKS[row.word].marks(line.look.colour, size)
        axes.plot(
            [a], [scale.shown(e.value)], clip_on=False, zorder=5, label=f"_{row.word}", **marks
        )
