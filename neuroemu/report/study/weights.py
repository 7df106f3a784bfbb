"""What the weight register held: how long it stood at each value, at a handful of points."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from neuroemu.models.discretize import discretize
from neuroemu.report.study import captions
from neuroemu.report.study.answers import LOOKS, legend_of
from neuroemu.report.study.dimensions import (
    Dimension,
    dimensions,
    grouped,
    key_text,
    map_roles,
    spread,
)
from neuroemu.report.study.sheet import (
    EDGE,
    RIGHT,
    WIDTH,
    panel,
    panel_title,
    sheet,
    top_of_panels,
    x_label,
)
from neuroemu.report.style import BLUE, GRID, SMALL_PT, drawing_style
from neuroemu.report.text import place
from neuroemu.study.results import Row, StudyResults

MOST_LINES, MOST_COLUMNS = 5, 4
LEFT, GAP = 0.6, 0.24
HEIGHT = 0.85
NAME, TITLE, FOOT, FOOT_LABEL = 0.26, 0.22, 0.28, 0.2
MOST_BARS = 80
"""From one side of a panel to the other; of more codes several make one bar."""
ROOM = 1.12
"""Top of a panel, in parts of its highest bar."""


def weights(results: StudyResults) -> Figure:
    """Draw how long the weight register stood at each code.

    Parameters
    ----------
    results : StudyResults
        With rows that have `codes`.
    """
    with drawing_style():
        return _draw(results)


def caption(results: StudyResults) -> str:
    """Return what the figure shows."""
    chosen = _chosen(results)
    known = sum(row.codes.size > 0 for row in results.rows)
    shown = sum(len(line.rows) for line in chosen.lines)
    parts = [
        f"How long the plastic weight stood at each value, in percent of the counted time, over {chosen.x.label}.",
        "A bar is a code of the register, or several where they are too many to be seen.",
    ]
    return " ".join([*parts, captions.ran(results)]) + captions.left_out(shown, known, "points")


class _Group(NamedTuple):
    """A line of panels: what its rows have in common, and these by their place along x."""

    name: str
    rows: dict[int, Row]


class _Chosen(NamedTuple):
    """What is drawn: a dimension across with some of its values, and lines of panels."""

    x: Dimension
    places: list[int]
    lines: list[_Group]


def _chosen(results: StudyResults) -> _Chosen:
    x = map_roles(results).x
    others = tuple(d for d in dimensions(results) if d != x)
    known = [row for row in results.rows if row.codes.size]
    places = spread(sorted({x.place(row) for row in known}), MOST_COLUMNS)
    groups = grouped([row for row in known if x.place(row) in places], others)
    lines = [
        _Group(key_text(others, key), {x.place(row): row for row in groups[key]})
        for key in spread(list(groups), MOST_LINES)
    ]
    return _Chosen(x, places, lines)


def weight_lsb(row: Row) -> float:
    """Return what one code of a row's weight register is worth, in the experiment's unit."""
    target, experiment = row.point.target, row.point.experiment
    assert target is not None and experiment is not None and experiment.question is not None  # noqa: S101
    return float(discretize(experiment, target).synapses[experiment.question.projection].lsb)


def _draw(results: StudyResults) -> Figure:
    x, places, lines = _chosen(results)
    handles = legend_of({row.word for line in lines for row in line.rows.values()})
    top = top_of_panels(handles)
    wide = (WIDTH - LEFT - RIGHT - (len(places) - 1) * GAP) / len(places)
    name = NAME if any(line.name for line in lines) else 0.0
    pitch = name + TITLE + HEIGHT + FOOT
    height = top + len(lines) * pitch + FOOT_LABEL + EDGE
    figure = sheet("Where the weight stands", results.study.title, handles, height)
    low, high = _ends([row for line in lines for row in line.rows.values()])
    for down, line in enumerate(lines):
        begin = top + down * pitch + name + TITLE
        if line.name:
            room = WIDTH - LEFT - RIGHT
            panel_title(figure, LEFT, begin - TITLE, line.name, room, fontweight="bold")
        for across, at in enumerate(places):
            if at not in line.rows:
                continue
            left = LEFT + across * (wide + GAP)
            _title(figure, left, begin, x.tagged(at), line.rows[at], wide)
            axes = panel(figure, left, begin, wide, HEIGHT, f"weights {down} {across}")
            axes.set_xlim(low, high)
            _histogram(axes, line.rows[at])
            if across == 0:
                axes.set_ylabel("time (%)")
                axes.yaxis.set_label_coords((0.26 - LEFT) / wide, 0.5)
    x_label(figure, "plastic weight (membrane unit)", LEFT)
    return figure


def _title(figure: Figure, left: float, top: float, text: str, row: Row, wide: float) -> None:
    look = LOOKS[row.word]
    panel_title(figure, left, top, text, wide - 0.25, fontsize=SMALL_PT)
    box = {"boxstyle": "round,pad=0.15", "facecolor": look.colour, "edgecolor": "none"}
    how = {"ha": "right", "va": "bottom", "color": look.ink, "fontweight": "bold", "bbox": box}
    place(figure, left + wide - 0.03, top - 0.06, look.mark, fontsize=SMALL_PT, **how)


def _ends(rows: list[Row]) -> tuple[float, float]:
    """Return from where to where weights stood at any point, with a little room."""
    ends = [(row.codes[[0, -1]] + [-0.5, 0.5]) * weight_lsb(row) for row in rows]
    low, high = float(min(e[0] for e in ends)), float(max(e[1] for e in ends))
    room = 0.02 * (high - low)
    return low - room, high + room


def _histogram(axes: Axes, row: Row) -> None:
    low, high = axes.get_xlim()
    middles, width, percent = bars(row.codes, row.share, weight_lsb(row), (high - low) / MOST_BARS)
    seen = max(0.9 * width, (high - low) / 100)
    drawn = axes.bar(middles, percent, width=seen, color=BLUE, linewidth=0.0)
    drawn.set_label("_weights")
    axes.set_ylim(0.0, ROOM * float(percent.max()))
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", color=GRID, linewidth=0.5)


def bars(
    codes: NDArray[np.int64], share: NDArray[np.float64], lsb: float, least: float
) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
    """Return the bars of a histogram of register codes, each of as many codes as make it `least` wide.

    Parameters
    ----------
    codes, share : (codes,) int64, (codes,) float64
    lsb, least : float
        In the experiment's unit.

    Returns
    -------
    middles : (bars,) float64
        In the experiment's unit.
    width : float
    percent : (bars,) float64

    Examples
    --------
    >>> middles, width, percent = bars(np.arange(4), np.full(4, 0.25), 0.5, 0.8)
    >>> middles.tolist(), width, percent.tolist()
    ([0.25, 1.25], 1.0, [50.0, 50.0])
    """
    number = max(1, ceil(least / lsb))
    groups, where = np.unique(codes // number, return_inverse=True)
    middles = (groups * number + (number - 1) / 2) * lsb
    return (
        middles.astype(np.float64),
        number * lsb,
        100.0 * np.bincount(where, share).astype(np.float64),
    )
