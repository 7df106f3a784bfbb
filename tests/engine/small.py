"""Small experiments and targets for the engine's tests, and equality of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from neuroemu.engine.run import Run
from neuroemu.experiment import (
    Experiment,
    Homeostasis,
    MembraneRecord,
    Poisson,
    Population,
    Projection,
    Record,
    TimeTable,
)
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import load_target

DT_MS = 0.1
SILENT = Poisson(rates_hz=(0.0,))


def neuron(
    size: int = 1,
    *,
    tau: float = 1.0,
    threshold: float = 1.0,
    reset: float = 0.0,
    refractory: float = 0.0,
    rest: float = 0.0,
    init: float | None = None,
) -> Population:
    """A population; times in ms. The default leaks a tenth per step of `DT_MS`."""
    return Population(
        size=size,
        tau_m_ms=tau,
        v_rest=rest,
        v_thresh=threshold,
        v_reset=reset,
        v_init=rest if init is None else init,
        tau_refrac_ms=refractory,
    )


def synapses(pre: str, post: str, weight: float, **more: Any) -> Projection:
    return Projection(pre=pre, post=post, weight=weight, **more)


def homeostasis(
    plus: float = 0.25, minus: float = 0.25, *, low: float = 0.0, high: float = 2.0
) -> Homeostasis:
    return Homeostasis(dw_plus=plus, dw_minus=minus, w_min=low, w_max=high)


def network(
    populations: Mapping[str, Population],
    stimuli: Mapping[str, Poisson] | None = None,
    projections: Mapping[str, Projection] | None = None,
    *,
    steps: int = 100,
    dt_ms: float = DT_MS,
    membrane: Sequence[str] = (),
    connection_seed: int = 0,
) -> Experiment:
    """An experiment that records every plastic weight, and the membranes of `membrane`."""
    projections = projections or {}
    duration_ms = round(steps * dt_ms, 9)
    return Experiment(
        name="small",
        title="small",
        connection_seed=connection_seed,
        time=TimeTable(dt_ms=dt_ms, duration_ms=duration_ms),
        populations=dict(populations),
        stimuli=dict(stimuli or {}),
        projections=dict(projections),
        record=Record(
            weights=tuple(n for n, p in projections.items() if p.plasticity is not None),
            membrane=MembraneRecord(populations=tuple(membrane), stop_ms=duration_ms)
            if membrane
            else None,
        ),
    )


def target(*overrides: str) -> Target:
    """The shipped 16-bit target with some keys changed."""
    return load_target("generic16", overrides)


def assert_equal(a: Any, b: Any, place: str = "run") -> None:
    """Compare two runs, or parts of them, field by field: values, types, shapes."""
    assert type(a) is type(b), place
    if isinstance(a, np.ndarray):
        np.testing.assert_array_equal(a, b, err_msg=place, strict=True)
    elif is_dataclass(a):
        for field in fields(a):
            inside = f"{place}.{field.name}"
            assert_equal(getattr(a, field.name), getattr(b, field.name), inside)
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), place
        for key in a:
            assert_equal(a[key], b[key], f"{place}[{key!r}]")
    elif isinstance(a, tuple):
        assert len(a) == len(b), place
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_equal(x, y, f"{place}[{i}]")
    else:
        assert a == b, place


def membrane(run: Run, population: str, index: int = 0, trial: int = 0) -> np.ndarray:
    """The recorded membrane of one neuron in one trial, (samples,)."""
    return run.membrane[population].value[:, index, trial]
