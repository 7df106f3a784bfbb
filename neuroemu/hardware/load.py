"""TOML in, a target or an experiment out, or every violation at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
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
    return _names(_folder("hw_configs"))


def shipped_experiments() -> list[str]:
    """Return the names of the experiments that come with neuroemu, sorted."""
    return _names(_folder("experiments"))


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
    path = _find(name, "hw_configs", "target", shipped_targets())
    return _load(path, overrides, Target, rules.target_violations)


def load_experiment(name: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment; parameters and errors as for `load_target`.

    Examples
    --------
    >>> load_experiment("spike_based_homeostasis").time.dt_ms
    0.1
    """
    path = _find(name, "experiments", "experiment", shipped_experiments())
    return _load(path, overrides, Experiment, rules.experiment_violations)


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


def _folder(name: str) -> Path:
    package = Path(str(files("neuroemu")))
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def _names(folder: Path) -> list[str]:
    return sorted(p.stem for p in folder.glob("*.toml"))


def _find(name: str | Path, folder: str, kind: str, shipped: list[str]) -> Path:
    if str(name) in shipped:
        return _folder(folder) / f"{name}.toml"
    path = Path(name)
    try:
        if path.is_file():
            return path
        is_folder = bool(str(name)) and path.is_dir()
    except OSError:  # a name that the file system refuses, or a folder that may not be read
        is_folder = False
    looks_like_path = path.suffix == ".toml" or len(path.parts) > 1 or is_folder
    near = schema.nearest(path.stem, shipped, cutoff=0.7)
    raise ConfigError.one(
        str(name) or '""',
        rule="this is a folder, not a file"
        if is_folder
        else "no such file"
        if looks_like_path
        else f"no shipped {kind} has this name",
        detail=f"shipped are {', '.join(shipped)}",
        remedy=near or f"name one of them, or the path of a TOML file for the {kind}",
    )


def _load(
    path: Path,
    overrides: Sequence[str],
    model: type[M],
    check: Callable[[M, str], list[Violation]],
) -> M:
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
        elif not schema.is_known(key, model, data):
            known = schema.known_keys(model, data)
            remedy = schema.nearest(key, known) or f"keys are {', '.join(known[:6])}, ..."
            violations.append(
                Violation(source=OVERRIDE, key=key, value=value, rule="no such key", remedy=remedy)
            )
        else:
            _put(data, key, _value(value))
            keys.append(key)
    _raise(violations)
    if model is Target:
        _mark_as_assumed(data, keys)
    return keys


def _mark_as_assumed(data: dict[str, Any], keys: Sequence[str]) -> None:
    """Let no number that was overridden keep the source of the one it replaced."""
    with_sources = {k.partition(".")[0] for k in schema.known_keys(Target, {}) if "." in k}
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
