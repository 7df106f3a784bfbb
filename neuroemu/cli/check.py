"""``neuroemu check``: what is known before running."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from neuroemu.cli.exit_codes import NOT_SURVIVED
from neuroemu.cli.options import (
    experiment_option,
    json_option,
    load_configurations,
    overrides_option,
)
from neuroemu.errors import ConfigError, Violation

if TYPE_CHECKING:
    from neuroemu.experiment import Experiment
    from neuroemu.feasibility.check import Feasibility
    from neuroemu.feasibility.repair import Repair
    from neuroemu.hardware.config import Target


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@experiment_option
@overrides_option
@click.option("--strict", is_flag=True, help="Exit with 1 if there are findings.")
@click.option("--fix", is_flag=True, help="Print the smallest change of formats that clears them.")
@json_option
def check(
    targets: Sequence[str],
    experiment: str,
    overrides: Sequence[str],
    strict: bool,
    fix: bool,
    as_json: bool,
) -> None:
    """Say what is known about an experiment on a chip without running it.

    Constants that are lost, what each rounding does to learning, the membrane's leak and range, time and
    capacity, and the verdict that follows. A TARGET is a shipped name (see neuroemu targets) or a TOML file;
    without one, or with several, there is one line for each.

    Exit codes: 0 done, 1 done and something was found (with --strict), 2 bad input.
    """
    loaded, chips = load_configurations(experiment, targets, overrides)
    found, violations = _check_all(loaded, chips)
    repairs = _repair_all(loaded, found) if fix else []
    if as_json:
        click.echo(json.dumps(_as_json(found, repairs), indent=2, allow_nan=False))
    elif found:
        _print(found, repairs, is_single=len(chips) == 1)
    if violations:
        raise ConfigError(violations)
    if strict and any(c.findings for c in found):
        sys.exit(NOT_SURVIVED)


def _check_all(
    experiment: Experiment, chips: Sequence[Target]
) -> tuple[list[Feasibility], list[Violation]]:
    """Check each target; one that is refused does not keep the others from being shown."""
    from neuroemu.feasibility.check import check as check_one

    found: list[Feasibility] = []
    violations: list[Violation] = []
    for target in chips:
        try:
            found.append(check_one(experiment, target))
        except ConfigError as error:
            violations += error.violations
    return found, violations


def _repair_all(experiment: Experiment, found: Sequence[Feasibility]) -> list[Repair]:
    from neuroemu.feasibility.repair import repair

    return [repair(experiment, c.discretized.target, c) for c in found]


def _as_json(found: Sequence[Feasibility], repairs: Sequence[Repair]) -> list[dict[str, object]]:
    data = [c.as_json() for c in found]
    for one, repair in zip(data, repairs, strict=False):
        one["fix"] = repair.as_json()
    return data


def _print(found: Sequence[Feasibility], repairs: Sequence[Repair], *, is_single: bool) -> None:
    from neuroemu.report.check_tables import details, summary_lines
    from neuroemu.report.console import console

    out = console()
    out.print(details(found[0]) if is_single else summary_lines(found))
    if repairs:
        from neuroemu.report.fix_tables import fix_text

        for c, repair in zip(found, repairs, strict=True):
            if not is_single:
                out.print(f"\n{c.discretized.target.name}", style="bold")
            out.print(fix_text(repair), soft_wrap=False)
