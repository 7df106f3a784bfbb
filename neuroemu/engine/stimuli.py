"""Input spikes: Poisson sources drawn by geometric gaps, given trains, and binning to a tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroemu.errors import SpikeInputError, Violation
from neuroemu.experiment import Experiment, Poisson

Train = NDArray[np.int64]
"""(spikes, 2): step on the experiment's grid, index of the source; sorted."""


def poisson_train(stimulus: Poisson, n_steps: int, dt_ms: float, rng: np.random.Generator) -> Train:
    """Draw the spikes of all sources of a stimulus: one with probability rate * dt in each step.

    Returns
    -------
    train : (spikes, 2) int64
    """
    interval = n_steps if stimulus.interval_ms is None else round(stimulus.interval_ms / dt_ms)
    pieces = [np.empty((0, 2), np.int64)]
    for start in range(0, n_steps, max(interval, 1)):
        last = start // interval >= len(stimulus.rates_hz) - 1
        stop = n_steps if last else min(start + interval, n_steps)
        rate = stimulus.rates_hz[min(start // interval, len(stimulus.rates_hz) - 1)]
        cells = _bernoulli(rate * dt_ms / 1000.0, (stop - start) * stimulus.size, rng)
        pieces.append(np.stack((start + cells // stimulus.size, cells % stimulus.size), axis=1))
        if last:
            break
    return np.concatenate(pieces)


def _bernoulli(probability: float, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the successes of `n` trials, by the gaps between them."""
    if probability <= 0.0:
        return np.empty(0, np.int64)
    found: list[NDArray[np.int64]] = []
    last = -1
    while last < n:
        expected = (n - last) * probability
        gaps = rng.geometric(probability, int(expected + 5 * expected**0.5) + 10)
        found.append(last + np.cumsum(gaps, dtype=np.int64))
        last = int(found[-1][-1])
    cells = np.concatenate(found)
    return cells[cells < n]


def draw(experiment: Experiment, seed: int, trial: int) -> dict[str, Train]:
    """Return the input spikes of one trial; they depend on seed, trial and stimulus alone."""
    trains = {}
    for name, stimulus in experiment.stimuli.items():
        entropy = np.random.SeedSequence([seed, trial, crc32(name.encode())])
        rng = np.random.default_rng(entropy)
        trains[name] = poisson_train(stimulus, experiment.n_steps, experiment.time.dt_ms, rng)
    return trains


def trials_given(spikes: Mapping[str, Sequence[ArrayLike]] | None) -> int:
    """Return for how many trials there are given trains, at least 1."""
    return max((_count(trains) or 1 for trains in (spikes or {}).values()), default=1)


def _count(trains: object) -> int | None:
    try:
        return len(trains)  # type: ignore[arg-type]
    except TypeError:
        return None


def given(
    experiment: Experiment, spikes: Mapping[str, Sequence[ArrayLike]], trials: int
) -> list[dict[str, Train]]:
    """Return given input spikes, checked.

    Parameters
    ----------
    spikes : mapping of str to sequence of array_like
        For each stimulus one array per trial: (spikes,) step indices for a stimulus of size 1, or
        (spikes, 2) step and source; sorted by step.
    trials : int
        Number of trials expected.

    Raises
    ------
    SpikeInputError
        With every train that is unsorted, out of range or of another shape.
    """
    violations: list[Violation] = []

    def refuse(key: str, value: object, rule: str, remedy: str) -> None:
        violations.append(
            Violation(source="spikes", key=key, value=str(value), rule=rule, remedy=remedy)
        )

    for name in spikes:
        if name not in experiment.stimuli:
            known = ", ".join(experiment.stimuli)
            refuse(name, "", "the experiment has no such stimulus", f"use one of {known}")
    trains: list[dict[str, Train]] = [{} for _ in range(trials)]
    for name, stimulus in experiment.stimuli.items():
        if name not in spikes:
            refuse(name, "", "every stimulus needs its trains", "add it, empty arrays if silent")
            continue
        found = _count(spikes[name])
        if found != trials:
            value = spikes[name] if found is None else found
            refuse(name, value, "one array per trial", f"give a list of {trials}")
            continue
        for trial, values in enumerate(spikes[name]):
            train, problem = _checked(values, stimulus.size, experiment.n_steps)
            if problem:
                refuse(f"{name}[{trial}]", problem[0], problem[1], problem[2])
            trains[trial][name] = train
    if violations:
        raise SpikeInputError(violations)
    return trains


def _checked(
    given_values: ArrayLike, size: int, n_steps: int
) -> tuple[Train, tuple[object, str, str] | None]:
    empty = np.empty((0, 2), np.int64)
    try:
        values = np.asarray(given_values)
    except ValueError:
        return empty, ("", "a train is an array, its rows are of one length", "give step, source")
    if values.size == 0:
        return empty, None
    if not np.issubdtype(values.dtype, np.integer):
        return empty, (values.dtype, "steps are integers", "divide the times by dt and round")
    if values.ndim == 1 and size == 1:
        values = np.stack((values, np.zeros_like(values)), axis=1)
    if values.ndim != 2 or values.shape[1] != 2:
        return empty, (values.shape, "the shape is (spikes,) or (spikes, 2)", "give step, source")
    train = values.astype(np.int64)
    step, source = train[:, 0], train[:, 1]
    if step.min() < 0 or step.max() >= n_steps:
        outside = step[(step < 0) | (step >= n_steps)][0]
        return empty, (outside, f"steps lie in 0 to {n_steps - 1}", "leave those spikes out")
    if source.min() < 0 or source.max() >= size:
        return empty, (source.max(), f"sources are 0 to {size - 1}", "check the source indices")
    if np.any(np.diff(step) < 0):
        at = int(np.flatnonzero(np.diff(step) < 0)[0]) + 1
        return empty, (step[at], f"steps are sorted, and entry {at} goes back", "sort the train")
    order = np.lexsort((source, step))
    if np.any(np.all(np.diff(train[order], axis=0) == 0, axis=1)):
        return empty, ("a spike twice", "a source gives at most one spike a step", "drop doubles")
    return train[order], None


def bin_train(train: Train, input_steps: int) -> Train:
    """Return `train` on a grid `input_steps` coarser; each spike stays, also where two meet."""
    if input_steps == 1:
        return train
    binned = np.stack((train[:, 0] // input_steps, train[:, 1]), axis=1)
    ordered: Train = binned[np.lexsort((binned[:, 1], binned[:, 0]))]
    return ordered


def coincident(train: Train) -> int:
    """Return how many spikes of a train share step and source with the one before."""
    return int(np.count_nonzero(np.all(np.diff(train, axis=0) == 0, axis=1)))
