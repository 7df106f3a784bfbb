"""Numbers as a page shows them."""

from __future__ import annotations

from neuroemu.metrics.intervals import Estimate

NONE = "\N{EN DASH}"
"""Where there is no number."""


def signed(value: float, digits: int) -> str:
    """Return a number with its sign, a real minus.

    >>> signed(-0.26, 1), signed(0.04, 1)
    ('−0.3', '+0.0')
    """
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def plain(value: float, digits: int = 6) -> str:
    """Return a number to so many significant digits.

    >>> plain(-0.0004), plain(2.0)
    ('−0.0004', '2')
    """
    return f"{value:.{digits}g}".replace("-", "\N{MINUS SIGN}")


def with_interval(estimate: Estimate, digits: int) -> str:
    r"""Return a difference with its interval, if it has one; a line may break between the two.

    >>> with_interval(Estimate(value=-2.0, low=-2.5, high=-1.5), 1)
    '−2.0 (−2.5\xa0to\xa0−1.5)'
    """
    value = signed(estimate.value, digits)
    if estimate.low is None or estimate.high is None:
        return value
    to = "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"
    return f"{value} ({signed(estimate.low, digits)}{to}{signed(estimate.high, digits)})"


def percent(part: float) -> str:
    r"""Return a relative error; an exact one is a word.

    >>> percent(-0.0625), percent(0.0)
    ('−6.25\xa0%', 'exact')
    """
    if part == 0:
        return "exact"
    return f"{part * 100:+.3g}\N{NO-BREAK SPACE}%".replace("-", "\N{MINUS SIGN}")


def duration(us: float) -> str:
    """Return a time in a unit that suits it.

    >>> duration(0.1), duration(4000.0), duration(4e7)
    ('0.1 µs', '4 ms', '40 s')
    """
    for factor, unit in ((1e6, "s"), (1e3, "ms")):
        if us >= factor:
            return f"{us / factor:.6g} {unit}"
    return f"{us:.6g} \N{MICRO SIGN}s"


def tight(text: str) -> str:
    """Keep percent signs by their numbers."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")
