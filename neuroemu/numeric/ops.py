"""What happens at a site. The only file with a shift, a clip, a wrap or a rounding.

Every function is scalar and pure, and runs unchanged on Python numbers and compiled. The tables
are in docs/spec/rounding.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroemu.numeric.site import Clip, Double, Exact, Fixed, Noisy, Round


def _exact(x: Any, site: Any, bits: Any) -> Any:
    return x


def _clip(x: Any, site: Any, bits: Any) -> Any:
    return min(max(x, site.lo), site.hi)


def _round(x: Any, site: Any, bits: Any) -> Any:
    return (x + site.base + site.neg * (x < 0)) >> site.shift


def rounded(x: Any, site: Any, bits: Any) -> Any:
    """Return `x` after the rounding and before the overflow rule, for a `Fixed` site."""
    wide = x + site.base + site.neg * (x < 0) + site.odd * ((x >> site.shift) & 1)
    return (wide + (bits >> site.draw)) >> site.shift


def _fixed(x: Any, site: Any, bits: Any) -> Any:
    y = rounded(x, site, bits)
    y = ((y - site.lo) & site.mask) + site.lo
    return min(max(y, site.lo), site.hi)


def rounded_double(x: Any, site: Any, bits: Any) -> Any:
    """Return `x` after the rounding and before the overflow rule, for a `Double` site."""
    whole = np.floor(x * site.scale)
    odd = whole - 2.0 * np.floor(whole * 0.5)
    wide = x + site.base + site.neg * (x < 0.0) + site.odd * odd + np.floor(bits * site.draw)
    return x * site.scale if site.keep > 0.0 else np.floor(wide * site.scale)


def _double(x: Any, site: Any, bits: Any) -> Any:
    y = rounded_double(x, site, bits)
    if site.span > 0.0:
        y = y - site.span * np.floor((y - site.lo) / site.span)
    return min(max(y, site.lo), site.hi)


def _noisy(x: Any, site: Any, bits: Any) -> Any:
    pairs = (bits & 0x00FF00FF) + ((bits >> 8) & 0x00FF00FF)
    return x + site.scale * ((pairs & 0xFFFF) + (pairs >> 16) - 510)


def _never(x: Any, site: Any, bits: Any) -> Any:
    return False


def _outside(x: Any, site: Any, bits: Any) -> Any:
    y = rounded(x, site, bits)
    return (y < site.lo) | (y > site.hi)


def _outside_double(x: Any, site: Any, bits: Any) -> Any:
    y = rounded_double(x, site, bits)
    return (y < site.lo) | (y > site.hi)


REQUANTIZE = {
    Exact: _exact,
    Clip: _clip,
    Round: _round,
    Fixed: _fixed,
    Double: _double,
    Noisy: _noisy,
}
OVERFLOWED = {
    Exact: _never,
    Noisy: _never,
    Clip: _never,
    Round: _never,
    Fixed: _outside,
    Double: _outside_double,
}


def requantize(x: Any, site: Any, bits: Any) -> Any:
    """Narrow `x` at `site`.

    Parameters
    ----------
    x : int or float
        Wide value.
    site : Exact, Clip, Round, Fixed or Double
        What happens here.
    bits : int
        Random word of 32 bits, used where the rounding is stochastic.

    Returns
    -------
    int or float
        The stored value, in LSBs of the result.

    Examples
    --------
    >>> from neuroemu.numeric.site import Site
    >>> site = Site(name="store", shift=4, rounding="floor", overflow="saturate", lo=0, hi=15)
    >>> requantize(-1, site.as_fixed(), 0), requantize(47, site.as_fixed(), 0)
    (0, 2)
    """
    return REQUANTIZE[type(site)](x, site, bits)


def overflowed(x: Any, site: Any, bits: Any) -> Any:
    """Return whether the rounded `x` lies outside the range of `site`."""
    return OVERFLOWED[type(site)](x, site, bits)


def limit(x: Any, lo: Any, hi: Any) -> Any:
    """Return `x` brought into the limits of a learning rule, as ``numpy.clip`` does."""
    return min(max(x, lo), hi)


def lookup(x: Any, table: Any) -> Any:
    """Return the entry of `table` at the integer `x`."""
    return table[int(x)]


def lookup_in(row: Any, x: Any, tables: Any) -> Any:
    """Return the entry of one of several `tables`, an array of rows, at the integer `x`."""
    return tables[int(row), int(x)]
