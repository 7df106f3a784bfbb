"""Small pieces of what ``neuroemu check`` shows."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from neuroemu.feasibility.check import Feasibility

NOT_STATED = "not stated"


def owners(c: Feasibility, names: Sequence[str]) -> str:
    """Return the names of populations or projections; shorter where they are all there are."""
    experiment = c.discretized.experiment
    if len(names) > 1 and set(names) == set(experiment.populations):
        return "all populations"
    return ", ".join(names)


def duration(us: float) -> str:
    """Return a time in a unit that suits it.

    Examples
    --------
    >>> duration(0.1), duration(4000.0), duration(4e7)
    ('0.1 us', '4 ms', '40 s')
    """
    for factor, unit in ((1e6, "s"), (1e3, "ms")):
        if us >= factor:
            return f"{us / factor:g} {unit}"
    return f"{us:g} us"


def empty_table(title: str) -> Table:
    """Return a table without rows, in the style of all of them."""
    return Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=title or None,
        title_justify="left",
    )


def facts() -> Table:
    """Return a list of facts without rows: a name and what is so."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, min_width=16)
    grid.add_column()
    return grid


def hertz(value: float | None) -> str:
    """Return a rate, or a dash where there is none."""
    return "-" if value is None else f"{value:.1f} Hz"
