"""How figures look: colours, lines, marks and sizes, told apart without colour as well.

Colours are those of M. Okabe and K. Ito, Color Universal Design (2008), which keep their
differences for colour-blind readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import matplotlib
import matplotlib.style

from neuroemu.metrics.verdict import Verdict

BLACK: Final = "#000000"
ORANGE: Final = "#E69F00"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"

GREY: Final = "#555555"
"""Of notes and of what is no data."""
PALE: Final = "#D5D5D5"
"""Of edges between phases."""
GRID: Final = "#EBEBEB"
SETTLING: Final = "#F1F1F1"
"""Behind the time that is not counted."""
MARGIN_ALPHA: Final = 0.35
BAND_ALPHA: Final = 0.18
BETWEEN: Final = (0, (6, 2, 1, 2))
"""Dash-dots of the lines that are limits, not data."""

FONT_PT: Final = 8.5
SMALL_PT: Final = 7.5
TITLE_PT: Final = 11.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """How one of the compared neurons is drawn."""

    colour: str
    dashes: Any
    order: float
    marker: str
    face: str

    def line(self, width: float) -> dict[str, Any]:
        """Return the keywords of a line."""
        return {
            "color": self.colour,
            "linestyle": self.dashes,
            "linewidth": width,
            "zorder": self.order,
        }

    def marks(self, size: float = 4.5) -> dict[str, Any]:
        """Return the keywords of points."""
        return {
            "marker": self.marker,
            "markersize": size,
            "markerfacecolor": self.face,
            "markeredgecolor": self.colour,
            "markeredgewidth": 1.0,
        }

    def points(self, size: float = 4.5) -> dict[str, Any]:
        """Return the keywords of means with their intervals."""
        return self.marks(size) | {
            "color": self.colour,
            "linestyle": "none",
            "elinewidth": 1.1,
            "zorder": 5,
        }


# Broken lines over the unbroken one: where two are equal, both are seen.
REFERENCE: Final = Series(colour=BLACK, dashes=(0, (5, 2)), order=4.2, marker="s", face="white")
TARGET: Final = Series(colour=BLUE, dashes="solid", order=4.0, marker="o", face=BLUE)
CONTROL: Final = Series(colour=PURPLE, dashes=(0, (1, 1.2)), order=4.4, marker="^", face="white")
OUTSIDE: Final = Series(colour=VERMILLION, dashes="solid", order=4.0, marker="D", face=VERMILLION)
"""A difference that is not shown to be within the margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """How a verdict is shown: a mark and a word on its colour."""

    mark: str
    colour: str
    ink: str


BADGES: Final = {
    Verdict.SURVIVES: Badge(mark="✓", colour=GREEN, ink="white"),
    Verdict.SHIFTED: Badge(mark="~", colour=ORANGE, ink="black"),
    Verdict.DEAD: Badge(mark="✗", colour=VERMILLION, ink="white"),
    Verdict.INCONCLUSIVE: Badge(mark="?", colour=GREY, ink="white"),
}

SETTINGS: Final[dict[str, Any]] = {
    "text.parse_math": False,  # titles and labels are the user's, dollars and all
    "font.family": ["DejaVu Sans"],  # comes with matplotlib: the same widths everywhere
    "font.size": FONT_PT,
    "axes.labelsize": FONT_PT,
    "axes.titlesize": FONT_PT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": SMALL_PT,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "legend.fontsize": SMALL_PT,
    "legend.frameon": False,
    "text.hinting": "no_hinting",  # widths that do not depend on the resolution
    "svg.fonttype": "none",
    "svg.hashsalt": "neuroemu",
    "pdf.fonttype": 42,
}


@contextmanager
def drawing_style() -> Iterator[None]:
    """Draw with our settings whatever the user's are, and give the user's back."""
    with matplotlib.style.context(["default", SETTINGS]):
        yield
