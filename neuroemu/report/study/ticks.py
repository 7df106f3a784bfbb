"""Numbers and words along an axis: as many as fit side by side."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import ceil, floor

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from neuroemu.report.study.dimensions import Dimension, value_text
from neuroemu.report.style import SMALL_PT
from neuroemu.report.text import inches

GAP = 0.06
"""Inches between two labels at least."""
MANY = 20
"""Values above which a round number may lie between two of them."""
DENSEST = 10
"""Round numbers along a linear axis at most."""

Ticks = tuple[list[float], list[str]]
"""Positions and labels."""


def number_ticks(d: Dimension, at: NDArray[np.float64], inch: float) -> Ticks:
    """Return the ticks of a numeric dimension: its values if they fit, else the round ones among them.

    Of very many values the round numbers between them do, too.

    Parameters
    ----------
    d : Dimension
    at : (values,) float
        Positions of its values.
    inch : float
        Length of one unit of these.
    """
    own = [float(a) for a in at], d.texts()
    if _fit(own, inch):
        return own
    along = d.along()
    if d.kind == "number" and bool(np.all(np.diff(along) > 0)):
        for numbers in _round_numbers(d, float(along[0]), float(along[-1])):
            places = np.log10(numbers) if d.is_log else numbers
            held = np.isclose(places[:, None], along, rtol=1e-9).any(axis=1) | (len(along) > MANY)
            where = np.interp(places[held], along, at)
            ticks = [float(w) for w in where], [value_text(float(n)) for n in numbers[held]]
            if held.sum() > 1 and _fit(ticks, inch):
                return ticks
    kept = thinned(own, inch)
    return [own[0][i] for i in kept], [own[1][i] for i in kept]


def thinned(ticks: Ticks, inch: float) -> list[int]:
    """Return which ticks can stand side by side: every one, every second, ...

    Examples
    --------
    >>> thinned(([0.0, 1.0, 2.0, 3.0, 4.0], ["10", "11", "12", "13", "14"]), inch=0.15)
    [0, 2, 4]
    """
    for step in range(1, len(ticks[0])):
        kept = list(range(0, len(ticks[0]), step))
        if _fit(([ticks[0][i] for i in kept], [ticks[1][i] for i in kept]), inch):
            return kept
    return [0]


def _fit(ticks: Ticks, inch: float) -> bool:
    placed = sorted(zip(*ticks, strict=True))
    widths = [inches(text, SMALL_PT) for _, text in placed]
    return all(
        (b - a) * inch >= (wide + next_wide) / 2 + GAP
        for ((a, _), (b, _)), (wide, next_wide) in zip(
            pairwise(placed), pairwise(widths), strict=True
        )
    )


def _round_numbers(d: Dimension, low: float, high: float) -> Iterator[NDArray[np.float64]]:
    """Return round numbers from low to high, logarithms if `d` is logarithmic; ever fewer."""
    if not d.is_log:
        for most in range(DENSEST, 1, -1):
            locator = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10])
            found = np.asarray(locator.tick_values(low, high))
            yield found[(found >= low) & (found <= high)]
        return
    decades = range(floor(low), ceil(high) + 1)
    for factors, every in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 3)):
        found = np.asarray([float(f"{f}e{e}") for e in decades[::every] for f in factors])
        yield found[(np.log10(found) >= low) & (np.log10(found) <= high)]
