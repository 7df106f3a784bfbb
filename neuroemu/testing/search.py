"""Hypothesis as a search for the smallest case that breaks a law, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

T = TypeVar("T")

BACKEND = "neuroemu"
MOST_SHRINKS = 100
"""How many cases are tried in vain before a case counts as shrunk."""
PHASES = (Phase.generate, Phase.shrink)


class SeededProvider(HypothesisProvider):
    """Draws from the seed alone.

    Hypothesis mixes in the literals of whatever sources of the user are loaded, and keeps them in a folder
    beside them: the same seed would not give the same cases everywhere.
    """

    def _maybe_draw_constant(self, *args: Any, **more: Any) -> None:  # noqa: ARG002
        return None


@contextmanager
def seeded_backend() -> Iterator[None]:
    """Let Hypothesis know `SeededProvider`."""
    AVAILABLE_PROVIDERS[BACKEND] = f"{__name__}.{SeededProvider.__name__}"
    try:
        yield
    finally:
        del AVAILABLE_PROVIDERS[BACKEND]


class Enough(BaseException):
    """The case is shrunk as far as it will be."""


def search(
    strategy: st.SearchStrategy[T],
    breaks: Callable[[T], bool],
    *,
    examples: int,
    seed: int,
) -> T | None:
    """Return a shrunk value that `breaks` says yes to, or None if none of `examples` does.

    Parameters
    ----------
    strategy : SearchStrategy
    breaks : callable
    examples : int
        At least 1.
    seed : int
        Decides which examples are drawn.

    Examples
    --------
    >>> search(st.lists(st.integers(0, 999)), lambda x: sum(x) > 500, examples=100, seed=1)
    [501]
    """
    found: list[T] = []
    tried = 0

    def note(value: T) -> bool:
        nonlocal tried
        if not breaks(value):
            tried += len(found) > 0
            if tried > MOST_SHRINKS:
                raise Enough
            return False
        found.append(value)
        return True

    with seeded_backend():
        how = settings(
            backend=BACKEND,
            max_examples=examples,
            database=None,
            deadline=None,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        )
        try:
            return find(strategy, note, settings=how, random=random.Random(seed))  # noqa: S311
        except NoSuchExample:
            return None
        except Enough:
            return found[-1]
