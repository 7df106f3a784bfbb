"""Bits against fidelity: what a search judged, the best of it, and the smallest that passes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any, NamedTuple

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from neuroemu.metrics.intervals import Estimate
from neuroemu.report.study import captions
from neuroemu.report.study.dimensions import spread, value_text
from neuroemu.report.study.lines import Scale, apply, scale_of
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
    BETWEEN,
    BLUE,
    GREEN,
    GREY,
    GRID,
    SMALL_PT,
    VERMILLION,
    drawing_style,
)
from neuroemu.report.text import inches
from neuroemu.study.config import Value
from neuroemu.study.find import Frontier, Judged
from neuroemu.study.looks import PASSES
from neuroemu.study.results import Row, StudyResults

MOST_PANELS, MOST_COLUMNS = 12, 2
LEFT, GAP = 0.68, 0.16
ALONE, HEIGHT = 2.6, 1.9
"""Of a panel alone, and of one of several, inches."""
TITLE, FOOT, FOOT_LABEL = 0.24, 0.24, 0.2
NAME_ROW = 0.15
"""Inches of a line of minima's widths above the points."""
MOST_NAMES = 8
"""Minima that are named in a panel; captions name all."""
FAINT = "#9A9A9A"


def frontier(results: StudyResults) -> Figure:
    """Draw total bits against the largest difference for each search of a study.

    Parameters
    ----------
    results : StudyResults
        With a frontier or more.
    """
    with drawing_style():
        return _draw(results)


def has_frontier(results: StudyResults) -> bool:
    """Tell whether there is a search of which points could run."""
    return any(rows_of(results, f) for f in results.frontiers)


def caption(results: StudyResults) -> str:
    """Return what the figure shows."""
    axes = _labels(results)
    parts = [
        f"Bits in all ({' + '.join(axes)}) against the largest difference of a phase's mean rate from the "
        "float reference, for each point that the search judged.",
        "Line: the best that so many bits give.",
        _minima_sentence(results),
    ]
    if _has_exceptions(results):
        parts.append("Diamonds: do not pass, though no width is below that of one that passes.")
    if not all(f.is_confirmed for f in results.frontiers):
        parts.append("The minima assume that more bits never harm; this was not confirmed.")
    number = len(results.frontiers)
    note = captions.left_out(min(number, MOST_PANELS), number, "searches")
    return " ".join([*parts, captions.ran(results)]) + note


def _has_exceptions(results: StudyResults) -> bool:
    """Tell whether any could run: others have no place in the figure."""
    return any(e.worst_difference_hz is not None for f in results.frontiers for e in f.exceptions)


def _minima_sentence(results: StudyResults) -> str:
    found = [
        f"{_others(results, f)}{', '.join(map(widths_text, f.minima)) or 'none passes'}"
        for f in results.frontiers
    ]
    return f"Smallest that pass: {'; '.join(found)}."


def _others(results: StudyResults, f: Frontier) -> str:
    text = others_text(results, f.others)
    return f"{text}: " if text else ""


def others_text(results: StudyResults, others: dict[str, Value]) -> str:
    """Return the values of the axes that were not searched, the target's only if there are several."""
    labels = {a.name: a.label or a.name for a in results.study.axes}
    parts = []
    for name, value in others.items():
        if name == "target" and len(results.space.targets) == 1:
            continue
        is_word = isinstance(value, str)
        parts.append(value_text(value) if is_word else f"{labels[name]} {value_text(value)}")
    return ", ".join(parts)


def widths_text(judged: Judged) -> str:
    """Return the widths of a combination in the order of the axes: ``5 + 9``."""
    return " + ".join(map(str, judged.widths.values()))


def _labels(results: StudyResults) -> list[str]:
    return [a.label or a.name for a in results.study.searched]


