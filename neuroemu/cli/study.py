"""``neuroemu study``: many points, one map."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click_default_group import DefaultGroup

from neuroemu.cli.exit_codes import INTERRUPTED, NOT_SURVIVED
from neuroemu.cli.options import json_option
from neuroemu.errors import ConfigError

if TYPE_CHECKING:
    from neuroemu.study.campaign import Work
    from neuroemu.study.points import Space
    from neuroemu.study.results import StudyResults
    from neuroemu.study.workers import Workers

GROUP: type[click.Group] = DefaultGroup
"""``study FILE`` is ``study run FILE``."""

path_argument: Callable[[Callable[..., Any]], Callable[..., Any]] = click.argument(
    "path", metavar="STUDY", type=click.Path(path_type=Path)
)


@click.group(cls=GROUP, default="run", default_if_no_args=True)
def study() -> None:
    """Run a study: many points of a target's or an experiment's keys, each decided, kept, drawn.

    neuroemu study FILE is neuroemu study run FILE.
    """


@study.command()
@click.argument("file", required=False)
@click.option("--plan", "only_plan", is_flag=True, help="Print points, time and disk; run nothing.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a key of the study file, for example trials.most=256. Repeatable.",
)
@click.option(
    "--out",
    default="studies",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where results go.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes; default: one per core.")
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="Run on this Dask cluster.")
@click.option("--slurm", type=click.IntRange(min=1), metavar="JOBS", help="Run in Slurm jobs.")
@click.option("--slurm-script", is_flag=True, help="Print the script of such a job; run nothing.")
@click.option("--shard", metavar="I/N", help="Run the I-th of N parts, to be merged.")
@click.option("--gate", is_flag=True, help="Exit with 1 if some point, or a search, does not pass.")
@json_option
def run(file: str | None, **options: Any) -> None:
    """Run all that a study still lacks; without a FILE list the shipped studies.

    FILE is a shipped name or a TOML file. The same command goes on where it was interrupted, and
    computes what has changed.

    Exit codes: 0 done, 1 done and some point does not pass (with --gate), 2 bad input.
    """
    if file is None:
        _list()
        return
    if not any(options[o] for o in ("only_plan", "slurm_script", "scheduler", "slurm")):
        from neuroemu.study.server import start_server

        start_server()  # it loads what workers need while this process loads the rest
    from neuroemu.study.config import load_study_file
    from neuroemu.study.points import check_question
    from neuroemu.study.points import space as space_of

    loaded, beside = load_study_file(file, options["overrides"])
    space = space_of(loaded, beside)
    check_question(space.experiment)
    folder = options["out"] / loaded.name
    if options["slurm_script"]:
        from neuroemu.study.cluster import slurm_script

        click.echo(slurm_script())
    elif options["only_plan"]:
        _plan(space, folder, options["workers"])
    else:
        _run(space, folder, options)


def _list() -> None:
    from neuroemu.report import tables
    from neuroemu.report.study_tables import study_list
    from neuroemu.study.config import load_study_file, shipped_studies

    tables.console().print(study_list([load_study_file(n)[0] for n in shipped_studies()]))


def _plan(space: Space, folder: Path, workers: int | None) -> None:
    from neuroemu.report import tables
    from neuroemu.report.study_tables import plan_report
    from neuroemu.study.plan import plan
    from neuroemu.study.workers import cores

    found = plan(space, folder, workers or cores())
    tables.console().print(plan_report(space.study, found))


def _run(space: Space, folder: Path, options: dict[str, Any]) -> None:
    from neuroemu.report.folder import check_writable
    from neuroemu.study.run import run_study

    shard = _shard(options["shard"])
    check_writable(folder)
    with _progress(space) as show:
        try:
            results = run_study(
                space,
                folder,
                workers=_workers(options),
                shard=shard,
                command=_command(sys.argv[1:]),
                show=show,
            )
        except KeyboardInterrupt:
            click.echo("interrupted: the same command goes on from here", err=True)
            sys.exit(INTERRUPTED)
    figures = _draw(results, folder) if shard == (1, 1) else []
    _tell(results, figures, as_json=options["as_json"])
    if options["gate"] and not _passes(results):
        sys.exit(NOT_SURVIVED)


def _passes(results: StudyResults) -> bool:
    """Return whether all points that were run pass; of a search, whether it has found formats that do."""
    if results.frontiers:
        return all(found.minima for found in results.frontiers)
    return all(r.answer and r.answer.passes for r in results.rows if r.word != "missing")


def _command(arguments: Sequence[str]) -> str:
    """Return what gives the whole study again: without the part that this is, and where it went."""
    kept, skip = ["neuroemu"], False
    for argument in arguments:
        is_place = argument in ("--shard", "--out")
        if not (skip or is_place or argument.startswith(("--shard=", "--out="))):
            kept.append(argument)
        skip = is_place
    return shlex.join(kept)


def _workers(options: dict[str, Any]) -> Workers:
    chosen = [o for o in ("workers", "scheduler", "slurm") if options[o]]
    if len(chosen) > 1:
        raise ConfigError.one(
            f"--{chosen[1]}",
            rule=f"this and --{chosen[0]} exclude each other",
            remedy="give one of them",
        )
    if options["scheduler"]:
        from neuroemu.study.cluster import DaskWorkers

        return DaskWorkers(options["scheduler"])
    if options["slurm"]:
        from neuroemu.study.cluster import slurm_workers

        return slurm_workers(options["slurm"])
    from neuroemu.study.workers import LocalWorkers

    return LocalWorkers(options["workers"])


def _shard(text: str | None) -> tuple[int, int]:
    """Return part and number of parts."""
    if text is None:
        return (1, 1)
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    part, parts = (int(n) for n in match.groups()) if match else (0, 0)
    if not 1 <= part <= parts:
        raise ConfigError.one(
            "--shard", value=text, rule="a part is I/N with 1 <= I <= N", remedy="write 1/4"
        )
    return part, parts


@contextmanager
def _progress(space: Space) -> Iterator[Callable[[Work], None]]:
    """Show how far a study is."""
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from neuroemu.report.tables import console

    shown = console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} points"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bar:
        task = bar.add_task(space.study.name, total=1.0)
        said = ""

        def show(work: Work) -> None:
            nonlocal said
            if work.what != said and not shown.is_terminal:
                click.echo(f"{space.study.name}: {work.what}", err=True)
            said = work.what
            rate = f", {work.runs / work.seconds:,.0f} runs/s" if work.runs else ""
            text = f"{space.study.name}: {work.what}{rate}"
            bar.update(task, completed=work.done, total=max(work.points, 1), description=text)

        yield show


def _draw(results: StudyResults, folder: Path) -> list[Path]:
    from neuroemu.report.study import write_figures

    return write_figures(results, folder)


def _tell(results: StudyResults, figures: Sequence[Path], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_as_json(results), indent=2, allow_nan=False))
        return
    from neuroemu.report import tables
    from neuroemu.report.study_tables import study_report

    console = tables.console()
    console.print(study_report(results))
    console.print(f"\nResults: {results.path}", soft_wrap=True)
    for path in figures:
        console.print(f"Figure:  {path}", soft_wrap=True)


def _as_json(results: StudyResults) -> dict[str, Any]:
    return {
        "study": results.study.name,
        "points": results.table(),
        "frontiers": [f.as_json() for f in results.frontiers],
        "runs": results.runs,
        "core_seconds": results.core_seconds,
        "seconds": results.seconds,
    }


@study.command()
@path_argument
@click.option(
    "--where",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Only the points of this value. Repeatable.",
)
@json_option
def show(path: Path, where: Sequence[str], as_json: bool) -> None:
    """Print the points of a study, which may still be running."""
    from neuroemu.report import tables
    from neuroemu.report.study_tables import point_table, study_report

    results = _filtered(path, where)
    if as_json:
        click.echo(json.dumps(_as_json(results), indent=2, allow_nan=False))
        return
    console = tables.console()
    console.print(point_table(results))
    console.print(study_report(results))


def _filtered(path: Path, where: Sequence[str]) -> StudyResults:
    from neuroemu.study.results import load_study

    pairs = [w.partition("=") for w in where]
    names = [name for name, _, _ in pairs]
    for name, equals, _ in pairs:
        if names.count(name) > 1:
            raise ConfigError.one(
                "--where", name, rule="a column has one value", remedy="give it once"
            )
        if not equals or not name:
            raise ConfigError.one(
                "--where", name, rule="a filter is COLUMN=VALUE", remedy="write answer=survives"
            )
    return load_study(path).where(**{name: value for name, _, value in pairs})


@study.command()
@path_argument
@click.option("--csv", type=click.Path(path_type=Path), help="File to write.")
@click.option("--parquet", type=click.Path(path_type=Path), help="File to write.")
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Only these points.")
def export(path: Path, csv: Path | None, parquet: Path | None, where: Sequence[str]) -> None:
    """Write the points of a study as a table, one row each."""
    from neuroemu.study.export import write_csv, write_parquet

    if csv is None and parquet is None:
        raise ConfigError.one(
            "export", rule="an export needs a file", remedy="add --csv FILE or --parquet FILE"
        )
    rows = _filtered(path, where).table()
    for target, write in ((csv, write_csv), (parquet, write_parquet)):
        if target is not None:
            write(rows, target)
            click.echo(f"{len(rows)} points: {target}")


@study.command()
@click.argument("into", type=click.Path(path_type=Path))
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
def merge(into: Path, sources: Sequence[Path]) -> None:
    """Bring the results of SOURCES, parts of a study that ran elsewhere, together in INTO."""
    from neuroemu.study.shards import merge as merge_files

    added = merge_files(into, sources)
    click.echo(f"{added} new batches: {into}")
