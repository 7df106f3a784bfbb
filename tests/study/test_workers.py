"""Worker processes: what their death, Ctrl-C and short memory cost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

import pytest

from neuroemu.engine.warm import wanted
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.study.batch import run_batch
from neuroemu.study.campaign import CRASHED
from neuroemu.study.results import MISSING, REFUSED, StudyResults, load_study
from neuroemu.study.run import run_study
from neuroemu.study.workers import Kernel, LocalWorkers
from tests.study.poison import FOUR, POISON, die, poisoned
from tests.study.processes import command, descendants, is_alive
from tests.study.small import small_space

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


class Poisoned(LocalWorkers):
    def submit(self, function: Any, *arguments: Any, host: str = "") -> Future[Any]:
        return super().submit(poisoned, function, *arguments, host=host)


class DyingCompilers(LocalWorkers):
    """Workers that hold no kernel for compiled, and die of compiling any."""

    def missing(self, experiment: Experiment, targets: Sequence[Target]) -> list[Kernel]:
        return [(name, target, "") for name, target in wanted(experiment, targets).items()]

    def submit(self, function: Any, *arguments: Any, host: str = "") -> Future[Any]:
        if function not in (run_batch, os.getpid):
            return super().submit(die)
        return super().submit(function, *arguments)


def words(results: StudyResults) -> list[str]:
    return [row.word for row in results.rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    folder = tmp_path_factory.mktemp("whole")
    return run_study(small_space(folder, **FOUR), folder)


def test_a_job_that_kills_its_worker_costs_its_own_point_alone(
    whole: StudyResults, tmp_path: Path
) -> None:
    space = small_space(tmp_path, **FOUR)
    formats = [str(p.target and p.target.plasticity.weight.format) for p in space.points()]
    poison = formats.index(POISON)
    found = run_study(space, tmp_path, workers=Poisoned(2))
    assert (found.rows[poison].word, found.rows[poison].reason) == (REFUSED, CRASHED)
    rest = [i for i in range(4) if i != poison]
    assert [words(found)[i] for i in rest] == [words(whole)[i] for i in rest]
    assert load_study(tmp_path).rows[poison].word == MISSING  # it is not kept

    runs: list[int] = []
    again = run_study(space, tmp_path, show=lambda work: runs.append(work.runs))
    assert words(again) == words(whole)
    assert runs[-1] == again.rows[poison].trials  # the next command runs this point, and no other


def test_a_death_while_compiling_costs_nothing(whole: StudyResults, tmp_path: Path) -> None:
    found = run_study(small_space(tmp_path, **FOUR), tmp_path, workers=DyingCompilers(2))
    assert words(found) == words(whole)


def test_a_death_between_jobs_is_the_next_ones_failure() -> None:
    workers = LocalWorkers(1)
    try:
        process = workers.submit(os.getpid).result()
        os.kill(process, signal.SIGKILL)
        futures = [workers.submit(os.getpid) for _ in range(50) if not time.sleep(0.02)]
        assert isinstance(futures[-1].exception(), BrokenExecutor)
        workers.restart()
        assert workers.submit(os.getpid).result() != process
    finally:
        workers.stop()


def script(folder: Path, text: str) -> list[str]:
    """Return the command that runs a script of a user's."""
    path = folder / "script.py"
    path.write_text(text)
    return [sys.executable, str(path)]


UNGUARDED = """
import os
from neuroemu.errors import ConfigError
from neuroemu.study.workers import LocalWorkers

workers = LocalWorkers(1)
if workers.submit(os.getpid).exception() is not None:
    try:
        workers.restart()
    except ConfigError as error:
        print(error)
"""


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    done = subprocess.run(
        script(tmp_path, UNGUARDED), env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert "worker processes have to begin" in done.stdout, done.stderr
    assert 'if __name__ == "__main__":' in done.stdout


SHORT_OF_MEMORY = """
import resource, sys
from pathlib import Path
from neuroemu.study.run import run_study
from neuroemu.study.workers import LocalWorkers
from tests.study.small import small_space

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    axis = {"name": "sources", "keys": ["experiment.stimuli.steady.size"], "values": [1, 80_000]}
    space = small_space(folder, axes=[axis], trials={"first": 2, "most": 2})
    resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
    results = run_study(space, folder, workers=LocalWorkers(1))
    print(*(f"{row.word}: {row.reason}" for row in results.rows), sep="\\n")
"""


def test_short_memory_costs_the_point_that_needs_it(whole: StudyResults, tmp_path: Path) -> None:
    assert whole.runs  # it has had the kernels compiled
    order = [*script(tmp_path, SHORT_OF_MEMORY), str(tmp_path)]
    done = subprocess.run(order, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    small, large = done.stdout.splitlines()
    assert small.endswith(": ") and not small.startswith(REFUSED)
    assert large == f"{REFUSED}: {CRASHED}"


INTERRUPTED = """
import sys
from pathlib import Path
from neuroemu.study.run import run_study
from neuroemu.study.workers import LocalWorkers
from tests.study.small import SHORT, small_space

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    seeds = {"name": "seed", "keys": ["experiment.connection_seed"], "values": list(range(60))}
    long = SHORT | {"experiment.time.duration_ms": 40000.0}
    space = small_space(folder, axes=[seeds], set=long, trials={"first": 16, "most": 16})
    try:
        run_study(space, folder, workers=LocalWorkers(2), show=lambda work: print(work.runs, flush=True))
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_ctrl_c_leaves_at_once(tmp_path: Path) -> None:
    order = [*script(tmp_path, INTERRUPTED), str(tmp_path)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(order, env=ENVIRONMENT, start_new_session=True, **pipes) as study:
        assert study.stdout is not None
        while int(study.stdout.readline()) < 32:
            pass
        workers = descendants(study.pid)
        assert (
            len(workers) >= 4
        )  # two, the server they are forked from, and the tracker of resources
        began = time.monotonic()
        os.killpg(study.pid, signal.SIGINT)  # as a terminal does: to all processes
        _, errors = study.communicate(timeout=30)
        took_s = time.monotonic() - began
    assert study.returncode == 130
    assert errors == ""
    assert took_s < 3  # on a busy machine; a free one takes a quarter of a second
    end = time.monotonic() + 10
    while any(map(is_alive, workers)) and time.monotonic() < end:
        time.sleep(0.01)
    assert [command(w) for w in workers if is_alive(w)] == []
    assert load_study(tmp_path).runs >= 32
