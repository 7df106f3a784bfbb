"""``neuroemu verify``: every law of the arithmetic tried on chips, and a certificate for each."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neuroemu.cli.exit_codes import INTERRUPTED, NOT_SURVIVED
from neuroemu.cli.options import (
    experiment_option,
    json_option,
    load_configurations,
    overrides_option,
)
from neuroemu.cli.progress import COMPILING, progress_bar

if TYPE_CHECKING:
    from neuroemu.verification.certificate import Certificate
    from neuroemu.verification.law import Setting


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@experiment_option
@click.option("--examples", default=50, show_default=True, help="Cases of the sampled laws.")
@click.option("--seed", default=0, show_default=True, help="Of every case that is drawn.")
@overrides_option
@click.option(
    "--out",
    default="counterexamples",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where counterexamples go, if there are any.",
)
@json_option
@click.option(
    "--strict", is_flag=True, help="Exit with 1 for findings, too, unless they are small."
)
def verify(
    targets: Sequence[str],
    experiment: str,
    examples: int,
    seed: int,
    overrides: Sequence[str],
    out: Path,
    as_json: bool,
    strict: bool,
) -> None:
    """Try the laws of the arithmetic on chips: a precision certificate for each.

    A TARGET is a shipped name (see neuroemu targets) or a TOML file; without one all shipped targets are verified.
    The experiment gives the constants.

    Exit codes: 0 the emulator is right, 1 it is not (with --strict: or there are findings), 2 bad input.
    """
    from neuroemu.verification.certificate import setting_for

    loaded, chips = load_configurations(experiment, targets, overrides)
    settings = [
        setting_for(chip, experiment=loaded, examples=examples, seed=seed) for chip in chips
    ]
    _check_writable(out)
    done, interrupted = _certify_all(settings, out, as_json=as_json)
    if as_json:
        click.echo(json.dumps([c.as_json() for c in done], indent=2, allow_nan=False))
    if interrupted:
        click.echo(f"interrupted: {len(done)} of {len(chips)} targets, the last in part", err=True)
        sys.exit(INTERRUPTED)
    found = strict and any(not r.outcome.is_small for c in done for r in c.findings)
    if found or any(c.faults for c in done):
        sys.exit(NOT_SURVIVED)


def _check_writable(out: Path) -> None:
    """See that counterexamples could be written, without leaving an empty folder behind."""
    from neuroemu.errors import OutputError

    there = next(place for place in (out, *out.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise OutputError(
            f"--out = {out}: counterexamples must be writable there; {there} is "
            f"{'not writable' if there.is_dir() else 'no folder'}; choose another folder"
        )


def _certify_all(
    settings: Sequence[Setting], out: Path, *, as_json: bool
) -> tuple[list[Certificate], bool]:
    """Certify target by target, and print each before the next begins; Ctrl-C keeps what is known."""
    from neuroemu.engine.warm import warm_up
    from neuroemu.verification.certificate import certificate_of, try_laws

    done: list[Certificate] = []
    compiler: Any = None
    for i, setting in enumerate(settings):
        several = f" ({i + 1} of {len(settings)})" if len(settings) > 1 else ""
        start, results, interrupted = time.perf_counter(), [], False
        with progress_bar(f"{setting.target.name}{several}") as progress:
            try:
                chips = [s.target for s in settings[i:]]
                compiling = partial(progress, 0.0, COMPILING)
                compiler = warm_up(setting.experiment, chips, compiling, compiler)
                for result in try_laws(setting, None, progress):
                    results.append(result)  # noqa: PERF402 (what is known outlives Ctrl-C)
            except KeyboardInterrupt:
                interrupted = True
        certificate = certificate_of(setting, results, time.perf_counter() - start)
        if results:
            done.append(certificate)
            _keep(certificate, out, as_json=as_json)
        if interrupted:
            return done, True
    return done, False


def _keep(certificate: Certificate, out: Path, *, as_json: bool) -> None:
    """Write the counterexamples of a certificate and print it."""
    from neuroemu import __version__
    from neuroemu.report import tables, verify_tables
    from neuroemu.verification.counterexample import Counterexample

    files = {}
    try:
        for r in (*certificate.faults, *certificate.findings):
            if r.outcome.case is not None:
                found = Counterexample(
                    law=r.law, text=r.outcome.text, version=__version__, case=r.outcome.case
                )
                files[r.law.name] = found.write(out / certificate.target.name)
    finally:  # what cannot be written can still be read
        if not as_json:
            tables.console().print(verify_tables.certificate(certificate, files))
