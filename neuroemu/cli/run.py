"""``neuroemu run``: an experiment on chips and in float, and the verdict."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from neuroemu.cli.exit_codes import INTERRUPTED, NOT_SURVIVED
from neuroemu.cli.options import experiment_option, load_configurations, overrides_option
from neuroemu.cli.progress import COMPILING, progress_bar

if TYPE_CHECKING:
    from neuroemu.comparison import Comparison
    from neuroemu.experiment import Experiment
    from neuroemu.hardware.config import Target


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@experiment_option
@click.option("--trials", default=32, show_default=True, help="Runs with different input spikes.")
@click.option("--seed", default=0, show_default=True, help="Seed of input and stochastic rounding.")
@overrides_option
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
    from neuroemu.report.folder import check_writable

    loaded, chips = load_configurations(experiment, targets, overrides)
    check_numbers(trials, seed, drawn=loaded)
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
    compiler = None
    try:
        from neuroemu.comparison import compare
        from neuroemu.engine.warm import warm_up

        for i, target in enumerate(chips):
            label = f"{target.name} ({i + 1} of {len(chips)})" if len(chips) > 1 else target.name
            with progress_bar(label) as progress:
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
    finally:
        if compiler is not None:
            compiler.terminate()  # of no effect where it has compiled all
            compiler.wait()
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
