"""``neuroemu targets``: the numbers of the shipped chips."""

from __future__ import annotations

import json

import click

from neuroemu.cli.options import json_option


@click.command()
@click.argument("name", required=False)
@json_option
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
