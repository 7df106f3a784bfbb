"""The command line: in this process where no process is under test, else in one of its own."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from neuroemu.cli import main


def neuroemu(*arguments: str, cwd: Path) -> CompletedProcess[str]:
    """Do what ``python -m neuroemu`` does with these arguments; an exception that it lets out fails the test."""
    out, err = io.StringIO(), io.StringIO()
    command, code = ["neuroemu", *arguments], 0
    with pytest.MonkeyPatch.context() as place, redirect_stdout(out), redirect_stderr(err):
        place.chdir(cwd)
        place.setattr(sys, "argv", command)
        try:
            main()
        except SystemExit as end:
            assert isinstance(end.code, int)
            code = end.code
    return CompletedProcess(command, code, out.getvalue(), err.getvalue())


def process(*arguments: str, cwd: Path) -> CompletedProcess[str]:
    """Do the same in a real process with a terminal of 100 columns."""
    return subprocess.run(
        [sys.executable, "-m", "neuroemu", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "100"},
        timeout=240,
    )
