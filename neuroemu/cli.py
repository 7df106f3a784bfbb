"""The command line: parse, call, print. Heavy modules are loaded when a command needs them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neuroemu import __version__
from neuroemu.errors import NeuroemuError

if TYPE_CHECKING:
    from neuroemu.comparison import Comparison
    from neuroemu.experiment import Experiment
    from neuroemu.hardware.config import Target

COMPILING = "compiling kernels, first run only"
DONE, NOT_SURVIVED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="neuroemu")
def cli() -> None:
    """Emulate neuromorphic chips bit for bit, and learn whether a spiking model survives them."""


@cli.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option(
    "--experiment",
    default="spike_based_homeostasis",
    show_default=True,
    help="A shipped experiment, or a TOML file.",
)
@click.option("--trials", default=32, show_default=True, help="Runs with different input spikes.")
@click.option("--seed", default=0, show_default=True, help="Seed of input and stochastic rounding.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a key of the target, or of the experiment with the prefix experiment. "
    "For example plasticity.weight.format=fxp-u4/3. Repeatable.",
)
@click.option(
    "--out",
    default="runs",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where results go.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as JSON.")
@click.option("--gate", is_flag=True, help="Exit with 1 if homeostasis does not survive.")
def run(
    targets: Sequence[str],
    experiment: str,
    trials: int,
    seed: int,
    overrides: Sequence[str],
    out: Path,
    as_json: bool,
    gate: bool,
) -> None:
    """Run an experiment on chips and on the float reference, and give a verdict.

    A TARGET is a shipped name (see neuroemu targets) or a TOML file; without one all shipped
    targets run side by side.

    Exit codes: 0 done, 1 done and some target does not survive (with --gate), 2 bad input.
    """
    from neuroemu.engine.setup import check_numbers
    from neuroemu.hardware.load import load_experiment, load_target, shipped_targets
    from neuroemu.report.folder import check_writable

    prefix = "experiment."
    for_experiment = [o.removeprefix(prefix) for o in overrides if o.startswith(prefix)]
    for_target = [o for o in overrides if not o.startswith(prefix)]
    loaded = load_experiment(experiment, for_experiment)
    chips = [load_target(name, for_target) for name in targets or shipped_targets()]
    check_numbers(trials, seed)
    check_writable(out)
    _import_in_background("neuroemu.report.figures")
    results, folders, interrupted = _compare_all(loaded, chips, trials, seed, out)
    if as_json:
        click.echo(json.dumps([c.as_json() for c in results], indent=2, allow_nan=False))
    elif results:
        _print_results(results, folders, out)
    if interrupted:
        click.echo(f"interrupted: {len(results)} of {len(chips)} targets are done", err=True)
        sys.exit(INTERRUPTED)
    if gate and any(c.verdict != "survives" for c in results):
        sys.exit(NOT_SURVIVED)


def _import_in_background(module: str) -> None:
    """Import matplotlib while the kernels run: it takes most of a second, and they need no interpreter."""
    from importlib import import_module
    from threading import Thread

    Thread(target=import_module, args=(module,), daemon=True).start()


def _compare_all(
    experiment: Experiment, chips: Sequence[Target], trials: int, seed: int, out: Path
) -> tuple[list[Comparison], list[Path], bool]:
    """Compare target by target; each one's folder is whole before the next begins."""
    from neuroemu.report.folder import write_aside, write_folder

    results: list[Comparison] = []
    folders: list[Path] = []
    try:
        from neuroemu.comparison import compare
        from neuroemu.engine.warm import warm_up

        compiler = None
        for i, target in enumerate(chips):
            label = f"{target.name} ({i + 1} of {len(chips)})" if len(chips) > 1 else target.name
            with _progress(label) as progress:
                compiler = warm_up(
                    experiment, chips[i:], partial(progress, 0.0, COMPILING), compiler
                )
                result = compare(experiment, target, trials=trials, seed=seed, progress=progress)
                progress(1.0, "drawing and writing")
                folders.append(write_folder(result, out))
            results.append(result)
        if len(results) > 1:
            folders.append(write_aside(out / "summary", lambda f: _write_summary(f, results)))
    except KeyboardInterrupt:
        return results, folders, True
    return results, folders, False


def _write_summary(folder: Path, results: Sequence[Comparison]) -> None:
    from neuroemu.report.figures import save_figure, summary_figure

    text = json.dumps([c.as_json() for c in results], indent=2, allow_nan=False)
    (folder / "verdicts.json").write_text(text + "\n", encoding="utf-8")
    figure = summary_figure(results)
    for ending in ("png", "svg"):
        save_figure(figure, folder / f"figure.{ending}")


def _print_results(results: Sequence[Comparison], folders: Sequence[Path], out: Path) -> None:
    from neuroemu.report import tables

    console = tables.console()
    console.print(tables.side_by_side(results))
    if len(results) == 1:
        console.print(tables.details(results[0]))
        console.print(f"\nResults and figures: {folders[0]}", soft_wrap=True)
    else:
        console.print(
            f"\nResults: {out}/<target>, summary figure: {folders[-1]}/figure.png", soft_wrap=True
        )


@contextmanager
def _progress(label: str) -> Iterator[Any]:
    """Show on stderr what is running; without a terminal only that kernels are being compiled."""
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


@cli.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def targets(name: str | None, as_json: bool) -> None:
    """List the shipped targets, or show the numbers of one with their sources."""
    from neuroemu.hardware.load import load_target, shipped_targets

    chips = [load_target(name)] if name else [load_target(n) for n in shipped_targets()]
    if as_json:
        data = [t.model_dump(mode="json") for t in chips]
        click.echo(json.dumps(data[0] if name else data, indent=2))
        return
    from neuroemu.report import tables

    tables.console().print(tables.target_detail(chips[0]) if name else tables.target_list(chips))


def main() -> None:
    """Run the command line; a user's mistake ends in one line each and exit code 2."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(BAD_INPUT)
    except NeuroemuError as error:
        for line in str(error).splitlines():
            click.echo(f"error: {line}", err=True)
        sys.exit(BAD_INPUT)
    except BrokenPipeError:
        sys.stderr.close()


if __name__ == "__main__":
    main()
