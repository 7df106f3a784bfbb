"""All targets side by side: does homeostasis survive, and where does the rate go?"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from neuroemu.comparison import Comparison
from neuroemu.errors import ConfigError
from neuroemu.report import curves, panels
from neuroemu.report.style import (
    CONTROL,
    FONT_PT,
    GREY,
    MARGIN_ALPHA,
    REFERENCE,
    SMALL_PT,
    TARGET,
    TITLE_PT,
    YELLOW,
    Series,
    drawing_style,
)
from neuroemu.report.text import LINE, badge, inches, place, shorten, wrap

MOST_COLUMNS = 4
WIDTH = 6.9
LEFT, RIGHT, EDGE = 0.55, 0.12, 0.12
HEIGHT, GAP = 1.25, 0.14
TITLE = 0.32
"""Inches above each panel for the target's name and verdict."""
TICKS = 0.24
"""Inches below each panel for its numbers."""


def summary_figure(comparisons: Sequence[Comparison]) -> Figure:
    """Draw the phase rates and the verdict of several targets, one panel each, in the order given.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One or more.

    Returns
    -------
    Figure
        Bound to no window and no global state. See `save_figure`.

    Raises
    ------
    ConfigError
        If there is none to draw.
    """
    if not comparisons:
        raise ConfigError.one(
            "comparisons", rule="a summary needs targets", remedy="compare one or more first"
        )
    with drawing_style():
        return _draw(comparisons)


def columns_for(number: int) -> int:
    """Panels in a row: all rows as equally full as they can be.

    >>> [columns_for(n) for n in (1, 2, 4, 5, 6, 7, 9, 10, 12)]
    [1, 2, 4, 3, 3, 4, 3, 4, 4]
    """
    return ceil(number / ceil(number / MOST_COLUMNS))


def _draw(comparisons: Sequence[Comparison]) -> Figure:
    n_columns = columns_for(len(comparisons))
    n_rows = ceil(len(comparisons) / n_columns)
    note = wrap(_note(comparisons), WIDTH - 2 * EDGE, SMALL_PT)
    top = EDGE + 0.62
    row = TITLE + HEIGHT + TICKS + GAP
    bottom = 0.18 + len(note) * SMALL_PT * LINE / 72 + EDGE
    figure = Figure(figsize=(WIDTH, top + n_rows * row - GAP + bottom))
    FigureCanvasAgg(figure)
    width = (WIDTH - LEFT - RIGHT - (n_columns - 1) * GAP) / n_columns
    highest = max(_highest(c) for c in comparisons)
    for i, c in enumerate(comparisons):
        down, across = divmod(i, n_columns)
        x, y = LEFT + across * (width + GAP), top + down * row + TITLE
        axes = _axes(figure, x, y, width, i)
        draw_target(axes, c)
        axes.set_ylim(0.0, 1.06 * highest)
        axes.tick_params(axis="y", labelleft=across == 0)
        if across == 0:
            axes.set_ylabel("output rate (Hz)")
        if i + n_columns >= len(comparisons):
            axes.set_xlabel("stimulus rate of the phase (Hz)" if n_columns < 4 else "stimulus (Hz)")
        _name(figure, c, x, y - TITLE, width)
    _header(figure, comparisons)
    height = figure.get_figheight()
    text = "\n".join(note)
    place(
        *(figure, EDGE, height - bottom + 0.18, text),
        **{"fontsize": SMALL_PT, "color": GREY, "linespacing": LINE},
    )
    return figure


