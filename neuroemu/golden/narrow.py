"""Narrowing a wide integer into a register: the definitions of docs/spec/rounding.md.

Two judges: exact fractions, for everything the page allows, and fxpmath, for what fxpmath is
known to do right.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from typing import Any, Protocol

ROUNDINGS = ("floor", "ceil", "fix", "trunc", "around", "half_up", "stochastic")
OVERFLOWS = ("saturate", "wrap", "error")
WORD_BITS = 32  # a random word, as the caller gives it


def power_of_2(n: int) -> int:
    """Two to the `n` as an integer, `n` at least 0."""
    return 1 << n


class OutsideEnvelope(ValueError):  # noqa: N818 (it is a limit of the judge, not a fault)
    """fxpmath is not known to be right here, so it does not judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What happens at one site.

    Attributes
    ----------
    shift : int
        Bits dropped, at least 0.
    rounding : str
        One of `ROUNDINGS`; ``trunc`` is another name of ``fix``.
    overflow : str
        One of `OVERFLOWS`.
    signed : bool
        Two's complement, or unsigned.
    width : int or None
        Bits of the register, 1 to 63; None is a register without end.
    symmetric : bool
        Without the lowest code of a signed register. It does not wrap: a turn has one code more.
    """

    shift: int
    rounding: str
    overflow: str
    signed: bool
    width: int | None
    symmetric: bool = False

    def __post_init__(self) -> None:
        if self.rounding not in ROUNDINGS:
            raise ValueError(f"rounding {self.rounding!r} is none of {ROUNDINGS}")
        if self.overflow not in OVERFLOWS:
            raise ValueError(f"overflow {self.overflow!r} is none of {OVERFLOWS}")
        if self.shift < 0:
            raise ValueError(f"shift {self.shift} is negative")
        if self.rounding == "stochastic" and self.shift > WORD_BITS:
            raise ValueError(f"stochastic rounding has {WORD_BITS} bits, shift is {self.shift}")
        if self.width is not None and not 1 <= self.width <= 63:
            raise ValueError(f"width {self.width} is not in 1..63")
        if self.symmetric and (self.width is None or self.width < 2 or not self.signed):
            raise ValueError("only a signed register of 2 bits or more can be symmetric")
        if self.symmetric and self.overflow == "wrap":
            raise ValueError("a symmetric register does not wrap")

    @property
    def lo(self) -> int | None:
        """The least raw value; None where there is no end."""
        if self.width is None:
            return None
        return -power_of_2(self.width - 1) + self.symmetric if self.signed else 0

    @property
    def hi(self) -> int | None:
        """The greatest raw value; None where there is no end."""
        if self.width is None:
            return None
        return power_of_2(self.width - self.signed) - 1

    def holds(self, y: int) -> bool:
        """Whether the register can store the raw value `y`."""
        return (self.lo is None or self.lo <= y) and (self.hi is None or y <= self.hi)


class Narrow(Protocol):
    """A judge of one narrowing: wide integer, site, random 32-bit word -> raw value."""

    def __call__(self, x: int, spec: Narrowing, word: int = 0, /) -> int:
        """Narrow `x` at the site `spec`."""
        ...


def round_fraction(x: int, spec: Narrowing, word: int = 0) -> int:
    """Drop ``spec.shift`` bits of `x` by the definition of the rounding, range ignored.

    Parameters
    ----------
    x : int
        Wide value.
    spec : Narrowing
        The site.
    word : int
        Random word, 0 to 2**32 - 1; only ``stochastic`` reads it.

    Source: docs/spec/rounding.md, table of roundings.
    """
    if not 0 <= word < 2**WORD_BITS:
        raise ValueError(f"random word {word} is not in 0..2**{WORD_BITS}-1")
    q = Fraction(x, 2**spec.shift)
    match spec.rounding:
        case "floor":
            return math.floor(q)
        case "ceil":
            return math.ceil(q)
        case "fix" | "trunc":
            size = math.floor(abs(q))
            return size if q > 0 else -size
        case "around":  # the nearer neighbour; of two equally near ones the even one
            return min(math.floor(q), math.ceil(q), key=lambda n: (abs(q - n), n % 2))
        case "half_up":
            return math.floor(q + Fraction(1, 2))
        case _:  # stochastic: the top bits of the word are a number of 0 .. 2**shift - 1
            r = math.floor(Fraction(word, 2 ** (WORD_BITS - spec.shift)))
            return math.floor(Fraction(x + r, 2**spec.shift))


def overflows(x: int, spec: Narrowing, word: int = 0) -> bool:
    """Whether the rounded value of `x` is out of the register's range."""
    return not spec.holds(round_fraction(x, spec, word))


