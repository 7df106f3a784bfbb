"""Compiles the kernels that a job will need: the first at once, the others in a second process meanwhile.

A kernel is compiled once for each combination of containers and kept on disk. A file beside the compiled code
marks each combination that is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from neuroemu.engine.compiled import cache_directory
from neuroemu.engine.simulate import simulate
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.models.arithmetic import Arithmetic, Rung
from neuroemu.models.discretize import discretize
from neuroemu.models.rungs import on_target

SHORT_STEPS = 16
"""Steps of the run that makes numba compile."""


def combination(a: Arithmetic) -> str:
    """Return what decides which compiled kernel an arithmetic runs."""
    leak = "random" if "leak" in a.stochastic else type(a.neuron_sites.leak).__name__.lower()
    fires = getattr(a.neuron_sites, "fire", None)
    neuron = "lif" if fires is None else f"chip-{type(fires).__name__.lower()}"
    return f"{a.membrane}-{a.weight}-{neuron}-{leak}"


def wanted(experiment: Experiment, targets: Sequence[Target]) -> dict[str, Target]:
    """Return the combinations that running `targets` needs.

    Returns
    -------
    wanted : dict of str to Target
        By combination, a target whose ``fixed`` rung, or whose float rungs, run it.
    """
    found: dict[str, Target] = {}
    rungs: tuple[Rung, ...] = ("parameters", "fixed")
    for target in targets:
        d = discretize(experiment, target)
        for rung in rungs:
            found.setdefault(combination(on_target(d, rung)), target)
    return found


def missing(experiment: Experiment, targets: Sequence[Target]) -> dict[str, Target]:
    """Return those of the combinations that `targets` need which are not compiled yet."""
    found = wanted(experiment, targets)
    return {name: target for name, target in found.items() if not _marker(name).exists()}


def warm_up(
    experiment: Experiment,
    targets: Sequence[Target],
    compiling: Callable[[], None],
    child: subprocess.Popen[str] | None = None,
) -> subprocess.Popen[str] | None:
    """Have what the first of `targets` needs compiled, and let a second process begin with the others.

    Parameters
    ----------
    experiment : Experiment
    targets : sequence of Target
        In the order in which they will run.
    compiling : callable
        Called if the first target has to wait.
    child : Popen, optional
        What the call for the target before has returned.

    Returns
    -------
    child : Popen or None
        The second process, if there is one.
    """
    jobs = list(missing(experiment, targets).items())
    needed = missing(experiment, targets[:1])
    if needed:
        compiling()
    mine = jobs[0][0] if jobs and child is None else ""
    if child is None and len(jobs) > 1 and (os.cpu_count() or 1) > 1:
        child = _start_child(experiment, jobs[1:])
    for name, target in needed.items():
        if name != mine and child is not None:
            _wait(child, name)
        if not _marker(name).exists():  # it is the first, or the second process has failed
            compile_one(experiment, target, name)
    return child


def _wait(child: subprocess.Popen[str], name: str) -> None:
    """Wait until a combination is compiled or the process has ended."""
    while child.poll() is None and not _marker(name).exists():
        time.sleep(0.05)


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


def load_compiler() -> None:
    """Load what numba otherwise loads when it takes up the first kernel: half a second that forks can share."""
    from numba.core.registry import cpu_target

    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()


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
