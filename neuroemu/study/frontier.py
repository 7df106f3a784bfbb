"""Searches a study for the smallest formats that pass: docs/spec/study.md, "Frontier"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from neuroemu.errors import OutputError
from neuroemu.hardware.config import Target
from neuroemu.study.campaign import CRASHED, Outcome
from neuroemu.study.config import Axis
from neuroemu.study.counterexample import counterexample
from neuroemu.study.find import Counterexample, Frontier, Judged
from neuroemu.study.points import Index, Point, Space, axis_values
from neuroemu.study.proposals import search_proposals
from neuroemu.study.results import REFUSED
from neuroemu.study.search import (
    Cell,
    Search,
    exceptions,
    front,
    minima,
    neighbours,
    search_minima,
)
from neuroemu.study.workers import Workers

Evaluate = Callable[[list[Point]], Mapping[Index, Outcome]]
"""Brings points to their answers."""


@dataclass(slots=True)
class _Part:
    """The search with the other axes at given values."""

    space: Space
    others: Index
    """Places of the target and of the axes that are not searched, those of the others 0."""
    searched: tuple[int, ...]
    """Where the places of the searched axes are in an index."""
    shape: Cell
    search: Search
    seen: dict[Cell, Judged] = field(default_factory=dict)
    points: dict[Cell, Point] = field(default_factory=dict)
    wanted: list[Cell] = field(default_factory=list)
    """What the search waits for; nothing when it has ended."""

    def begin(self) -> None:
        self._wants(next(self.search, []))

    def take(self, outcomes: Mapping[Index, Outcome]) -> None:
        """Give the search what it waits for."""
        found = {c: self._judged(c, outcomes[self.points[c].index]) for c in self.wanted}
        self.seen |= found
        try:
            self._wants(self.search.send(found))
        except StopIteration:
            self._wants([])

    def _wants(self, cells: list[Cell]) -> None:
        self.wanted = cells
        self.points |= {cell: self.space.point(self._index(cell)) for cell in cells}

    def _index(self, cell: Cell) -> Index:
        places = dict(zip(self.searched, cell, strict=True))
        return tuple(places.get(i, other) for i, other in enumerate(self.others))

    def _judged(self, cell: Cell, outcome: Outcome) -> Judged:
        axes = self.space.study.searched
        widths = {a.name: _widths(a)[i] for a, i in zip(axes, cell, strict=True)}
        answer = outcome.answer
        return Judged(
            widths=widths,
            total=sum(widths.values()),
            word=REFUSED if answer is None else answer.word,
            worst_difference_hz=None if answer is None else answer.worst_difference_hz,
        )

    def just_below(self) -> dict[Cell, Cell]:
        """Return the cells one bit below a minimum that were judged and could run, each with that minimum."""
        near = ((n, m) for m in minima(self.seen) for n in neighbours(m, self.shape) if n < m)
        return {n: m for n, m in near if n in self.seen and not self.seen[n].is_refused}

    def about(self, cell: Cell, minimum: Cell) -> tuple[Point, Judged, Target | None]:
        """Return what a counterexample is made of."""
        return self.points[cell], self.seen[cell], self.points[minimum].target

    def frontier(self, counterexamples: Sequence[Counterexample]) -> Frontier:
        study, seen = self.space.study, self.seen
        axes = tuple(a.name for a in study.searched)
        first = next(iter(self.points.values()))
        return Frontier(
            others={name: value for name, value in first.values.items() if name not in axes},
            axes=axes,
            minima=tuple(seen[c] for c in minima(seen)),
            front=tuple(seen[c] for c in front(seen)),
            exceptions=tuple(seen[c] for c in exceptions(seen)),
            is_confirmed=study.confirm and study.search is None,
            counterexamples=tuple(counterexamples),
            judged=sum(not judged.is_refused for judged in seen.values()),
        )


def find_frontiers(
    space: Space, evaluate: Evaluate, workers: Workers, folder: Path
) -> list[Frontier]:
    """Search for the minimum of the axes that ask for it, at all values of the others side by side.

    Parameters
    ----------
    space : Space
        Of a study that has an axis with `find`.
    evaluate : callable
        Brings points to their answers.
    workers : Workers
        Find the counterexamples.
    folder : Path
        Where Optuna's storage goes.

    Raises
    ------
    ConfigError
        If the search needs Optuna, and it is not installed.
    OutputError
        If a worker dies over a counterexample.
    """
    parts = list(_parts(space, folder))
    for part in parts:
        part.begin()
    while waiting := [part for part in parts if part.wanted]:
        outcomes = evaluate([part.points[cell] for part in waiting for cell in part.wanted])
        for part in waiting:
            part.take(outcomes)
    jobs = [
        [
            workers.submit(counterexample, *part.about(cell, minimum), space.study)
            for cell, minimum in part.just_below().items()
        ]
        for part in parts
    ]
    return [
        part.frontier([_result(job, (BrokenExecutor, *workers.deaths)) for job in mine])
        for part, mine in zip(parts, jobs, strict=True)
    ]


def _result(job: Future[Counterexample], deaths: tuple[type[Exception], ...]) -> Counterexample:
    try:
        return job.result()
    except deaths:
        raise OutputError(
            f"the counterexamples cannot be found; {CRASHED}; give it more memory, and the same "
            "command again: what is finished is kept"
        ) from None


def _parts(space: Space, folder: Path) -> Iterator[_Part]:
    study = space.study
    places = tuple(i for i, axis in enumerate(study.axes, 1) if axis.find)
    free = [range(1 if i in places else n) for i, n in enumerate(space.shape)]
    shape = tuple(space.shape[i] for i in places)
    for others in product(*free):
        if study.search is not None:
            search = search_proposals(
                tuple(a.name for a in study.searched),
                shape,
                points=study.search.points,
                seed=study.seed,
                kept=folder / f"search-{'-'.join(map(str, others))}.optuna.sqlite",
            )
        else:
            search = search_minima(shape, confirm=study.confirm)
        yield _Part(space, others, places, shape, search)


def _widths(axis: Axis) -> list[int]:
    return [int(width) for width in axis_values(axis)]  # type: ignore[arg-type]