def _draw(results: StudyResults) -> Figure:
    found = [f for f in results.frontiers if rows_of(results, f)]
    chosen = spread(found, MOST_PANELS)
    columns = columns_for(len(chosen), MOST_COLUMNS)
    handles = _handles(results)
    titles = [others_text(results, f.others) for f in chosen]
    limits = _limits(results)
    wide = (WIDTH - LEFT - RIGHT - (columns - 1) * GAP) / columns
    high = ALONE if len(chosen) == 1 else HEIGHT
    named = [_names(f, limits, wide) for f in chosen]
    strip = NAME_ROW * (0.6 + max((n.row + 1 for names in named for n in names), default=0))
    top, title = top_of_panels(handles), TITLE if any(titles) else 0.0
    pitch = title + strip + high + FOOT + GAP
    height = top + ceil(len(chosen) / columns) * pitch - GAP + FOOT_LABEL + EDGE
    figure = sheet("How few bits?", results.study.title, handles, height)
    for i, f in enumerate(chosen):
        down, across = divmod(i, columns)
        left, begin = LEFT + across * (wide + GAP), top + down * pitch + title
        axes = panel(figure, left, begin, wide, high + strip, f"frontier {i}")
        if titles[i]:
            panel_title(figure, left, begin, titles[i], wide, fontweight="bold")
        _panel(axes, results, f, limits)
        _write(axes, named[i], limits.scale, (wide, high, strip))
        axes.set_ylim(limits.scale.low, limits.scale.raised(strip / high).high)
        axes.tick_params(axis="y", labelleft=across == 0)
        if across == 0:
            axes.set_ylabel("largest difference (Hz)")
            axes.yaxis.set_label_coords((0.3 - LEFT) / wide, 0.5)
    label = " + ".join(_labels(results))
    x_label(figure, label, LEFT)
    return figure


def _handles(results: StudyResults) -> list[Artist]:
    handles = [
        Line2D([], [], label="judged, passes", **_faint("o")),
        Line2D([], [], label="judged, does not", **_faint("x")),
        Line2D([], [], color=BLUE, linewidth=1.4, label="best for its bits"),
        Line2D([], [], label="smallest that passes", **_minimum()),
    ]
    if _has_exceptions(results):
        handles.append(Line2D([], [], label="fails above one that passes", **_exception()))
    margin: dict[str, Any] = {"color": GREY, "linewidth": 0.8, "linestyle": BETWEEN}
    return [*handles, Line2D([], [], label="margin", **margin)]


def _faint(marker: str) -> dict[str, Any]:
    return {
        "marker": marker,
        "markersize": 3.2,
        "linestyle": "none",
        "color": FAINT,
        "markerfacecolor": "white",
        "markeredgewidth": 0.9,
    }


def _minimum() -> dict[str, Any]:
    return {
        "marker": "o",
        "markersize": 6.0,
        "linestyle": "none",
        "color": GREEN,
        "markeredgecolor": "white",
        "markeredgewidth": 0.8,
    }


def _exception() -> dict[str, Any]:
    return {
        "marker": "D",
        "markersize": 6.0,
        "linestyle": "none",
        "markerfacecolor": "none",
        "markeredgecolor": VERMILLION,
        "markeredgewidth": 1.2,
    }


class _Limits(NamedTuple):
    """What all panels share: the ends along x, and the scale of the differences."""

    least: int
    most: int
    scale: Scale


def _limits(results: StudyResults) -> _Limits:
    totals = [_total(results, r) for r in results.rows]
    found = [Estimate(value=d) for r in results.rows if (d := _difference(r)) is not None]
    return _Limits(min(totals), max(totals), scale_of(found, _margins(results.rows)))


def _margins(rows: Iterable[Row]) -> set[float]:
    return {r.answer.decision.margin_hz for r in rows if r.answer is not None}


def _total(results: StudyResults, row: Row) -> int:
    found = (row.values[a.name] for a in results.study.searched)
    return sum(width for width in found if isinstance(width, int))


def _difference(row: Row) -> float | None:
    return None if row.answer is None else row.answer.worst_difference_hz


