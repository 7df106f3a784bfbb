"""Hypothesis strategies for formats and for what registers and sites meet, aimed at their edges."""

from __future__ import annotations

from hypothesis import strategies as st

from neuroemu.numeric.format import Format
from neuroemu.numeric.site import OVERFLOWS, ROUNDINGS, Overflow, Rounding, Site

NEAR = 3
"""How many raw values on each side of an edge count as near it."""


@st.composite
def formats(
    draw: st.DrawFn,
    *,
    min_width: int = 2,
    max_width: int = 24,
    signed: bool | None = None,
    fractions: tuple[int, int] | None = None,
) -> Format:
    """Draw a number format.

    Parameters
    ----------
    min_width, max_width : int
        Bits, 2 to 63.
    signed : bool, optional
        Both kinds if left out.
    fractions : (int, int), optional
        Least and most fraction bits; from 0 to the width if left out.
    """
    width = draw(st.integers(min_width, max_width))
    low, high = fractions or (0, width)
    kind = draw(st.booleans()) if signed is None else signed
    return Format(kind, width, draw(st.integers(low, high)))


def near(low: int, high: int, edges: tuple[int, ...]) -> st.SearchStrategy[int]:
    """Draw integers from `low` to `high`: ends, values within `NEAR` of an edge, and any, a third each.

    Parameters
    ----------
    low, high : int
        Both included.
    edges : tuple of int
        Where faults live; those outside the range count as far as their neighbours lie in it.
    """

    def inside(values: set[int]) -> list[int]:
        return sorted((v for v in values if low <= v <= high), key=abs)

    around = range(-NEAR, NEAR + 1)
    ends = inside({low, low + 1, -1, 0, 1, high - 1, high})
    close = inside({edge + by for edge in (low, high, *edges) for by in around})
    return st.one_of(st.sampled_from(ends), st.sampled_from(close), st.integers(low, high))


def register_values(form: Format) -> st.SearchStrategy[int]:
    """Draw raw values that a register can hold, aimed at ``lo``, ``hi``, 0 and powers of two.

    Parameters
    ----------
    form : Format
    """
    powers = [2**bit for bit in range(form.width)]
    edges = (0, *powers, *(-p for p in powers))
    return near(form.lo, form.hi, tuple(e for e in edges if form.lo <= e <= form.hi))


def wide_values(site: Site, *, low: int, high: int) -> st.SearchStrategy[int]:
    """Draw wide values that a site may meet, aimed at its ties and at the edges of its range.

    Parameters
    ----------
    site : Site
    low, high : int
        Range of the wide value, for example that of `Discretized.widest`.
    """
    unit = 2**site.shift
    ends = [edge * unit for edge in (site.lo, site.lo - 1, site.hi, site.hi + 1, 0, 1, -1)]
    ties = [end + unit // 2 for end in ends]
    return near(low, high, tuple(e for e in (*ends, *ties) if low <= e <= high))


@st.composite
def sites(draw: st.DrawFn, *, max_shift: int = 20, max_width: int = 24) -> Site:
    """Draw a site: shift, rounding, overflow and range.

    Parameters
    ----------
    max_shift, max_width : int
        Most bits dropped, most bits kept.
    """
    form = draw(formats(max_width=max_width, fractions=(0, 0)))
    rounding: Rounding = draw(st.sampled_from(ROUNDINGS))
    overflow: Overflow = draw(st.sampled_from(OVERFLOWS))
    return Site(
        name="drawn",
        shift=draw(st.integers(0, max_shift)),
        rounding=rounding,
        overflow=overflow,
        lo=form.lo,
        hi=form.hi,
    )
