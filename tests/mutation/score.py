"""What all outcomes come to: the table, the score, and whether every fault did as it should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.mutation.faults import KINDS, Fault
from tests.mutation.trial import Outcome

WIDTH = 100


def did_as_it_should(fault: Fault, outcome: Outcome) -> bool:
    """Whether a fault was caught, or survived where it is argued that it must."""
    return outcome.is_caught != bool(fault.equivalent)


def score(results: Mapping[Fault, Outcome]) -> tuple[int, int]:
    """Return how many faults were caught, of how many that a test can tell."""
    tried = {fault: outcome for fault, outcome in results.items() if not fault.equivalent}
    return sum(outcome.is_caught for outcome in tried.values()), len(tried)


def as_json(results: Mapping[Fault, Outcome]) -> dict[str, Any]:
    """Return the score and every outcome as plain data."""
    caught, tried = score(results)
    return {
        "caught": caught,
        "tried": tried,
        "equivalent": sum(bool(fault.equivalent) for fault in results),
        "faults": [
            {"name": f.name, "kind": f.kind, "file": f.file, "equivalent": f.equivalent}
            | outcome.as_json()
            for f, outcome in results.items()
        ],
    }


def show(results: Mapping[Fault, Outcome]) -> None:
    """Print each fault with the judge that caught it, the figures by kind, and the score."""
    console = Console(width=WIDTH)
    console.print(_faults(results))
    console.print(_kinds(results))
    for fault, outcome in results.items():
        if fault.equivalent and not outcome.is_caught:
            console.print(
                f"[bold]{fault.name}[/] is equivalent: {fault.equivalent}", highlight=False
            )
    for fault, outcome in results.items():
        if not did_as_it_should(fault, outcome):
            what = "was caught, and is argued equivalent" if fault.equivalent else "survived"
            console.print(f"[bold red]{fault.name}[/] in {fault.file} {what}", highlight=False)
    caught, tried = score(results)
    console.print(f"[bold]{caught} of {tried} faults were caught[/]", highlight=False)


def _faults(results: Mapping[Fault, Outcome]) -> Table:
    table = Table(title="Faults", title_justify="left")
    table.add_column("fault", no_wrap=True)
    table.add_column("caught")
    table.add_column("by", overflow="fold", ratio=1)
    table.add_column("s", justify="right")
    for fault, outcome in results.items():
        how = {"survived": "equivalent" if fault.equivalent else "[red]survived[/]"}
        path, colons, test = outcome.by.partition("::")
        by = escape(path.rpartition("/")[2].removesuffix(".py") + colons + test)
        caught = how.get(outcome.how, outcome.how)
        table.add_row(fault.name, caught, by, f"{outcome.seconds:.0f}")
    return table


def _kinds(results: Mapping[Fault, Outcome]) -> Table:
    table = Table(title="By kind", title_justify="left")
    table.add_column("kind")
    columns = ("faults", "test", "import", "crash", "time-out", "survived", "equivalent")
    for column in columns:
        table.add_column(column, justify="right")
    for kind in KINDS:
        mine = {fault: outcome for fault, outcome in results.items() if fault.kind == kind}
        how = Counter("equivalent" if f.equivalent else o.how for f, o in mine.items())
        if mine and kind != "none":
            table.add_row(kind, str(len(mine)), *(str(how[c] or "") for c in columns[1:]))
    return table
