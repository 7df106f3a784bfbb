"""Options that several commands share, and how their values become configurations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from neuroemu.errors import Violation
    from neuroemu.experiment import Experiment
    from neuroemu.hardware.config import Target

Command = Callable[..., Any]

experiment_option: Callable[[Command], Command] = click.option(
    "--experiment",
    default="spike_based_homeostasis",
    show_default=True,
    help="A shipped experiment, or a TOML file.",
)
overrides_option: Callable[[Command], Command] = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a key of the target, or of the experiment with the prefix experiment. "
    "For example plasticity.weight.format=fxp-u4/3. Repeatable.",
)
json_option: Callable[[Command], Command] = click.option(
    "--json", "as_json", is_flag=True, help="Print as JSON."
)

PREFIX = "experiment."


def load_configurations(
    experiment: str, targets: Sequence[str], overrides: Sequence[str]
) -> tuple[Experiment, list[Target]]:
    """Return the experiment and the targets, each with the overrides that are meant for it.

    Parameters
    ----------
    experiment : str
        Name or path.
    targets : sequence of str
        Names or paths; all shipped targets if there are none.
    overrides : sequence of str
        ``key=value`` of the target, ``experiment.key=value`` of the experiment.

    Raises
    ------
    ConfigError
        With the violations of the first file that has some.
    """
    from neuroemu.errors import ConfigError
    from neuroemu.hardware.load import load_experiment, load_target, shipped_targets

    for_experiment = [o.removeprefix(PREFIX) for o in overrides if o.startswith(PREFIX)]
    for_target = [o for o in overrides if not o.startswith(PREFIX)]
    try:
        loaded = load_experiment(experiment, for_experiment)
    except ConfigError as error:
        raise ConfigError([_as_typed(v) for v in error.violations]) from None
    return loaded, [load_target(name, for_target) for name in targets or shipped_targets()]


def _as_typed(violation: Violation) -> Violation:
    """Return a violation of the experiment with the key as it stands behind ``--set``."""
    from neuroemu.hardware.load import OVERRIDE

    if violation.source != OVERRIDE or violation.key.startswith(PREFIX):
        return violation
    guess = "did you mean "
    remedy = violation.remedy
    if remedy.startswith(guess):
        remedy = f"{guess}{PREFIX}{remedy.removeprefix(guess)}"
    return replace(violation, key=f"{PREFIX}{violation.key}", remedy=remedy)
