"""The command that gives the same run again, and the files that it takes."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import tomli_w

from neuroemu import __version__
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import (
    load_experiment,
    load_target,
    shipped_experiments,
    shipped_targets,
)
from neuroemu.report.html.embed import attachment
from neuroemu.report.html.parts import Attachment, Attachments, Command, Paragraph, Part, Section
from neuroemu.report.html.saved import SavedRun
from neuroemu.report.tables import leaves

if TYPE_CHECKING:
    from neuroemu.study.config import Study


def again(runs: Sequence[SavedRun]) -> Section:
    """Return how to run one or several targets again, all on one experiment with one seed."""
    parts: list[Part] = []
    short = _by_name(runs)
    if short is not None:
        parts += [Command(text=short), Paragraph(text="Or with the files that this page carries:")]
    else:
        parts.append(Paragraph(text="Save these files from the page, then:"))
    parts += [Command(text=_by_files(runs)), _files(runs)]
    parts.append(Paragraph(text=_sameness(runs)))
    return Section(title="Run it again", parts=parts)


def _sameness(runs: Sequence[SavedRun]) -> str:
    if any(run.input_digest for run in runs):
        return (
            "The input spikes of this run were given from Python, and a folder does not hold them: the command "
            "draws others from the seed."
        )
    return (
        f"With neuroemu {runs[0].versions['neuroemu']} the same digest stands in the new manifest.json: then "
        "every spike is the same."
    )


def _by_name(runs: Sequence[SavedRun]) -> str | None:
    """Return the command with shipped names and overrides, None if there is none that gives just this."""
    if any(run.versions["neuroemu"] != __version__ for run in runs):
        return None  # what shipped with another version is not known here
    experiment, names = runs[0].experiment, [run.target.name for run in runs]
    if experiment.name not in shipped_experiments() or not set(names) <= set(shipped_targets()):
        return None
    changed = list(dict.fromkeys(o for run in runs for o in _overrides(run.target, load_target)))
    other = _overrides(experiment, load_experiment)
    if not all(_gives(run.target, load_target, changed) for run in runs):
        return None
    if not _gives(experiment, load_experiment, other):
        return None
    sets = [f"--set={o}" for o in (*changed, *(f"experiment.{o}" for o in other))]
    all_of_them = len(names) > 1 and names == shipped_targets()
    return _command([] if all_of_them else names, ["--experiment", experiment.name], runs[0], sets)


def _overrides(wanted: Target | Experiment, load: Callable[..., Target | Experiment]) -> list[str]:
    """Return what differs from the shipped configuration of the same name, as ``key=value``."""
    shipped = dict(leaves(_numbers(load(wanted.name))))
    return [
        f"{key}={_as_typed(value)}"
        for key, value in leaves(_numbers(wanted))
        if shipped.get(key) != value
    ]


def _gives(
    wanted: Target | Experiment,
    load: Callable[..., Target | Experiment],
    overrides: Sequence[str],
) -> bool:
    try:
        return load(wanted.name, overrides).model_dump(mode="json") == wanted.model_dump(
            mode="json"
        )
    except ConfigError:
        return False


def _numbers(configuration: Target | Experiment) -> dict[str, Any]:
    return configuration.model_dump(mode="json", exclude={"sources"})


def _as_typed(value: Any) -> str:
    """Return a value as ``--set`` takes it: TOML, or a bare word."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        return value
    return json.dumps(value)


def _by_files(runs: Sequence[SavedRun]) -> str:
    files = [file_of(run.target) for run in runs]
    return _command(files, ["--experiment", file_of(runs[0].experiment)], runs[0], [])


def _command(
    targets: Sequence[str], experiment: Sequence[str], run: SavedRun, sets: Sequence[str]
) -> str:
    options = ["--trials", str(run.trials), "--seed", str(run.seed)]
    return shlex.join(["neuroemu", "run", *targets, *experiment, *options, *sets])


def _files(runs: Sequence[SavedRun]) -> Attachments:
    return Attachments(files=files_of([*(run.target for run in runs), runs[0].experiment]))


def files_of(configurations: Sequence[Target | Experiment]) -> list[Attachment]:
    """Return each configuration as a file to save."""
    return [attachment(file_of(c), toml_of(c), f"{c.title}, as it ran") for c in configurations]


def file_of(configuration: Target | Experiment) -> str:
    """Return the name of that file."""
    return f"{configuration.name}.toml"


def toml_of(configuration: Target | Experiment | Study) -> str:
    """Return a configuration with every key as it was resolved: no default of another version comes in."""
    data = configuration.model_dump(mode="json", by_alias=True, exclude_none=True)
    return tomli_w.dumps(data, multiline_strings=True)
