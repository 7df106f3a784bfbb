"""Where, and how far, the target leaves the float reference: first difference, weight error, settling."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from neuroemu.engine.run import Run, WeightChanges, WeightRecord
from neuroemu.experiment import Experiment, Question
from neuroemu.metrics.weights import sample_changes, settling_time, weight_error_lsb
from neuroemu.models.registers import Discretized

SETTLING_BAND = 0.1
"""Band around a phase's final mean weight, in parts of the weight range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Where the target first leaves the float reference.

    Parameters
    ----------
    trial, step : int
        In steps of the target.
    register, site : str
        ``weight`` or ``membrane``, and the site behind it; or ``constants``, ``neuron`` (the chip's own step),
        ``update period``, ``deferred update``, ``pair controller``, ``no on-chip learning``.
    rung : str
        First rung of the ladder that has the difference.
    reference, target : float
        Weight on both, in the experiment's unit, more than half an LSB apart; or 1 and 0 for a spike that only
        one of them has.
    """

    trial: int
    step: int
    time_ms: float
    register: str
    site: str
    rung: str
    reference: float
    target: float


def first_divergence(
    d: Discretized, question: Question, runs: Mapping[str, Run]
) -> Divergence | None:
    """Return where the run on the target first leaves the float reference, None if it never does."""
    found = _first_difference(d, question, runs["ideal"], runs["fixed"])
    if found is None:
        return None
    trial, step, register, reference, target = found
    rung = "fixed"
    for candidate in ("parameters", "range"):
        other = _first_difference(d, question, runs["ideal"], runs[candidate])
        if other is not None and other[1] <= step:
            rung = candidate
            break
    site = {"weight": "store", "membrane": "leak"}[register]
    if rung == "parameters" or site not in d.sites:
        site = _cause(d, register)
    return Divergence(
        trial=trial,
        step=step,
        time_ms=step * float(d.clock.step_ms),
        register=register,
        site=site,
        rung=rung,
        reference=reference,
        target=target,
    )


def _cause(d: Discretized, register: str) -> str:
    """Return what makes a difference before anything is rounded in a step."""
    if register == "membrane" and d.target.neuron is not None:
        return "neuron"
    named = {"periodic": "update period", "deferred": "deferred update", "pairs": "pair controller"}
    named["none"] = "no on-chip learning"
    return named.get(d.target.plasticity.update, "constants")


def _first_difference(
    d: Discretized, question: Question, reference: Run, other: Run
) -> tuple[int, int, str, float, float] | None:
    """Return trial, step, register and both values of the first spike or weight that differs."""
    half = float(d.synapses[question.projection].lsb) / 2
    found: list[tuple[int, int, str, float, float]] = []
    ratio = d.clock.input_steps
    for trial in range(reference.trials):
        a, b = (run.spikes[question.population] for run in (reference, other))
        mine = a.steps[trial] // ratio * a.size + a.neurons[trial]
        theirs = b.steps[trial] * b.size + b.neurons[trial]
        odd = np.setxor1d(mine, theirs)
        if odd.size:
            in_target = float(np.isin(odd[0], theirs))
            found.append((trial, int(odd[0]) // a.size, "membrane", 1.0 - in_target, in_target))
        if question.projection in reference.weights:
            x = reference.weights[question.projection]
            y = other.weights[question.projection]
            width = other.n_steps + 1
            synapses = np.union1d(x[trial].synapse, y[trial].synapse)
            records = (
                _one_record(x[trial], x.initial, ratio, synapses, width),
                _one_record(y[trial], y.initial, 1, synapses, width),
            )
            at = np.union1d(records[0][0], records[1][0])
            v, w = (sample_changes(*record, 0.0, at) for record in records)
            apart = np.flatnonzero(np.abs(v - w) > half)
            if apart.size:
                i = apart[np.argmin(at[apart] % width)]
                found.append((trial, int(at[i] % width) - 1, "weight", float(v[i]), float(w[i])))
    # in a step neurons fire before synapses act: what both differ in began with the spike
    return min(found, key=lambda f: (f[1], f[0], f[2] == "weight"), default=None)


def _one_record(
    changes: WeightChanges, initial: float, ratio: int, synapses: NDArray[np.int64], width: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return all synapses' changes as one record: each is given `width` steps, its first the start."""
    steps = changes.synapse * width + changes.step // ratio + 1
    keys = np.concatenate((synapses * width, steps))
    values = np.concatenate((np.full(synapses.size, initial), changes.value))
    order = np.argsort(keys, kind="stable")
    return keys[order], values[order]


def weight_error(
    question: Question, runs: Mapping[str, Run], lsb: float
) -> dict[str, float] | None:
    """Return ``mean``, ``rms`` and ``max_abs`` of target minus reference in weight LSBs.

    Over all trials, all synapses that ever changed, and 400 times spread evenly over the run.
    """
    if question.projection not in runs["fixed"].weights:
        return None
    sides = [(runs[r], runs[r].weights[question.projection]) for r in ("ideal", "fixed")]
    times = np.linspace(0, runs["fixed"].n_steps * runs["fixed"].step_ms, 401)[1:]
    errors = []
    for trial, synapse in _changed(record for _, record in sides):
        reference, target = (
            _sampled(record[trial], synapse, record.initial, times / run.step_ms)
            for run, record in sides
        )
        errors.append(weight_error_lsb(reference, target, lsb))
    if not errors:
        return {"mean": 0.0, "rms": 0.0, "max_abs": 0.0}
    return {
        "mean": float(np.mean([e.mean for e in errors])),
        "rms": float(np.sqrt(np.mean([e.rms**2 for e in errors]))),
        "max_abs": float(max(e.max_abs for e in errors)),
    }


def _changed(records: Iterable[WeightRecord]) -> list[tuple[int, int]]:
    """Return every (trial, synapse) that changes in any of the records."""
    pairs = {
        (trial, int(synapse))
        for record in records
        for trial, changes in enumerate(record.trials)
        for synapse in np.unique(changes.synapse)
    }
    return sorted(pairs)


def _sampled(
    changes: WeightChanges, synapse: int, initial: float, steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    mine = changes.synapse == synapse
    at = np.floor(steps + 1e-9).astype(np.int64) - 1
    return sample_changes(changes.step[mine], changes.value[mine], initial, at)


def settling_ms(
    experiment: Experiment, question: Question, runs: Mapping[str, Run]
) -> dict[str, list[float | None]]:
    """Return by rung the median settling time in each phase, over trials and synapses that change."""
    edges = experiment.phase_edges_ms()
    rule = experiment.projections[question.projection].plasticity
    result: dict[str, list[float | None]] = {}
    for rung in ("ideal", "fixed"):
        run = runs[rung]
        if question.projection not in run.weights or rule is None:
            continue
        record, band = run.weights[question.projection], SETTLING_BAND * (rule.w_max - rule.w_min)
        members = _changed([record])
        result[rung] = [
            _median([_settles(run, record, *m, start, stop, band) for m in members])
            for start, stop in pairwise(edges)
        ]
    return result


def _settles(
    run: Run,
    record: WeightRecord,
    trial: int,
    synapse: int,
    start_ms: float,
    stop_ms: float,
    band: float,
) -> float:
    changes = record[trial]
    mine = changes.synapse == synapse
    steps = settling_time(
        changes.step[mine],
        changes.value[mine],
        record.initial,
        phase_start=round(start_ms / run.step_ms),
        phase_stop=round(stop_ms / run.step_ms),
        band=band,
    )
    return math.inf if steps is None else steps * run.step_ms


def _median(times: list[float]) -> float | None:
    """Return the median, 0 of nothing (a weight that stays where it is), None if it never settles."""
    median = float(np.median(times)) if times else 0.0
    return median if math.isfinite(median) else None
