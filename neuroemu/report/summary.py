"""All targets side by side: does homeostasis survive, and where does the rate go?"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from neuroemu.comparison import Comparison
from neuroemu.errors import ConfigError
from neuroemu.report import curves, panels
from neuroemu.report.style import (
    BETWEEN,
    CONTROL,
    FONT_PT,
    GREY,
    GRID,
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

MOST_COLUMNS = 3
WIDTH = 6.9
LEFT, RIGHT, EDGE = 0.55, 0.12, 0.12
HEIGHT, GAP = 1.25, 0.14
TOP = 0.66
"""Inches of title and legend above all."""
TITLE = (0.32, 0.54)
"""Inches above each panel for the target's name and verdict, side by side or in two lines."""
TICKS = 0.24
"""Inches below each panel for its numbers."""
MOST_TICKS = 8


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
    [1, 2, 2, 3, 3, 3, 3, 3, 3]
    """
    return ceil(number / ceil(number / MOST_COLUMNS))


def _draw(comparisons: Sequence[Comparison]) -> Figure:
    n_columns = columns_for(len(comparisons))
    n_rows = ceil(len(comparisons) / n_columns)
    note = wrap(_note(comparisons), WIDTH - 2 * EDGE, SMALL_PT)
    width = (WIDTH - LEFT - RIGHT - (n_columns - 1) * GAP) / n_columns
    title = TITLE[any(not _fits(c, width) for c in comparisons)]
    row = title + HEIGHT + TICKS + GAP
    note_top = TOP + n_rows * row - GAP + 0.24
    figure = Figure(figsize=(WIDTH, note_top + len(note) * SMALL_PT * LINE / 72 + EDGE))
    FigureCanvasAgg(figure)
    highest = max(_highest(c) for c in comparisons)
    for i, c in enumerate(comparisons):
        down, across = divmod(i, n_columns)
        x, y = LEFT + across * (width + GAP), TOP + down * row
        _name(figure, c, x, y, width, two_lines=title == TITLE[1])
        axes = _axes(figure, x, y + title, width, i)
        draw_target(axes, c)
        axes.set_ylim(0.0, 1.06 * highest)
        axes.tick_params(axis="y", labelleft=across == 0)
        if across == 0:
            axes.set_ylabel("output rate (Hz)")
        if i + n_columns >= len(comparisons):
            axes.set_xlabel("stimulus of the phase (Hz)")
    _header(figure, comparisons)
    place(figure, EDGE, note_top, "\n".join(note), fontsize=SMALL_PT, color=GREY, linespacing=LINE)
    return figure


def draw_target(axes: Axes, c: Comparison) -> None:
    """Draw the rates of one target, phases sorted by the stimulus: regulated means level."""
    _, stimulus = curves.phase_rates_hz(c.experiment)
    order = sorted(range(len(c.phases)), key=lambda i: stimulus[i])
    phases = [c.phases[i] for i in order]
    point = c.decision.set_point_hz
    axes.axhline(point, color=GREY, linewidth=0.8, linestyle=BETWEEN, zorder=1, label="_set point")
    for at, phase in enumerate(phases):
        _reference(axes, at, phase.reference.value, c.decision.margin_hz)
    for shift, name, series in ((-0.14, "target", TARGET), (0.2, "control", CONTROL)):
        values = [getattr(p, name) for p in phases]
        at_x = [i + shift for i in range(len(phases))]
        panels.draw_estimates(axes, at_x, values, series, name=f"{name} phases", size=4.0)
    axes.set_xlim(-0.6, len(phases) - 0.4)
    every = ceil(len(phases) / MOST_TICKS)
    axes.set_xticks(range(0, len(phases), every), [f"{stimulus[i]:g}" for i in order][::every])
    axes.grid(axis="y", color=GRID, linewidth=0.5)


def _reference(axes: Axes, at: int, value: float, margin: float) -> None:
    """Draw the float reference of a phase as a line within its margin."""
    left, right = at - 0.42, at + 0.42
    box = Rectangle((left, value - margin), right - left, 2 * margin)
    box.set(facecolor=YELLOW, edgecolor="none", alpha=2 * MARGIN_ALPHA, zorder=0.8)
    axes.add_patch(box)
    (line,) = axes.plot([left, right], [value, value], label=f"_reference {at}")
    line.set(color=REFERENCE.colour, linewidth=1.3, zorder=2)


def _axes(figure: Figure, x: float, y: float, width: float, number: int) -> Axes:
    height = figure.get_figheight()
    box = (x / WIDTH, 1.0 - (y + HEIGHT) / height, width / WIDTH, HEIGHT / height)
    return figure.add_axes(box, label=f"target {number}")


def _fits(c: Comparison, width: float) -> bool:
    """Tell whether name and verdict of a target fit side by side above its panel."""
    name = inches(c.target.name, FONT_PT, bold=True)
    return name + inches(badge(c.verdict, SMALL_PT)[0], SMALL_PT, bold=True) + 0.16 <= width


def _name(
    figure: Figure, c: Comparison, x: float, y: float, width: float, *, two_lines: bool
) -> None:
    word, look = badge(c.verdict, SMALL_PT)
    name = shorten(c.target.name, width, FONT_PT, bold=True)
    place(figure, x, y + 0.08, name, fontweight="bold")
    if two_lines:
        place(figure, x + 0.04, y + 0.31, word, **look)
    else:
        place(figure, x + width - 0.04, y + 0.09, word, **look, ha="right")


def _header(figure: Figure, comparisons: Sequence[Comparison]) -> None:
    title = "Does homeostasis survive?"
    titles = list(dict.fromkeys(c.experiment.title for c in comparisons))
    place(figure, EDGE, EDGE, title, fontsize=TITLE_PT, fontweight="bold")
    room = WIDTH - 3 * EDGE - inches(title, TITLE_PT, bold=True)
    about = shorten(", ".join(titles), room, FONT_PT)
    place(figure, WIDTH - EDGE, EDGE + 0.03, about, ha="right", color=GREY)
    handles: list[Artist] = [
        _key(TARGET, "target"),
        Line2D([], [], color=REFERENCE.colour, linewidth=1.3, label="float reference"),
        Patch(facecolor=YELLOW, alpha=2 * MARGIN_ALPHA, label="margin around it"),
        _key(CONTROL, "without homeostasis"),
        Line2D([], [], color=GREY, linewidth=0.8, linestyle=BETWEEN, label="set point"),
    ]
    figure.legend(
        handles=handles,
        ncols=len(handles),
        loc="upper left",
        bbox_to_anchor=(EDGE / WIDTH, 1.0 - (EDGE + 0.27) / figure.get_figheight()),
        borderaxespad=0.3,
        borderpad=0.0,
        columnspacing=1.8,
        handlelength=2.0,
    )


def _key(series: Series, label: str) -> Line2D:
    return Line2D([], [], label=label, linestyle="none", **series.marks())


def _note(comparisons: Sequence[Comparison]) -> str:
    trials = sorted({c.trials for c in comparisons})
    alphas = {c.decision.alpha for c in comparisons}
    number = f"{trials[0]}" if len(trials) == 1 else f"{trials[0]} to {trials[-1]}"
    plural = "s" if trials[-1] > 1 else ""
    parts = [f"{number} trial{plural} each, paired by input spikes with the float reference."]
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
