"""What rounding does to a membrane without input: where it stands still, and how long it takes to get there."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from neuroemu.feasibility.search import first
from neuroemu.models.drift import mean_rounding
from neuroemu.numeric.site import Site

MOST_STEPS = 20_000
"""A decay is followed no further."""

Step = Callable[[int], int]
"""From a membrane to the membrane after a step without input."""


def still(step: Step, lo: int, hi: int) -> tuple[int, int] | None:
    """Return the lowest and the highest membrane of a register that a step leaves where it is; None if none.

    Parameters
    ----------
    step : Step
        What it takes must not fall as the membrane rises.
    lo, hi : int
        Ends of the register.

    Examples
    --------
    >>> still(lambda v: (253 * v + 128) // 256, -128, 127)
    (-42, 42)
    """

    def taken(v: int) -> int:
        return v - step(v)

    if taken(lo) > 0 or taken(hi) < 0:
        return None
    lowest = first(lambda v: v >= hi or taken(v) >= 0, lo)
    highest = first(lambda v: v > hi or taken(v) > 0, lo) - 1
    return (lowest, highest) if taken(lowest) == 0 else None


def mean_bias(site: Site, multiplier: int) -> Fraction:
    """Return the mean change of a membrane above rest by the rounding alone, in LSB a step."""
    part = Fraction(math.gcd(multiplier, 2**site.shift), 2**site.shift)
    return mean_rounding(part, site.rounding)


def time_constant(step_ms: float, multiplier: Fraction) -> float:
    """Return the time constant of a decay by a multiplier in every step, ms."""
    if multiplier <= 0:
        return 0.0
    return -step_ms / math.log(multiplier) if multiplier < 1 else math.inf


def decay_steps(start: int, step: Step, most: int, rest: int = 0) -> float | None:
    """Return the steps in which a membrane comes to 1/e of its distance from rest.

    Returns
    -------
    float or None
        The last step counts in part, as of an exponential decay; None if the membrane stops before, inf if it takes
        more than `most` steps.
    """
    goal, v = abs(start - rest) / math.e, start
    for k in range(most):
        after = step(v)
        if after == v:
            return None
        if abs(after - rest) <= goal:
            return k + _part(abs(v - rest), abs(after - rest), goal)
        v = after
    return math.inf


def steps_to(start: int, step: Step, most: int) -> int | None:
    """Return the steps after which a membrane stands still; None if it takes more than `most`."""
    v = start
    for k in range(most):
        after = step(v)
        if after == v:
            return k
        v = after
    return None


def _part(before: int, after: int, goal: float) -> float:
    """Return the part of a step after which a membrane between two values passes `goal`."""
    if after == 0:
        return (before - goal) / before
    return math.log(before / goal) / math.log(before / after)
