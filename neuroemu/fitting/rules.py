"""The smallest format that obeys a bound: docs/spec/fitting.md, range and resolution."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from neuroemu.errors import ConfigError
from neuroemu.numeric.format import Format, FormatError

DELTA = {
    "floor": Fraction(1),
    "ceil": Fraction(1),
    "fix": Fraction(1),
    "trunc": Fraction(1),
    "around": Fraction(1, 2),
    "half_up": Fraction(1, 2),
    "stochastic": Fraction(1, 2),
}
"""Largest error of a constant, in LSBs."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The largest LSB that a rule allows.

    Parameters
    ----------
    lsb : Fraction
    part : Fraction
        What this LSB would cost, as a part; a smaller one costs in proportion.
    words : str
        The rule in a few words, with ``{}`` for the part.
    """

    lsb: Fraction
    part: Fraction
    words: str

    def reason(self, lsb: Fraction) -> str:
        """Return the words with what `lsb` costs.

        Examples
        --------
        >>> bound = Bound(Fraction(1, 10), Fraction(1, 50), "off by {}")
        >>> bound.reason(Fraction(1, 16))
        'off by 1.2 %'
        """
        return self.words.format(percent(self.part * lsb / self.lsb))


def tightest(bounds: Iterable[Bound]) -> Bound | None:
    """Return the bound that allows least, the first of equal ones; None of none."""
    return min(bounds, key=lambda b: b.lsb, default=None)


def fraction_bits(largest_lsb: Fraction) -> int:
    """Return the smallest number of fraction bits whose LSB is at most `largest_lsb`.

    Examples
    --------
    >>> fraction_bits(Fraction(1, 4)), fraction_bits(Fraction(1, 5)), fraction_bits(Fraction(3))
    (2, 3, -1)
    """
    bits = largest_lsb.denominator.bit_length() - largest_lsb.numerator.bit_length() - 1
    while Fraction(2) ** -bits > largest_lsb:
        bits += 1
    return bits


def width_for(low: Fraction, high: Fraction, *, signed: bool) -> int:
    """Return the smallest width whose codes reach from `low` to `high`, both in LSBs.

    Examples
    --------
    >>> width_for(Fraction(0), Fraction(8), signed=False)
    4
    >>> width_for(Fraction(-8), Fraction(7), signed=True)
    4
    """
    top = max(math.ceil(high), 0).bit_length()
    if not signed:
        return max(top, 1)
    bottom = max(math.ceil(-low) - 1, 0).bit_length()
    return max(top, bottom, 1) + 1


def make_format(key: str, width: int, fraction: int, *, signed: bool) -> Format:
    """Return a format.

    Raises
    ------
    ConfigError
        If no register is so wide or so fine.
    """
    try:
        return Format(signed, width, fraction)
    except FormatError as error:
        raise ConfigError.one(
            "fit",
            key,
            rule="a register holds what was observed, at the precision asked for",
            detail=str(error),
            remedy="raise the precision (0.05 is coarser than 0.02), or scale the experiment's units",
        ) from None


def percent(part: Fraction | float) -> str:
    """Return a part as text, in percent.

    Examples
    --------
    >>> percent(0.02), percent(Fraction(1, 81))
    ('2 %', '1.2 %')
    """
    return f"{100 * float(part):.2g} %"
