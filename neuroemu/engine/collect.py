"""From what an executor wrote down to a `Run` in the experiment's units."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.engine.bundles import MEMBRANE, TALLIED
from neuroemu.engine.network import Layout
from neuroemu.engine.run import MembraneRecord, Run, SpikeTrains, WeightChanges, WeightRecord
from neuroemu.engine.setup import sample_grid
from neuroemu.errors import FixedPointOverflowError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.models.arithmetic import Arithmetic


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What an executor wrote down, in steps, indices and raw values.

    Parameters
    ----------
    n_steps : int
        Steps that were run.
    spikes : (spikes, 3) int
        Step, neuron, trial; sorted by step, then neuron, within each trial.
    changes : (changes, 3) int
        Step, slot, trial.
    change_value : (changes,)
        Weights after these changes.
    sample_v : (samples, recorded neurons, trials)
        Membranes on the grid of `sample_grid`.
    tally : (trials, sites, 4) int64
        As `bundles.Recorder.tally`.
    coincidences : int
        Of the input.
    """

    n_steps: int
    spikes: NDArray[Any]
    changes: NDArray[Any]
    change_value: NDArray[Any]
    sample_v: NDArray[Any]
    tally: NDArray[np.int64]
    coincidences: int


def assemble(
    experiment: Experiment,
    target: Target | None,
    a: Arithmetic,
    layout: Layout,
    written: Written,
    *,
    seed: int,
    first_trial: int,
) -> Run:
    """Return the run."""
    return Run(
        rung=a.rung,
        target="" if target is None or a.rung == "ideal" else target.name,
        seed=seed,
        first_trial=first_trial,
        step_ms=float(a.clock.step_ms),
        n_steps=written.n_steps,
        spikes=_spike_trains(layout, written),
        weights=_weights(experiment, a, layout, written),
        membrane=_membrane(experiment, a, layout, written),
        sites=_site_counts(written.tally),
        input_coincidences=written.coincidences,
    )


def _spike_trains(layout: Layout, written: Written) -> dict[str, SpikeTrains]:
    order, cuts = _by_trial(written.spikes[:, 2], len(written.tally))
    step, neuron = written.spikes[order, 0].astype(np.int64), written.spikes[order, 1]
    trains = {}
    for name, members in layout.neurons.items():
        inside = (neuron >= members.start) & (neuron < members.stop)
        parts = [slice(a, b) for a, b in pairwise(np.concatenate(([0], np.cumsum(inside)))[cuts])]
        mine, who = step[inside], neuron[inside].astype(np.int64) - members.start
        trains[name] = SpikeTrains(
            tuple(mine[p] for p in parts), tuple(who[p] for p in parts), len(members)
        )
    return trains


def _by_trial(
    trial: NDArray[np.integer[Any]], trials: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order that brings rows together by trial, and where each trial begins and the last ends."""
    order = np.argsort(trial, kind="stable")
    return order, np.searchsorted(trial[order], np.arange(trials + 1))


def _weights(
    experiment: Experiment, a: Arithmetic, layout: Layout, written: Written
) -> dict[str, WeightRecord]:
    order, cuts = _by_trial(written.changes[:, 2], len(written.tally))
    step, slot = (written.changes[order, i].astype(np.int64) for i in (0, 1))
    value = written.change_value[order]
    records = {}
    is_integer = a.rung == "fixed"
    for name in experiment.record.weights:
        slots, numbers = layout.slots[name], a.synapses[name]
        inside = (slot >= slots.start) & (slot < slots.stop)
        raw = value[inside].astype(np.int64 if is_integer else np.float64)
        columns = (step[inside], slot[inside] - slots.start, raw, raw * numbers.lsb)
        bounds = np.concatenate(([0], np.cumsum(inside)))[cuts]
        trials = [WeightChanges(*(c[a:b] for c in columns)) for a, b in pairwise(bounds)]
        lsb = numbers.lsb if is_integer else 0.0
        records[name] = WeightRecord(tuple(trials), float(numbers.weight) * numbers.lsb, lsb)
    return records


def _membrane(
    experiment: Experiment, a: Arithmetic, layout: Layout, written: Written
) -> dict[str, MembraneRecord]:
    record = experiment.record.membrane
    if record is None:
        return {}
    (first, stop, every), _ = sample_grid(layout, a, experiment)
    taken = max(0, -(-(min(stop, written.n_steps) - first) // every))
    steps = first + every * np.arange(taken, dtype=np.int64)
    records, start = {}, 0
    for name in record.populations:
        size = len(layout.neurons[name])
        values = written.sample_v[:taken, start : start + size] * a.membrane_lsb
        zero = a.zero[name]
        records[name] = MembraneRecord(steps, values + zero if zero else values)
        start += size
    return records


def note_clipped(tally: NDArray[np.int64], clipped: NDArray[np.int64], n_steps: int) -> None:
    """Bring the overflows that the neurons of each trial have counted into the tally.

    Their first step is known to 1,024 steps: the housekeeping after it, or the end of the run.
    """
    tally[:, MEMBRANE, 0] = clipped
    tally[(tally[:, MEMBRANE, 1] == 0) & (clipped > 0), MEMBRANE, 1] = n_steps


def _site_counts(tally: NDArray[np.int64]) -> dict[str, dict[str, int | None]]:
    counts: dict[str, dict[str, int | None]] = {}
    for i, name in enumerate(TALLIED):
        entry: dict[str, int | None] = {}
        for what, (number, first) in {"overflow": (0, 1), "lost": (2, 3)}.items():
            happened = tally[:, i, number] > 0
            key = "overflowed" if what == "overflow" else "lost"
            entry[key] = int(tally[:, i, number].sum())
            entry[f"{what}_step"] = int(tally[happened, i, first].min()) if happened.any() else None
        counts[name] = entry
    return counts


WITHIN = {"membrane": ("current", "force", "slope", "membrane")}
"""Sites that are counted together."""


def raise_overflow(run: Run, a: Arithmetic) -> None:
    """Raise where a site whose overflow is ``error`` left its range.

    Raises
    ------
    FixedPointOverflowError
        For the site that left it first.
    """
    for name, did in sorted(run.sites.items(), key=lambda site: site[1]["overflow_step"] or 0):
        if did["overflowed"] and not a.refused.isdisjoint(WITHIN.get(name, (name,))):
            raise FixedPointOverflowError(
                f"{run.target}: site {name} left its range {did['overflowed']} times, first in "
                f'step {did["overflow_step"]}; its overflow is "error"; widen its format or let '
                "it saturate"
            )
