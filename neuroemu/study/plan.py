"""What a study will take, before it runs: points, runs, time, disk."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from neuroemu.engine.warm import missing
from neuroemu.errors import OutputError
from neuroemu.models.discretize import discretize
from neuroemu.prediction.predict import predict
from neuroemu.study.batch import Job, run_batch
from neuroemu.study.campaign import by_experiment
from neuroemu.study.config import Study
from neuroemu.study.looks import look_sizes
from neuroemu.study.points import Point, Space
from neuroemu.study.results import StudyResults, load_study

TIMED_TRIALS = 4
BATCH_BYTES = 1200
"""What a batch takes beside its arrays' own bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a study will take.

    Parameters
    ----------
    points, refused, finished : int
        All; those whose configuration cannot be; those that are answered already.
    reasons : tuple of str
        Why points are refused, each once.
    least_runs, most_runs : int
        Trials still to run on targets, if every first look answers, and if none does.
    seconds : (float, float) or None
        Wall time for these; None where no kernel is compiled yet, so that nothing can be timed.
    kernels : int
        Still to compile.
    bytes : (int, int) or None
        Disk for these.
    workers : int
    """

    points: int
    refused: int
    finished: int
    reasons: tuple[str, ...]
    least_runs: int
    most_runs: int
    seconds: tuple[float, float] | None
    kernels: int
    bytes: tuple[int, int] | None
    workers: int


def plan(space: Space, folder: Path, workers: int) -> Plan:
    """Return what a study will take; a few points' first trials are timed, and not kept.

    Parameters
    ----------
    space : Space
    folder : Path
        Where results are, if there are some.
    workers : int
        Processes that will share the work.
    """
    points = list(space.points())
    able = [p for p in points if p.target is not None]
    finished = _finished(space, folder)
    todo = max(len(able) - finished, 0)
    sizes = look_sizes(space.study.trials)
    runs = (todo * sizes[0], todo * sizes[-1])
    kernels = {name for e, targets in by_experiment(able) for name in missing(e, targets)}
    known = able and not kernels
    cost = _cost(space.study, able) if known else None

    def seconds(runs: int) -> float:
        assert cost is not None  # noqa: S101 - asked only where it is known
        return (runs * cost.run_s + todo * cost.prediction_s) / workers

    return Plan(
        points=len(points),
        refused=len(points) - len(able),
        finished=finished,
        reasons=tuple(dict.fromkeys(p.refusal for p in points if p.refusal)),
        least_runs=runs[0],
        most_runs=runs[1],
        seconds=None if cost is None else (seconds(runs[0]), seconds(runs[1])),
        kernels=len(kernels),
        bytes=None if cost is None else (int(runs[0] * cost.bytes), int(runs[1] * cost.bytes)),
        workers=workers,
    )


def _finished(space: Space, folder: Path) -> int:
    """Return how many points a results file answers already."""
    with contextlib.suppress(OutputError):
        found: StudyResults = load_study(folder)
        if found.space == space and found.is_current:
            most = space.study.trials.most
            return sum(
                r.answer is not None and (not r.answer.is_open or r.trials == most)
                for r in found.rows
            )
    return 0


@dataclass(frozen=True, slots=True)
class _Cost:
    """Core seconds and bytes of a run, core seconds of a prediction."""

    run_s: float
    bytes: float
    prediction_s: float


def _cost(study: Study, points: list[Point]) -> _Cost:
    """Return what a run and a prediction take, from the first point, the one in the middle and the last."""
    jobs = [_sample(study, p) for p in (points[0], points[len(points) // 2], points[-1])]
    run_batch(jobs[0])  # the first call loads the kernel
    batches = [run_batch(job) for job in jobs]
    trials = len(jobs) * TIMED_TRIALS
    size = sum(a.nbytes for b in batches for a in b.arrays.values()) / trials
    return _Cost(
        sum(b.seconds for b in batches) / trials,
        size + BATCH_BYTES / study.trials.first,
        sum(map(_prediction_s, jobs)) / len(jobs) if study.predict else 0.0,
    )


def _prediction_s(job: Job) -> float:
    assert job.target is not None  # noqa: S101 - a sample is no reference
    began = time.process_time()
    predict(discretize(job.experiment, job.target))
    return time.process_time() - began


def _sample(study: Study, point: Point) -> Job:
    assert point.target is not None and point.experiment is not None  # noqa: S101
    return Job(
        config="",
        target=point.target,
        experiment=point.experiment,
        seed=study.seed,
        first=0,
        trials=TIMED_TRIALS,
        metric=study.question.metric,
        weights=study.weights,
    )
