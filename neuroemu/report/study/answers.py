"""How the answers of a study's points look, and the series beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from neuroemu.metrics.verdict import Verdict
from neuroemu.report.style import (
    BADGES,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILLION,
    Series,
)
from neuroemu.study.looks import BEYOND, UNDECIDED, WITHIN
from neuroemu.study.results import MISSING, REFUSED

EDGE_GREY: Final = "#B5B5B5"
HATCH: Final = "/////"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How an answer is drawn.

    Parameters
    ----------
    label : str
        In legends.
    mark : str
        In a cell, and before the label.
    colour, ink : str
        Of a cell, and of what stands in it.
    marker : str
        Of a point on a line; empty where there is none.
    is_filled : bool
        Whether that is filled.
    """

    label: str
    mark: str
    colour: str
    ink: str
    marker: str = ""
    is_filled: bool = False

    @property
    def text(self) -> str:
        """Mark and label."""
        return f"{self.mark} {self.label}".strip()

    def patch(self) -> Patch:
        """Return the entry of a map's legend."""
        hatched = self.label == REFUSED
        return Patch(
            facecolor=self.colour,
            edgecolor=EDGE_GREY if hatched or self.colour == "white" else "none",
            hatch=HATCH if hatched else None,
            linewidth=0.6,
            label=self.text,
        )

    def point(self) -> Line2D:
        """Return the entry of the legend of lines."""
        return Line2D([], [], linestyle="none", label=self.label, **self.marks(GREY))

    def marks(self, colour: str, size: float = 5.0) -> dict[str, Any]:
        """Return the keywords of points on a line of `colour`."""
        return {
            "marker": self.marker,
            "markersize": size,
            "markerfacecolor": colour if self.is_filled else "white",
            "markeredgecolor": colour,
            "markeredgewidth": 1.0 if self.marker != "x" else 1.4,
        }


def _look(verdict: Verdict, label: str, marker: str, *, is_filled: bool = False) -> Look:
    badge = BADGES[verdict]
    return Look(
        label=label,
        mark=badge.mark,
        colour=badge.colour,
        ink=badge.ink,
        marker=marker,
        is_filled=is_filled,
    )


LOOKS: Final[dict[str, Look]] = {
    "survives": _look(Verdict.SURVIVES, "survives", "o", is_filled=True),
    "shifted": _look(Verdict.SHIFTED, "shifted", "D"),
    "dead": _look(Verdict.DEAD, "dead", "x"),
    "inconclusive": _look(Verdict.INCONCLUSIVE, "inconclusive", "s"),
    WITHIN: _look(Verdict.SURVIVES, "within", "o", is_filled=True),
    BEYOND: _look(Verdict.DEAD, "beyond", "x"),
    UNDECIDED: _look(Verdict.INCONCLUSIVE, "undecided", "s"),
    REFUSED: Look(label=REFUSED, mark="", colour="white", ink=GREY),
    MISSING: Look(label="not run yet", mark="·", colour="white", ink=GREY),
}
"""By word, in the order of legends."""

SERIES: Final = (
    Series(colour=BLUE, dashes="solid", order=4.0, marker="o", face=BLUE),
    Series(colour=ORANGE, dashes=(0, (5, 1.5)), order=4.1, marker="s", face="white"),
    Series(colour=GREEN, dashes=(0, (1.5, 1.2)), order=4.2, marker="^", face=GREEN),
    Series(colour=PURPLE, dashes=(0, (6, 1.5, 1.5, 1.5)), order=4.3, marker="D", face="white"),
    Series(colour=VERMILLION, dashes=(0, (2.5, 1.5)), order=4.4, marker="v", face=VERMILLION),
)
"""Of lines side by side; as many as `MOST_SERIES`."""


def legend_of(words: set[str], *, points: bool = False) -> list[Artist]:
    """Return the entries of the answers that occur."""
    looks = [look for word, look in LOOKS.items() if word in words]
    return [k.point() for k in looks if k.marker] if points else [k.patch() for k in looks]


def glyph(mark: str) -> Path:
    """Return the outline of a mark around its middle, to be drawn many times at the cost of one text."""
    outline = TextPath((0, 0), mark, size=10, usetex=False)
    box = outline.get_extents()
    middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    return Path(outline.vertices - middle, outline.codes)
