"""Numbers on a grid: each stands for a mixture of the two grid points beside it, with its mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def between(values: Floats, w: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Return the grid point below each of `w`, and the part that belongs to the one above."""
    if len(values) == 1:
        return np.zeros(w.shape, np.intp), np.zeros(w.shape)
    below = np.minimum(np.maximum(np.searchsorted(values, w, "right") - 1, 0), len(values) - 2)
    part = (w - values[below]) / (values[below + 1] - values[below])
    return below, np.minimum(np.maximum(part, 0.0), 1.0)


def spread(values: Floats, w: Floats, chance: Floats) -> Floats:
    """Return the distribution over a grid that has the mean of weights `w`.

    Parameters
    ----------
    values : (levels,) float64
    w, chance : (weights,) float64

    Examples
    --------
    >>> spread(np.array([0.0, 1.0, 2.0]), np.array([0.25]), np.array([1.0]))
    array([0.75, 0.25, 0.  ])
    """
    below, part = between(values, w)
    row = np.bincount(below, chance * (1.0 - part), minlength=len(values))
    above = np.minimum(below + 1, len(values) - 1)
    return np.asarray(row + np.bincount(above, chance * part, minlength=len(values)))
