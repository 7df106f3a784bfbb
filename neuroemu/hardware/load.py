"""TOML in, a target or an experiment out, or every violation at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from neuroemu.errors import ConfigError, Violation
from neuroemu.experiment import Experiment
from neuroemu.hardware import rules, schema
from neuroemu.hardware.config import Target

M = TypeVar("M", bound=BaseModel)

OVERRIDE = "--set"
"""Named as the source of a value that an override brought in."""


def shipped_targets() -> list[str]:
    """Return the names of the targets that come with neuroemu, sorted."""
    return shipped("hw_configs")


def shipped_experiments() -> list[str]:
    """Return the names of the experiments that come with neuroemu, sorted."""
    return shipped("experiments")


def load_target(name: str | Path, overrides: Sequence[str] = ()) -> Target:
    """Read a target.

    Parameters
    ----------
    name : str or Path
        A shipped name (`shipped_targets`) or the path of a TOML file.
    overrides : sequence of str
        ``dotted.key=value`` each; the value as TOML, or a bare word. The target's sources say
        ``assumed`` for what is overridden.

    Raises
    ------
    ConfigError
        With every violation in the file.

    Examples
    --------
    >>> load_target("brainscales2").time.acceleration
    1000.0
    """
    path = find_file(name, "hw_configs", "target")
    return load_file(path, overrides, Target, rules.target_violations)


def load_experiment(name: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment; parameters and errors as for `load_target`.

    Examples
    --------
    >>> load_experiment("spike_based_homeostasis").time.dt_ms
    0.1
    """
    path = find_file(name, "experiments", "experiment")
    return load_file(path, overrides, Experiment, rules.experiment_violations)


def target_from(data: Mapping[str, Any], source: str) -> Target:
    """Return the target that plain data describes, such as ``Target.model_dump`` gives.

    Parameters
    ----------
    data : mapping
        Tables and keys, as a file has them.
    source : str
        What errors name as the file.

    Raises
    ------
    ConfigError
        With every violation.
    """
    return _validated(data, source, Target, rules.target_violations)


def experiment_from(data: Mapping[str, Any], source: str) -> Experiment:
    """Return the experiment that plain data describes; parameters and errors as for `target_from`."""
    return _validated(data, source, Experiment, rules.experiment_violations)


def target_with(target: Target, values: Mapping[str, Any]) -> Target:
    """Return a target with some keys changed; its sources say ``assumed`` for them.

    Parameters
    ----------
    target : Target
    values : mapping of str to value
        By dotted key.

    Raises
    ------
    ConfigError
        With every violation.

    Examples
    --------
    >>> changed = target_with(load_target("generic8"), {"plasticity.weight.rounding": "floor"})
    >>> changed.plasticity.weight.rounding, changed.sources["plasticity.weight.rounding"]
    ('floor', 'assumed: set for this run')
    """
    return _with(target, target.name, values, rules.target_violations)


def experiment_with(experiment: Experiment, values: Mapping[str, Any]) -> Experiment:
    """Return an experiment with some keys changed; parameters and errors as for `target_with`."""
    return _with(experiment, experiment.name, values, rules.experiment_violations)


def unknown_keys(config: Target | Experiment, keys: Iterable[str]) -> list[Violation]:
    """Return a violation for each dotted key that a configuration does not know."""
    data = config.model_dump(mode="json", exclude_none=True)
    return _unknown(dict.fromkeys(keys, ""), type(config), data, config.name)


def _with(
    config: M, source: str, values: Mapping[str, Any], check: Callable[[M, str], list[Violation]]
) -> M:
    model, data = type(config), config.model_dump(mode="json", exclude_none=True)
    _raise(_unknown(values, model, data, source))
    for key, value in values.items():
        _put(data, key, value)
    if model is Target:
        _mark_as_assumed(data, list(values))
    return _validated(data, source, model, check)


def _unknown(
    values: Mapping[str, Any], model: type[BaseModel], data: Mapping[str, Any], source: str
) -> list[Violation]:
    """Return a violation for each key that `model` does not know."""
    unknown = {k: v for k, v in values.items() if not schema.is_known(k, model, data)}
    known = schema.known_keys(model, data) if unknown else []
    return [
        Violation(
            source=source,
            key=key,
            value=str(value),
            rule="no such key",
            remedy=schema.nearest(key, known) or f"keys are {', '.join(known[:6])}, ...",
        )
        for key, value in unknown.items()
    ]


