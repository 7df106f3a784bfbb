"""From axes to points: which configurations a study is made of. See docs/spec/study.md, "Points"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neuroemu.errors import ConfigError, NeuroemuError, Violation
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import (
    experiment_with,
    load_experiment,
    load_target,
    shipped_experiments,
    shipped_targets,
    target_with,
    unknown_keys,
)
from neuroemu.models.discretize import discretize
from neuroemu.numeric.format import Format, FormatError
from neuroemu.study.config import Axis, Study, Value

PREFIX = "experiment."
DIGITS = 4
"""Significant digits of the numbers between `from` and `to`."""

Index = tuple[int, ...]
"""Of a point: the target's place, then that of the value on each axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One combination of a study.

    Parameters
    ----------
    index : tuple of int
    values : dict of str to value
        By column: ``target``, then the axes' names; of `bits` the width.
    target, experiment : Target, Experiment or None
        As they run; None where they are refused.
    refusal : str
        Why the configuration cannot be; empty if it can.
    """

    index: Index
    values: dict[str, Value]
    target: Target | None
    experiment: Experiment | None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Space:
    """The base configurations and the axes of a study; makes its points."""

    study: Study
    targets: tuple[Target, ...]
    experiment: Experiment

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of targets, then of values on each axis."""
        return (len(self.targets), *(len(axis_values(a)) for a in self.study.axes))

    def indices(self) -> Iterator[Index]:
        """Return all points' indices, the last axis fastest."""
        return itertools.product(*(range(n) for n in self.shape))

    def point(self, index: Index) -> Point:
        """Return a point; what is wrong with its configuration is its refusal."""
        base = self.targets[index[0]]
        values: dict[str, Value] = {"target": base.name}
        axes = list(zip(self.study.axes, index[1:], strict=True))
        values |= {axis.name: axis_values(axis)[i] for axis, i in axes}
        point = Point(index=index, values=values, target=None, experiment=None)
        try:
            changed = {k: v for a, i in axes for k, v in _settings(a, i, base).items()}
            target, experiment = _changed(base, self.experiment, changed)
            discretize(experiment, target)
            check_question(experiment)
        except NeuroemuError as error:
            return replace(point, refusal=str(error))
        return replace(point, target=target, experiment=experiment)

    def points(self) -> Iterator[Point]:
        """Return all points."""
        return map(self.point, self.indices())


def space(study: Study, folder: Path) -> Space:
    """Return the space of a study file in `folder`.

    Raises
    ------
    ConfigError
        If a target or the experiment is not there or wrong, or an axis names no key of them; all violations at once.
    """
    values = _flat(study.set)
    problems: list[Violation] = []
    targets: list[Target] = []
    experiment = None
    try:
        where = _found(study.experiment, folder, shipped_experiments())
        experiment = experiment_with(load_experiment(where), _of_experiment(values))
    except ConfigError as error:
        problems += error.violations
    for name in study.targets:
        try:
            base = load_target(_found(name, folder, shipped_targets()))
            targets.append(target_with(base, _of_target(values)))
        except ConfigError as error:
            problems += error.violations
    made = None if experiment is None else Space(study, tuple(targets), experiment)
    if made is not None and not problems:
        problems += [*_impossible_axes(made), *_same_names(made)]
    if problems or made is None:
        raise ConfigError(list(dict.fromkeys(problems)))
    return made


def _same_names(made: Space) -> list[Violation]:
    names = [t.name for t in made.targets]
    return [
        Violation(
            source=made.study.name,
            key="targets",
            value=name,
            rule="every target has a name of its own",
            remedy="change name in one of their files, or take one out",
        )
        for name in sorted({n for n in names if names.count(n) > 1})
    ]


def check_question(experiment: Experiment) -> None:
    """Refuse an experiment that a study cannot judge."""
    if experiment.question is None or not experiment.set_point_hz():
        raise ConfigError.one(
            experiment.name,
            "question",
            rule="a study needs a question with a set point",
            remedy="add a [question] table with population, control, projection and stimulus, "
            "and set_point_hz if the rule gives none",
        )


def _impossible_axes(made: Space) -> list[Violation]:
    """Return what is wrong with the axes whatever their value: a key that does not exist, a width without a format."""
    found = []
    for axis, base in itertools.product(made.study.axes, made.targets):
        keys = dict.fromkeys((*axis.keys, *axis.along))
        unknown = unknown_keys(base, _of_target(keys))
        unknown += [
            replace(v, key=PREFIX + v.key)
            for v in unknown_keys(made.experiment, _of_experiment(keys))
        ]
        found += unknown
        if axis.bits is not None and not unknown:
            found += [_no_format(base, k) for k in axis.keys if _own_format(base, k) is None]
    return found


def _no_format(base: Target, key: str) -> Violation:
    rule, remedy = "bits vary a format that the target has", "name a format's key, or give values"
    return Violation(source=base.name, key=key, rule=rule, remedy=remedy)


def _own_format(base: Target, key: str) -> Format | None:
    own: Any = base
    for part in key.split("."):
        own = getattr(own, part, None)
    return own if isinstance(own, Format) else None


def _changed(
    target: Target, experiment: Experiment, values: Mapping[str, Any]
) -> tuple[Target, Experiment]:
    of_target, of_experiment = _of_target(values), _of_experiment(values)
    return (
        target_with(target, of_target) if of_target else target,
        experiment_with(experiment, of_experiment) if of_experiment else experiment,
    )


def axis_values(axis: Axis) -> tuple[Value, ...]:
    """Return the values of an axis; widths for `bits`.

    Examples
    --------
    >>> span = {"from": 1, "to": 1000, "points": 4, "scale": "log"}
    >>> axis = Axis.model_validate({"name": "tick", "keys": ["time.tick_us"]} | span)
    >>> axis_values(axis)
    (1, 10, 100, 1000)
    """
    if axis.values is not None:
        return axis.values
    if axis.bits is not None:
        return tuple(range(axis.bits[0], axis.bits[1] + 1))
    assert axis.start is not None and axis.stop is not None  # noqa: S101 - the file's rules say so
    spaced = np.geomspace if axis.scale == "log" else np.linspace
    numbers = [float(f"{x:.{DIGITS}g}") for x in spaced(axis.start, axis.stop, axis.points)]
    return tuple(dict.fromkeys(int(x) if x.is_integer() else x for x in numbers))


def _settings(axis: Axis, i: int, base: Target) -> dict[str, Any]:
    """Return what the `i`-th value of an axis sets, by key."""
    value = axis_values(axis)[i]
    own = {key: _as_set(axis, key, value, base) for key in axis.keys}
    return own | {key: values[i] for key, values in axis.along.items()}


def _as_set(axis: Axis, key: str, value: Value, base: Target) -> Any:
    """Return what a key is set to: of `bits` the base target's own format at this width."""
    if axis.bits is None:
        return value
    own = _own_format(base, key)
    assert own is not None  # noqa: S101 - seen to when the space was made
    width = int(value)  # type: ignore[arg-type]
    fraction = own.fraction if axis.hold == "fraction" else own.fraction + width - own.width
    try:
        return str(Format(own.signed, width, fraction))
    except FormatError as error:
        remedy = "start with a larger width"
        raise ConfigError.one(base.name, key, width, rule=str(error), remedy=remedy) from None


def _found(name: str, folder: Path, known: list[str]) -> str | Path:
    """Return a shipped name, or a path from the study file's folder."""
    return name if name in known else folder / name


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _of_target(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if not k.startswith(PREFIX)}


def _of_experiment(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k.removeprefix(PREFIX): v for k, v in values.items() if k.startswith(PREFIX)}
