"""Text that is measured before it is placed, so that nothing runs into its neighbour."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from neuroemu.metrics.verdict import Verdict
from neuroemu.report.style import BADGES, FONT_PT

LINE: float = 1.35
"""Height of a line of text, in parts of its size."""


def inches(text: str, size: float, *, bold: bool = False) -> float:
    """Width of one line of text, in, with a little to spare for the rounding of a screen."""
    font = FontProperties(family=["DejaVu Sans"], size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return 1.01 * float(width) / 72.0


def wrap(text: str, width: float, size: float) -> list[str]:
    """Break text into lines of at most `width` inches; a longer word stands alone, shortened."""
    lines: list[str] = []
    space = inches(" ", size)
    taken = width
    for word in text.split():
        here = inches(word, size)
        if lines and taken + space + here <= width:
            lines[-1] += f" {word}"
            taken += space + here
        else:
            lines.append(shorten(word, width, size))
            taken = here
    return lines


def shorten(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Cut text to `width` inches, with an ellipsis where something is gone."""
    if inches(text, size, bold=bold) <= width:
        return text
    kept = len(text)
    while kept > 1 and inches(text[:kept] + "…", size, bold=bold) > width:
        kept -= 1
    return text[:kept] + "…"


def place(figure: Figure, x: float, y: float, text: str, **how: Any) -> Text:
    """Write text with its top left corner at x, y inches from the figure's top left corner.

    What users named themselves is never taken for a formula.
    """
    width, height = figure.get_size_inches()
    how = dict[str, Any](ha="left", va="top", fontsize=FONT_PT, parse_math=False) | how
    return figure.text(x / width, 1.0 - y / height, text, **how)


def badge(verdict: Verdict, size: float) -> tuple[str, dict[str, Any]]:
    """Return a verdict as text, and the keywords that put it on its colour."""
    look = BADGES[verdict]
    box = {"boxstyle": "round,pad=0.25", "facecolor": look.colour, "edgecolor": "none"}
    return f"{look.mark} {verdict}", {
        "color": look.ink,
        "fontsize": size,
        "fontweight": "bold",
        "bbox": box,
    }
