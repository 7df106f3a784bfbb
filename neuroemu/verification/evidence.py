"""What one case did on each executor, so that several laws can judge the same runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroemu.engine.network import Layout, build
from neuroemu.engine.run import Run
from neuroemu.errors import ContainerOverflowError, FixedPointOverflowError
from neuroemu.models.registers import Discretized
from neuroemu.models.rungs import on_target
from neuroemu.testing.case import Case
from neuroemu.testing.judges import executor_run, kernel_run


class Passed(NamedTuple):
    """One value at a site, as `neuroemu.engine.watched.Trace` is told of it; the lane is its index."""

    site: str
    trial: int
    lane: int
    step: int
    wide: Any
    stored: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One update of a plastic weight.

    Parameters
    ----------
    step, trial, slot : int
    projection : str
    before, after : int
        Weight codes.
    asked : int
        What the spike, or the counts of the period, ask for; in parts of a weight LSB, ``unit`` to one.
    change : int
        What met the accumulator of it.
    waited : int
        Postsynaptic spikes that a deferred update has waited for.
    """

    step: int
    trial: int
    slot: int
    projection: str
    before: int
    asked: int
    change: int
    after: int
    waited: int = 0


class Evidence:
    """A case and what it did; each run is made when it is first asked for."""

    def __init__(self, case: Case) -> None:
        self.case = case

    @property
    def plan(self) -> Discretized:
        """The case's experiment in its target's numbers."""
        return self.case.plan

    @cached_property
    def kernel(self) -> Run | str:
        """The compiled kernel's run, or why it was refused at its end."""
        return ended(lambda: kernel_run(self.case))

    @cached_property
    def _executed(self) -> tuple[Run | str, list[Passed], str | None]:
        passed: list[Passed] = []

        def note(*what: Any) -> None:
            passed.append(Passed(*what))

        try:
            return ended(lambda: executor_run(self.case, trace=note)), passed, None
        except ContainerOverflowError as error:
            return str(error), passed, str(error)

    @property
    def executor(self) -> Run | str:
        """The run over Python's integers, or why it was refused at its end."""
        return self._executed[0]

    @property
    def trace(self) -> list[Passed]:
        """Every value that met a site, in order."""
        return self._executed[1]

    @property
    def unproved(self) -> str | None:
        """The first value outside the range that was proved for it."""
        return self._executed[2]

    @cached_property
    def by_site(self) -> dict[str, dict[str, NDArray[Any]]]:
        """The trace as columns, for each site that stores integers."""
        columns: dict[str, dict[str, NDArray[Any]]] = {}
        for name in self.plan.sites:
            rows = [p for p in self.trace if p.site == name]
            columns[name] = {
                column: np.asarray([getattr(p, column) for p in rows], np.int64)
                for column in Passed._fields[1:]
            }
        return columns

    @cached_property
    def layout(self) -> Layout:
        """Where units, neurons and plastic synapses lie."""
        return build(self.case.experiment, on_target(self.plan, "fixed"))[0]

    @cached_property
    def slots(self) -> list[str]:
        """The projection of each plastic synapse."""
        return [name for name, members in self.layout.slots.items() for _ in members]

    def updates(self) -> Iterator[Update]:
        """Yield each update of a weight with what was asked: by the spike, or by a period's counts."""
        synapses = self.plan.synapses
        weights: dict[tuple[int, int], int] = {}
        read: list[int] = []  # counts, before a program takes them for signed numbers
        met: list[int] = []  # by the accumulator: once, or twice by a deferred update
        for p in self.trace:
            match p.site:
                case "read":
                    read.append(p.wide)
                case "accumulate":
                    met.append(p.wide)
                case "store":
                    name = self.slots[p.lane]
                    r = synapses[name]
                    before = weights.get((p.trial, p.lane), r.weight)
                    change = met[0] - before * r.unit
                    waited = -change // r.dw_minus if len(met) > 1 and r.dw_minus else 0
                    change += r.dw_plus if len(met) > 1 else 0
                    weights[p.trial, p.lane] = p.stored
                    asked = change
                    if read:
                        asked = r.target_count + r.dw_plus * read[0] - r.dw_minus * read[1]
                    yield Update(
                        step=p.step,
                        trial=p.trial,
                        slot=p.lane,
                        projection=name,
                        before=before,
                        asked=asked,
                        change=change,
                        after=p.stored,
                        waited=waited,
                    )
                    read, met = [], []


def ended(run: Callable[[], Run]) -> Run | str:
    """Return a run, or the error with which a site whose overflow is ``error`` ended it."""
    try:
        return run()
    except FixedPointOverflowError as error:
        return str(error)
