"""Tries one fault: a fresh copy of the sources, the fault in it, the judges over it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tests.mutation.faults import Fault
from tests.mutation.judges import judges

ROOT = Path(__file__).parents[2]
COPIED = ("neuroemu", "tests", "hw_configs", "pyproject.toml")
LIMIT_S = 3600.0
"""For one judge."""


class TrialError(RuntimeError):
    """The judges did not judge: what they did says nothing about the fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a fault.

    Parameters
    ----------
    how : str
        ``survived``, or how it was caught: ``test`` (one failed), ``import`` (its module could not be loaded),
        ``crash`` (the process died) or ``time-out``.
    by : str
        The test, or the last one to begin.
    why : str
        First line of what the test said.
    seconds : float
        From the copy to the verdict.
    """

    how: str
    by: str = ""
    why: str = ""
    seconds: float = 0.0

    @property
    def is_caught(self) -> bool:
        """Whether a judge has seen it."""
        return self.how != "survived"

    def as_json(self) -> dict[str, object]:
        """Return the outcome as plain data."""
        return asdict(self)


def snapshot(folder: Path, root: Path = ROOT) -> Path:
    """Copy the sources to `folder`, so that edits made meanwhile change nothing, and return the copy."""
    for name in COPIED:
        source, copy = root / name, folder / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    return folder


def try_fault(
    fault: Fault,
    sources: Path,
    commands: Sequence[Sequence[str]] = (),
    limit_s: float = LIMIT_S,
) -> Outcome:
    """Let the judges try `fault` in a copy of `sources`; `commands` instead of all that could see it.

    Raises
    ------
    TrialError
        If another package than the copy was tried, or a judge itself failed.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"mutant-{fault.name}-") as name:
        copy = snapshot(Path(name).resolve() / "sources", sources)
        fault.apply(copy)
        outcome = Outcome(how="survived")
        for command in commands or judges(copy, fault.file):
            outcome = _judged(copy, *_run(command, copy, limit_s))
            if outcome.is_caught:
                break
    return replace(outcome, seconds=time.monotonic() - start)


def _run(command: Sequence[str], copy: Path, limit_s: float) -> tuple[int | None, str]:
    """Run a judge in the copy, and return its exit code (None if it took too long) and what it printed."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "XDG_CACHE_HOME": str(copy / ".cache"),  # compiled kernels go when the copy goes
        "MUTATION_RECORD": str(copy / "record.json"),
    }
    (copy / "record.json").unlink(missing_ok=True)
    with (copy / "output.txt").open("w+", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=copy, env=environment, stdout=output, stderr=output)
        try:
            code: int | None = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        output.seek(0)
        return code, output.read()[-2000:]


def _judged(copy: Path, code: int | None, output: str) -> Outcome:
    path = copy / "record.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    if code is None:
        return Outcome(how="time-out", by=record["running"] if record else "the import")
    if record is None:
        raise TrialError(f"the judge did not start:\n{output}")
    if not Path(record["package"]).is_relative_to(copy):
        raise TrialError(f"the judges tried {record['package']}, not the copy in {copy}")
    if code == -signal.SIGPROF:
        return Outcome(how="time-out", by=record["running"])
    if code < 0:
        return Outcome(how="crash", by=record["running"], why=signal.Signals(-code).name)
    if record["failed"]:
        how = "import" if record["why"] == "import" else "test"
        return Outcome(how=how, by=record["failed"], why=record["why"])
    if code != 0:
        raise TrialError(f"a judge ended with {code}, and nothing had failed:\n{output}")
    return Outcome(how="survived")
