"""From what an executor wrote down to a `Run` in the experiment's units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.engine.bundles import TALLIED
from neuroemu.engine.network import Layout
from neuroemu.engine.run import MembraneRecord, Run, SpikeTrains, WeightChanges, WeightRecord
from neuroemu.engine.setup import sample_grid
from neuroemu.errors import FixedPointOverflowError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.models.rungs import Arithmetic


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
    step, neuron, trial = written.spikes.T
    trains = {}
    for name, members in layout.neurons.items():
        inside = (neuron >= members.start) & (neuron < members.stop)
        parts = [inside & (trial == t) for t in range(len(written.tally))]
        trains[name] = SpikeTrains(
            tuple(step[p].astype(np.int64) for p in parts),
            tuple(neuron[p].astype(np.int64) - members.start for p in parts),
            len(members),
        )
    return trains


def _weights(
    experiment: Experiment, a: Arithmetic, layout: Layout, written: Written
) -> dict[str, WeightRecord]:
    step, slot, trial = written.changes.T
    value = written.change_value
    records = {}
    is_integer = a.rung == "fixed"
    for name in experiment.record.weights:
        slots, numbers = layout.slots[name], a.synapses[name]
        inside = (slot >= slots.start) & (slot < slots.stop)
        trials = []
        for t in range(len(written.tally)):
            part = inside & (trial == t)
            raw = value[part].astype(np.int64) if is_integer else value[part].astype(float)
            trials.append(
                WeightChanges(
                    step[part].astype(np.int64),
                    slot[part].astype(np.int64) - slots.start,
                    raw,
                    raw * numbers.lsb,
                )
            )
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
        rest = experiment.populations[name].v_rest
        records[name] = MembraneRecord(steps, values + rest if rest else values)
        start += size
    return records


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


def raise_overflow(run: Run, target: Target) -> None:
    """Raise where a site whose overflow is ``error`` left its range.

    Raises
    ------
    FixedPointOverflowError
        For the site that left it first.
    """
    rules = {"leak": target.membrane, "drive": target.membrane, "input": target.membrane}
    rules |= {"store": target.plasticity.weight, "count": target.plasticity.counter}  # type: ignore[dict-item]
    for name, did in sorted(run.sites.items(), key=lambda site: site[1]["overflow_step"] or 0):
        table: Any = rules.get(name, target.plasticity.accumulator)
        if table.overflow == "error" and did["overflowed"]:
            raise FixedPointOverflowError(
                f"{target.name}: site {name} left its range {did['overflowed']} times, first in "
                f'step {did["overflow_step"]}; its overflow is "error"; widen its format or let '
                "it saturate"
            )
