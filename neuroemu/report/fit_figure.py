"""What each register held over its format's box: the figure of ``neuroemu fit``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from neuroemu.fitting import Fit
from neuroemu.fitting.observed import LABELS, Observed
from neuroemu.fitting.register import Register
from neuroemu.fitting.rules import percent
from neuroemu.report.style import (
    BAND_ALPHA,
    BLACK,
    BLUE,
    FONT_PT,
    GREY,
    GRID,
    MARGIN_ALPHA,
    ORANGE,
    SMALL_PT,
    TITLE_PT,
    YELLOW,
    drawing_style,
)
from neuroemu.report.text import LINE, badge, inches, place, shorten, wrap

WIDTH = 6.3
EDGE = 0.12
LEFT, BETWEEN, RIGHT = 0.55, 0.62, 0.16
"""Inches left of the first column, between the columns, and right of the second."""
HEIGHT = 0.82
"""Of a panel."""
HEAD, FOOT = 0.42, 0.44
"""Inches above a panel for its two lines, and below it for its axis."""
COLUMNS = 2
DECAYS = 12
"""The panel of the leak multiplier shows so many times the decay of a step below 1."""

MOST_TICKS = 130
"""Steps of a format that are drawn one by one."""

OWN_TOP, TICK = 0.84, 0.07
"""Height of the target's box in a panel, and of the marks of steps."""

WHOLE = ("refractory.format", "plasticity.counter.width")
"""Registers of whole numbers, whose bins are drawn around them."""

AXIS = {
    "membrane.format": "membrane, from rest",
    "input": "sum of weights in one step",
    "membrane.leak.format": "multiplier",
    "refractory.format": "ticks to wait",
    "synapse.weight.format": "weight",
    "synapse.gain.format": "membrane LSB per weight LSB",
    "plasticity.weight.format": "weight",
    "plasticity.increment.format": "weight",
    "plasticity.accumulator.format": "weight",
    "plasticity.counter.width": "spikes in a period",
}


def fit_figure(found: Fit) -> Figure:
    """Draw the distribution of every register over the format proposed for it, and the target's own.

    Parameters
    ----------
    found : Fit

    Returns
    -------
    Figure
        Bound to no window and no global state. See `save_figure`.
    """
    with drawing_style():
        return _draw(found)


