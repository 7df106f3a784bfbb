"""The figure of one comparison, ready for a paper; all targets side by side are in `summary`."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from neuroemu.comparison import Comparison
from neuroemu.errors import ConfigError
from neuroemu.experiment import Question
from neuroemu.report import panels
from neuroemu.report.curves import drawn_synapses
from neuroemu.report.save import save_figure
from neuroemu.report.style import (
    BAND_ALPHA,
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
from neuroemu.report.summary import summary_figure
from neuroemu.report.text import LINE, badge, inches, place, shorten, wrap

__all__ = ["comparison_figure", "save_figure", "summary_figure"]

WIDTH = 6.3
LEFT, RIGHT = 0.95, 0.68
"""Inches beside the panels: letters, labels and numbers; the axis of register codes."""
LABELS = 0.54
"""Inches from the edge to the right side of the labels on the left."""
EDGE = 0.12
"""Inches between text and the edge of the figure."""
HEIGHTS = {"weight": 1.45, "stimulus": 0.62, "rates": 1.75, "differences": 0.95}
GAP = 0.13
BADGE_PT = FONT_PT + 0.5

DRAW: dict[str, Callable[[Axes, Comparison, Question], None]] = {
    "weight": panels.draw_weight,
    "stimulus": panels.draw_stimulus,
    "rates": panels.draw_rates,
    "differences": panels.draw_differences,
}


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
    >>> experiment = ne.load_experiment("spike_based_homeostasis", ["time.duration_ms=15000"])
    >>> target = ne.load_target("generic4")
    >>> figure = comparison_figure(ne.compare(experiment, target, trials=2))
    >>> [axes.get_ylabel().partition(chr(10))[0] for axes in figure.axes]
    ['plastic weight', 'stimulus', 'output rate', 'target minus']
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
    legend_top = EDGE + 0.36 + len(sentence) * FONT_PT * LINE / 72
    top = legend_top + (0.82 if c.discretized.clock.acceleration != 1.0 else 0.48)
    inner = sum(HEIGHTS[name] + GAP for name in shown) - GAP
    note_top = top + inner + 0.46
    figure = Figure(figsize=(WIDTH, note_top + len(note) * SMALL_PT * LINE / 72 + EDGE))
    FigureCanvasAgg(figure)
    axes = _panels(figure, shown, top)
    _time_axes(list(axes.values()), c)
    for name, here in axes.items():
        DRAW[name](here, c, question)
        panels.draw_phases(here, c, question, settling=name in ("rates", "differences"))
        here.yaxis.set_label_coords((LABELS - LEFT) / (WIDTH - LEFT - RIGHT), 0.5)
    _header(figure, c, sentence)
    _legend(figure, c, legend_top)
    place(figure, EDGE, note_top, "\n".join(note), fontsize=SMALL_PT, color=GREY, linespacing=LINE)
    return figure


def _has_weight(c: Comparison, question: Question) -> bool:
    return all(question.projection in c.runs[rung].weights for rung in ("ideal", "fixed"))


def _panels(figure: Figure, shown: list[str], top: float) -> dict[str, Axes]:
    """Make the axes, one below the other, each with its letter."""
    height = figure.get_figheight()
    width = (WIDTH - LEFT - RIGHT) / WIDTH
    axes: dict[str, Axes] = {}
    for letter, name in zip("abcd", shown, strict=False):
        bottom = 1.0 - (top + HEIGHTS[name]) / height
        box = (LEFT / WIDTH, bottom, width, HEIGHTS[name] / height)
        axes[name] = figure.add_axes(box, label=name)
        axes[name].grid(axis="y", color=GRID, linewidth=0.5)
        place(figure, EDGE, top - 0.05, letter, fontsize=FONT_PT + 1, fontweight="bold")
        top += HEIGHTS[name] + GAP
    return axes


def _time_axes(axes: list[Axes], c: Comparison) -> None:
    for here in axes:
        here.set_xlim(0.0, c.experiment.time.duration_ms / 1000.0)
        here.tick_params(axis="x", labelbottom=here is axes[-1])
    axes[-1].set_xlabel("biological time (s)")
    panels.hardware_axis(axes[0], c)


def _header(figure: Figure, c: Comparison, sentence: list[str]) -> None:
    word, look = badge(c.verdict, BADGE_PT)
    room = WIDTH - 3 * EDGE - inches(word, BADGE_PT, bold=True) - 0.1
    title = shorten(f"{c.experiment.title} on {c.target.name}", room, TITLE_PT, bold=True)
    place(figure, EDGE, EDGE, title, fontsize=TITLE_PT, fontweight="bold")
    place(figure, WIDTH - EDGE - 0.04, EDGE + 0.03, word, **look, ha="right")
    place(figure, EDGE, EDGE + 0.30, "\n".join(sentence), linespacing=LINE)


def _legend(figure: Figure, c: Comparison, top: float) -> None:
    legend = figure.legend(
        handles=_handles(c),
        ncols=3,
        loc="upper left",
        bbox_to_anchor=(EDGE / WIDTH, 1.0 - top / figure.get_figheight()),
        borderaxespad=0.3,
        borderpad=0.0,
        columnspacing=1.6,
        handlelength=3.6,
        labelspacing=0.35,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _handles(c: Comparison) -> list[Artist]:
    """Return the entries of the legend, column by column."""
    percent = f"{100 * (1 - 2 * c.decision.alpha):g} %"
    interval = f"phase mean, {percent} interval" if c.trials > 1 else "phase mean"
    handles: list[Artist] = [
        _key(TARGET, shorten(c.target.name, 1.3, SMALL_PT)),
        _key(REFERENCE, "float reference"),
        _key(CONTROL, "without homeostasis"),
        Line2D([], [], label=interval, color=GREY, linestyle="none", marker="o", markersize=4.5),
    ]
    if c.trials > 1:
        handles.append(Patch(facecolor=GREY, alpha=2 * BAND_ALPHA, label="10 to 90 % of trials"))
    handles.append(Patch(facecolor=YELLOW, alpha=2 * MARGIN_ALPHA, label="set point ± margin"))
    return handles


def _key(series: Series, label: str) -> Line2D:
    return Line2D([], [], label=label, **series.line(1.5), **series.marks())


def _note(c: Comparison, question: Question) -> str:
    record = c.experiment.record
    parts = [f"{c.trials} trials, seed {c.seed}." if c.trials > 1 else f"One trial, seed {c.seed}."]
    if _has_weight(c, question) and c.trials > 1:
        records = [c.runs[rung].weights[question.projection] for rung in ("ideal", "fixed")]
        synapses = drawn_synapses(*records).size
        one, all_of = (" and synapse", f" of {synapses} synapses") if synapses > 1 else ("", "")
        parts.append(f"Weight: thin, one trial{one}; thick, median{all_of}.")
    mean = "; mean of trials" if c.trials > 1 else ""
    parts.append(f"Rates: {record.rate_window} window, {record.rate_width_ms:g} ms{mean}.")
    if c.trials > 1:
        parts.append(f"Differences ± half their {100 * (1 - 2 * c.decision.alpha):g} % intervals.")
    if c.trials > 1 and not all(p.within_margin for p in c.phases):
        parts.append("Diamonds: not within the margin.")
    if question.settle_ms:
        parts.append("Grey stretches: settling, not counted.")
    return " ".join(parts)
