"""Folders to report on: short runs of the shipped experiment, written by the command itself."""

from pathlib import Path

from click.testing import CliRunner

from neuroemu.cli import cli
from tests.report.cases import SHORT

LIKE_THE_OTHERS = [f"--set=experiment.{key}" for key in SHORT]


def run(out: Path, *targets: str, trials: int = 8, options: tuple[str, ...] = ()) -> Path:
    """Run targets below `out`; the folder of the only one, or that of all."""
    arguments = ["run", *targets, "--trials", str(trials), "--seed", "3", "--out", str(out)]
    done = CliRunner().invoke(cli, [*arguments, *LIKE_THE_OTHERS, *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return out / targets[0] if len(targets) == 1 else out
