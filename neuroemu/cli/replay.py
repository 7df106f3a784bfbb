"""``neuroemu replay``: a counterexample run again, step by step."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from pathlib import Path

import click

from neuroemu.cli.exit_codes import NOT_SURVIVED
from neuroemu.cli.options import json_option
from neuroemu.cli.progress import COMPILING, progress_bar


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--steps", metavar="A:B", help="Show the steps A to B - 1.")
@json_option
def replay(file: Path, steps: str | None, as_json: bool) -> None:
    """Run a counterexample of neuroemu verify again, and show each site's input, exact and stored value.

    Exit codes: 0 done, 1 the case still breaks a law of the emulator, 2 bad input.
    """
    from neuroemu.engine.warm import warm_up
    from neuroemu.verification.counterexample import read_counterexample
    from neuroemu.verification.replay import Replay

    wanted = None if steps is None else _span(steps)
    found = read_counterexample(file)
    again = Replay(found)
    with progress_bar("replay") as progress:
        warm_up(found.case.experiment, [found.case.target], partial(progress, 0.0, COMPILING))
        is_broken = again.verdict is not None
    if as_json:
        click.echo(json.dumps(again.as_json(), indent=2, allow_nan=False))
    else:
        from neuroemu.report import tables, verify_tables

        tables.console().print(verify_tables.replay(again, wanted))
    if is_broken and found.law.kind == "emulator":
        sys.exit(NOT_SURVIVED)


def _span(text: str) -> tuple[int, int]:
    """Return the steps that ``A:B`` means."""
    from neuroemu.errors import ConfigError

    match = re.fullmatch(r"(\d*):(\d*)", text)
    first, last = (match[1] or "0", match[2] or str(2**31)) if match else ("1", "0")
    if int(first) >= int(last):
        raise ConfigError.one(
            "--steps",
            value=text,
            rule="a span of steps is A:B, with A below B",
            remedy="for example 0:20",
        )
    return int(first), int(last)
