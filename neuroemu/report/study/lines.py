"""Lines over a numeric axis: what is a series, where its points stand, and the scale of the values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from neuroemu.metrics.intervals import Estimate
from neuroemu.report.study.answers import SERIES
from neuroemu.report.study.dimensions import MOST_SERIES, Dimension, Roles, spread, value_text
from neuroemu.report.study.ticks import number_ticks
from neuroemu.report.style import BLUE, GRID, Series
from neuroemu.study.results import Row

DODGE, MOST_DODGE = 0.12, 0.06
"""Between the points of two series: a part of the smallest distance along x; inches at most."""
ROOM = 0.17
"""Inches beside the outermost values, for series beside each other."""
LEAST_PT = 2.2
"""Size of points that stand as close as can be."""
LOG_FROM = 30.0
"""Ratio of largest to smallest value from which a scale is logarithmic."""
PLAIN = Series(colour=BLUE, dashes="solid", order=4.0, marker="o", face=BLUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series.

    Parameters
    ----------
    label : str
        Empty if it is alone.
    look : Series
    at : (points,) float64
        Positions along x, ascending, a little beside those of other series.
    rows : list of (Row or None)
        Of these points; None where nothing was judged.
    """

    label: str
    look: Series
    at: NDArray[np.float64]
    rows: list[Row | None]


def lines(roles: Roles, rows: Sequence[Row], inch: float) -> list[Line]:
    """Return the series of one panel, of which one unit along x is `inch` long."""
    x, beside, _ = roles
    order = np.argsort(x.along(), kind="stable")
    along = x.along()[order]
    gap = float(np.diff(along).min()) if along.size > 1 else 1.0
    chosen = shown_series(beside)
    found = []
    for number, place in enumerate(chosen):
        mine = {x.place(r): r for r in rows if beside is None or beside.place(r) == place}
        shift = (number - (len(chosen) - 1) / 2) * min(DODGE * gap, MOST_DODGE / inch)
        line = Line(
            label=beside.tagged(place) if beside else "",
            look=SERIES[number] if beside else PLAIN,
            at=along + shift,
            rows=[mine.get(int(i)) for i in order],
        )
        found.append(line)
    return found


def shown_series(beside: Dimension | None) -> list[int]:
    """Return the values of a dimension that have a line."""
    return spread(range(len(beside.values)), MOST_SERIES) if beside else [0]


def series_legend(roles: Roles, *, points: bool) -> list[Artist]:
    """Return the entries of the series, with their own points or as lines alone."""
    return [
        Line2D([], [], label=s.label, **_entry(s.look, points=points))
        for s in lines(roles, (), 1.0)
        if s.label
    ]


def _entry(look: Series, *, points: bool) -> dict[str, Any]:
    if points:
        return look.line(0.8) | {"linestyle": "solid"} | look.marks()
    return look.line(1.3)


def point_size(x: Dimension, inch: float, most: float) -> float:
    """Return the size of points that do not hide each other: `most`, or what the distances along x allow."""
    along = np.sort(x.along())
    gap = float(np.diff(along).min()) if along.size > 1 else 1.0
    return min(most, max(LEAST_PT, 0.8 * gap * inch * 72))


def x_axis(axes: Axes, x: Dimension, width: float) -> float:
    """Scale a panel `width` inches wide to a dimension; return how long one unit of it is, inches."""
    at = x.along()
    span = float(np.ptp(at)) or 1.0
    inch = (width - 2 * ROOM) / span
    low, high = float(at.min()) - ROOM / inch, float(at.max()) + ROOM / inch
    axes.set_xlim(low, high)
    ticks, texts = number_ticks(x, at, inch)
    axes.set_xticks(ticks, texts)
    if len(ticks) < at.size and x.kind == "width":
        axes.set_xticks(at.tolist(), minor=True)
        axes.tick_params(axis="x", which="minor", length=1.8, width=0.6)
    axes.grid(axis="y", color=GRID, linewidth=0.5)
    return inch


def to_edges(
    axes: Axes, values: NDArray[np.float64], at: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a curve that goes on level to both sides of a panel."""
    low, high = axes.get_xlim()
    return np.concatenate(([low], at, [high])), np.concatenate((values[:1], values, values[-1:]))


class Scale(NamedTuple):
    """Of the values: whether logarithmic, and its ends."""

    is_log: bool
    low: float
    high: float

    def shown(self, value: float) -> float:
        """Return where a value stands: on a logarithmic scale not below its lower edge."""
        return max(value, self.low) if self.is_log else value

    def raised(self, part: float) -> Scale:
        """Return the scale with room above, a part of its length."""
        if self.is_log:
            return self._replace(high=self.high * (self.high / self.low) ** part)
        return self._replace(high=self.high + part * (self.high - self.low))


def apply(axes: Axes, scale: Scale) -> None:
    """Scale the values of a panel."""
    if scale.is_log:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: value_text(float(y))))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(scale.low, scale.high)


def scale_of(estimates: Iterable[Estimate], limits: Iterable[float | None]) -> Scale:
    """Return a scale for means with intervals, and for limits that must be seen.

    Means of wide range are drawn on a logarithmic scale; one that is 0 stands on its lower edge.
    """
    found = list(estimates)
    means = [e.value for e in found]
    ends = [e.high if e.high is not None else e.value for e in found]
    seen = [x for x in (*means, *ends, *limits) if x is not None]
    above = [x for x in means if x > 0.0]
    if above and min(means) >= 0.0 and max(above) >= LOG_FROM * min(above):
        lowest = min(above + [x for x in seen if x > 0.0])
        return Scale(is_log=True, low=10.0 ** floor(log10(0.8 * lowest)), high=1.6 * max(seen))
    lows = [e.low if e.low is not None else e.value for e in found]
    low, high = min(0.0, *seen, *lows), max(0.0, *seen)
    room = 0.06 * (high - low or 1.0)
    return Scale(is_log=False, low=low - (room if low < 0.0 else 0.0), high=high + room)
