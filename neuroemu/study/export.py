"""A study's points as a table in a file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from neuroemu.errors import OutputError


def write_csv(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write one row for each point, with a header.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """

    def write(aside: Path) -> None:
        with aside.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _columns(rows))
            writer.writeheader()
            writer.writerows(rows)

    _aside(path, write)


def write_parquet(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write the same as a Parquet file.

    Raises
    ------
    OutputError
        If the file cannot be written, or pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise OutputError(
            f"{path}: Parquet needs pyarrow; it is not installed; pip install 'neuroemu[parquet]'"
        ) from None
    columns = {name: [row.get(name) for row in rows] for name in _columns(rows)}
    table = pyarrow.table({name: _alike(values) for name, values in columns.items()})
    _aside(path, lambda aside: parquet.write_table(table, aside))


def _columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return all columns in the order in which they first appear."""
    return list(dict.fromkeys(name for row in rows for name in row))


def _alike(values: list[Any]) -> list[Any]:
    """Return a column of one type: numbers as they are, a mixture as text."""
    kinds = {type(v) for v in values if v is not None}
    if kinds == {int, float}:
        return [None if v is None else float(v) for v in values]
    return values if len(kinds) <= 1 else [None if v is None else str(v) for v in values]


def _aside(path: Path, write: Callable[[Path], None]) -> None:
    aside = path.with_name(f".{path.name}.partial")
    try:
        write(aside)
        aside.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path}: the table cannot be written; {error.strerror or error}; choose another place"
        ) from None
    finally:
        with suppress(OSError):
            aside.unlink()
