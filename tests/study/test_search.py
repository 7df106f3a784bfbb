"""The exhaustive search, on planted truth tables: what it asks for, and what may be said afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from neuroemu.study.find import Judged
from neuroemu.study.search import (
    Cell,
    Search,
    exceptions,
    front,
    minima,
    neighbours,
    search_minima,
)

Table = dict[Cell, str]
"""The answer of every cell."""

SHAPES = st.lists(st.integers(1, 6), min_size=1, max_size=4).filter(lambda s: math.prod(s) <= 300)


def judged(word: str, total: int = 0, difference: float | None = 1.0) -> Judged:
    return Judged(widths={}, total=total, word=word, worst_difference_hz=difference)


def as_judged(cell: Cell, word: str) -> Judged:
    return judged(word, sum(cell), None if word == "refused" else 1.0)


def drive(search: Search, answer: Callable[[Cell], Judged]) -> dict[Cell, Judged]:
    """Answer what a search asks until it ends; it asks nothing twice, and never for nothing."""
    seen: dict[Cell, Judged] = {}
    wanted = next(search, [])
    while wanted:
        assert len(set(wanted)) == len(wanted)
        assert not set(wanted) & set(seen)
        found = {cell: answer(cell) for cell in wanted}
        seen |= found
        try:
            wanted = search.send(found)
            assert wanted
        except StopIteration:
            break
    return seen


def searched(table: Table, *, confirm: bool) -> dict[Cell, Judged]:
    return drive(search_minima(shape_of(table), confirm=confirm), lambda c: as_judged(c, table[c]))


def shape_of(table: Table) -> Cell:
    return tuple(np.max(list(table), axis=0) + 1)


def is_below(a: Cell, b: Cell) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


def least(table: Table) -> list[Cell]:
    passing = [c for c in table if table[c] == "survives"]
    return sorted(c for c in passing if not any(is_below(o, c) for o in passing))


def cells(shape: Iterable[int]) -> list[Cell]:
    return list(product(*map(range, shape)))


@st.composite
def monotone_tables(draw: Any) -> Table:
    shape = draw(SHAPES)
    feet = draw(st.lists(st.tuples(*(st.integers(0, n - 1) for n in shape)), max_size=6))
    failing = draw(st.sampled_from(("dead", "shifted", "inconclusive")))
    passes = {c: any(f == c or is_below(f, c) for f in feet) for c in cells(shape)}
    return {c: "survives" if passes[c] else failing for c in passes}


@st.composite
def any_tables(draw: Any) -> Table:
    every = cells(draw(SHAPES))
    words = st.sampled_from(("survives", "dead", "inconclusive", "refused"))
    return dict(
        zip(every, draw(st.lists(words, min_size=len(every), max_size=len(every))), strict=True)
    )


@given(monotone_tables(), st.booleans())
def test_exactly_the_minimal_cells_are_found_where_passing_is_monotone(table, confirm):
    seen = searched(table, confirm=confirm)
    assert minima(seen) == least(table)
    assert exceptions(seen) == []


@given(monotone_tables(), st.data())
def test_refused_cells_hide_no_other(table, data):
    for cell in data.draw(st.lists(st.sampled_from(sorted(table)), max_size=12)):
        table[cell] = "refused"
    assert minima(searched(table, confirm=False)) == least(table)


@given(any_tables(), st.booleans())
def test_nothing_is_claimed_that_was_not_judged(table, confirm):
    seen = searched(table, confirm=confirm)
    judged_so = {cell: table[cell] for cell in seen}
    assert minima(seen) == least(judged_so)
    failing = [c for c in seen if table[c] not in ("survives", "refused")]
    passing = [c for c in seen if table[c] == "survives"]
    contradicting = sorted(c for c in failing if any(is_below(p, c) for p in passing))
    assert exceptions(seen) == contradicting
    assert bool(minima(seen)) == bool(passing)


@given(any_tables())
def test_confirmation_judges_all_of_one_axis_and_the_neighbours_of_minima_of_several(table):
    seen = searched(table, confirm=True)
    shape = shape_of(table)
    if len(shape) == 1:
        assert set(seen) == set(table)
    assert {n for m in minima(seen) for n in neighbours(m, shape)} <= set(seen)


def test_six_bits_that_fail_where_five_pass_are_an_exception():
    words = ["dead", "dead", "dead", "survives", "dead", "survives", "survives"]
    seen = searched({(i,): w for i, w in enumerate(words)}, confirm=True)
    assert minima(seen) == [(3,)]
    assert exceptions(seen) == [(4,)]


def test_a_pass_below_the_corner_is_found_by_confirmation():
    table = {c: "survives" if min(c) >= 2 else "dead" for c in cells((5, 5))}
    table[1, 2] = "survives"
    assert minima(searched(table, confirm=False)) == [(2, 2)]
    seen = searched(table, confirm=True)
    assert minima(seen) == [(1, 2)]
    assert (1, 4) in exceptions(seen)  # the axis alone, which had put the corner at 2


def test_the_largest_width_may_be_too_large_for_the_target():
    words = ["dead", "survives", "survives", "refused", "refused"]
    seen = searched({(i,): w for i, w in enumerate(words)}, confirm=False)
    assert minima(seen) == [(1,)]


@given(st.integers(1, 60), st.data())
def test_one_axis_is_halved(n, data):
    first = data.draw(st.integers(0, n))
    table = {(i,): "survives" if i >= first else "dead" for i in range(n)}
    assert len(searched(table, confirm=False)) <= math.floor(math.log2(n)) + 1


def additive_noise(shape: Cell, thresholds: NDArray[np.float64]) -> Table:
    """Roundings as independent noise: each bit more on an axis takes three quarters of its power."""
    power = {c: np.sum(4.0 ** (thresholds - np.asarray(c))) for c in cells(shape)}
    return {c: "survives" if p <= 1 else "dead" for c, p in power.items()}


@pytest.mark.parametrize(("axes", "most"), [(2, 20), (3, 75), (4, 150)])
def test_few_of_eleven_widths_on_each_axis_are_judged(axes, most):
    rng = np.random.default_rng(1)
    for _ in range(3):
        table = additive_noise((11,) * axes, rng.uniform(1, 8, axes))
        seen = searched(table, confirm=False)
        assert minima(seen) == least_of_monotone(table)
        assert len(seen) <= most


def least_of_monotone(table: Table) -> list[Cell]:
    """Return the minima without comparing all pairs: no neighbour below passes."""
    shape = shape_of(table)
    return sorted(
        c
        for c in table
        if table[c] == "survives"
        and not any(table[n] == "survives" for n in neighbours(c, shape) if n < c)
    )


def test_axes_that_do_not_depend_on_one_another_are_done_with_their_corner():
    table = {
        c: "survives" if c[0] >= 3 and c[1] >= 7 and c[2] >= 5 else "dead" for c in cells((11,) * 3)
    }
    seen = searched(table, confirm=False)
    assert minima(seen) == [(3, 7, 5)]
    assert len(seen) <= 3 * 4 + 1


def test_the_front_trades_bits_for_fidelity_whether_a_cell_passes_or_not():
    seen = {
        (0, 0): judged("dead", 4, 20.0),
        (0, 1): judged("dead", 5, 20.0),
        (1, 0): judged("survives", 5, 2.0),
        (1, 1): judged("survives", 6, 2.5),
        (2, 0): judged("refused", 6, None),
        (2, 1): judged("survives", 7, 0.5),
        (1, 2): judged("survives", 7, 0.5),
    }
    assert front(seen) == [(0, 0), (1, 0), (1, 2)]