def rows_of(results: StudyResults, f: Frontier) -> list[Row]:
    """Return the points that a search judged and that could run."""
    return [
        r
        for r in results.rows
        if r.answer is not None and all(r.values[n] == v for n, v in f.others.items())
    ]


def _panel(axes: Axes, results: StudyResults, f: Frontier, limits: _Limits) -> None:
    scale = limits.scale
    axes.set_xlim(limits.least - 0.5, limits.most + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", color=GRID, linewidth=0.5)
    apply(axes, scale)
    for margin in _margins(results.rows):
        axes.axhline(margin, color=GREY, linewidth=0.8, linestyle=BETWEEN, zorder=1)
    rows = rows_of(results, f)
    for name, marker, passes in (("passes", "o", True), ("fails", "x", False)):
        mine = [r for r in rows if (r.word in PASSES) == passes]
        at = [_total(results, r) for r in mine]
        seen = [scale.shown(r.answer.worst_difference_hz) for r in mine if r.answer]
        axes.plot(at, seen, label=f"_{name}", zorder=3.5, clip_on=False, **_faint(marker))
    _front(axes, f, limits)
    for name, found, look in (
        ("exceptions", f.exceptions, _exception()),
        ("minima", f.minima, _minimum()),
    ):
        at, seen = _points(found, scale)
        axes.plot(at, seen, label=f"_{name}", zorder=5, clip_on=False, **look)


def _points(found: Sequence[Judged], scale: Scale) -> tuple[list[int], list[float]]:
    """Return total bits and difference of those that could run."""
    pairs = [(j.total, j.worst_difference_hz) for j in found]
    known = [(total, scale.shown(d)) for total, d in pairs if d is not None]
    return [total for total, _ in known], [d for _, d in known]


def _front(axes: Axes, f: Frontier, limits: _Limits) -> None:
    """Draw the best that so many bits give, from the fewest that were judged on."""
    at, seen = _points(sorted(f.front, key=lambda j: j.total), limits.scale)
    if at:
        axes.plot(
            [*at, limits.most + 0.5],
            [*seen, seen[-1]],
            drawstyle="steps-post",
            color=BLUE,
            linewidth=1.4,
            zorder=3,
            label="_front",
        )


class _Name(NamedTuple):
    """A minimum's widths above its panel: middle in inches from the left, line from below."""

    at: float
    row: int
    text: str
    judged: Judged


def _names(f: Frontier, limits: _Limits, wide: float) -> list[_Name]:
    """Return where the minima's widths stand: in lines one above the other where they would meet."""
    inch = wide / (limits.most - limits.least + 1)
    names: list[_Name] = []
    for judged in sorted(f.minima, key=lambda j: j.total)[:MOST_NAMES]:
        text = widths_text(judged)
        half = inches(text, SMALL_PT) / 2 + 0.04
        at = min(max((judged.total - limits.least + 0.5) * inch, half), wide - half)
        met = [n.row for n in names if abs(n.at - at) < half + inches(n.text, SMALL_PT) / 2 + 0.04]
        row = next(r for r in range(len(met) + 1) if r not in met)
        names.append(_Name(at, row, text, judged))
    return names


def _write(
    axes: Axes, names: Sequence[_Name], scale: Scale, size: tuple[float, float, float]
) -> None:
    """Write the minima's widths above all points, each with a thin line down to its own."""
    wide, high, strip = size
    for name in names:
        at = (name.at / wide, (high + (name.row + 0.8) * NAME_ROW) / (high + strip))
        axes.annotate(
            "",
            xy=(name.judged.total, scale.shown(name.judged.worst_difference_hz or 0.0)),
            xytext=at,
            textcoords="axes fraction",
            arrowprops={"arrowstyle": "-", "linewidth": 0.6, "color": GREY, "shrinkB": 3.0},
            zorder=3.8,
        )
        axes.text(
            *at,
            name.text,
            transform=axes.transAxes,
            ha="center",
            va="center",
            fontsize=SMALL_PT,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
            zorder=4.2,
        )
