"""Planted defects of a site, and how many draws of a strategy find them: ``python -m tests.testing.planted``.

Each defect is off by one at a single place, as real ones are.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import median
from typing import Any

import click
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from neuroemu.numeric import ops
from neuroemu.numeric.site import Site
from neuroemu.testing import wide_values

SITE = Site(
    name="store", shift=9, rounding="around", overflow="saturate", lo=-(2**15), hi=2**15 - 1
)
LOW, HIGH = -(2**25), 2**25 - 1
DRAWS = 1000
SEEDS = 25


def saturates_one_late(x: int, site: Site) -> int:
    """Let hi + 1 pass."""
    y = ops.rounded(x, site.as_fixed(), 0)
    return int(min(max(y, site.lo), site.hi + (y == site.hi + 1)))


def saturates_one_late_below(x: int, site: Site) -> int:
    """Let lo - 1 pass."""
    y = ops.rounded(x, site.as_fixed(), 0)
    return int(min(max(y, site.lo - (y == site.lo - 1)), site.hi))


def rounds_ties_away(x: int, site: Site) -> int:
    """Round a tie away from zero next to rest, where the tie goes to 0."""
    tie = x in (2 ** (site.shift - 1), -(2 ** (site.shift - 1)))
    return (1 if x > 0 else -1) if tie else correct(x, site)


def correct(x: int, site: Site) -> int:
    return int(ops.requantize(x, site.as_fixed(), 0))


DEFECTS = (saturates_one_late, saturates_one_late_below, rounds_ties_away)

Search = Callable[[Callable[[int], bool], int], int | None]
"""Draws until a defect is found, None if `DRAWS` do not find it; of a seed."""


def uniform(breaks: Callable[[int], bool], seed: int) -> int | None:
    """Draw every integer of the range alike."""
    rng = random.Random(seed)  # noqa: S311 - no secret is drawn
    return next((i + 1 for i in range(DRAWS) if breaks(rng.randint(LOW, HIGH))), None)


def _by(strategy: st.SearchStrategy[int]) -> Search:
    quiet = settings(
        max_examples=DRAWS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    def search(breaks: Callable[[int], bool], seed: int) -> int | None:
        draws = 0
        first: list[int] = []

        def condition(x: int) -> bool:
            nonlocal draws
            draws += 1
            if breaks(x) and not first:
                first.append(draws)
            return bool(first)

        try:
            draw = random.Random(seed)  # noqa: S311 - no secret is drawn
            find(strategy, condition, settings=quiet, random=draw)
        except NoSuchExample:
            return None
        return first[0]

    return search


plain_integers = _by(st.integers(LOW, HIGH))
aimed = _by(wide_values(SITE, low=LOW, high=HIGH))

SEARCHES: dict[str, Search] = {
    "uniform integers": uniform,
    "st.integers": plain_integers,
    "wide_values": aimed,
}


def found(search: Search, defect: Callable[[int, Site], int], seeds: int = SEEDS) -> list[Any]:
    """Return the draws that each seed took, None where it missed."""
    return [search(lambda x: defect(x, SITE) != correct(x, SITE), seed) for seed in range(seeds)]


def main() -> None:
    click.echo(f"{SEEDS} seeds, at most {DRAWS} draws from {HIGH - LOW + 1:,} wide values")
    for defect in DEFECTS:
        for name, search in SEARCHES.items():
            took = found(search, defect)
            hits = [t for t in took if t is not None]
            middle = f"median {median(hits):g} draws" if hits else ""
            click.echo(
                f"{defect.__name__:26} {name:18} {len(hits):3} of {len(took)} found {middle}"
            )


if __name__ == "__main__":
    main()
