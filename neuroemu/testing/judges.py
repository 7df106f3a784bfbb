"""Kernel, Python-int executor and golden model on one case, and where they differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from neuroemu.engine.exact import run_exact
from neuroemu.engine.run import Run
from neuroemu.engine.simulate import simulate
from neuroemu.errors import FixedPointOverflowError
from neuroemu.golden.trial import SiteOverflowError, Trace
from neuroemu.golden.trial import run as run_golden
from neuroemu.hardware.config import Target
from neuroemu.models.arithmetic import Rung
from neuroemu.testing.as_golden import golden_network, golden_words, trace_difference
from neuroemu.testing.case import Case


def kernel_run(case: Case, **more: Any) -> Run:
    """Return the run of the compiled kernels; `more` as for `neuroemu.simulate`."""
    return simulate(case.experiment, case.target, **case.input, **more)


def executor_run(case: Case, **more: Any) -> Run:
    """Return the run of the executor on Python's own numbers."""
    return run_exact(case.experiment, case.target, **case.input, **more)


def golden_trace(case: Case, trial: int, run: Run | None = None) -> Trace:
    """Return what the golden model does in one trial.

    Parameters
    ----------
    case : Case
        Without input spikes that a coarse tick brings together: for the golden model a source spikes once in a step.
    trial : int
        Index within the case.
    run : Run, optional
        Where the golden model's neurons take their spikes from on an analog membrane, of which it knows nothing: it
        judges the learning then.
    """
    clock = case.plan.clock
    binned = {
        name: [(step // clock.input_steps, index) for step, index in trains[trial].tolist()]
        for name, trains in case.spikes.items()
    }
    words = golden_words(case.plan, case.seed, case.first_trial + trial)
    told = None
    if case.plan.is_analog and run is not None:
        told = {
            name: list(zip(s.steps[trial].tolist(), s.neurons[trial].tolist(), strict=True))
            for name, s in run.spikes.items()
        }
    return run_golden(golden_network(case.plan), binned, clock.n_steps, words=words, told=told)


def is_in_golden(target: Target) -> bool:
    """Return whether the golden model knows all that `target` does: it has no controller of pair sensors."""
    return target.plasticity.update != "pairs"


def kernel_difference(case: Case, rung: Rung = "fixed") -> str | None:
    """Return where kernel and executor first differ in a rung, None if every bit is equal."""
    return difference(_outcome(kernel_run, case, rung), _outcome(executor_run, case, rung))


def golden_difference(case: Case, executor: Callable[..., Run] | None = None) -> str | None:
    """Return where the kernel, or another executor, and the golden model first differ, None if every bit is equal.

    Where a site whose overflow is ``error`` leaves its range, both have to stop.

    Parameters
    ----------
    case : Case
    executor : callable, optional
        `kernel_run` if left out, or `executor_run`, for which nothing is compiled.

    Raises
    ------
    ValueError
        If the golden model does not know what the target does; see `is_in_golden`.
    """
    if not is_in_golden(case.target):
        raise ValueError(f"the golden model knows no {case.target.plasticity.update}")
    run = _outcome(executor or kernel_run, case, "fixed")
    stopped = []
    for trial in range(case.trials):
        try:
            trace = golden_trace(case, trial, run if isinstance(run, Run) else None)
        except SiteOverflowError as error:
            stopped.append(str(error))
            continue
        found = trace_difference(run, trial, trace, case.plan) if isinstance(run, Run) else None
        if found is not None:
            return f"trial {trial}: {found}"
    if bool(stopped) != isinstance(run, str):
        return f"overflow: golden model {stopped or 'goes on'}, kernel {run if isinstance(run, str) else 'goes on'}"
    return None


def _outcome(executor: Callable[..., Run], case: Case, rung: Rung) -> Run | str:
    try:
        return executor(case, rung=rung)
    except FixedPointOverflowError as error:
        return str(error)


def difference(a: Any, b: Any, place: str = "run") -> str | None:
    """Return the first place where two results differ, in value, type or shape; None if nowhere.

    Parameters
    ----------
    a, b : Run, or any part of one
    place : str
        What the parts are called.
    """
    if type(a) is not type(b):
        return f"{place}: {_shown(a)} against {_shown(b)}"
    if isinstance(a, np.ndarray):
        return _array_difference(a, b, place)
    parts: list[tuple[str, Any, Any]] = []
    if is_dataclass(a):
        parts = [(f".{f.name}", getattr(a, f.name), getattr(b, f.name)) for f in fields(a)]
    elif isinstance(a, dict):
        if a.keys() != b.keys():
            return f"{place}: keys {sorted(a)} against {sorted(b)}"
        parts = [(f"[{key!r}]", a[key], b[key]) for key in a]
    elif isinstance(a, tuple | list):
        if len(a) != len(b):
            return f"{place}: {len(a)} against {len(b)} entries"
        parts = [(f"[{i}]", *pair) for i, pair in enumerate(zip(a, b, strict=True))]
    elif a != b:
        return f"{place}: {_shown(a)} against {_shown(b)}"
    found = (difference(x, y, place + part) for part, x, y in parts)
    return next((text for text in found if text is not None), None)


def _array_difference(a: Any, b: Any, place: str) -> str | None:
    if a.dtype != b.dtype or a.shape != b.shape:
        return f"{place}: {a.dtype}{a.shape} against {b.dtype}{b.shape}"
    unequal = np.argwhere(a != b)
    if unequal.size == 0:
        return None
    at = tuple(unequal[0].tolist())
    return f"{place}[{', '.join(map(str, at))}]: {a[at]} against {b[at]}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else f"{type(value).__name__} {value}"[:80]
