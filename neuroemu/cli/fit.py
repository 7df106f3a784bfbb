"""``neuroemu fit``: formats from data."""

from __future__ import annotations

import json
from pathlib import Path

import click

from neuroemu.cli.options import (
    experiment_option,
    json_option,
    load_configurations,
    overrides_option,
)
from neuroemu.cli.progress import progress_bar


@click.command()
@click.argument("target")
@experiment_option
@click.option(
    "--margin", default=0.25, show_default=True, help="Headroom over what was observed, as a part."
)
@click.option(
    "--precision",
    default=0.02,
    show_default=True,
    help="Part by which a constant, or what rounding adds up to, may be off.",
)
@click.option("--trials", default=16, show_default=True, help="Runs with different input spikes.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    help="Seed of the input observed; the next one judges the proposal.",
)
@overrides_option
@click.option(
    "--out",
    default="fits",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where the proposal goes.",
)
@json_option
def fit(
    target: str,
    experiment: str,
    margin: float,
    precision: float,
    trials: int,
    seed: int,
    overrides: tuple[str, ...],
    out: Path,
    as_json: bool,
) -> None:
    """Propose formats for a chip from what an experiment's registers hold in float.

    TARGET is a shipped name or a TOML file: it gives everything that is no format. The proposal is written as a target
    of its own that neuroemu run takes, and judged on input that it was not fitted to.

    Exit codes: 0 done, 2 bad input.
    """
    from neuroemu.engine.setup import check_numbers
    from neuroemu.fitting.whole import check_parts
    from neuroemu.report.folder import check_writable

    loaded, (chip,) = load_configurations(experiment, [target], overrides)
    check_numbers(trials, seed, drawn=loaded)
    check_parts(margin, precision)
    check_writable(out)

    from neuroemu.fitting import fit as fit_formats
    from neuroemu.report.fit_folder import proposal_file, write_fit

    with progress_bar(chip.name) as progress:
        found = fit_formats(
            loaded,
            chip,
            margin=margin,
            precision=precision,
            trials=trials,
            seed=seed,
            progress=progress,
        )
        progress(1.0, "drawing and writing")
        folder = write_fit(found, out)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2, allow_nan=False))
        return
    from neuroemu.report import tables
    from neuroemu.report.fit_tables import fit_report

    console = tables.console()
    console.print(fit_report(found))
    if folder.name != chip.name:
        console.print(
            f"\n{out / chip.name} holds something else, and was left alone.", soft_wrap=True
        )
    console.print(
        f"\nProposal: {proposal_file(folder, found)}\nFigure:   {folder / 'figure.png'}",
        soft_wrap=True,
    )
