"""Number formats, written as fxpmath writes them: ``fxp-s16/12``, ``fxp-u6/5``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from neuroemu.errors import NeuroemuError

_TEXT = re.compile(r"fxp-([su])(\d+)/(-?\d+)", re.ASCII)
MAX_WIDTH = 63
MAX_FRACTION = 64


class FormatError(NeuroemuError, ValueError):
    """The text is no format, or names one that no register can have."""


@dataclass(frozen=True, slots=True)
class Format:
    """The numbers a register can hold.

    Parameters
    ----------
    signed : bool
        Two's complement if true, else unsigned.
    width : int
        Bits, 1 to 63.
    fraction : int
        Fraction bits, -64 to 64; the LSB is ``2**-fraction``.

    Examples
    --------
    >>> f = Format.parse("fxp-s16/12")
    >>> f.lo, f.hi, float(f.lsb)
    (-32768, 32767, 0.000244140625)
    >>> str(f)
    'fxp-s16/12'
    """

    signed: bool
    width: int
    fraction: int

    def __post_init__(self) -> None:
        if not 1 <= self.width <= MAX_WIDTH:
            raise FormatError(f"the width is {self.width}, and must be 1 to {MAX_WIDTH} bits")
        if self.signed and self.width < 2:
            raise FormatError("a signed format needs at least 2 bits")
        if abs(self.fraction) > MAX_FRACTION:
            raise FormatError(
                f"{self.fraction} fraction bits; they must be -{MAX_FRACTION} to {MAX_FRACTION}"
            )

    @classmethod
    def parse(cls, text: str) -> Format:
        """Read ``fxp-s16/12``.

        Raises
        ------
        FormatError
            If the text is no format or an impossible one.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise FormatError("expected fxp-<s|u><width>/<fraction bits>, for example fxp-s16/12")
        sign, width, fraction = match.groups()
        return cls(sign == "s", int(width), int(fraction))

    def __str__(self) -> str:
        return f"fxp-{'s' if self.signed else 'u'}{self.width}/{self.fraction}"

    @property
    def lo(self) -> int:
        """Smallest raw value."""
        return -int(2 ** (self.width - 1)) if self.signed else 0

    @property
    def hi(self) -> int:
        """Largest raw value."""
        return int(2 ** (self.width - 1 if self.signed else self.width)) - 1

    @property
    def lsb(self) -> Fraction:
        """Value of one step of the raw integer."""
        return Fraction(2) ** -self.fraction
