"""The results file: what it keeps, who may open it, and what is said when it cannot be used."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from neuroemu.errors import OutputError
from neuroemu.study.batch import Batch
from neuroemu.study.points import Space
from neuroemu.study.results import FILE, load_study
from neuroemu.study.run import run_study
from neuroemu.study.store import BatchKey, Store, reading, writing
from tests.study.forked import Forked
from tests.study.small import small_space

RATES = np.asarray([[1.5, np.nan], [0.1 + 0.2, -np.inf]])


def batch(config: str = "c", first: int = 0, **arrays: np.ndarray) -> Batch:
    return Batch(
        config=config,
        first=first,
        trials=2,
        arithmetic="a",
        seconds=0.25,
        arrays=arrays or {"rates": RATES, "metric": np.empty(0), "codes": np.arange(3)},
    )


def die_writing(path: Path, config: str) -> None:
    with writing(path) as store:
        store.add(batch(config), "verdict")
        os.kill(os.getpid(), signal.SIGKILL)


def as_nobody(work: Callable[[Path], None], path: Path) -> None:
    """Work without root's rights, if the tests have them: root may write everywhere."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    work(path)


def open_to_all(folder: Path) -> None:
    """Let other users go through the folders above that are ours."""
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path(parent.root):
            parent.chmod(parent.stat().st_mode | 0o011)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A file with one batch."""
    path = tmp_path / FILE
    with writing(path) as store:
        store.add(batch(), "verdict")
    return path


def test_arrays_come_back_bit_for_bit(kept: Path) -> None:
    with reading(kept) as store:
        found = store.batch(("c", 0, 2, "verdict"))
        assert store.batch(("c", 2, 2, "verdict")) is None
    assert found is not None and (found.seconds, found.refusal) == (0.25, "")
    assert list(found.arrays) == ["rates", "metric", "codes"]
    for name, array in batch().arrays.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        assert found.arrays[name].tobytes() == array.tobytes()


def test_a_closed_file_is_a_single_file(kept: Path) -> None:
    assert {p.name for p in kept.parent.iterdir()} <= {FILE, f"{FILE}.lock"}


def test_a_second_study_is_told_at_once(kept: Path) -> None:
    second = pytest.raises(OutputError, match="another study is writing to this file")
    with writing(kept), second, writing(kept):
        pass
    with writing(kept) as store:  # and may once the first has ended
        store.set_meta("key", 1)


def test_the_lock_goes_with_its_process(forked: Forked, kept: Path) -> None:
    assert forked.run(die_writing, kept, "d") == -signal.SIGKILL
    with writing(kept) as store:
        assert store.batch_keys() == {("c", 0, 2, "verdict"), ("d", 0, 2, "verdict")}


def test_a_reader_sees_one_moment_while_a_study_goes_on(kept: Path) -> None:
    with writing(kept) as store:
        with reading(kept) as reader:
            assert len(reader.batch_keys()) == 1
            store.add(batch("d"), "verdict")
            assert len(reader.batch_keys()) == 1
        with reading(kept) as reader:
            assert len(reader.batch_keys()) == 2


def test_a_reader_that_stays_does_not_hold_the_study_up(kept: Path) -> None:
    with reading(kept) as reader:
        assert len(reader.batch_keys()) == 1
    with writing(kept) as store:
        store.add(batch("d"), "verdict")
        with reading(kept) as reader:
            assert len(reader.batch_keys()) == 2
            store.add(batch("e"), "verdict")
    with reading(kept) as reader:
        assert len(reader.batch_keys()) == 3


def closed(forked: Forked, path: Path) -> None:
    with writing(path) as store:
        store.add(batch("last"), "verdict")


def closed_while_read(forked: Forked, path: Path) -> None:
    with ExitStack() as readers, writing(path) as store:
        store.add(batch("last"), "verdict")
        assert readers.enter_context(reading(path)).batch_keys()


def killed(forked: Forked, path: Path) -> None:
    assert forked.run(die_writing, path, "last") == -signal.SIGKILL


def read_all(path: Path) -> None:
    with reading(path) as store:
        assert store.batch(("last", 0, 2, "verdict")) is not None
    assert len(load_study(path).rows) == 8


@pytest.mark.parametrize(
    ("left", "beside"), [(closed, set()), (closed_while_read, set()), (killed, {"-wal", "-shm"})]
)
def test_a_read_only_folder_can_be_read(
    forked: Forked,
    finished: Path,
    tmp_path: Path,
    left: Callable[[Forked, Path], None],
    beside: set[str],
) -> None:
    path = tmp_path / "copy" / FILE
    path.parent.mkdir()
    shutil.copy(finished / FILE, path)
    left(forked, path)
    assert {p.name.removeprefix(FILE) for p in path.parent.iterdir()} - {".lock"} == {"", *beside}
    open_to_all(path.parent)
    for p in (*path.parent.iterdir(), path.parent):
        p.chmod(0o555 if p.is_dir() else 0o444)
    try:
        assert forked.run(as_nobody, read_all, path) == 0, forked.log.read_text()
    finally:
        path.parent.chmod(0o755)


def write_refused(path: Path) -> None:
    refused = pytest.raises(OutputError, match="cannot be written; Permission denied")
    with refused, writing(path):
        pass


def test_a_read_only_folder_cannot_be_written(forked: Forked, kept: Path) -> None:
    open_to_all(kept.parent)
    kept.parent.chmod(0o555)
    try:
        new = kept.parent / "new.sqlite"
        assert forked.run(as_nobody, write_refused, new) == 0, forked.log.read_text()
    finally:
        kept.parent.chmod(0o755)


def run_on_full_disk(space: Space, folder: Path) -> None:
    """Run a study where no file may grow beyond some 120 KB, its log among them."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))
    with pytest.raises(OutputError, match=r"the results file cannot be used; .*free some space"):
        run_study(space, folder)


