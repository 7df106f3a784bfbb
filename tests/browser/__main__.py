"""Brings a browser for the tests of pages, unless one works already: ``make browser``."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence

import click
from playwright.sync_api import sync_playwright

from tests.browser.chromium import launch

OWN = (sys.executable, "-m", "playwright", "install", "chromium")
DEBIAN = (
    ("apt-get", "update", "-qq"),
    ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"),
)


def bring() -> int:
    if _works():
        return 0
    click.echo("No Chromium starts here: installing one.")
    if _done(OWN) and _works():
        return 0
    is_root = os.name == "posix" and os.geteuid() == 0
    if is_root and all(map(_done, DEBIAN)) and _works():
        return 0
    click.echo(
        "error: the tests of the report's pages need a Chromium, and none could be installed; "
        "install chromium or google-chrome, and run this again",
        err=True,
    )
    return 1


def _works() -> bool:
    with sync_playwright() as playwright:
        try:
            launch(playwright).close()
        except RuntimeError:
            return False
    return True


def _done(command: Sequence[str]) -> bool:
    """Run a command; of one that fails say how, in a line."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        click.echo(f"  {error}", err=True)
        return False
    if done.returncode:
        why = (done.stderr.strip() or "no reason given").splitlines()[0]
        click.echo(f"  {shlex.join(command)}: {why}", err=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(bring())
