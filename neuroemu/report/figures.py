"""The figure of one comparison, ready for a paper; all targets side by side are in `summary`."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from neuroemu.comparison import Comparison
from neuroemu.errors import ConfigError
from neuroemu.experiment import Question
from neuroemu.report import panels
from neuroemu.report.save import save_figure
from neuroemu.report.style import (
    BAND_ALPHA,
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
from neuroemu.report.summary import summary_figure
from neuroemu.report.text import LINE, badge, inches, place, shorten, wrap

__all__ = ["comparison_figure", "save_figure", "summary_figure"]

WIDTH = 6.3
LEFT, RIGHT = 0.72, 0.62
"""Inches; the right side holds the axis of register codes."""
EDGE = 0.12
"""Inches between text and the edge of the figure."""
HEIGHTS = {"weight": 1.45, "stimulus": 0.62, "rates": 1.75, "differences": 0.95}
GAP = 0.13


def comparison_figure(c: Comparison) -> Figure:
    """Draw a comparison: weight, stimulus, rates, and what the verdict rests on, over time.

    Parameters
    ----------
    c : Comparison

    Returns
    -------
    Figure
        Bound to no window and no global state. See `save_figure`.

    Raises
    ------
    ConfigError
        If the experiment asks no question.

    Examples
    --------
    >>> import neuroemu as ne
    >>> from neuroemu.report.figures import comparison_figure
    >>> experiment = ne.load_experiment("spike_based_homeostasis", ["time.duration_ms=12000"])
    >>> target = ne.load_target("brainscales1")
    >>> figure = comparison_figure(ne.compare(experiment, target, trials=2))
    >>> [axes.get_ylabel().partition(chr(10))[0] for axes in figure.axes]
    ['plastic weight', 'stimulus', 'output rate', 'target −']
    """
    question = c.experiment.question
    if question is None:
        raise ConfigError.one(
            c.experiment.name,
            "question",
            rule="a figure of a comparison needs a question",
            remedy="add a [question] table",
        )
    with drawing_style():
        return _draw(c, question)


def _draw(c: Comparison, question: Question) -> Figure:
    shown = [n for n in HEIGHTS if n != "weight" or _has_weight(c, question)]
    sentence = wrap(c.sentence, WIDTH - 2 * EDGE, FONT_PT)
    note = wrap(_note(c, question), WIDTH - 2 * EDGE, SMALL_PT)
    legend_top = EDGE + 0.33 + len(sentence) * FONT_PT * LINE / 72
    top = legend_top + 0.52 + (0.42 if c.discretized.clock.acceleration != 1.0 else 0.08)
    bottom = 0.46 + len(note) * SMALL_PT * LINE / 72 + EDGE
    inner = sum(HEIGHTS[name] + GAP for name in shown) - GAP
    figure = Figure(figsize=(WIDTH, top + inner + bottom))
    FigureCanvasAgg(figure)
    axes = _panels(figure, shown, top)
    draw = {
        "weight": panels.draw_weight,
        "stimulus": panels.draw_stimulus,
        "rates": panels.draw_rates,
        "differences": panels.draw_differences,
    }
    for name, here in axes.items():
        draw[name](here, c, question)
        panels.draw_phases(here, c, question, settling=name in ("rates", "differences"))
    _time_axes(list(axes.values()), c)
    _header(figure, c, sentence, legend_top)
    place(
        *(figure, EDGE, top + inner + 0.46, "\n".join(note)),
        **{"fontsize": SMALL_PT, "color": GREY, "linespacing": LINE},
    )
    return figure


def _has_weight(c: Comparison, question: Question) -> bool:
    return all(question.projection in c.runs[rung].weights for rung in ("ideal", "fixed"))


def _panels(figure: Figure, shown: list[str], top: float) -> dict[str, Axes]:
    """Make the axes, one below the other, each with its letter."""
    height = figure.get_figheight()
    axes: dict[str, Axes] = {}
    for letter, name in zip("abcd", shown, strict=False):
        box = (
            LEFT / WIDTH,
            1.0 - (top + HEIGHTS[name]) / height,
            (WIDTH - LEFT - RIGHT) / WIDTH,
            HEIGHTS[name] / height,
        )
        axes[name] = figure.add_axes(box, label=name)
        axes[name].grid(axis="y", color="#EBEBEB", linewidth=0.5)
        place(figure, EDGE, top - 0.04, letter, fontsize=FONT_PT + 1, fontweight="bold")
        top += HEIGHTS[name] + GAP
    return axes


def _time_axes(axes: list[Axes], c: Comparison) -> None:
    seconds = c.experiment.time.duration_ms / 1000.0
    for here in axes:
        here.set_xlim(0.0, seconds)
        here.tick_params(axis="x", labelbottom=here is axes[-1])
    axes[-1].set_xlabel("biological time (s)")
    figure = axes[0].get_figure(root=True)
    if figure is not None:
        figure.align_ylabels(axes)
    panels.hardware_axis(axes[0], c)


def _header(figure: Figure, c: Comparison, sentence: list[str], legend_top: float) -> None:
    word, look = badge(c.verdict, FONT_PT + 0.5)
    room = WIDTH - 3 * EDGE - inches(word, FONT_PT + 0.5, bold=True) - 0.3
    title = shorten(f"{c.experiment.title} on {c.target.name}", room, TITLE_PT, bold=True)
    place(figure, EDGE, EDGE + 0.02, title, fontsize=TITLE_PT, fontweight="bold")
    right = WIDTH - EDGE - 0.05
    place(figure, right, EDGE + 0.04, word, **look, ha="right")
    place(figure, EDGE, EDGE + 0.30, "\n".join(sentence), linespacing=LINE)
    legend = figure.legend(
        handles=_handles(c),
        ncols=3,
        loc="upper left",
        bbox_to_anchor=(EDGE / WIDTH, 1.0 - legend_top / figure.get_figheight()),
        borderaxespad=0.3,
        borderpad=0.0,
        columnspacing=1.6,
        handlelength=2.3,
        labelspacing=0.35,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _handles(c: Comparison) -> list[Any]:
    """Return the entries of the legend, column by column."""
    room = 1.5
    name = shorten(c.target.name, room, SMALL_PT)
    percent = f"{100 * (1 - 2 * c.decision.alpha):g} %"
    handles: list[Any] = [
        _marked(TARGET, name),
        _marked(REFERENCE, "float reference"),
        _marked(CONTROL, "without homeostasis"),
    ]
    interval = f"phase mean, {percent} interval" if c.trials > 1 else "phase mean"
    handles.append(
        Line2D([], [], color=GREY, marker="o", markersize=4.5, linestyle="none", label=interval)
    )
    if c.trials > 1:
        handles.append(Patch(facecolor=GREY, alpha=2 * BAND_ALPHA, label="10–90 % of trials"))
    handles.append(Patch(facecolor=YELLOW, alpha=2 * MARGIN_ALPHA, label="set point ± margin"))
    return handles


def _marked(series: Series, label: str) -> Line2D:
    points = {k: v for k, v in series.points().items() if k.startswith("marker")}
    return Line2D([], [], label=label, **series.line(1.5), **points)


def _note(c: Comparison, question: Question) -> str:
    trials = f"{c.trials} trials" if c.trials > 1 else "One trial"
    parts = [f"{trials}, seed {c.seed}."]
    if _has_weight(c, question):
        thin = "thin: one trial; thick: median" if c.trials > 1 else "one trial"
        parts.append(f"Weight: {thin}.")
    record = c.experiment.record
    parts.append(f"Rates: smoothed ({record.rate_window}, {record.rate_width_ms:g} ms), mean.")
    if question.settle_ms:
        parts.append("Grey: settling, not counted.")
    return " ".join(parts)