def test_a_full_disk_costs_nothing_that_was_kept(
    forked: Forked, finished: Path, tmp_path: Path
) -> None:
    space = small_space(tmp_path)
    before: set[BatchKey] = set()
    for _ in range(2):
        assert forked.run(run_on_full_disk, space, tmp_path) == 0, forked.log.read_text()
        with reading(tmp_path / FILE) as store:
            store.check()
            assert store.batch_keys() > before
            before = store.batch_keys()
    rows = run_study(space, tmp_path).rows
    assert [r.word for r in rows] == [r.word for r in load_study(finished).rows]


@pytest.mark.parametrize("content", [b"", b"no database at all, but text" * 300])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.sqlite"
    path.write_bytes(content)
    with pytest.raises(OutputError, match=r"notes\.sqlite: "):
        load_study(path)


def test_other_databases_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE holidays (day TEXT)")
    other.close()
    with pytest.raises(OutputError, match="no results file of a study"), writing(path):
        pass
    with sqlite3.connect(path) as other:  # and left as they were
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("holidays",)]
    other.close()


def test_another_layout_is_refused(kept: Path) -> None:
    with writing(kept) as store:
        store.set_meta("schema", 99)
    with pytest.raises(OutputError, match="its layout is version 99"), reading(kept):
        pass


def test_damage_is_found(finished: Path, tmp_path: Path) -> None:
    path = tmp_path / FILE
    data = bytearray((finished / FILE).read_bytes())
    data[8192:] = bytes(len(data) - 8192)
    path.write_bytes(data)
    with pytest.raises(OutputError, match="it is damaged"), reading(path) as store:
        store.check()


def test_wall_time_is_that_of_commands_until_their_last_batch(tmp_path: Path) -> None:
    path = tmp_path / FILE

    def seconds() -> float:
        with reading(path) as store:
            return store.seconds()

    with writing(path) as store:
        store.add(batch(), "verdict")
    first = seconds()
    assert first > 0
    with writing(path):  # nothing to do
        pass
    assert seconds() == first
    with writing(path) as store:
        store.add(batch("d"), "verdict")
    assert seconds() > first


def test_a_batch_differs_from_one_of_the_same_key(kept: Path, tmp_path: Path) -> None:
    def merged(other: Batch) -> int:
        path = tmp_path / "other" / FILE
        with writing(path) as store:
            store.add(other, "verdict")
        with reading(path) as theirs, writing(kept) as mine:
            return Store.merge(mine, [theirs])

    assert merged(batch()) == 0
    assert merged(batch(first=2)) == 1
    with pytest.raises(OutputError, match="trials 0 to 1 of configuration c differ"):
        merged(batch(rates=RATES + 1))
