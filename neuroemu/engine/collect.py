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
    order, parts = _by_group(written.spikes, layout.neurons, len(written.tally))
    step, neuron = (written.spikes[order, i].astype(np.int64) for i in (0, 1))
    return {
        name: SpikeTrains(
            tuple(step[p] for p in parts[name]),
            tuple(neuron[p] - members.start for p in parts[name]),
            len(members),
        )
        for name, members in layout.neurons.items()
    }


def _by_group(
    rows: NDArray[Any], groups: dict[str, range], trials: int
) -> tuple[NDArray[np.int64], dict[str, list[slice]]]:
    """Return the order that brings rows together by group and trial, and where each trial of a group then lies.

    Parameters
    ----------
    rows : (rows, 3) int
        Step, index, trial.
    groups : dict of str to range
        Indices of each group: neighbours, the first from 0.
    trials : int
    """
    group = np.repeat(np.arange(len(groups)), [len(members) for members in groups.values()])
    key = group[rows[:, 1]] * trials + rows[:, 2]
    # as integers of few bits, which numpy sorts by radix
    order = np.argsort(key.astype(np.min_scalar_type(len(groups) * trials)), kind="stable")
    ends = np.cumsum(np.bincount(key, minlength=len(groups) * trials))
    parts = [slice(a, b) for a, b in pairwise([0, *ends.tolist()])]
    return order, {name: parts[g * trials : (g + 1) * trials] for g, name in enumerate(groups)}


def _weights(
    experiment: Experiment, a: Arithmetic, layout: Layout, written: Written
) -> dict[str, WeightRecord]:
    order, parts = _by_group(written.changes, layout.slots, len(written.tally))
    is_integer = a.rung == "fixed"
    step, slot = (written.changes[order, i].astype(np.int64) for i in (0, 1))
    raw: NDArray[Any] = written.change_value[order].astype(np.int64 if is_integer else np.float64)
    records = {}
    for name in experiment.record.weights:
        start, lsb, first = layout.slots[name].start, a.synapses[name].lsb, a.synapses[name].weight
        trials = tuple(
            WeightChanges(step[p], slot[p] - start, raw[p], raw[p] * lsb) for p in parts[name]
        )
        records[name] = WeightRecord(trials, float(first) * lsb, lsb if is_integer else 0.0)
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
