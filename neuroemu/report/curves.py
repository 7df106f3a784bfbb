"""What the figures draw over time: smoothed rates and weights on a common grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroemu.engine.run import Run, WeightChanges, WeightRecord
from neuroemu.experiment import Experiment, Record
from neuroemu.metrics.rates import MS, window_taps
from neuroemu.metrics.weights import sample_changes

Curve = NDArray[np.float64]

SAMPLES = 400
"""Points over time, unless the window of the rates asks for more."""

MOST_SAMPLES = 4000
"""More than a page can show."""

MOST_SYNAPSES = 32
"""Of a larger projection as many are drawn, spread evenly over it."""


def smoothed_rates(run: Run, population: str, record: Record) -> tuple[Curve, Curve]:
    """Smoothed rate of each trial, at a few hundred times only.

    Equal to `neuroemu.metrics.rates.smooth_rate` at the steps drawn, but each spike is added to
    the few samples within reach of the window instead of to every step. A window longer than the
    run is centred all the same, where Brian2 shifts it.

    Returns
    -------
    times : (samples,) float64, s
        Biological time.
    rates : (trials, samples) float64, Hz
        Rate per neuron.
    """
    taps = window_taps(record.rate_window, dt_ms=run.step_ms, width_ms=record.rate_width_ms)
    reach = taps.size // 2
    apart = max(1, min(run.n_steps // SAMPLES, reach // 4), run.n_steps // MOST_SAMPLES)
    at = np.arange(0, run.n_steps, apart)
    trains = run.spikes[population]
    spikes = np.concatenate(trains.steps)
    row = np.repeat(np.arange(len(trains)), [t.size for t in trains.steps]) * at.size
    first = np.maximum(-(-(spikes - reach) // apart), 0)
    total = np.zeros(len(trains) * at.size)
    for i in range(2 * reach // apart + 1):
        sample = first + i
        tap = sample * apart - spikes + reach
        near = (sample < at.size) & (tap < taps.size)
        total += np.bincount(row[near] + sample[near], taps[tap[near]], total.size)
    rates: Curve = total.reshape(len(trains), at.size) / (run.step_ms * MS) / trains.size
    times = np.asarray(at * (run.step_ms / 1000.0), dtype=np.float64)
    return times, rates


def weight_samples(
    record: WeightRecord, synapses: NDArray[np.int64], at_steps: NDArray[np.int64]
) -> Curve:
    """Weights of all trials at given steps.

    Returns
    -------
    weights : (trials, synapses, steps) float64
        In the experiment's unit.
    """
    rows = [
        [sample_changes(*changes_of(trial, s), record.initial, at_steps) for s in synapses]
        for trial in record.trials
    ]
    return np.asarray(rows)


def changes_of(changes: WeightChanges, synapse: int) -> tuple[NDArray[np.int64], Curve]:
    """Return steps and values of the changes of one synapse."""
    own = changes.synapse == synapse
    return changes.step[own], changes.value[own]


def drawn_synapses(*records: WeightRecord) -> NDArray[np.int64]:
    """Return the synapses to draw: all up to the last that changed, thinned if they are many."""
    largest = max((int(t.synapse.max(initial=0)) for r in records for t in r.trials), default=0)
    return np.unique(np.linspace(0, largest, min(largest + 1, MOST_SYNAPSES)).astype(np.int64))


def sample_grid(run: Run) -> tuple[Curve, NDArray[np.int64]]:
    """Return common times in s, and the last step of `run` that is over at each (-1: none)."""
    times = np.linspace(0.0, run.n_steps * run.step_ms, SAMPLES + 1)
    return times / 1000.0, np.floor(times / run.step_ms + 1e-9).astype(np.int64) - 1


def staircase(run: Run, record: WeightRecord, trial: int, synapse: int) -> tuple[Curve, Curve]:
    """One synapse's weight in one trial, every change of it.

    Returns
    -------
    times : (changes + 2,) float64, s
        End of the step of each change; first 0 and last the end of the run.
    weights : (changes + 2,) float64
        In the experiment's unit, held until the next time.
    """
    steps, values = changes_of(record.trials[trial], synapse)
    times = np.concatenate(([0], steps + 1, [run.n_steps])) * (run.step_ms / 1000.0)
    held = np.concatenate(([record.initial], values))
    return times, np.concatenate((held, held[-1:]))


def phase_rates_hz(experiment: Experiment) -> tuple[Curve, Curve]:
    """Stimulus of the phases inside the experiment.

    Returns
    -------
    edges : (phases + 1,) float64, s
    rates : (phases,) float64, Hz
    """
    edges = np.asarray(experiment.phase_edges_ms()) / 1000.0
    if experiment.question is None:
        return edges, np.zeros(edges.size - 1)
    rates = experiment.stimuli[experiment.question.stimulus].rates_hz
    # Beyond the last value it holds on; values past the end of the experiment are never reached.
    return edges, np.asarray([rates[min(i, len(rates) - 1)] for i in range(edges.size - 1)])
