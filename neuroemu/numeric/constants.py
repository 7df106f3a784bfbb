"""Real constants into registers, once, before a run: docs/spec/rounding.md."""

from __future__ import annotations

import math
from fractions import Fraction


def decimal(value: float) -> Fraction:
    """Return the number that was written: 0.1 is one tenth, not the double next to it.

    Examples
    --------
    >>> decimal(0.1)
    Fraction(1, 10)
    """
    return Fraction(repr(float(value)))


def round_fraction(q: Fraction, rounding: str) -> int:
    """Round an exact fraction to an integer, by the definition of each rounding.

    ``stochastic`` is ``around`` here: a constant is written once.

    Examples
    --------
    >>> [round_fraction(Fraction(5, 2), r) for r in ("floor", "ceil", "around", "half_up")]
    [2, 3, 2, 3]
    """
    match rounding:
        case "floor":
            return math.floor(q)
        case "ceil":
            return math.ceil(q)
        case "fix" | "trunc":
            return math.trunc(q)
        case "half_up":
            return math.floor(q + Fraction(1, 2))
        case _:
            return round(q)
