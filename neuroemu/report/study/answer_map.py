"""The map of a study: a cell for each point, and where `check` expects the answer to change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from neuroemu.report.study import captions
from neuroemu.report.study.answers import EDGE_GREY, HATCH, LOOKS, glyph, legend_of
from neuroemu.report.study.dimensions import (
    Dimension,
    Key,
    Roles,
    grouped,
    key_text,
    map_roles,
    spread,
)
from neuroemu.report.study.question import (
    asks_verdict,
    bound_text,
    quantity,
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
from neuroemu.report.study.ticks import number_ticks
from neuroemu.report.style import BLACK, FONT_PT, SETTLING, SMALL_PT, drawing_style
from neuroemu.report.text import LINE, inches, shorten, wrap
from neuroemu.study.results import MISSING, REFUSED, Row, StudyResults

MOST_PANELS, MOST_COLUMNS = 24, 3
NARROWEST, LOWEST = 0.15, 0.17
"""Of a cell, inches; in less there is no mark."""
WIDEST = 1.0
LEAST_SIDE, MOST_LINES = 0.9, 3
"""Inches of a panel's side, for its label, and lines of that."""
NUMBERED = (0.42, 0.35)
"""Width and height of a cell from which it has its number, too."""
NUMBER_PT = 7.0
MARK_PT, DOT_PT = 6.5, 2.0
MOST_LABEL = 1.7
"""Inches of a label beside a row or below a column."""
TITLE, BETWEEN, FOOT_LABEL = 0.24, 0.16, 0.2
"""Inches above each panel, between panels, and below all."""

Cells = dict[tuple[int, int], Row]
"""A panel's rows by column and row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How a map lies on the page; lengths in inches.

    Parameters
    ----------
    y_label : list of str
        Lines of the label beside the rows.
    left : float
    columns : int
        Panels side by side.
    cell : (float, float)
        Width and height.
    is_upright : bool
        Whether the labels below the columns stand upright.
    foot : float
        Height of these.
    """

    y_label: list[str]
    left: float
    columns: int
    cell: tuple[float, float]
    is_upright: bool
    foot: float

    @property
    def has_numbers(self) -> bool:
        """Whether a cell has room for its number."""
        return self.cell[0] >= NUMBERED[0]


def answer_map(results: StudyResults) -> Figure:
    """Draw the answers over two dimensions, the others as panels.

    Parameters
    ----------
    results : StudyResults
        With one row or more.
    """
    with drawing_style():
        return _draw(results)


def caption(results: StudyResults) -> str:
    """Return what the map shows."""
    x, y, rest = map_roles(results)
    kind = "Verdict" if asks_verdict(results) else f"Answer ({bound_text(results)})"
    dims = [d for d in (x, y) if d is not None]
    parts = [f"{kind} at each point, over {captions.over(dims)}: {captions.counts(results.rows)}."]
    if _has_numbers(results):
        parts.append(f"Numbers: {quantity_words(results)}.")
    if any(row.word == REFUSED for row in results.rows):
        parts.append("Hatched: refused, the configuration cannot be or cannot run.")
    if results.study.searched and _is_sparse(results):
        parts.append("Grey: the search had no need of it.")
    parts += _of_prediction(results)
    panels = len(grouped(results.rows, rest))
    note = captions.left_out(min(panels, MOST_PANELS), panels, "panels")
    return " ".join([*parts, captions.ran(results)]) + note


def _of_prediction(results: StudyResults) -> Iterator[str]:
    right, known = results.agreement
    if not known:
        return
    if any(True for cells in _panels(results)[1].values() for _ in boundary(cells)):
        yield "Black line: where the verdict that check predicts without running changes."
    yield f"Predicted by check as measured: {right} of {known} decided points."


def _is_sparse(results: StudyResults) -> bool:
    x, y, _ = map_roles(results)
    full = len(x.values) * (len(y.values) if y else 1)
    return any(len(cells) < full for cells in _panels(results)[1].values())


def _panels(results: StudyResults) -> tuple[Roles, dict[Key, Cells]]:
    """Return the roles, and each panel's rows by column and row; the first category is the top row."""
    roles = map_roles(results)
    groups = grouped(results.rows, roles.panels)
    chosen = spread(list(groups), MOST_PANELS)
    return roles, {
        key: {
            (roles.x.place(r), roles.beside.place(r) if roles.beside else 0): r for r in groups[key]
        }
        for key in chosen
    }


