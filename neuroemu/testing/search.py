"""The smallest counterexample to a law, by Hypothesis."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

T = TypeVar("T")


def smallest(
    strategy: st.SearchStrategy[T], breaks: Callable[[T], bool], *, examples: int, seed: int
) -> T | None:
    """Return the smallest drawn case that breaks a law, None if none was found.

    Nothing is kept on disk, and the same seed draws the same cases.

    Parameters
    ----------
    strategy : Hypothesis strategy
        What cases are drawn from.
    breaks : callable
        Whether a case breaks the law.
    examples : int
        Cases drawn before the search gives up.
    seed : int
        Of the draws.
    """
    quiet = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    draws = random.Random(seed)  # noqa: S311 - no secret is drawn
    try:
        return find(strategy, breaks, settings=quiet, random=draws)
    except NoSuchExample:
        return None
