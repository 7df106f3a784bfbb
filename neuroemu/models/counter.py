"""A spike counter of few bits with a sticky overflow flag: docs/spec/plasticity.md."""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroemu.numeric.ops import requantize


class Counter(NamedTuple):
    """Spikes since the last reading, and whether that is a lie."""

    count: Any
    sticky: Any


class CounterSites(NamedTuple):
    """Where a counter narrows, and where a program misreads it."""

    count: Any
    read: Any


def increment(counter: Any, sites: Any) -> Any:
    """Count one spike."""
    total = counter.count + 1
    count = requantize(total, sites.count, 0)
    return Counter(count, counter.sticky | (count != total))


def read(counter: Any, on_overflow: Any, sites: Any) -> Any:
    """Return the count, or the value that stands for an overflow, as the program takes it."""
    return requantize(on_overflow if counter.sticky else counter.count, sites.read, 0)
