"""Counts of values whose range is not known beforehand, in bounded memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

MOST_BINS = 4096


class Histogram:
    """Counts in bins of equal width; where they become too many, neighbours are merged in pairs.

    Parameters
    ----------
    width : float
        Width of a bin to begin with; edges are its multiples.

    Attributes
    ----------
    low, high : float
        Smallest and largest value seen, also of those that were only noted; nan if there were none.

    Examples
    --------
    >>> seen = Histogram(0.5)
    >>> seen.add([0.1, 0.2, 1.2])
    >>> seen.edges, seen.counts, seen.high
    (array([0. , 0.5, 1. , 1.5]), array([2., 0., 1.]), 1.2)
    """

    def __init__(self, width: float) -> None:
        self.width = width
        self.first = 0
        self.counts: Floats = np.zeros(0)
        self.low = self.high = float("nan")

    @property
    def edges(self) -> Floats:
        """Edges of the bins: (bins + 1,) float64."""
        edges: Floats = np.arange(self.first, self.first + self.counts.size + 1, dtype=np.float64)
        return edges * self.width

    def note(self, values: ArrayLike) -> None:
        """Let values count for the range only."""
        found = np.asarray(values, np.float64)
        if found.size:
            self.low = float(np.fmin(self.low, found.min()))
            self.high = float(np.fmax(self.high, found.max()))

    def add(self, values: ArrayLike, weights: ArrayLike | None = None) -> None:
        """Count values, each once or as often as `weights` says."""
        found = np.asarray(values, np.float64).ravel()
        if found.size == 0:
            return
        self.note(found)
        while self.high / self.width - self.low / self.width > MOST_BINS - 2:
            self._merge()
        index = np.floor(found / self.width).astype(np.int64)
        first, last = int(index.min()), int(index.max())
        self._cover(first, last)
        often = None if weights is None else np.asarray(weights, np.float64).ravel()
        counted = np.bincount(index - first, often, last - first + 1)
        self.counts[first - self.first : last - self.first + 1] += counted

    def quantile(self, part: float) -> float:
        """Return the value below which `part` of the counts lie, as finely as the bins tell."""
        total = np.cumsum(self.counts)
        at = int(np.searchsorted(total, part * total[-1])) if total.size else 0
        middle = (self.first + at + 0.5) * self.width
        return float(min(max(middle, self.low), self.high))

    def _cover(self, first: int, last: int) -> None:
        if self.counts.size == 0:
            self.first = first
        before = max(self.first - first, 0)
        after = max(last + 1 - self.first - self.counts.size, 0)
        self.counts = np.pad(self.counts, (before, after))
        self.first -= before

    def _merge(self) -> None:
        odd = self.first % 2
        padded = np.pad(self.counts, (odd, (self.counts.size + odd) % 2))
        self.counts = padded.reshape(-1, 2).sum(axis=1)
        self.first, self.width = (self.first - odd) // 2, 2 * self.width
