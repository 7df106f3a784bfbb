"""The page of a figure: its header, legend and panels in inches, and labels thinned to fit."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from neuroemu.report.style import FONT_PT, GREY, SMALL_PT, TITLE_PT
from neuroemu.report.text import inches, place, shorten

WIDTH = 6.9
EDGE = 0.12
RIGHT = 0.14
"""Inches right of the panels."""
LEGEND_TOP = EDGE + 0.27
LEGEND_ROW = 0.165
HANDLE, PAD, BETWEEN = 2.0, 0.8, 1.6
"""Of a legend, each a part of the letters' size: swatch, space behind it and between columns."""
LONGEST_ENTRY = 2.4
"""Inches of an entry's text."""


def top_of_panels(handles: Sequence[Artist]) -> float:
    """Return where the panels may begin below header and legend, inches."""
    return LEGEND_TOP + len(_legend_rows(handles)) * LEGEND_ROW + 0.12


def sheet(title: str, about: str, handles: Sequence[Artist], height: float) -> Figure:
    """Return a page of `height` inches with its header and legend.

    Parameters
    ----------
    title : str
        What the figure asks or shows.
    about : str
        The study's title, shortened to the room that is left.
    handles : sequence of Artist
        With labels: the legend.
    height : float
    """
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    place(figure, EDGE, EDGE, title, fontsize=TITLE_PT, fontweight="bold")
    room = WIDTH - 3 * EDGE - inches(title, TITLE_PT, bold=True)
    about = shorten(about, room, FONT_PT)
    place(figure, WIDTH - EDGE, EDGE + 0.03, about, ha="right", color=GREY)
    for i, row in enumerate(_legend_rows(handles)):
        _legend(figure, row, LEGEND_TOP + i * LEGEND_ROW)
    return figure


def _legend(figure: Figure, row: Sequence[Artist], top: float) -> None:
    legend = figure.legend(
        handles=list(row),
        ncols=len(row),
        loc="upper left",
        bbox_to_anchor=(EDGE / WIDTH, 1.0 - top / figure.get_figheight()),
        borderaxespad=0.3,
        borderpad=0.0,
        columnspacing=BETWEEN,
        handlelength=HANDLE,
        handletextpad=PAD,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _legend_rows(handles: Sequence[Artist]) -> list[list[Artist]]:
    """Return the entries line by line, each as full as it can be."""
    rows: list[list[Artist]] = []
    left = 0.0
    for handle in handles:
        label = shorten(str(handle.get_label()), LONGEST_ENTRY, SMALL_PT)
        handle.set_label(label)
        own = (HANDLE + PAD + BETWEEN) * SMALL_PT / 72 + inches(label, SMALL_PT)
        if not rows or own > left:
            rows.append([])
            left = WIDTH - 2 * EDGE
        rows[-1].append(handle)
        left -= own
    return rows


def panel(figure: Figure, x: float, y: float, width: float, height: float, label: str) -> Axes:
    """Return axes with their top left corner at x, y inches from the page's."""
    whole = figure.get_figheight()
    box = (x / WIDTH, 1.0 - (y + height) / whole, width / WIDTH, height / whole)
    return figure.add_axes(box, label=label)


def panel_title(figure: Figure, x: float, y: float, text: str, width: float, **how: Any) -> None:
    """Write a panel's title with its baseline a little above y, shortened to `width` inches."""
    bold = how.get("fontweight") == "bold"
    text = shorten(text, width, how.get("fontsize", FONT_PT), bold=bold)
    place(figure, x, y - 0.05, text, va="bottom", **how)


def columns_for(number: int, most: int) -> int:
    """Return panels in a row: at most `most`, all rows as equally full as they can be."""
    return ceil(number / ceil(number / most))


def x_label(figure: Figure, text: str, left: float, right: float = WIDTH - RIGHT) -> None:
    """Write what stands along x of all panels, at the foot of the page below their middle."""
    text = shorten(text, WIDTH - 2 * EDGE, FONT_PT)
    half, middle = inches(text, FONT_PT) / 2, (left + right) / 2
    middle = min(max(middle, EDGE + half), WIDTH - EDGE - half)
    place(figure, middle, figure.get_figheight() - EDGE, text, ha="center", va="bottom")
