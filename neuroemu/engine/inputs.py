"""The input spikes of every trial, and what they deliver to a network on a run's own grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroemu.engine.bundles import PRE_START, PRE_STOP, Wiring
from neuroemu.engine.network import Layout
from neuroemu.engine.stimuli import Train, bin_train, coincident
from neuroemu.models.arithmetic import Arithmetic


class Deliveries(NamedTuple):
    """What all input spikes deliver, sorted.

    Parameters
    ----------
    rows : (deliveries, 5) int32
        As `deliveries` returns them.
    most_at_once : int
        Rows of the busiest step.
    coincidences : int
        Input spikes that share source and step with another because the tick is coarse.
    """

    rows: NDArray[np.int32]
    most_at_once: int
    coincidences: int


@dataclass(frozen=True, slots=True, eq=False)
class Inputs(Sequence[Mapping[str, Train]]):
    """The input spikes of every trial; runs that are handed the same `Inputs` sort them once.

    Indexing gives the trains of a trial by stimulus.

    Parameters
    ----------
    trains : sequence of mapping of str to Train
        One mapping per trial.

    Examples
    --------
    >>> from neuroemu.engine.simulate import resolve, run_trains, simulate_inputs
    >>> from neuroemu.hardware.load import load_experiment, load_target
    >>> experiment = load_experiment("spike_based_homeostasis")
    >>> inputs = simulate_inputs(experiment, trials=2, seed=1)
    >>> for name in ("generic8", "generic16"):
    ...     target = load_target(name)
    ...     run = run_trains(experiment, target, resolve(experiment, target), inputs, seed=1)
    """

    trains: Sequence[Mapping[str, Train]]
    _sorted: dict[object, Deliveries] = field(default_factory=dict, repr=False)

    def __getitem__(self, trial: Any) -> Any:
        return self.trains[trial]

    def __len__(self) -> int:
        return len(self.trains)

    def deliveries(self, layout: Layout, wiring: Wiring, a: Arithmetic) -> Deliveries:
        """Return what they deliver on the grid of `a`: only grid and units matter, not what the weights are."""
        ends = wiring.projections[:, [PRE_START, PRE_STOP]].tobytes()
        key = (a.clock.input_steps, a.merges_input, tuple(layout.units.items()), ends)
        if key not in self._sorted:
            events, coincidences = input_events(layout, a, self.trains)
            rows = deliveries(events, wiring)
            most = int(np.bincount(rows[:, 0], minlength=1).max())
            self._sorted[key] = Deliveries(rows, most, coincidences)
        return self._sorted[key]


def input_events(
    layout: Layout, a: Arithmetic, trains: Sequence[Mapping[str, Train]]
) -> tuple[NDArray[np.int32], int]:
    """Return all input spikes on the run's own grid.

    Returns
    -------
    events : (input spikes, 3) int32
        Step, unit, trial; sorted in this order.
    coincidences : int
        Spikes that share source and step with the one before.
    """
    pieces, coincidences = [np.empty((0, 3), np.int64)], 0
    for trial, by_name in enumerate(trains):
        for name, train in by_name.items():
            binned = bin_train(train, a.clock.input_steps)
            coincidences += coincident(binned)
            if a.merges_input:
                binned = np.unique(binned, axis=0)
            unit = binned[:, 1] + layout.units[name].start
            pieces.append(np.stack((binned[:, 0], unit, np.full_like(unit, trial)), axis=1))
    events = np.concatenate(pieces)
    # by trial, unit and step in this order: a stable sort is fast on runs that are sorted already
    for column in (1, 0):
        events = events[np.argsort(events[:, column], kind="stable")]
    events = events.astype(np.int32)
    return np.ascontiguousarray(events), coincidences


def deliveries(events: NDArray[np.integer[Any]], wiring: Wiring) -> NDArray[np.int32]:
    """Return what each input spike delivers.

    Parameters
    ----------
    events : (input spikes, 3) int
        Step, unit, trial; sorted.

    Returns
    -------
    deliveries : (deliveries, 5) int32
        Columns of `neuroemu.engine.bundles.DELIVERY_STEP` and following; sorted by step, projection, unit, trial.
    """
    step, unit, trial = events.T.astype(np.int64)
    seen = np.zeros(unit.size, np.bool_)
    pieces = [np.empty((0, 5), np.int64)]
    for p, row in enumerate(wiring.projections):
        met = np.flatnonzero((unit >= row[PRE_START]) & (unit < row[PRE_STOP]))
        columns = (step[met], np.full(met.size, p), unit[met], trial[met], ~seen[met])
        pieces.append(np.stack(columns, axis=1))
        seen[met] = True
    rows = np.concatenate(pieces)
    # the events are sorted, so a stable sort by step and projection does; on such runs it is fast
    order = np.argsort(rows[:, 0] * len(wiring.projections) + rows[:, 1], kind="stable")
    return np.ascontiguousarray(rows[order].astype(np.int32))
