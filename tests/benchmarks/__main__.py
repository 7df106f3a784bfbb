"""Measure what design numbers promise, beside their peers in the same run: ``make bench``.

Prints times and ratios and judges nothing: a ratio survives a slow machine, a time does not.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from neuroemu.engine.setup import resolve, simulate_inputs
from neuroemu.engine.simulate import Session, run_trains
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.study.run import run_study
from neuroemu.study.workers import cores
from tests.benchmarks.peers import apytypes_lif, brian2_cpp, fxpmath_lif, numpy_lif

BATCH_NEURONS, BATCH_STEPS = 4096, 2000


def kernel_seconds(target: str, trials: int, *, repeats: int = 9, silent: bool = False) -> float:
    """Return the best time of a warm kernel for the 40 s reference experiment, without input drawing."""
    experiment = load_experiment("spike_based_homeostasis")
    if silent:  # a batch of neurons and nothing else
        population = experiment.populations["with_homeostasis"]
        experiment = experiment.model_copy(
            update={
                "populations": {
                    "batch": population.model_copy(update={"size": BATCH_NEURONS, "v_init": 0.5})
                },
                "projections": {},
                "record": type(experiment.record)(),
                "question": None,
                "time": experiment.time.model_copy(update={"duration_ms": BATCH_STEPS * 0.1}),
                "stimuli": {},
            }
        )
    chip = load_target(target) if target else None
    arithmetic = resolve(experiment, chip)
    trains = simulate_inputs(experiment, trials=trials, seed=1)
    times = []
    for _ in range(repeats + 1):
        session = Session(experiment, arithmetic, trains, 1, 0)
        start = time.perf_counter()
        session.run_until(session.n_steps)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def run_seconds(target: str, trials: int, *, repeats: int = 9) -> float:
    """Return the best time of one run among many, set-up and collection included.

    The runs share their input and record spikes alone, as those of a study do.
    """
    experiment = load_experiment("spike_based_homeostasis")
    experiment = experiment.model_copy(update={"record": type(experiment.record)()})
    chip = load_target(target)
    arithmetic = resolve(experiment, chip)
    inputs = simulate_inputs(experiment, trials=trials, seed=1)
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        run_trains(experiment, chip, arithmetic, inputs, seed=1)
        times.append(time.perf_counter() - start)
    return min(times[1:]) / trials


def study_seconds(folder: Path) -> tuple[float, int]:
    """Return the wall time of a study of 10,000 runs on all cores, and their number; kernels are compiled.

    A hundred targets of different registers, a hundred trials each, judged once; the processes' start counts.
    """
    runs = []
    for name in ("warm", "timed"):
        path = folder / f"{name}.toml"
        path.write_text(STUDY.format(name=name), encoding="utf-8")
        start = time.perf_counter()
        results = run_study(path, folder / name)
        runs.append(time.perf_counter() - start)
        trials = sum(row.trials for row in results.rows)
    return runs[-1], trials


STUDY = """
name = "{name}"
title = "Ten thousand runs"
targets = ["generic8"]
predict = false
[set]
"plasticity.increment.format" = "fxp-u16/8"
[[axes]]
name = "bits"
keys = ["plasticity.weight.format"]
bits = [4, 13]
[[axes]]
name = "leak"
keys = ["membrane.leak.format"]
bits = [7, 16]
[trials]
first = 100
most = 100
"""


def process_seconds(*arguments: str, repeats: int = 5) -> float:
    """Return the median time of a whole process."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeats + 1):
            start = time.perf_counter()
            subprocess.run(
                [Path(sys.executable).with_name("neuroemu"), *arguments],
                cwd=folder,
                check=True,
                capture_output=True,
                env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
            )
            times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def _row(
    table: Table,
    work: str,
    seconds: float,
    hold: float,
    unit: float,
    peer: str = "",
    ratio: str = "",
) -> None:
    names = {1e-3: "ms", 1e-9: "ns", 1.0: "s"}
    table.add_row(
        work, f"{seconds / unit:.3g} {names[unit]}", f"{hold:g} {names[unit]}", peer, ratio
    )


def main() -> None:
    """Measure and print."""
    table = Table(title="neuroemu, warm; one core unless stated")
    for column in ("work", "measured", "to hold", "peer in this run", "peer / ours"):
        table.add_column(
            column, justify="left" if column.startswith(("work", "peer in")) else "right"
        )
    with tempfile.TemporaryDirectory() as folder:
        brian = statistics.median(brian2_cpp.time_binary(brian2_cpp.build(Path(folder)), 5))
    for target, label in (
        ("generic16", "int32"),
        ("spinnaker1", "int64"),
        ("brainscales2", "analog"),
        ("", "float"),
    ):
        one = kernel_seconds(target, 1)
        _row(
            table,
            f"40 s, 1 trial, {label}",
            one,
            2.5,
            1e-3,
            f"Brian2 C++ {brian * 1e3:.0f} ms",
            f"{brian / one:.0f}",
        )
        many = kernel_seconds(target, 32)
        _row(
            table,
            f"40 s, 32 trials, {label}",
            many,
            15,
            1e-3,
            "32 x Brian2 C++",
            f"{32 * brian / many:.0f}",
        )
    for trials in (16, 32, 100):
        each = run_seconds("generic8", trials)
        _row(table, f"40 s, each of {trials} runs, all included", each, 1.2, 1e-3)
    with tempfile.TemporaryDirectory() as folder:
        whole, trials = study_seconds(Path(folder))
    share = f"{trials} x Brian2 C++ on {cores()} cores"
    ratio = f"{trials * brian / cores() / whole:.0f}"
    _row(table, f"study of {trials:,} runs, all cores", whole, 6, 1.0, share, ratio)
    per_update = kernel_seconds("generic16", 1, silent=True) / BATCH_NEURONS / BATCH_STEPS
    peers: list[tuple[str, Callable[[int, int], float], int]] = [
        ("numpy", numpy_lif.step_time_ns, 200),
        ("apytypes", apytypes_lif.step_time_ns, 50),
        ("fxpmath", fxpmath_lif.step_time_ns, 3),
    ]
    for name, measure, steps in peers:
        peer = measure(BATCH_NEURONS, steps)
        _row(
            table,
            "neuron update, batch, int32",
            per_update,
            0.3,
            1e-9,
            f"{name} {peer:.3g} ns",
            f"{peer * 1e-9 / per_update:.0f}",
        )
    _row(table, "neuroemu --help", process_seconds("--help"), 0.15, 1.0)
    _row(table, "neuroemu run brainscales2, again", process_seconds("run", "brainscales2"), 3, 1.0)
    Console().print(table)


if __name__ == "__main__":
    main()