def draw_target(axes: Axes, c: Comparison) -> None:
    """Draw the rates of one target, phases sorted by the stimulus: regulated means level."""
    _, stimulus = curves.phase_rates_hz(c.experiment)
    order = sorted(range(len(c.phases)), key=lambda i: stimulus[i])
    phases = [c.phases[i] for i in order]
    margin = c.decision.margin_hz
    axes.axhline(
        c.decision.set_point_hz, color=GREY, lw=0.8, ls=(0, (6, 2, 1, 2)), zorder=1, gid="set point"
    )
    for at, phase in enumerate(phases):
        low = (at - 0.42, phase.reference.value - margin)
        axes.add_patch(
            Rectangle(
                low, 0.84, 2 * margin, facecolor=YELLOW, edgecolor="none", alpha=0.6, zorder=0.8
            )
        )
        axes.plot(
            *([at - 0.42, at + 0.42], [phase.reference.value] * 2),
            **{"color": REFERENCE.colour, "linewidth": 1.3, "zorder": 2},
            gid=f"reference {at}",
        )
    shown = ((-0.14, "target", TARGET), (0.2, "control", CONTROL))
    for shift, name, series in shown:
        at_x = [i + shift for i in range(len(phases))]
        values = [getattr(p, name) for p in phases]
        panels.draw_estimates(axes, at_x, values, series, gid=f"{name} phases")
    axes.set_xlim(-0.6, len(phases) - 0.4)
    every = ceil(len(phases) / 8)
    axes.set_xticks(range(0, len(phases), every), [f"{stimulus[i]:g}" for i in order][::every])
    axes.grid(axis="y", color="#EBEBEB", linewidth=0.5)


def _axes(figure: Figure, x: float, y: float, width: float, number: int) -> Axes:
    height = figure.get_figheight()
    box = (x / WIDTH, 1.0 - (y + HEIGHT) / height, width / WIDTH, HEIGHT / height)
    return figure.add_axes(box, label=f"target {number}")


def _name(figure: Figure, c: Comparison, x: float, y: float, width: float) -> None:
    word, look = badge(c.verdict, SMALL_PT)
    taken = inches(word, SMALL_PT, bold=True) + 0.14
    name = shorten(c.target.name, width - taken, FONT_PT, bold=True)
    place(figure, x, y + 0.08, name, fontweight="bold")
    place(figure, x + width - 0.04, y + 0.09, word, **look, ha="right")


def _header(figure: Figure, comparisons: Sequence[Comparison]) -> None:
    title = "Does spike-based homeostasis survive?"
    place(figure, EDGE, EDGE, title, fontsize=TITLE_PT, fontweight="bold")
    handles: list[Any] = [
        _marked(TARGET, "target"),
        Line2D([], [], color=REFERENCE.colour, linewidth=1.3, label="float reference"),
        Patch(facecolor=YELLOW, alpha=0.6, label="its margin"),
        _marked(CONTROL, "without homeostasis"),
        Line2D([], [], color=GREY, lw=0.8, ls=(0, (6, 2, 1, 2)), label="set point"),
    ]
    figure.legend(
        handles=handles,
        ncols=5,
        loc="upper left",
        bbox_to_anchor=(EDGE / WIDTH, 1.0 - (EDGE + 0.25) / figure.get_figheight()),
        **{"borderaxespad": 0.3, "borderpad": 0.0, "columnspacing": 1.6, "handlelength": 2.0},
    )


def _marked(series: Series, label: str) -> Line2D:
    points = {k: v for k, v in series.points().items() if k.startswith("marker")}
    return Line2D([], [], label=label, color=series.colour, linestyle="none", **points)


def _note(comparisons: Sequence[Comparison]) -> str:
    trials = sorted({c.trials for c in comparisons})
    alphas = {c.decision.alpha for c in comparisons}
    number = f"{trials[0]}" if len(trials) == 1 else f"{trials[0]} to {trials[-1]}"
    plural = "s" if trials[-1] > 1 else ""
    parts = [f"{number} trial{plural} each, all on the same input spikes."]
    if trials[-1] > 1:
        levels = ", ".join(f"{100 * (1 - 2 * a):g} %" for a in sorted(alphas))
        parts.append(f"Means over trials with {levels} intervals.")
    parts.append("Phases sorted by stimulus rate: a regulated rate is level.")
    return " ".join(parts)


def _highest(c: Comparison) -> float:
    """Top of all that is drawn of a target, Hz."""
    margin, point = c.decision.margin_hz, c.decision.set_point_hz
    estimates = [e for p in c.phases for e in (p.target, p.control)]
    tops = [e.value if e.high is None else e.high for e in estimates]
    return max(point, *tops, *(p.reference.value + margin for p in c.phases))
