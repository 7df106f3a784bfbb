"""Compiles the kernels that a job will need before it begins, on two cores if there are two.

A kernel is compiled once for each combination of containers and kept on disk. A file beside the compiled code
marks each combination that is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from neuroemu.engine.compiled import cache_directory
from neuroemu.engine.simulate import simulate
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.models.discretize import discretize
from neuroemu.models.rungs import Arithmetic, Rung, on_target

SHORT_STEPS = 16
"""Steps of the run that makes numba compile."""


def combination(a: Arithmetic) -> str:
    """Return what decides which compiled kernel an arithmetic runs."""
    leak = "random" if "leak" in a.stochastic else type(a.neuron_sites.leak).__name__.lower()
    return f"{a.membrane}-{a.weight}-{leak}"


def missing(experiment: Experiment, targets: Sequence[Target]) -> dict[str, Target]:
    """Return the combinations that running `targets` needs and that are not compiled yet.

    Returns
    -------
    missing : dict of str to Target
        By combination, a target whose ``fixed`` rung, or whose float rungs, run it.
    """
    wanted: dict[str, Target] = {}
    for target in targets:
        d = discretize(experiment, target)
        rungs: tuple[Rung, ...] = ("parameters", "fixed")
        for rung in rungs:
            wanted.setdefault(combination(on_target(d, rung)), target)
    return {name: t for name, t in wanted.items() if not _marker(name).exists()}


def warm_up(
    experiment: Experiment, targets: Sequence[Target], compiling: Callable[[], None]
) -> None:
    """Compile what is missing; call `compiling` first if anything is."""
    jobs = list(missing(experiment, targets).items())
    if not jobs:
        return
    compiling()
    elsewhere = jobs[1::2] if (os.cpu_count() or 1) > 1 else []
    child = _start_child(experiment, elsewhere) if elsewhere else None
    for name, target in jobs[0::2] if elsewhere else jobs:
        compile_one(experiment, target, name)
    if child is not None:
        child.wait()  # if it failed, the kernel is compiled when it is first called


def compile_one(experiment: Experiment, target: Target, name: str) -> None:
    """Run a few steps of the rung of `target` that has this combination, and mark it as compiled."""
    d = discretize(experiment, target)
    time = experiment.time.model_copy(update={"duration_ms": SHORT_STEPS * float(d.clock.step_ms)})
    short = experiment.model_copy(update={"time": time})
    rungs: tuple[Rung, ...] = ("parameters", "fixed")
    rung = next(r for r in rungs if combination(on_target(d, r)) == name)
    simulate(short, target, rung=rung)
    marker = _marker(name)
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError:  # nothing can be kept: every process compiles for itself
        pass


def _marker(name: str) -> Path:
    return cache_directory() / f"{name}.compiled"


def _start_child(
    experiment: Experiment, jobs: Sequence[tuple[str, Target]]
) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "neuroemu.engine.warm"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    order = {
        "experiment": experiment.model_dump(mode="json"),
        "jobs": [{"name": name, "target": t.model_dump(mode="json")} for name, t in jobs],
    }
    if child.stdin is not None:
        child.stdin.write(json.dumps(order))
        child.stdin.close()
    return child


def main() -> None:
    """Compile what standard input asks for."""
    order = json.load(sys.stdin)
    experiment = Experiment.model_validate(order["experiment"])
    for job in order["jobs"]:
        compile_one(experiment, Target.model_validate(job["target"]), job["name"])


if __name__ == "__main__":
    main()
