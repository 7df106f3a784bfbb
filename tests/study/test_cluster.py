"""Workers of a Dask cluster, with real schedulers and workers on this machine; Slurm's script, without Slurm."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from neuroemu.engine.warm import wanted
from neuroemu.errors import ConfigError, OutputError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.study.campaign import CRASHED
from neuroemu.study.cluster import DaskWorkers, slurm_script, slurm_workers
from neuroemu.study.digest import arithmetic_version
from neuroemu.study.results import REFUSED
from neuroemu.study.run import run_study
from neuroemu.study.store import BatchKey, reading
from neuroemu.study.workers import Kernel
from tests.study.poison import FOUR, POISON, poisoned
from tests.study.small import SHORT, small_space

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"


class Cluster:
    """A scheduler and workers, each a process with `PYTHONPATH` of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.settings = folder, settings
        file = folder / "scheduler.json"
        self._processes = [
            self._start(
                ROOT, "dask_scheduler", "--host", HOST, "--port", "0", "--no-dashboard",
                "--scheduler-file", file,
            )
        ]  # fmt: skip
        while not (file.exists() and file.stat().st_size):
            time.sleep(0.01)
        self.address = str(json.loads(file.read_text())["address"])

    def add_worker(self, package: Path = ROOT) -> subprocess.Popen[bytes]:
        process = self._start(
            package, "dask_worker", self.address, "--host", HOST, "--nthreads", "1", "--no-nanny",
            "--no-dashboard",
        )  # fmt: skip
        self._processes.append(process)
        return process

    def _start(self, package: Path, module: str, *arguments: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", *map(str, arguments)],
            cwd=self.folder,
            env=os.environ | self.settings | {"PYTHONPATH": str(package)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


@contextmanager
def cluster(folder: Path, **settings: str) -> Iterator[Cluster]:
    made = Cluster(folder, **settings)
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def dask_workers(
    address: str, number: int, kind: type[DaskWorkers] = DaskWorkers
) -> Iterator[DaskWorkers]:
    team = kind(address, patience_s=30)
    try:
        while team.slots < number:
            time.sleep(0.05)
        yield team
    finally:
        team.stop()


def arrays(folder: Path) -> dict[BatchKey, dict[str, bytes]]:
    with reading(folder / "results.sqlite") as store:
        found = {key: store.batch(key) for key in store.batch_keys()}
    return {k: {n: a.tobytes() for n, a in b.arrays.items()} for k, b in found.items() if b}


def test_a_cluster_that_loses_a_worker_gives_the_bits_of_this_machine(
    finished: Path, tmp_path: Path
) -> None:
    space = small_space(tmp_path, predict=True, weights=True)
    with cluster(tmp_path) as dask:
        victim = dask.add_worker()
        dask.add_worker()
        with dask_workers(dask.address, 2) as team:
            assert team.slots == 2
            targets = [p.target for p in space.points() if p.target is not None]
            hosts = [host for _, _, host in team.missing(space.experiment, targets)]
            assert hosts == [HOST] * len(wanted(space.experiment, targets))  # once for each host

            def show(work: Any) -> None:
                if work.runs and victim.poll() is None:
                    victim.send_signal(signal.SIGKILL)

            run_study(space, tmp_path, workers=team, show=show)
            assert victim.wait(10) == -signal.SIGKILL
    assert arrays(tmp_path) == arrays(finished)


class Poisoned(DaskWorkers):
    def submit(self, function: Any, *arguments: Any, host: str = "") -> Future[Any]:
        return super().submit(poisoned, function, *arguments, host=host)


def test_a_job_that_kills_its_worker_is_given_up_for_this_run(tmp_path: Path) -> None:
    space = small_space(tmp_path, **FOUR)
    formats = [str(p.target and p.target.plasticity.weight.format) for p in space.points()]
    poison = formats.index(POISON)
    with cluster(tmp_path, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as dask:
        for _ in range(2):
            dask.add_worker()
        with dask_workers(dask.address, 2, Poisoned) as team:
            rows = run_study(space, tmp_path, workers=team).rows
    assert (rows[poison].word, rows[poison].reason) == (REFUSED, CRASHED)
    finished = [row for row in rows if row.word != REFUSED]
    assert len(finished) >= 2  # one more may have waited at the worker that died
    again = run_study(space, tmp_path).rows
    assert all(row.word != REFUSED for row in again)


def other_arithmetic(folder: Path) -> Path:
    """Return a folder with this package, whose engine has one more comment."""
    shutil.copytree(ROOT / "neuroemu", folder / "neuroemu")
    shutil.copytree(ROOT / "hw_configs", folder / "hw_configs")
    with (folder / "neuroemu" / "engine" / "run.py").open("a") as source:
        source.write("# another version\n")
    return folder


class Compiled(DaskWorkers):
    """Workers that have all kernels, so that the test need not wait for those of another arithmetic."""

    def missing(self, experiment: Experiment, targets: Sequence[Target]) -> list[Kernel]:
        return []


def test_workers_with_another_arithmetic_are_refused(tmp_path: Path) -> None:
    sources = {
        "experiment.stimuli.steady.size": 10_000_000
    }  # too many to run, which a worker says at once
    space = small_space(tmp_path, set=SHORT | sources)
    other = other_arithmetic(tmp_path / "other")
    with cluster(tmp_path) as dask:
        first = dask.add_worker()
        with dask_workers(dask.address, 1, Compiled) as team:
            dask.add_worker(other)
            while team.slots < 2:
                time.sleep(0.05)
            # at once, if it is there when the study begins
            with pytest.raises(ConfigError, match=f"version {arithmetic_version()}"):
                DaskWorkers(dask.address)
            # by its first batch, if it joins later
            first.kill()
            with pytest.raises(OutputError, match="a worker runs another version"):
                run_study(space, tmp_path, workers=team)
    assert arrays(tmp_path) == {}


def test_a_lost_scheduler_ends_the_study_and_keeps_what_is_done(
    finished: Path, tmp_path: Path
) -> None:
    space = small_space(tmp_path, predict=True, weights=True)
    with cluster(tmp_path) as dask:
        dask.add_worker()
        with dask_workers(dask.address, 1) as team:

            def show(work: Any) -> None:
                if work.runs:
                    dask.stop()

            with pytest.raises(ConfigError, match="a Dask scheduler has to answer there"):
                run_study(space, tmp_path, workers=team, show=show)
    kept = arrays(tmp_path)
    assert 0 < len(kept) < len(arrays(finished))
    run_study(space, tmp_path)
    assert arrays(tmp_path) == arrays(finished)


def test_a_scheduler_that_is_not_there_is_told_within_seconds() -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind((HOST, 0))
        address = f"tcp://{HOST}:{taken.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(ConfigError, match=f"scheduler = {address}: .*Connection refused"):
            DaskWorkers(address)
        assert time.monotonic() - began < 5


def test_a_scheduler_without_workers_is_told(tmp_path: Path) -> None:
    told = pytest.raises(ConfigError, match="start some: dask worker tcp://")
    with cluster(tmp_path) as dask, told:
        DaskWorkers(dask.address, patience_s=0.2)


@pytest.mark.parametrize("address", ["here", "tcp://here", "tcp://:x"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(ConfigError, match="tcp://HOST:PORT"):
        DaskWorkers(address)


WITHOUT_DASK = """
import sys

sys.modules["distributed"] = sys.modules["dask_jobqueue"] = None
from neuroemu.errors import ConfigError
from neuroemu.study.cluster import DaskWorkers, slurm_script

for needed in (lambda: DaskWorkers("tcp://127.0.0.1:1"), slurm_script):
    try:
        needed()
    except ConfigError as error:
        print(error)
"""


def test_without_dask_the_extra_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DASK], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stderr
    assert all("pip install 'neuroemu[distributed]'" in line for line in lines)


def test_the_slurm_script_starts_a_worker_for_each_core() -> None:
    dask = pytest.importorskip("dask")

    lines = slurm_script().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert {"#SBATCH -J neuroemu", "#SBATCH --cpus-per-task=8", "#SBATCH --mem=16G"} <= set(lines)
    worker = lines[-1]
    assert worker.startswith(f"{sys.executable} -m distributed.cli.dask_worker tcp://SCHEDULER ")
    assert "--nthreads 1 " in worker and "--nworkers 8 " in worker

    own = {"cores": 32, "memory": "64 GiB", "queue": "long", "account": "chips"}
    with dask.config.set({f"jobqueue.slurm.{key}": value for key, value in own.items()}):
        text = slurm_script()
    for line in ("-p long", "-A chips", "--cpus-per-task=32", "--mem=64G"):
        assert f"#SBATCH {line}\n" in text
    assert "--nworkers 32 " in text


def test_without_slurm_a_study_in_its_jobs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match=r"--slurm = 3: .*Slurm's sbatch.*--shard"):
        slurm_workers(3)
