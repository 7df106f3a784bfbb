"""The unit of work: some trials of one configuration, run in a worker."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.engine.inputs import Inputs
from neuroemu.engine.network import build
from neuroemu.engine.run import Run, WeightChanges
from neuroemu.engine.simulate import run_trains, simulate_inputs
from neuroemu.errors import ConfigError, FixedPointOverflowError
from neuroemu.experiment import Experiment, Question, Record
from neuroemu.hardware.config import Target
from neuroemu.metrics.per_trial import METRICS, Pair, Side
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from neuroemu.models.rungs import ideal, on_target
from neuroemu.study.digest import arithmetic_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Trials to run.

    Parameters
    ----------
    config : str
        Digest of target, experiment, seed and arithmetic.
    target : Target or None
        None for the float reference.
    experiment : Experiment
        With a question.
    seed, first, trials : int
        First trial, and how many.
    metric : str
        Of the question; ``verdict`` needs the rates alone.
    weights : bool
        Whether the plastic weight's distribution is wanted.
    """

    config: str
    target: Target | None
    experiment: Experiment
    seed: int
    first: int
    trials: int
    metric: str = "verdict"
    weights: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a job leaves behind.

    Parameters
    ----------
    config, first, trials
        As the job's.
    arithmetic : str
        Version that ran.
    seconds : float
        Of one core.
    arrays : dict of str to array
        ``rates``, ``control``: (trials, phases) float64, Hz; ``metric``: (trials,) float64 or (0,);
        ``codes``, ``share``: (codes,), the weight register's values and the part of the counted time in each.
    refusal : str
        Why it could not run, empty if it did: a site with ``overflow = "error"``, say.
    """

    config: str
    first: int
    trials: int
    arithmetic: str
    seconds: float
    arrays: dict[str, NDArray[Any]]
    refusal: str = ""


def run_batch(job: Job) -> Batch:
    """Run a job; what a user can mend comes back as its refusal."""
    began, arrays, refusal = time.thread_time(), {}, ""
    try:
        arrays = _measure(job)
    except (ConfigError, FixedPointOverflowError) as error:
        refusal = str(error)
    return Batch(
        config=job.config,
        first=job.first,
        trials=job.trials,
        arithmetic=arithmetic_version(),
        seconds=time.thread_time() - began,
        arrays=arrays,
        refusal=refusal,
    )


def _measure(job: Job) -> dict[str, NDArray[Any]]:
    question = job.experiment.question
    assert question is not None  # noqa: S101 - a study has seen to it
    needs = "rates" if job.metric == "verdict" else METRICS[job.metric].needs
    experiment = _recording(job.experiment, question, job.weights or needs == "weights")
    if job.target is None:
        run, d = _reference(experiment, job), None
    else:
        d = discretize(experiment, job.target)
        run = run_trains(
            experiment,
            job.target,
            on_target(d, "fixed"),
            _inputs(experiment, job),
            seed=job.seed,
            first_trial=job.first,
        )
    edges, settle = experiment.phase_edges_ms(), question.settle_ms
    arrays: dict[str, NDArray[Any]] = {
        "rates": run.rates(question.population, edges, settle),
        "control": run.rates(question.control, edges, settle),
        "metric": np.empty(0),
    }
    if d is not None and job.metric != "verdict":
        arrays["metric"] = _metric(job.metric, d, question, run, _reference(experiment, job))
    if d is not None and job.weights:
        arrays |= _weights(run, d, question)
    return arrays


def _recording(experiment: Experiment, question: Question, weights: bool) -> Experiment:
    """Return the experiment with what the job needs recorded, and no more."""
    kept = (question.projection,) if weights else ()
    return experiment.model_copy(update={"record": Record(weights=kept)})


@dataclass(frozen=True, slots=True)
class _Drive:
    """An experiment, equal to others that have the same input."""

    key: str
    experiment: Experiment = field(compare=False)


@lru_cache(maxsize=8)
def _drawn(drive: _Drive, seed: int, first: int, trials: int) -> Inputs:
    return simulate_inputs(drive.experiment, trials=trials, seed=seed, first_trial=first)


def _inputs(experiment: Experiment, job: Job) -> Inputs:
    """Return input spikes, which all points with the same stimuli share."""
    key = experiment.model_dump_json(include={"time", "stimuli"})
    return _drawn(_Drive(key, experiment), job.seed, job.first, job.trials)


@lru_cache(maxsize=2)
def _referred(whole: _Drive, seed: int, first: int, trials: int) -> Run:
    experiment = whole.experiment
    job = Job(config="", target=None, experiment=experiment, seed=seed, first=first, trials=trials)
    inputs = _inputs(experiment, job)
    return run_trains(experiment, None, ideal(experiment), inputs, seed=seed, first_trial=first)


def _reference(experiment: Experiment, job: Job) -> Run:
    """Return the float reference, which all points of an experiment share."""
    drive = _Drive(experiment.model_dump_json(), experiment)
    return _referred(drive, job.seed, job.first, job.trials)


def _metric(
    name: str, d: Discretized, question: Question, run: Run, reference: Run
) -> NDArray[np.float64]:
    sides = [_sides(d, question, r) for r in (run, reference)]
    lsb = float(d.synapses[question.projection].lsb)
    pairs = (
        Pair(target=mine, reference=theirs, step_ms=run.step_ms, n_steps=run.n_steps, lsb=lsb)
        for mine, theirs in zip(*sides, strict=True)
    )
    return np.asarray([METRICS[name].of(pair) for pair in pairs])


def _sides(d: Discretized, question: Question, run: Run) -> list[Side]:
    """Return the trials of a run on the target's grid."""
    edges, settle = d.experiment.phase_edges_ms(), question.settle_ms
    ratio = 1 if run.rung == "fixed" else d.clock.input_steps
    rates = run.rates(question.population, edges, settle)
    record = run.weights.get(question.projection)
    synapses = 0 if record is None else _synapses(d, question)
    return [
        Side(
            rates=rates[trial],
            spikes=_counted(steps, run.step_ms, edges, settle) // ratio,
            weights=[]
            if record is None
            else _by_synapse(record[trial], record.initial, ratio, synapses),
        )
        for trial, steps in enumerate(run.spikes[question.population])
    ]


