"""A progress bar on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

COMPILING = "compiling kernels, first run only"


@contextmanager
def progress_bar(label: str) -> Iterator[Any]:
    """Show on stderr what is running; without a terminal only that kernels are being compiled.

    Yields a function of the part that is done, 0 to 1, and of what is running.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from neuroemu.report.tables import console

    shown = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bar:
        task = bar.add_task(label, total=1.0)

        def update(part: float, what: str) -> None:
            if what == COMPILING and not shown.is_terminal:
                click.echo(f"{label}: {COMPILING}", err=True)
            bar.update(task, completed=part, description=f"{label}: {what}")

        yield update
