"""Nothing is lost: a study killed at any moment goes on from there, to the same bits."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from neuroemu.study.campaign import Work
from neuroemu.study.results import FILE
from neuroemu.study.run import run_study
from neuroemu.study.workers import LocalWorkers
from tests.study.forked import Forked
from tests.study.processes import are_gone, children

KILLS = 100
SEED = 20250301


def go_on(folder: Path) -> None:
    """The command that is killed and given again; says how many trials it has run."""
    from tests.study.hot import SPACE

    seen = Work()

    def show(work: Work) -> None:
        seen.runs = work.runs

    run_study(SPACE, folder, workers=LocalWorkers(2), show=show)
    (folder / "runs").write_text(str(seen.runs))


def rows(folder: Path, columns: str = "rowid, *") -> set[tuple[Any, ...]]:
    """Return the batches kept, and see that the file is sound."""
    path = folder / FILE
    if not path.is_file():
        return set()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not file.execute("SELECT 1 FROM sqlite_master WHERE name = 'batches'").fetchall():
            return set()
        return set(file.execute(f"SELECT {columns} FROM batches"))  # noqa: S608


def results(folder: Path) -> set[tuple[Any, ...]]:
    return rows(folder, "config, first, trials, kind, refusal, arrays")


def trials(folder: Path) -> int:
    return sum(row[0] for row in rows(folder, "trials, rowid"))


def strike(forked: Forked, parent: int, how: str, luck: random.Random) -> bool:
    """Send a signal, and return whether there was a process to get it."""
    if how != "worker":
        os.kill(parent, signal.SIGINT if how == "Ctrl-C" else signal.SIGKILL)
        return True
    workers = children(forked.workers_server())
    with suppress(ProcessLookupError, IndexError):
        os.kill(luck.choice(workers), signal.SIGKILL)
        return True
    return False


STRUCK = {"kill": -signal.SIGKILL, "Ctrl-C": 1, "worker": 0}
"""How the study's process ends, unless it has ended before."""


def test_a_hundred_kills_lose_nothing_and_repeat_nothing(forked: Forked, tmp_path: Path) -> None:
    lasts = []
    for name in ("first", "second", "third"):
        began = time.monotonic()
        assert forked.run(go_on, tmp_path / name) == 0, forked.log.read_text()
        lasts.append(time.monotonic() - began)
    whole = results(tmp_path / "third")
    assert results(tmp_path / "first") == whole
    assert len(whole) >= 8

    luck, kills, studies = random.Random(SEED), 0, 0  # noqa: S311 - any moments do
    while kills < KILLS:
        folder = tmp_path / str(studies)
        before, ran = rows(folder), trials(folder)
        how = luck.choices(list(STRUCK), weights=[70, 15, 15])[0]
        left = 1 - len(before) / len(whole)
        after_s = luck.uniform(
            0, min(lasts) * (0.3 + 0.7 * left)
        )  # opening and reading back take their time
        told = f"seed {SEED}, kill {kills}, {how} after {after_s:.4f} s"
        parent = forked.start(go_on, folder)
        time.sleep(after_s)
        struck = strike(forked, parent, how, luck)
        code = forked.wait()
        assert code in {0, STRUCK[how]}, f"{told}: {code}\n{forked.log.read_text()}"
        assert are_gone(forked.workers_server()), f"{told}: workers stay"
        assert before <= rows(folder), f"{told}: batches were lost or run again"
        if code == 0:
            assert int((folder / "runs").read_text()) == trials(folder) - ran, told
        kills += struck and code == STRUCK[how]
        studies += results(folder) == whole
    assert forked.run(go_on, folder) == 0, forked.log.read_text()
    assert results(folder) == whole
    assert studies >= 10