def _counted(
    steps: NDArray[np.int64], step_ms: float, edges: tuple[float, ...], settle_ms: float
) -> NDArray[np.int64]:
    """Return the steps that lie in a phase and not in its settling."""
    phase = np.searchsorted(edges, steps * step_ms + 1e-9, side="right") - 1
    starts = np.asarray(edges)[phase]
    return steps[steps * step_ms + 1e-9 >= starts + settle_ms]


def _by_synapse(
    changes: WeightChanges, initial: float, ratio: int, synapses: int
) -> list[tuple[NDArray[np.int64], NDArray[np.float64], float]]:
    found = []
    for synapse in range(synapses):
        mine = changes.synapse == synapse
        found.append((changes.step[mine] // ratio, changes.value[mine], initial))
    return found


def _synapses(d: Discretized, question: Question) -> int:
    """Return how many synapses the projection under judgement has."""
    layout, _ = build(d.experiment, on_target(d, "fixed"))
    return len(layout.slots[question.projection])


def _weights(run: Run, d: Discretized, question: Question) -> dict[str, NDArray[Any]]:
    """Return which codes the weight register held in the counted time, over trials and synapses."""
    edges = d.experiment.phase_edges_ms()
    record = run.weights[question.projection]
    start = round(record.initial / record.lsb) if record.lsb else 0
    knots, counted = [0.0], [0.0]  # counted time up to each knot
    for low, high in pairwise(edges):
        knots += [low + question.settle_ms, high]
        counted += [counted[-1], counted[-1] + high - low - question.settle_ms]
    share: dict[int, float] = {}
    synapses = _synapses(d, question)
    for changes in record:
        for synapse in range(synapses):
            mine = changes.synapse == synapse
            times = np.concatenate(([0.0], (changes.step[mine] + 1) * run.step_ms, [edges[-1]]))
            held = np.diff(np.interp(times, knots, counted))
            codes, where = np.unique(
                np.concatenate(([start], changes.raw[mine])), return_inverse=True
            )
            for code, ms in zip(codes, np.bincount(where, held), strict=True):
                share[int(code)] = share.get(int(code), 0.0) + float(ms)
    whole = sum(share.values()) or 1.0
    codes = np.asarray(sorted(share), np.int64)
    return {"codes": codes, "share": np.asarray([share[int(c)] / whole for c in codes])}
