"""Sites: the places where a value is narrowed, and the tuples that carry them into the arithmetic.

A `Site` says what happens, independent of any container. Its ``as_...`` functions give the NamedTuple
that `neuroemu.numeric.ops.requantize` dispatches on. See docs/spec/rounding.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

Rounding = Literal["floor", "ceil", "fix", "trunc", "around", "half_up", "stochastic"]
Overflow = Literal["saturate", "wrap", "error"]
ROUNDINGS: tuple[str, ...] = get_args(Rounding)
OVERFLOWS: tuple[str, ...] = get_args(Overflow)

WORD_BITS = 32
"""Width of the random words that stochastic rounding takes."""


class Exact(NamedTuple):
    """Nothing is lost: the float reference."""


class Clip(NamedTuple):
    """Limits only."""

    lo: Any
    hi: Any


class Round(NamedTuple):
    """Rounding by addends and a shift alone: no ties to even, no random bits, no overflow."""

    shift: Any
    base: Any
    neg: Any


class Fixed(NamedTuple):
    """Every rounding and overflow as data, on integers."""

    shift: Any
    base: Any
    neg: Any
    odd: Any
    draw: Any
    lo: Any
    mask: Any
    hi: Any


class Double(NamedTuple):
    """The same on integers held in a double; with ``keep`` the rounding is left out."""

    scale: Any
    base: Any
    neg: Any
    odd: Any
    draw: Any
    lo: Any
    span: Any
    hi: Any
    keep: Any


class Noisy(NamedTuple):
    """Nothing is lost and noise comes in: the sum of the word's four bytes about its mean, times `scale`."""

    scale: Any


NOISE_SD = (4 * (2**16 - 1) / 12) ** 0.5
"""Standard deviation of the sum of four bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a value is narrowed.

    Parameters
    ----------
    name : str
        As in docs/spec: ``leak``, ``drive``, ``input``, ``store``, ...
    shift : int
        Bits dropped, 0 or more.
    rounding, overflow : str
        One of `ROUNDINGS`, one of `OVERFLOWS`.
    lo, hi : int
        Range of the result, raw.
    lsb : float
        Value of one step of the result, for runs in biological units.
    never_overflows : bool
        Whether the range cannot be left, by proof.
    """

    name: str
    shift: int
    rounding: Rounding
    overflow: Overflow
    lo: int
    hi: int
    lsb: float = 1.0
    never_overflows: bool = False

    @property
    def addends(self) -> tuple[int, int, int, int]:
        """``base, neg, odd, draw`` of the table in docs/spec/rounding.md."""
        half, ones = (2**self.shift) // 2, 2**self.shift - 1
        if self.shift == 0:
            return 0, 0, 0, WORD_BITS
        base, neg, odd = {
            "floor": (0, 0, 0),
            "ceil": (ones, 0, 0),
            "fix": (0, ones, 0),
            "trunc": (0, ones, 0),
            "around": (half - 1, 0, 1),
            "half_up": (half, 0, 0),
            "stochastic": (0, 0, 0),
        }[self.rounding]
        draw = WORD_BITS - self.shift if self.rounding == "stochastic" else WORD_BITS
        return base, neg, odd, draw

    @property
    def widest_addend(self) -> int:
        """Largest value that the rounding adds to a positive number before the shift."""
        base, _, odd, _ = self.addends
        return base + odd + (2**self.shift - 1 if self.is_stochastic else 0)

    @property
    def is_stochastic(self) -> bool:
        """Whether this site takes random bits."""
        return self.rounding == "stochastic" and self.shift > 0

    def as_fixed(self, container: type = int) -> Fixed:
        """Return the site for integers; `container` is ``int``, ``np.int32`` or ``np.int64``."""
        base, neg, odd, draw = self.addends
        mask = self.hi - self.lo if self.overflow == "wrap" else -1
        fields = (self.shift, base, neg, odd, draw, self.lo, mask, self.hi)
        return Fixed(*(container(x) for x in fields))

    def as_narrowest(self, container: type) -> Round | Fixed:
        """Return the cheapest site that does the same."""
        base, neg, odd, draw = self.addends
        if self.never_overflows and odd == 0 and draw == WORD_BITS:
            return Round(container(self.shift), container(base), container(neg))
        return self.as_fixed(container)

    def as_double(self) -> Double:
        """Return the site for integers held in doubles."""
        base, neg, odd, draw = self.addends
        span = float(self.hi - self.lo + 1) if self.overflow == "wrap" else 0.0
        fields = (2.0**-self.shift, base, neg, odd, 2.0**-draw, self.lo, span, self.hi, 0)
        return Double(*(float(x) for x in fields))

    def as_range(self) -> Double:
        """Return the limits alone, in units of the stored quantity: the rung ``range``."""
        span = (self.hi - self.lo + 1) * self.lsb if self.overflow == "wrap" else 0.0
        return unlimited()._replace(lo=self.lo * self.lsb, hi=self.hi * self.lsb, span=span)

    def as_exact_double(self) -> Double:
        """Return a site that drops no bits and knows no limits, on integers held in doubles."""
        return unlimited()._replace(scale=2.0**-self.shift)


def unlimited() -> Double:
    """Return the `Double` that changes nothing."""
    return Double(
        scale=1.0,
        base=0.0,
        neg=0.0,
        odd=0.0,
        draw=2.0**-WORD_BITS,
        lo=-inf,
        span=0.0,
        hi=inf,
        keep=1.0,
    )


def wait_site() -> Clip:
    """Return the refractory counter's site: it stops at zero."""
    return Clip(np.int32(0), np.int32(2**31 - 1))
