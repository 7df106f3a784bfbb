"""``neuroemu report``: a run or a study as one file to forward."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("path", metavar="RUN_OR_STUDY", type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where the report goes.  [default: report.html in that folder]",
)
def report(path: Path, out: Path | None) -> None:
    """Write a run or a study as one HTML file that needs nothing beside it.

    RUN_OR_STUDY is a folder that neuroemu run wrote, that of a target or the one that holds several and their
    summary, or one that neuroemu study wrote.

    Exit codes: 0 done, 2 bad input.
    """
    from neuroemu.report.html.find import page_of
    from neuroemu.report.html.render import write_page

    page = page_of(path)
    click.echo(f"Report: {write_page(page, out or path / 'report.html')}")
