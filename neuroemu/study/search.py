"""Which combinations of widths to judge next: docs/spec/study.md, "Frontier".

Nothing here knows how a combination is judged. A search is a generator: it yields the cells that it wants judged and is
sent what became of them, so that several searches go on side by side.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from itertools import product

import numpy as np
from numpy.typing import NDArray

from neuroemu.study.find import Judged

Cell = tuple[int, ...]
"""Of a combination: the place of its width on each searched axis."""
Seen = Mapping[Cell, Judged]
Search = Generator[list[Cell], Seen, None]


AT_ONCE = 4
"""Cells that are asked for together; whatever the number of workers, so that it decides nothing."""


def search_minima(shape: Cell, *, confirm: bool = True) -> Search:
    """Find all minimal combinations that pass, if passing is monotone.

    Parameters
    ----------
    shape : tuple of int
        Number of widths on each axis.
    confirm : bool
        Whether what monotony takes for granted is judged, too: all of one axis, else the neighbours of the minima.

    Yields
    ------
    cells : list of tuple of int
        Not empty, and none twice. It is to be sent what each of them is.
    """
    found = _Found(shape)
    if confirm and len(shape) == 1:
        yield from found.ask(product(*map(range, shape)))
        return
    yield from _settle(found, _axes_alone(shape), len(shape))
    yield from _diagonal(found)
    yield from _settle(found, np.ones(shape, np.bool_), AT_ONCE)
    while confirm and (todo := found.unseen_neighbours()):
        yield from found.ask(todo)


class _Found:
    """A grid of cells: those that were judged, and those that are open, as no answer so far implies theirs."""

    def __init__(self, shape: Cell) -> None:
        self.shape = shape
        self.seen: dict[Cell, Judged] = {}
        self.open = np.ones(shape, np.bool_)

    def ask(self, cells: Iterable[Cell]) -> Search:
        """Have cells judged. One that was refused says nothing about any other."""
        for cell, judged in (yield list(cells)).items():
            self.seen[cell] = judged
            self.open[cell] = False
            if not judged.is_refused:
                self.open[_above(cell) if judged.passes else _below(cell)] = False

    def passes(self, cell: Cell) -> bool:
        """Whether a cell was judged, and passes."""
        return cell in self.seen and self.seen[cell].passes

    def unseen_neighbours(self) -> list[Cell]:
        """Return the cells one bit from a minimum, on one axis, that were not judged."""
        near = (n for cell in minima(self.seen) for n in neighbours(cell, self.shape))
        return list(dict.fromkeys(n for n in near if n not in self.seen))


def _settle(found: _Found, among: NDArray[np.bool_], at_once: int) -> Search:
    """Have cells judged until none of `among` is open: each time those that settle most, whatever their answer."""
    while (left := found.open & among).any():
        gain = np.minimum(_count(left), np.flip(_count(np.flip(left)))) * left
        asked: list[Cell] = []
        while len(asked) < at_once and gain.any():
            cell = tuple(map(int, np.unravel_index(np.argmax(gain), gain.shape)))
            asked.append(cell)
            gain[_above(cell)] = gain[_below(cell)] = 0  # its answer may imply theirs
        yield from found.ask(asked)


def _count(cells: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each cell how many of `cells` lie at or below it."""
    number = cells.astype(np.int64)
    for axis in range(cells.ndim):
        number = np.cumsum(number, axis)
    return number


def _diagonal(found: _Found) -> Search:
    """From the corner, below which nothing passes, go up by one bit on every axis at once, until it passes."""
    lines = (_line(found.shape, axis) for axis in range(len(found.shape)))
    least = [next((i for i, c in enumerate(line) if found.passes(c)), None) for line in lines]
    corner = [i for i in least if i is not None]
    if len(corner) < len(least):
        return
    for more in range(max(found.shape)):
        cell = tuple(min(i + more, n - 1) for i, n in zip(corner, found.shape, strict=True))
        if found.open[cell]:
            yield from found.ask([cell])
        if found.passes(cell):
            return


def _axes_alone(shape: Cell) -> NDArray[np.bool_]:
    """Return the cells with at most one width below its largest."""
    marked = np.zeros(shape, np.bool_)
    for axis in range(len(shape)):
        for cell in _line(shape, axis):
            marked[cell] = True
    return marked


def _line(shape: Cell, axis: int) -> Iterator[Cell]:
    """Return the cells along an axis, from its least width, the others at their largest."""
    return product(*(range(n) if i == axis else (n - 1,) for i, n in enumerate(shape)))


def _above(cell: Cell) -> tuple[slice, ...]:
    return tuple(slice(i, None) for i in cell)


def _below(cell: Cell) -> tuple[slice, ...]:
    return tuple(slice(i + 1) for i in cell)


def neighbours(cell: Cell, shape: Cell) -> Iterator[Cell]:
    """Return the cells one bit below or above, on one axis.

    Examples
    --------
    >>> list(neighbours((0, 2), (3, 4)))
    [(1, 2), (0, 1), (0, 3)]
    """
    for axis, (i, n) in enumerate(zip(cell, shape, strict=True)):
        for j in (i - 1, i + 1):
            if 0 <= j < n:
                yield (*cell[:axis], j, *cell[axis + 1 :])


def minima(seen: Seen) -> list[Cell]:
    """Return the cells that pass and below which no cell that was judged does, sorted."""
    passing = sorted(cell for cell, judged in seen.items() if judged.passes)
    return [cell for cell in passing if not _any_below(cell, passing)]


def exceptions(seen: Seen) -> list[Cell]:
    """Return the cells that could run and do not pass though one below them does, sorted."""
    least = minima(seen)
    failing = sorted(c for c, judged in seen.items() if not judged.passes and not judged.is_refused)
    return [cell for cell in failing if _any_below(cell, least)]


def _any_below(cell: Cell, others: list[Cell]) -> bool:
    return any(o != cell and all(a <= b for a, b in zip(o, cell, strict=True)) for o in others)


def front(seen: Seen) -> list[Cell]:
    """Return the cells than which none has fewer bits at no larger difference, or a smaller one at no more bits.

    Of equals the first, in the order of their bits.
    """
    ranked = sorted(
        (judged.total, judged.worst_difference_hz, cell)
        for cell, judged in seen.items()
        if judged.worst_difference_hz is not None
    )
    kept: list[Cell] = []
    least = np.inf
    for _, difference, cell in ranked:
        if difference < least:
            least = difference
            kept.append(cell)
    return kept
