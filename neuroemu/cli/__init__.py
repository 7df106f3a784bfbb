"""The command line: parse, call, print. Heavy modules are loaded when a command needs them."""

from __future__ import annotations

import sys

import click

from neuroemu import __version__
from neuroemu.cli.check import check
from neuroemu.cli.exit_codes import BAD_INPUT, INTERRUPTED
from neuroemu.cli.fit import fit
from neuroemu.cli.replay import replay
from neuroemu.cli.report import report
from neuroemu.cli.run import run
from neuroemu.cli.study import study
from neuroemu.cli.targets import targets
from neuroemu.cli.verify import verify
from neuroemu.errors import NeuroemuError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="neuroemu")
def cli() -> None:
    """Emulate neuromorphic chips bit for bit, and learn whether a spiking model survives them."""


for command in (run, check, study, fit, verify, replay, report, targets):
    cli.add_command(command)


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