def _draw(results: StudyResults) -> Figure:
    (x, y, rest), panels = _panels(results)
    lined = {key: asks_verdict(results) and any(boundary(c)) for key, c in panels.items()}
    handles = legend_of({r.word for cells in panels.values() for r in cells.values()})
    if any(lined.values()):
        line = Line2D([], [], color=BLACK, linewidth=2.0, label="predicted by check")
        handles = [*handles, line]
    plan = _plan(x, y, len(panels))
    wide, high = len(x.values) * plan.cell[0], (len(y.values) if y else 1) * plan.cell[1]
    top = top_of_panels(handles)
    pitch = (TITLE if rest else 0.0) + high + plan.foot + BETWEEN
    height = top + ceil(len(panels) / plan.columns) * pitch - BETWEEN + FOOT_LABEL + EDGE
    figure = sheet(_title(results), results.study.title, handles, height)
    for i, (key, cells) in enumerate(panels.items()):
        down, across = divmod(i, plan.columns)
        left = plan.left + across * (wide + BETWEEN)
        begin = top + down * pitch + (TITLE if rest else 0.0)
        axes = panel(figure, left, begin, wide, high, f"map {i}")
        if rest:
            panel_title(figure, left, begin, key_text(rest, key), wide, fontweight="bold")
        _scales(axes, x, y, plan)
        _cells(axes, cells, plan)
        if lined[key]:
            _line(axes, cells)
        axes.tick_params(axis="y", labelleft=across == 0)
        if y is not None and across == 0:
            axes.set_ylabel("\n".join(plan.y_label), linespacing=LINE)
            axes.yaxis.set_label_coords((EDGE - plan.left) / wide, 0.5)
            axes.yaxis.label.set_verticalalignment("top")
    used = plan.columns * (wide + BETWEEN) - BETWEEN
    x_label(figure, x.label, plan.left, plan.left + used)
    return figure


def _title(results: StudyResults) -> str:
    if asks_verdict(results):
        return "Does homeostasis survive?"
    return f"Where is {bound_text(results)}?"


def _plan(x: Dimension, y: Dimension | None, number: int) -> _Plan:
    longest = [0.0, 0.0]
    for i, d in enumerate((x, y)):
        if d is not None:
            longest[i] = min(max(inches(t, SMALL_PT) for t in d.texts()), MOST_LABEL)
    label = _lines(y) if y else []
    left = EDGE + (longest[1] + 0.12 + len(label) * FONT_PT * LINE / 72 if y else 0.04)
    columns, cell = 1, 0.0
    for columns in range(columns_for(number, MOST_COLUMNS), 0, -1):
        room = WIDTH - left - RIGHT - (columns - 1) * BETWEEN
        cell = min(room / columns / len(x.values), WIDEST)
        if cell >= NARROWEST:
            break
    is_upright = not x.is_numeric and longest[0] + 0.06 > cell
    height = NUMBERED[1] if cell >= NUMBERED[0] else min(max(LOWEST, cell), NUMBERED[1])
    height = max(height, LEAST_SIDE / len(y.values)) if y else height
    return _Plan(
        y_label=label,
        left=left,
        columns=columns,
        cell=(cell, height),
        is_upright=is_upright,
        foot=0.08 + (longest[0] if is_upright else 0.12),
    )


def _lines(y: Dimension) -> list[str]:
    """Return the label beside the rows, broken to their height."""
    room = max(len(y.values) * LOWEST, LEAST_SIDE)
    lines = wrap(y.label, room, FONT_PT)
    if len(lines) > MOST_LINES:
        rest = " ".join(lines[MOST_LINES - 1 :])
        lines = [*lines[: MOST_LINES - 1], shorten(rest, room, FONT_PT)]
    return lines


def _has_numbers(results: StudyResults) -> bool:
    (x, y, _), panels = _panels(results)
    return _plan(x, y, len(panels)).has_numbers and any(r.answer for r in results.rows)