def _folder(name: str) -> Path:
    package = Path(str(files("neuroemu")))
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def shipped(folder: str) -> list[str]:
    """Return the names of the files that come with neuroemu in `folder`, sorted."""
    return sorted(p.stem for p in _folder(folder).glob("*.toml"))


def find_file(name: str | Path, folder: str, kind: str) -> Path:
    """Return the file of a shipped name in `folder`, or of a path; `kind` is what errors call it."""
    names = shipped(folder)
    if str(name) in names:
        return _folder(folder) / f"{name}.toml"
    path = Path(name)
    try:
        if path.is_file():
            return path
        is_folder = bool(str(name)) and path.is_dir()
    except OSError:  # a name that the file system refuses, or a folder that may not be read
        is_folder = False
    looks_like_path = path.suffix == ".toml" or len(path.parts) > 1 or is_folder
    near = schema.nearest(path.stem, names, cutoff=0.7)
    raise ConfigError.one(
        str(name) or '""',
        rule="this is a folder, not a file"
        if is_folder
        else "no such file"
        if looks_like_path
        else f"no shipped {kind} has this name",
        detail=f"shipped are {', '.join(names)}",
        remedy=near or f"name one of them, or the path of a TOML file for the {kind}",
    )


def load_file(
    path: Path,
    overrides: Sequence[str],
    model: type[M],
    check: Callable[[M, str], list[Violation]],
) -> M:
    """Read a TOML file into `model`, refusing all that it or `check` finds wrong, at once."""
    data = _read(path)
    keys = _override(data, overrides, model)
    try:
        return _validated(data, str(path), model, check)
    except ConfigError as error:
        found = error.violations
        raise ConfigError(
            [replace(v, source=OVERRIDE) if _is_below(v.key, keys) else v for v in found]
        ) from None


def _validated(
    data: Mapping[str, Any],
    source: str,
    model: type[M],
    check: Callable[[M, str], list[Violation]],
) -> M:
    try:
        # A list is an array to TOML but no tuple to strict validation, which keeps "3" and true
        # from passing for numbers.
        config = model.model_validate(_with_tuples(data), strict=True)
        found = check(config, source)
    except ValidationError as error:
        found = schema.violations(error.errors(), source, model, data)
    _raise(found)
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError.one(
            str(path), rule="TOML is UTF-8", detail=str(error), remedy="save the file as UTF-8"
        ) from None
    except (ValueError, RecursionError) as error:  # tomllib's own error is a ValueError
        raise ConfigError.one(
            str(path), rule="this is no valid TOML", detail=str(error), remedy="mend that line"
        ) from None
    except OSError as error:
        raise ConfigError.one(
            str(path),
            rule="the file must be readable",
            detail=str(error.strerror),
            remedy="check its rights",
        ) from None


def _override(data: dict[str, Any], overrides: Sequence[str], model: type[BaseModel]) -> list[str]:
    """Put the overrides into `data` and return their keys."""
    keys, violations = [], []
    for text in overrides:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key:
            violations.append(
                Violation(
                    source=OVERRIDE,
                    key=text,
                    rule="an override is key=value",
                    remedy="for example plasticity.weight.rounding=floor",
                )
            )
        elif unknown := _unknown({key: value}, model, data, OVERRIDE):
            violations += unknown
        else:
            _put(data, key, _value(value))
            keys.append(key)
    _raise(violations)
    if model is Target:
        _mark_as_assumed(data, keys)
    return keys


def _mark_as_assumed(data: dict[str, Any], keys: Sequence[str]) -> None:
    """Let no number that was overridden keep the source of the one it replaced."""
    with_sources = {name for name in Target.model_fields if schema.is_table(Target, name)}
    sources = data.setdefault("sources", {})
    if isinstance(sources, dict):
        numbers = [k for k in keys if k.partition(".")[0] in with_sources]
        for stale in [s for s in sources if _is_below(s, numbers)]:
            del sources[stale]
        sources |= dict.fromkeys(numbers, "assumed: set for this run")


def _put(data: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    table: Any = data
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):  # the file has a value there, which validation will refuse
            return
    table[last] = value


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _with_tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_tuples(v) for key, v in value.items()}
    return tuple(_with_tuples(v) for v in value) if isinstance(value, list) else value


def _is_below(key: str, parents: Sequence[str]) -> bool:
    return any(key == p or key.startswith((f"{p}.", f"{p}[")) for p in parents)


def _raise(violations: Sequence[Violation]) -> None:
    if violations:
        raise ConfigError(violations)
