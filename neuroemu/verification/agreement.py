"""Sampled emulator laws: executors that must agree, and runs that must be the same run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from neuroemu.engine.run import Run
from neuroemu.engine.simulate import run_trains
from neuroemu.models.containers import LIMITS
from neuroemu.models.rungs import on_target
from neuroemu.numeric.constants import decimal
from neuroemu.testing.case import Case
from neuroemu.testing.judges import (
    difference,
    golden_difference,
    is_in_golden,
    kernel_difference,
    kernel_run,
)
from neuroemu.verification.evidence import Evidence, ended
from neuroemu.verification.law import Law

FLOAT_RUNGS: tuple[Any, ...] = ("ideal", "parameters", "range")
FASTER = (10, 1000)
"""Powers of ten, so that every time stays a short decimal."""

IN_DOUBLES = frozenset({"no site has this name"})
"""Makes no site exact, and has the registers held in doubles all the same."""


def executor_differs(e: Evidence) -> str | None:
    """Compare kernel and executor, on ``fixed`` and on one float rung."""
    found = difference(e.kernel, e.executor)
    if found is not None:
        return f"kernel against executor, rung fixed: {found}"
    rung = FLOAT_RUNGS[e.case.seed % len(FLOAT_RUNGS)]
    found = kernel_difference(e.case, rung)
    return None if found is None else f"kernel against executor, rung {rung}: {found}"


def golden_differs(e: Evidence) -> str | None:
    """Compare kernel and golden model."""
    if not is_in_golden(e.case.target):
        return None
    found = golden_difference(e.case)
    return None if found is None else f"kernel against golden model: {found}"


def fits_doubles(e: Evidence) -> bool:
    """Whether registers are in integers, and could be in doubles."""
    ends = (abs(end) for interval in e.plan.widest.values() for end in interval)
    return not e.plan.is_analog and max(ends) <= LIMITS["double"]


def doubles_differ(e: Evidence) -> str | None:
    """Compare registers in integers and in doubles."""
    if not fits_doubles(e):
        return None
    case = e.case

    def in_doubles() -> Run:
        trains = [{n: t[i] for n, t in case.spikes.items()} for i in range(case.trials)]
        arithmetic = on_target(e.plan, "fixed", IN_DOUBLES)
        return run_trains(
            case.experiment,
            case.target,
            arithmetic,
            trains,
            seed=case.seed,
            first_trial=case.first_trial,
        )

    found = difference(ended(in_doubles), e.kernel)
    return None if found is None else f"registers in doubles against integers: {found}"


def proof_fails(e: Evidence) -> str | None:
    """Return the wide value outside its proved range."""
    return e.unproved


def chunks_differ(e: Evidence) -> str | None:
    """Compare one run and the same in pieces."""
    steps = e.case.seed % 7 + 1
    chunk_ms = float(steps * e.plan.clock.step_ms)
    pieces = ended(lambda: kernel_run(e.case, chunk_ms=chunk_ms))
    found = difference(pieces, e.kernel)
    return None if found is None else f"in pieces of {steps} steps against in one: {found}"


def trials_differ(e: Evidence) -> str | None:
    """Compare each trial alone and among the others."""
    case = e.case
    alone = [ended(partial(kernel_run, _one_trial(case, i))) for i in range(case.trials)]
    refused = [isinstance(run, str) for run in alone]
    if isinstance(e.kernel, str) or any(refused):
        if any(refused) == isinstance(e.kernel, str):
            return None
        return f"alone {refused} are refused, together {isinstance(e.kernel, str)}"
    counted: dict[str, list[int]] = {}
    for i, run in enumerate(alone):
        assert isinstance(run, Run)  # noqa: S101 (none was refused)
        found = difference(_trial_of(run, 0), _trial_of(e.kernel, i))
        if found is not None:
            return f"trial {i} alone against among {case.trials}: {found}"
        for site, did in run.sites.items():
            counted.setdefault(site, []).append(did["overflowed"] or 0)
    together = {site: did["overflowed"] for site, did in e.kernel.sites.items()}
    found = difference({site: sum(n) for site, n in counted.items()}, together, "overflows")
    return None if found is None else f"trials alone, summed, against together: {found}"


def _one_trial(case: Case, i: int) -> Case:
    return Case(
        target=case.target,
        experiment=case.experiment,
        spikes={name: [trains[i]] for name, trains in case.spikes.items()},
        seed=case.seed,
        first_trial=case.first_trial + i,
    )


def _trial_of(run: Run, i: int) -> dict[str, Any]:
    """Return what one trial left behind."""
    return {
        "spikes": {name: (s.steps[i], s.neurons[i]) for name, s in run.spikes.items()},
        "weights": {name: record[i] for name, record in run.weights.items()},
        "membrane": {name: (m.step, m.value[:, :, i]) for name, m in run.membrane.items()},
    }


def acceleration_differs(e: Evidence) -> str | None:
    """Compare the target and the same on faster hardware."""
    times = FASTER[e.case.seed % len(FASTER)]
    found = difference(ended(lambda: kernel_run(faster(e.case, times))), e.kernel)
    return None if found is None else f"{times} times faster: {found}"


def faster(case: Case, times: int) -> Case:
    """Return `case` on hardware that does everything `times` as fast."""
    target = case.target
    time = _scaled(target.time.model_dump(), {"acceleration": times, "tick_us": 1 / times})
    plasticity = target.plasticity
    names = ("update_period_us", "row_time_us")
    period: dict[str, Any] = {}
    period |= _scaled({name: getattr(plasticity, name) for name in names}, {}, 1 / times)
    if plasticity.pairs is not None:
        tau = _scaled({"tau_us": plasticity.pairs.tau_us}, {}, 1 / times)
        period["pairs"] = plasticity.pairs.model_copy(update=tau)
    clock = _scaled({"clock_us": target.refractory.clock_us}, {}, 1 / times)
    copy = target.model_copy(
        update={
            "time": target.time.model_copy(update=time),
            "plasticity": plasticity.model_copy(update=period),
            "refractory": target.refractory.model_copy(update=clock),
        }
    )
    return Case(
        target=copy,
        experiment=case.experiment,
        spikes=case.spikes,
        seed=case.seed,
        first_trial=case.first_trial,
    )


def _scaled(
    values: Mapping[str, float | None], by: Mapping[str, float], otherwise: float = 1.0
) -> dict[str, float | None]:
    """Return the values times a factor each, as exact decimals."""
    return {
        name: None if v is None else float(decimal(v) * decimal(by.get(name, otherwise)))
        for name, v in values.items()
    }


LAWS = (
    Law(
        name="kernel-is-executor",
        sentence="The compiled kernel does what the step does on Python's unbounded integers.",
        kind="emulator",
        judge=executor_differs,
    ),
    Law(
        name="kernel-is-golden",
        sentence="The compiled kernel does what the golden model does.",
        kind="emulator",
        judge=golden_differs,
        judges=lambda e: is_in_golden(e.case.target),
        unless="the golden model knows no controller of pair sensors",
    ),
    Law(
        name="doubles-hold-integers",
        sentence="Registers held in doubles give what registers held in integers give.",
        kind="emulator",
        judge=doubles_differ,
        judges=fits_doubles,
        unless="registers are in doubles anyway, or pass 53 bits",
    ),
    Law(
        name="containers-hold",
        sentence="No value leaves the range that was proved for its site.",
        kind="emulator",
        judge=proof_fails,
    ),
    Law(
        name="chunks-change-nothing",
        sentence="A run in pieces is the run in one.",
        kind="emulator",
        judge=chunks_differ,
    ),
    Law(
        name="trials-are-independent",
        sentence="A trial alone is the same trial among others.",
        kind="emulator",
        judge=trials_differ,
        judges=lambda e: e.case.trials > 1,
        unless="no case of more than one trial was drawn",
    ),
    Law(
        name="acceleration-is-only-time",
        sentence="Hardware that is faster changes nothing but the time axis.",
        kind="emulator",
        judge=acceleration_differs,
    ),
)
