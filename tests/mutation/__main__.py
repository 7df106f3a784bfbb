"""Put small faults into the package, one at a time, and see whether the judges find each: ``make mutants``.

Exits with 1 if a fault survives that is not argued equivalent, or one is caught that is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.mutation.faults import Fault, FaultError, load, named
from tests.mutation.judges import VERIFY
from tests.mutation.score import as_json, did_as_it_should, show
from tests.mutation.store import Store, digest_of
from tests.mutation.trial import ROOT, Outcome, TrialError, snapshot, try_fault

KEPT = ROOT / "build" / "mutation.json"
KEPT_OF_VERIFY = ROOT / "build" / "mutation-verify.json"

Commands = Sequence[Sequence[str]]


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    add = parser.add_argument
    add("--only", action="append", default=[], metavar="NAME", help="a fault or a pattern")
    add("--jobs", type=int, default=1, help="faults that are tried at once")
    add("--json", type=Path, metavar="FILE", help="write the outcomes here as well")
    add("--again", action="store_true", help="try also what is known from a run before")
    add("--verify", action="store_true", help="let neuroemu verify judge alone")
    return parser.parse_args(given)


def run(
    faults: Sequence[Fault], jobs: int, commands: Commands = (), *, again: bool
) -> dict[Fault, Outcome]:
    """Try all faults that nothing is known about, and return the outcomes of all, in their order."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, _progress() as progress:
        sources = snapshot(Path(folder) / "sources")
        store = Store(KEPT_OF_VERIFY if commands else KEPT, digest_of(sources))
        known = {} if again else {f: o for f in faults if (o := store.get(f)) is not None}
        left = [fault for fault in faults if fault not in known]
        bar = progress.add_task("", total=len(faults), completed=len(known))
        for fault, outcome in _tried(left, sources, jobs, commands):
            known[fault] = outcome
            store.put(fault, outcome)
            mark = "[green]ok[/]" if did_as_it_should(fault, outcome) else "[red]!![/]"
            line = f"{mark} {fault.name}: {outcome.how} {escape(outcome.by)}"
            progress.console.print(line, highlight=False, soft_wrap=True)
            progress.update(bar, advance=1)
            if fault.kind == "none" and outcome.is_caught:
                raise TrialError(f"{outcome.by} fails without a fault: {outcome.why}")
    return {fault: known[fault] for fault in faults}


def _tried(
    faults: Sequence[Fault], sources: Path, jobs: int, commands: Commands
) -> Iterator[tuple[Fault, Outcome]]:
    """Try `faults`, so many at once, and yield each as its outcome is known."""
    with ThreadPoolExecutor(jobs) as pool:
        tried = {pool.submit(try_fault, fault, sources, commands): fault for fault in faults}
        try:
            for done in as_completed(tried):
                yield tried[done], done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _progress() -> Progress:
    columns = (TextColumn("faults"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def main() -> int:
    """Run, show, and say by the exit code whether every fault did as it should."""
    options = arguments()
    commands = [VERIFY] if options.verify else []
    try:
        faults = named(load(), options.only)
        results = run(faults, options.jobs, commands, again=options.again)
    except (FaultError, TrialError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    show(results)
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(results), indent=1) + "\n", encoding="utf-8")
    return int(not all(did_as_it_should(f, o) for f, o in results.items()))


if __name__ == "__main__":
    sys.exit(main())
