"""Bisection over integers: the arithmetic itself says where it stops, in a few evaluations."""

from __future__ import annotations

from collections.abc import Callable


def last(holds: Callable[[int], bool], most: int) -> int:
    """Return the largest of 1 to `most` for which `holds`, which is true up to it; 0 if for none.

    Examples
    --------
    >>> last(lambda m: m * m < 50, 100)
    7
    """
    low, high = 0, max(most, 0)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def first(holds: Callable[[int], bool], start: int) -> int:
    """Return the smallest integer from `start` on for which `holds`, which is true from there on.

    Examples
    --------
    >>> first(lambda m: m * m >= 50, -3), first(lambda m: m > 5, 9)
    (8, 9)
    """
    if holds(start):
        return start
    low, stride = start, 1
    while not holds(low + stride):
        low, stride = low + stride, 2 * stride
    high = low + stride
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
