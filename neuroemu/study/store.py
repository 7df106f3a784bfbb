"""Where results are kept: one SQLite file, written by one process, readable by all meanwhile."""

from __future__ import annotations

import json
import math
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from neuroemu.errors import OutputError
from neuroemu.study.batch import Batch

SCHEMA = 1
TABLES = f"""
BEGIN;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS batches (
    config TEXT NOT NULL, first INTEGER NOT NULL, trials INTEGER NOT NULL, kind TEXT NOT NULL,
    seconds REAL NOT NULL, refusal TEXT NOT NULL, arrays BLOB NOT NULL,
    PRIMARY KEY (config, first, trials, kind));
CREATE TABLE IF NOT EXISTS predictions (config TEXT PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS commands (id TEXT PRIMARY KEY, seconds REAL NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO meta VALUES ('schema', '{SCHEMA}');
COMMIT;
"""  # noqa: S608 - a number of ours
KEY = "config = ? AND first = ? AND trials = ? AND kind = ?"
BUSY_S = 30.0
"""How long a reader waits for a writer."""

BatchKey = tuple[str, int, int, str]
"""Digest of the configuration, first trial, number of trials, and what was measured beside the rates."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch as it was kept."""

    arrays: dict[str, NDArray[Any]]
    seconds: float
    refusal: str


