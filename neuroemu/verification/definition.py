"""Rounding and overflow by their definitions, on whole arrays: docs/spec/rounding.md.

Written in whole and remainder, apart from the addends and shifts of `neuroemu.numeric.ops`, which
it judges.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.numeric.site import WORD_BITS, Site

Ints = NDArray[np.int64]


def rounded(x: Any, site: Site, r: Any = 0) -> Ints:
    """Return the wide values `x` without the bits that `site` drops, range ignored.

    Parameters
    ----------
    x : (...) int64
        Wide values.
    site : Site
        Only its shift and rounding are read.
    r : (...) int64
        Random integers, 0 to ``2**shift - 1``; read by ``stochastic`` alone.

    Examples
    --------
    >>> site = Site(name="leak", shift=1, rounding="around", overflow="saturate", lo=-8, hi=7)
    >>> rounded(np.array([-3, -1, 1, 3]), site).tolist()
    [-2, 0, 0, 2]
    """
    x = np.asarray(x, np.int64)
    unit = 2**site.shift
    whole, rest = np.divmod(x, unit)
    missing = unit - rest
    match site.rounding:
        case "floor":
            up = np.zeros_like(rest, np.bool_)
        case "ceil":
            up = rest > 0
        case "fix" | "trunc":
            up = (rest > 0) & (x < 0)
        case "half_up":
            up = rest >= missing
        case "around":
            up = (rest > missing) | ((rest == missing) & (whole % 2 == 1))
        case _:
            up = np.asarray(r, np.int64) >= missing
    return np.asarray(whole + up, np.int64)


def brought_in(y: Any, site: Site) -> Ints:
    """Return the rounded values `y` in the range of `site`."""
    y = np.asarray(y, np.int64)
    if site.overflow == "wrap":
        return np.asarray(site.lo + (y - site.lo) % (site.hi - site.lo + 1), np.int64)
    return np.asarray(np.where(y < site.lo, site.lo, np.where(y > site.hi, site.hi, y)), np.int64)


def narrowed(x: Any, site: Site, r: Any = 0) -> Ints:
    """Return what `site` stores of the wide values `x`; parameters as for `rounded`."""
    return brought_in(rounded(x, site, r), site)


def extremes(x: Any, site: Site) -> tuple[Ints, Ints]:
    """Return what is stored at the lowest and the highest random word; equal if the site draws none."""
    highest = 2**site.shift - 1 if site.is_stochastic else 0
    return narrowed(x, site, 0), narrowed(x, site, highest)


def random_integer(word: Any, site: Site) -> Ints:
    """Return the random integer of a site that a 32-bit word stands for: its most significant bits."""
    return np.asarray(np.asarray(word, np.int64) // 2 ** (WORD_BITS - site.shift), np.int64)


def aimed(low: int, high: int, edges: Any, n: int, rng: np.random.Generator) -> Ints:
    """Return `n` integers from `low` to `high`, half of them within 3 of an edge.

    Parameters
    ----------
    low, high : int
        Both included.
    edges : iterable of int
        Beside both ends.
    n : int
        How many.
    rng : numpy.random.Generator
    """
    near = [e + by for e in (low, high, 0, *edges) for by in range(-3, 4)]
    close = np.asarray([e for e in near if low <= e <= high], np.int64)
    anywhere = rng.integers(low, high, size=n - n // 2, endpoint=True)
    return np.concatenate((rng.choice(close, size=n // 2), anywhere))


def codes_between(low: int, high: int, most: int, n: int) -> Ints:
    """Return every integer from `low` to `high` if they are `most` at most, else about `n`, aimed at their edges.

    Parameters
    ----------
    low, high : int
        Both included, and both among the result.
    most, n : int
    """
    if high - low < most:
        return np.arange(low, high + 1, dtype=np.int64)
    edges = [sign * 2**bit for bit in range(max(high, -low).bit_length()) for sign in (-1, 1)]
    drawn = aimed(low, high, edges, n, np.random.default_rng(0))
    return np.unique(np.concatenate((drawn, np.asarray([low, high]))))