def _cells(axes: Axes, cells: Cells, plan: _Plan) -> None:
    """Draw a panel's cells with their marks and, where there is room, numbers."""
    for word, look in LOOKS.items():
        at = [place for place, row in cells.items() if row.word == word]
        if not at:
            continue
        boxes = [Rectangle((i - 0.5, j - 0.5), 1.0, 1.0) for i, j in at]
        drawn = PatchCollection(boxes, facecolor=look.colour, edgecolor="white", linewidth=0.8)
        if word in (REFUSED, MISSING):
            drawn.set(edgecolor=EDGE_GREY, linewidth=0.5, zorder=0.9)
        if word == REFUSED:
            drawn.set_hatch(HATCH)
        drawn.set_label(f"_{word}")
        axes.add_collection(drawn, autolim=False)
        if look.mark and min(plan.cell) >= 0.8 * NARROWEST:
            _marks(axes, at, word, is_raised=plan.has_numbers and word != MISSING)
    if plan.has_numbers:
        _numbers(axes, cells)


def _marks(axes: Axes, at: Sequence[tuple[int, int]], word: str, *, is_raised: bool) -> None:
    look = LOOKS[word]
    size = MARK_PT if word != MISSING else DOT_PT
    up = 0.2 if is_raised else 0.0
    axes.scatter(
        [i for i, _ in at],
        [j + up * _upward(axes) for _, j in at],
        marker=glyph(look.mark),
        s=size**2,
        color=look.ink,
        linewidth=0.0,
        label=f"_{word} marks",
        zorder=3,
    )


def _numbers(axes: Axes, cells: Cells) -> None:
    for (i, j), row in cells.items():
        found = quantity(row)
        if found is not None:
            where: dict[str, Any] = {"ha": "center", "va": "center_baseline"}
            axes.text(
                i,
                j - 0.2 * _upward(axes),
                short_number(found.value),
                fontsize=NUMBER_PT,
                color=LOOKS[row.word].ink,
                **where,
            )


def _upward(axes: Axes) -> int:
    low, high = axes.get_ylim()
    return 1 if high > low else -1


def short_number(value: float) -> str:
    """Return a measured number in about three signs.

    Examples
    --------
    >>> [short_number(x) for x in (45.71, 123.4, 7.123, 0.0213, 0.0, -0.5)]
    ['45.7', '123', '7.1', '0.02', '0', '−0.50']
    """
    size = abs(value)
    digits = 0 if size >= 99.95 else 1 if size >= 0.995 else 2
    text = f"{size:.{digits}f}" if size >= 0.005 else f"{size:.0g}"
    return f"−{text}" if value < 0 and size > 0 else text


def boundary(cells: Cells) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Return the borders between neighbouring cells of which other verdicts are predicted.

    Yields
    ------
    ((x0, y0), (x1, y1))
        Ends of a border; cells have their middles at whole numbers.
    """
    for (i, j), row in cells.items():
        for right in (True, False):
            other = cells.get((i + 1, j) if right else (i, j + 1))
            if other is None or not row.predicted or not other.predicted:
                continue
            if row.predicted != other.predicted:
                end = (i + 0.5, j - 0.5) if right else (i - 0.5, j + 0.5)
                yield (end, (i + 0.5, j + 0.5))


def _line(axes: Axes, cells: Cells) -> None:
    """Draw the predicted borders, dark on a light seam, so that they are seen on every colour."""
    borders = list(boundary(cells))
    for colour, width, label in (("white", 3.6, "_seam"), (BLACK, 2.0, "_predicted")):
        lines = LineCollection(borders, colors=colour, linewidths=width, capstyle="round", zorder=4)
        lines.set(label=label, clip_on=False)
        axes.add_collection(lines, autolim=False)


def _scales(axes: Axes, x: Dimension, y: Dimension | None, plan: _Plan) -> None:
    """Mark the values along both sides; numbers go up, categories down the page."""
    axes.set_xlim(-0.5, len(x.values) - 0.5)
    rows = len(y.values) if y else 1
    axes.set_ylim(*((-0.5, rows - 0.5) if y and y.is_numeric else (rows - 0.5, -0.5)))
    axes.tick_params(length=0, pad=3)
    axes.spines[:].set_visible(False)
    axes.set_facecolor(SETTLING)
    at = np.arange(len(x.values), dtype=np.float64)
    if x.is_numeric:
        ticks, texts = number_ticks(x, at, plan.cell[0])
        is_between = len(ticks) < len(at)
        axes.tick_params(axis="x", length=2.5 if is_between else 0)
        axes.set_xticks(ticks, texts)
    else:
        axes.set_xticks(at, _short(x), rotation=90 if plan.is_upright else 0)
    axes.set_yticks(range(rows) if y else [], _short(y) if y else [])


def _short(d: Dimension) -> list[str]:
    return [shorten(t, MOST_LABEL, SMALL_PT) for t in d.texts()]