def narrow_fraction(x: int, spec: Narrowing, word: int = 0) -> int:
    """Narrow `x` by the definitions of rounding and overflow, in exact fractions.

    ``error`` gives the same number as ``saturate``; the run that meets it ends with an error.

    Parameters
    ----------
    x : int
        Wide value.
    spec : Narrowing
        The site.
    word : int
        Random word, 0 to 2**32 - 1; only ``stochastic`` reads it.

    Returns
    -------
    int
        Raw value, within ``spec.lo`` and ``spec.hi``.

    Source: docs/spec/rounding.md, both tables.
    """
    y = round_fraction(x, spec, word)
    lo, hi, width = spec.lo, spec.hi, spec.width
    if lo is None or hi is None or width is None or lo <= y <= hi:
        return y
    if spec.overflow == "wrap":
        turns = math.floor(Fraction(y - lo, 2**width))
        return y - turns * power_of_2(width)
    return min(lo, hi, key=lambda end: abs(y - end))


# fxpmath 0.4.10 is right for these sizes and silently wrong for some beyond them.
SOURCE_BITS = 53  # the raw source passes through a double, sign included here to be safe
WORD_MAX = 63
FXPMATH_ROUNDINGS = ("floor", "ceil", "fix", "trunc", "around")  # under the same names there
FXPMATH_OVERFLOW = {"saturate": "saturate", "wrap": "wrap", "error": "saturate"}


def narrow_fxpmath(x: int, spec: Narrowing, _word: int = 0) -> int:
    """Narrow `x` by fxpmath 0.4.10, where fxpmath is right.

    The operand is a signed register built from its raw bits, ``shift`` of them fraction bits; its
    value is then quantised, as a float, into the register without fraction bits. A register
    without end is fxpmath's widest one here: whatever the envelope lets in fits.

    Parameters
    ----------
    x : int
        Wide value of at most 53 bits, sign included.
    spec : Narrowing
        The site.
    _word : int
        Not read: stochastic rounding is outside the envelope.

    Returns
    -------
    int
        Raw value.

    Raises
    ------
    OutsideEnvelope
        If `x` is too wide, or the rounding is ``half_up`` or ``stochastic``.
    """
    if spec.rounding not in FXPMATH_ROUNDINGS:
        raise OutsideEnvelope(f"fxpmath does not judge the rounding {spec.rounding!r}")
    if not -(2 ** (SOURCE_BITS - 1)) <= x < 2 ** (SOURCE_BITS - 1):
        raise OutsideEnvelope(f"{x} has more than {SOURCE_BITS} bits")
    fxpmath: Any = import_module("fxpmath")  # here, for it is optional, and has no types
    wide = fxpmath.Fxp(x, signed=True, n_word=SOURCE_BITS, n_frac=spec.shift, raw=True)
    narrow = fxpmath.Fxp(
        float(wide.get_val()),
        signed=spec.signed if spec.width is not None else True,
        n_word=WORD_MAX if spec.width is None else spec.width,
        n_frac=0,
        rounding=spec.rounding,
        overflow=FXPMATH_OVERFLOW[spec.overflow],
    )
    raw = int(narrow.raw())
    if spec.symmetric and spec.lo is not None:
        return max(raw, spec.lo)  # fxpmath has no symmetric register
    return raw