def _draw(found: Fit) -> Figure:
    registers = {r.key: r for r in found.registers}
    shown = [k for k in LABELS if k in registers or k in found.observation.registers]
    note = wrap(_note(found), WIDTH - 2 * EDGE, SMALL_PT)
    legend_top = EDGE + 0.52
    top = legend_top + 0.26
    pitch = HEAD + HEIGHT + FOOT
    rows = -(-len(shown) // COLUMNS)
    height = top + rows * pitch + len(note) * SMALL_PT * LINE / 72 + EDGE
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    width = (WIDTH - LEFT - BETWEEN - RIGHT) / COLUMNS
    for i, key in enumerate(shown):
        row, column = divmod(i, COLUMNS)
        left = LEFT + column * (width + BETWEEN)
        panel_top = top + row * pitch + HEAD
        box = (left / WIDTH, 1 - (panel_top + HEIGHT) / height, width / WIDTH, HEIGHT / height)
        axes = figure.add_axes(box, label=key)
        register = registers.get("membrane.format" if key == "input" else key)
        seen = found.observation.registers.get(key)
        _panel(axes, key, seen, register)
        _caption(figure, key, register, left, panel_top, width)
    _header(figure, found)
    _legend(figure, found, legend_top)
    bottom = top + rows * pitch
    place(figure, EDGE, bottom, "\n".join(note), fontsize=SMALL_PT, color=GREY, linespacing=LINE)
    return figure


def _caption(
    figure: Figure, key: str, register: Register | None, left: float, top: float, width: float
) -> None:
    """Write a panel's two lines, inches from the figure's top left corner."""
    first, second = _captions(key, register)
    small: dict[str, Any] = {"fontsize": SMALL_PT, "color": GREY}
    room = width - inches(LABELS[key], FONT_PT, bold=True) - 0.08
    place(figure, left, top - 0.35, LABELS[key], fontsize=FONT_PT, fontweight="bold")
    first = shorten(first, room, SMALL_PT)
    place(figure, left + width, top - 0.34, first, ha="right", **small)
    place(figure, left, top - 0.19, shorten(second, width, SMALL_PT), **small)


def _panel(axes: Axes, key: str, seen: Observed | None, register: Register | None) -> None:
    if seen is not None and key == "synapse.weight.format" and register is not None:
        seen = seen if register.format.signed else _by_magnitude(seen)
    low, high = _view(key, seen, register)
    axes.set_xlim(low, high)
    axes.grid(axis="y", color=GRID, linewidth=0.5)
    most = _histogram(axes, seen, (high - low) / 300) if seen is not None else 1.0
    axes.set_yscale("log")
    axes.set_ylim(0.5, most * 40)
    axes.yaxis.set_major_locator(LogLocator(numticks=4))
    axes.yaxis.set_major_formatter(FuncFormatter(_power))
    axes.minorticks_off()
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel(AXIS[key], fontsize=SMALL_PT, labelpad=1.5)
    axes.set_ylabel(_counted(key), fontsize=SMALL_PT, labelpad=2)
    if register is None:
        return
    _boxes(axes, register)
    if key == register.key and seen is not None and not seen.constants:
        _margin(axes, register, seen)


def _by_magnitude(seen: Observed) -> Observed:
    """Return static weights as an unsigned register holds them: the sign is the row's."""
    constants: dict[float, int] = {}
    for value, often in seen.constants.items():
        constants[abs(value)] = constants.get(abs(value), 0) + often
    return replace(seen, low=min(constants), high=max(constants), constants=constants)


def _power(y: float, _: object) -> str:
    """Return a power of ten as a label, without the cost of a formula."""
    return f"{y:g}" if 1e-3 < y < 1e3 else f"{y:.0e}".replace("e+0", "e")


def _view(key: str, seen: Observed | None, register: Register | None) -> tuple[float, float]:
    """Return what a panel shows: the proposed format and all that was observed."""
    ends = [0.0]
    if seen is not None:
        ends += [seen.low, seen.high]
    if register is not None:
        ends += [*register.holds]
        if key == register.key:
            ends += [*register.needs]
    low, high = min(ends), max(ends)
    if key == "membrane.leak.format" and seen is not None:
        low = max(0.0, 1 - DECAYS * (1 - seen.low))  # what counts is the distance from 1
    if register is not None and register.own_holds is not None:
        own_low, own_high = register.own_holds
        room = 0.35 * (high - low)  # a little of a wider box, all of a narrower one
        if key != "membrane.leak.format":
            low = min(low, max(own_low, low - room))
        high = max(high, min(own_high, high + room))
    pad = 0.04 * (high - low or 1.0)
    return low - pad, high + pad


def _histogram(axes: Axes, seen: Observed, width: float) -> float:
    """Draw what was counted, and return the highest count."""
    if seen.constants:
        values, often = list(seen.constants), list(seen.constants.values())
        axes.vlines(values, 0.1, often, color=BLACK, linewidth=2.2, zorder=4)
        axes.plot(values, often, "o", color=BLACK, markersize=3.2, zorder=4)
        return float(max(often))
    if seen.counts.size == 0:
        return 1.0
    merged = max(int(width / (seen.edges[1] - seen.edges[0])), 1)
    starts = np.arange(0, seen.counts.size, merged)
    counts = np.add.reduceat(seen.counts, starts)
    edges = np.append(seen.edges[starts], seen.edges[-1])
    if seen.key in WHOLE:
        edges = edges - 0.5
    axes.stairs(counts, edges, fill=True, color=GREY, zorder=3, linewidth=0)
    marked = [v for v in (seen.low, seen.high) if not edges[0] <= v <= edges[-1]]
    axes.plot(marked, [0.8] * len(marked), "|", color=BLACK, markersize=6, zorder=4)
    return float(counts.max())


def _boxes(axes: Axes, register: Register) -> None:
    """Draw the proposed format as a box with its steps, and the target's own as an outline."""
    across = axes.get_xaxis_transform()
    low, high = register.holds
    span = high - low
    axes.add_patch(
        Rectangle((low, 0), span, 1, transform=across, color=BLUE, alpha=BAND_ALPHA, lw=0, zorder=1)
    )
    axes.add_patch(
        Rectangle((low, 0), span, 1, transform=across, fill=False, ec=BLUE, lw=1.4, zorder=5)
    )
    _steps(axes, register.holds, register.lsb, BLUE, 1.0)
    if register.own_holds is None:
        return
    own_low, own_high = register.own_holds
    _steps(axes, register.own_holds, register.own_lsb, ORANGE, OWN_TOP)
    axes.add_patch(
        Rectangle(
            (own_low, 0),
            own_high - own_low,
            OWN_TOP,
            transform=across,
            fill=False,
            ec=ORANGE,
            lw=1.4,
            ls=(0, (4, 2)),
            zorder=6,
        )
    )
    view = axes.get_xlim()
    for beyond, x, mark in ((own_low < view[0], 0.0, "<"), (own_high > view[1], 1.0, ">")):
        if beyond:
            axes.plot(
                [x], [OWN_TOP], mark, color=ORANGE, ms=5, transform=axes.transAxes, clip_on=False
            )


def _steps(axes: Axes, holds: tuple[float, float], lsb: float, colour: str, top: float) -> None:
    """Mark the steps of a format along the top of its box, if they can be told apart."""
    view = axes.get_xlim()
    low, high = max(holds[0], view[0]), min(holds[1], view[1])
    if lsb <= 0 or (high - low) / lsb > MOST_TICKS:
        return
    at = lsb * np.arange(np.ceil(low / lsb - 1e-9), np.floor(high / lsb + 1e-9) + 1)
    how: dict[str, Any] = {
        "transform": axes.get_xaxis_transform(),
        "color": colour,
        "linewidth": 0.6,
        "zorder": 5,
    }
    axes.vlines(at, top - TICK, top, **how)


def _margin(axes: Axes, register: Register, seen: Observed) -> None:
    """Shade what has to be held beyond what was observed."""
    look: dict[str, Any] = {"color": YELLOW, "alpha": 2 * MARGIN_ALPHA, "linewidth": 0, "zorder": 2}
    if register.needs[1] > seen.high:
        axes.axvspan(seen.high, register.needs[1], **look)
    if register.needs[0] < seen.low:
        axes.axvspan(register.needs[0], seen.low, **look)


def _captions(key: str, register: Register | None) -> tuple[str, str]:
    """Return the two lines of a panel: its format, and its step beside the target's."""
    if register is None:
        return "analog: no format", ""
    own = "none" if register.own is None else str(register.own).removeprefix("fxp-")
    name = str(register.format).removeprefix("fxp-")
    if key == "plasticity.counter.width":
        own = own.removeprefix("u").removesuffix("/0") + " bits"
        name = f"{register.format.width} bits"
    step = f"step {register.lsb:.3g}"
    if register.own is not None and register.own_lsb:
        step += f", target's {register.own_lsb:.3g}"
    if register.own_holds is not None and _is_far(register):
        most = register.own_holds[1]
        step += f" up to {most:,.0f}" if most >= 1000 else f" up to {most:.4g}"
    formats = f"{name}, target's {own}"
    return ("as the membrane", formats) if key == "input" else (formats, step)


def _is_far(register: Register) -> bool:
    """Whether the target's own box is so wide that a panel cannot show it."""
    if register.own_holds is None:
        return False
    span = register.holds[1] - register.holds[0]
    return register.own_holds[1] - register.own_holds[0] > 2 * span


def _counted(key: str) -> str:
    if key in ("membrane.leak.format", "synapse.gain.format"):
        return "neurons"
    if key in ("synapse.weight.format", "plasticity.increment.format"):
        return "synapses"
    return "updates" if key == "plasticity.accumulator.format" else "count"


def _header(figure: Figure, found: Fit) -> None:
    room = WIDTH - 2 * EDGE
    if found.comparison is not None:
        word, look = badge(found.comparison.verdict, FONT_PT + 0.5)
        place(figure, WIDTH - EDGE - 0.06, EDGE + 0.06, word, ha="right", **look)
        room -= inches(word, FONT_PT + 0.5, bold=True) + 0.2
    request = found.request
    title = f"{request.experiment.title} on {request.target.name}"
    title = shorten(title, room, TITLE_PT, bold=True)
    place(figure, EDGE, EDGE, title, fontsize=TITLE_PT, fontweight="bold")
    bits, memory = found.bits, found.memory
    line = f"Fitted formats: {bits[0]} bits in all, the target's {bits[1]}; "
    line += f"the network holds {memory[0]:,} bits, on the target {memory[1]:,}."
    place(figure, EDGE, EDGE + 0.25, shorten(line, WIDTH - 2 * EDGE, FONT_PT))


def _legend(figure: Figure, found: Fit, top: float) -> None:
    handles: list[Artist] = [
        Patch(facecolor=GREY, label="observed in float"),
        Patch(facecolor=YELLOW, alpha=2 * MARGIN_ALPHA, label="headroom"),
        Patch(facecolor=to_rgba(BLUE, BAND_ALPHA), edgecolor=BLUE, label="proposed format"),
        Line2D(
            [], [], color=ORANGE, ls=(0, (4, 2)), lw=1.4, label=f"{found.request.target.name}'s"
        ),
        Line2D([], [], color=BLUE, marker="|", ls="none", ms=6, mew=0.8, label="step"),
    ]
    legend = figure.legend(
        handles=handles,
        ncols=len(handles),
        loc="upper left",
        bbox_to_anchor=(EDGE / WIDTH, 1.0 - top / figure.get_figheight()),
        borderaxespad=0.3,
        borderpad=0.0,
        columnspacing=1.5,
        handlelength=2.2,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _note(found: Fit) -> str:
    request, seen = found.request, found.observation
    parts = [
        f"{seen.trials} trials, seed {seen.seed}; margin {percent(request.margin)}, precision "
        f"{percent(request.precision)}.",
        "Steps are drawn where there is room. Arrowheads: the target's box goes on.",
    ]
    if found.comparison is not None:
        parts.append(f"The verdict is on other input, seed {found.judged_seed}.")
    clipped = {name: n for name, n in found.overflowed.items() if n}
    parts.append(
        "Clipped there: " + ", ".join(f"{k} {n:,} times" for k, n in clipped.items()) + "."
        if clipped
        else "Nothing clipped there."
    )
    return " ".join(parts)