class Store:
    """A results file; open it with `writing` or `reading`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path, self._connection = path, connection
        self._command, self._began = uuid.uuid4().hex, time.monotonic()

    def batch(self, key: BatchKey) -> Kept | None:
        """Return a batch, or None if it is not there."""
        row = self._one(f"SELECT arrays, seconds, refusal FROM batches WHERE {KEY}", key)  # noqa: S608
        return None if row is None else Kept(self._unpacked(row[0]), row[1], row[2])

    def add(self, batch: Batch, kind: str) -> None:
        """Keep a batch: a process that is killed afterwards loses nothing."""
        row = (batch.config, batch.first, batch.trials, kind, batch.seconds, batch.refusal)
        spent = time.monotonic() - self._began
        with self._guarded(), self._connection as db:
            db.execute(
                "INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*row, packed(batch.arrays)),
            )
            db.execute("INSERT OR REPLACE INTO commands VALUES (?, ?)", (self._command, spent))

    def prediction(self, config: str) -> dict[str, Any] | None:
        """Return what was predicted of a configuration."""
        row = self._one("SELECT data FROM predictions WHERE config = ?", (config,))
        return None if row is None else json.loads(row[0])

    def add_prediction(self, config: str, data: Mapping[str, Any]) -> None:
        """Keep a prediction."""
        text = json.dumps(data, allow_nan=False)
        self._write("INSERT OR REPLACE INTO predictions VALUES (?, ?)", (config, text))

    def meta(self, key: str) -> Any:
        """Return a fact about the study, or None."""
        row = self._one("SELECT value FROM meta WHERE key = ?", (key,))
        return None if row is None else json.loads(row[0])

    def set_meta(self, key: str, value: Any) -> None:
        """Keep a fact about the study."""
        text = json.dumps(value, allow_nan=False)
        self._write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, text))

    def batch_keys(self) -> set[BatchKey]:
        """Return the keys of all batches."""
        with self._guarded():
            rows = self._connection.execute("SELECT config, first, trials, kind FROM batches")
            return {tuple(row) for row in rows}

    def seconds(self) -> float:
        """Return the wall time of all commands, each until the last batch that it kept."""
        row = self._one("SELECT sum(seconds) FROM commands", ())
        return float(row[0] or 0.0) if row else 0.0

    def check(self) -> None:
        """Look for damage.

        Raises
        ------
        OutputError
            If there is any.
        """
        row = self._one("PRAGMA quick_check(1)", ())
        if row is None or row[0] != "ok":
            raise _damaged(self.path)

    def merge(self, others: list[Store]) -> int:
        """Take over all that other files have, or nothing, and return how many batches are new.

        Raises
        ------
        OutputError
            If two files have different results of one batch.
        """
        before = self._count()
        with self._guarded(), self._connection as db:
            for other in others:
                for row in other._rows("batches"):
                    self._compare(row, other)
                    db.execute("INSERT OR IGNORE INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                for table in ("predictions", "commands"):
                    rows = other._rows(table)
                    db.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", rows)  # noqa: S608
        return self._count() - before

    def _compare(self, row: tuple[Any, ...], other: Store) -> None:
        mine = self._one(f"SELECT refusal, arrays FROM batches WHERE {KEY}", row[:4])  # noqa: S608
        if mine is not None and mine != row[5:]:
            last = row[1] + row[2] - 1
            raise OutputError(
                f"{other.path}: trials {row[1]} to {last} of configuration {row[0][:16]} differ from those in "
                f"{self.path}, though the arithmetic is the same; a file or a machine is faulty: run both again"
            )

    def _count(self) -> int:
        row = self._one("SELECT count(*) FROM batches", ())
        return int(row[0]) if row else 0

    def _rows(self, table: str) -> Iterator[tuple[Any, ...]]:
        with self._guarded():
            yield from self._connection.execute(f"SELECT * FROM {table}")  # noqa: S608

    def _one(self, text: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        with self._guarded():
            row: tuple[Any, ...] | None = self._connection.execute(text, values).fetchone()
        return row

    def _write(self, text: str, values: tuple[Any, ...]) -> None:
        with self._guarded(), self._connection:
            self._connection.execute(text, values)

    def _unpacked(self, blob: bytes) -> dict[str, NDArray[Any]]:
        try:
            return _unpacked(blob)
        except (ValueError, TypeError):
            raise _damaged(self.path) from None

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from None


@contextmanager
def writing(path: Path) -> Iterator[Store]:
    """Open a results file to add to it; no other process may while this one does.

    While it is open, what is new lies in files beside it, ``-wal`` and ``-shm``. They are gone when it is closed; those
    that a killed process leaves behind belong to it and go with it. What was added survives the death of the process; a
    power failure may take the last batches and leaves the file sound. On a network file system only the host that
    writes may read meanwhile: SQLite shares memory between writer and readers. When it is closed, every host may.

    Raises
    ------
    OutputError
        If another study is writing to it, it is none of ours, or cannot be written.
    """
    lock = FileLock(f"{path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        raise OutputError(
            f"{path}: another study is writing to this file; wait for it, or choose another --out"
        ) from None
    except OSError as error:
        raise OutputError(
            f"{path}: the results cannot be written; {error.strerror or error}; choose another --out"
        ) from None
    try:
        with _connected(path, f"file:{_quoted(path)}") as store, _single_file(store._connection):
            with store._guarded():
                store._connection.execute("PRAGMA journal_mode = WAL")
                store._connection.execute("PRAGMA synchronous = NORMAL")
                store._connection.executescript(TABLES)
            yield store
    finally:
        lock.release()


@contextmanager
def reading(path: Path) -> Iterator[Store]:
    """Open a results file to read it as it is now, while a study may be writing to it.

    Raises
    ------
    OutputError
        If there is none, or it is none of ours.
    """
    if not path.is_file():
        raise OutputError(f"{path}: there is no such results file; give a study's folder")
    uri = f"file:{_quoted(path)}?mode=rw"
    if _needs_files_beside(path, uri):
        uri = f"file:{_quoted(path)}?immutable=1"
    with _connected(path, uri) as store:
        with store._guarded():
            store._connection.execute("BEGIN")  # all that is read is of one moment
        yield store


def _needs_files_beside(path: Path, uri: str) -> bool:
    """Return whether the file cannot be read because SQLite cannot make files beside it, and needs none of them."""
    beside = Path(f"{path}-wal")
    if beside.is_file() and beside.stat().st_size:
        return False
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.execute("SELECT name FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode in (
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_READONLY_DIRECTORY,
        )
    except sqlite3.Error:
        return False
    return False


def _quoted(path: Path) -> str:
    return path.resolve().as_uri().removeprefix("file://")


@contextmanager
def _connected(path: Path, uri: str) -> Iterator[Store]:
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S)
    except sqlite3.Error as error:
        raise _unusable(path, error) from None
    try:
        store = Store(path, connection)
        with store._guarded():
            tables = {r[0] for r in connection.execute("SELECT name FROM sqlite_master")}
        if tables and "batches" not in tables:
            raise OutputError(f"{path}: this is no results file of a study; give another one")
        found = store.meta("schema") if tables else SCHEMA
        if found not in (None, SCHEMA):
            raise OutputError(
                f"{path}: its layout is version {found}, and this neuroemu reads version {SCHEMA}; "
                "use the one that wrote it"
            )
        yield store
    finally:
        connection.close()


@contextmanager
def _single_file(connection: sqlite3.Connection) -> Iterator[None]:
    """Put all into the one file at the end, so that it can be sent, or read where nothing can be written."""
    try:
        yield
    finally:
        with suppress(
            sqlite3.Error
        ):  # the disk is full, or someone is reading: the next command does it
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA journal_mode = DELETE")


def _unusable(path: Path, error: sqlite3.Error) -> OutputError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _damaged(path)
    if code == sqlite3.SQLITE_BUSY:
        return OutputError(
            f"{path}: another program has had this file open for {BUSY_S:.0f} s; close it, and give the "
            "same command again: what is finished is kept"
        )
    return OutputError(
        f"{path}: the results file cannot be used; {error}; free some space or check its rights, "
        "and give the same command again: what is finished is kept"
    )


def _damaged(path: Path) -> OutputError:
    return OutputError(
        f"{path}: this is no results file of a study, or it is damaged; give another one, or a copy of it"
    )


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays as bytes, the same for the same arrays: a line of JSON with types and shapes, then their data."""
    head = {name: (a.dtype.str, a.shape) for name, a in arrays.items()}
    return json.dumps(head).encode() + b"\n" + b"".join(a.tobytes() for a in arrays.values())


def _unpacked(blob: bytes) -> dict[str, NDArray[Any]]:
    head, _, data = blob.partition(b"\n")
    arrays, start = {}, 0
    for name, (kind, shape) in json.loads(head).items():
        dtype, count = np.dtype(kind), math.prod(shape)
        arrays[name] = np.frombuffer(data, dtype, count, start).reshape(shape)
        start += count * dtype.itemsize
    return arrays
