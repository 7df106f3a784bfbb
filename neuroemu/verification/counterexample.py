"""A broken law as a JSON file: what `neuroemu verify` keeps and `neuroemu replay` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neuroemu.engine.setup import simulate_inputs
from neuroemu.errors import ConfigError, OutputError, Violation
from neuroemu.hardware.schema import nearest, show
from neuroemu.testing.case import Case
from neuroemu.verification.law import Law
from neuroemu.verification.laws import LAWS, law_named

FORMAT = "neuroemu counterexample 1"

_KINDS: dict[str, tuple[type, str]] = {
    "format": (str, "a text"),
    "version": (str, "a text"),
    "law": (str, "a text"),
    "sentence": (str, "a text"),
    "text": (str, "a text"),
    "case": (dict, "a table"),
    "case.target": (dict, "a table"),
    "case.experiment": (dict, "a table"),
    "case.spikes": (dict, "a table"),
    "case.seed": (int, "a whole number"),
    "case.first_trial": (int, "a whole number"),
}
"""Keys of the file, and what they hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """A case that breaks a law.

    Parameters
    ----------
    law : Law
    text : str
        How it was broken.
    version : str
        Of the neuroemu that found it.
    case : Case
    """

    law: Law
    text: str
    version: str
    case: Case

    def as_json(self) -> dict[str, Any]:
        """Return the counterexample as plain data."""
        return {
            "format": FORMAT,
            "version": self.version,
            "law": self.law.name,
            "kind": self.law.kind,
            "sentence": self.law.sentence,
            "text": self.text,
            "case": self.case.as_json(),
        }

    def write(self, folder: Path) -> Path:
        """Write ``<law>.json`` into a folder, whole or not at all.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        path = folder / f"{self.law.name}.json"
        aside = path.with_name(f".{path.name}.partial")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(self.as_json(), indent=1, allow_nan=False)
            aside.write_text(text + "\n", encoding="utf-8")
            aside.replace(path)
        except OSError as error:
            raise OutputError(
                f"{path}: the counterexample cannot be written; {error}; choose another place"
            ) from None
        finally:
            with suppress(OSError):
                aside.unlink()
        return path


def read_counterexample(path: Path) -> Counterexample:
    """Read a file that `Counterexample.write` wrote.

    Raises
    ------
    ConfigError
        If there is no such file, or with what is wrong in it.
    """
    data = _checked(_loaded(path), str(path))
    law = law_named(data["law"])
    if law is None:
        remedy = nearest(data["law"], [law.name for law in LAWS])
        raise _refused(str(path), "law", data["law"], "no law has this name", remedy or "edit it")
    try:
        case = Case.from_json(data["case"], str(path))
        _ = case.plan
        simulate_inputs(case.experiment, **case.input)
    except ConfigError as error:
        raise ConfigError([_of_file(v, str(path)) for v in error.violations]) from None
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _refused(
            str(path),
            "case.spikes",
            None,
            "spikes are lists of [step, source], one for each trial of each stimulus",
            "take a file of neuroemu verify",
            str(error),
        ) from None
    return Counterexample(law=law, text=data["text"], version=data["version"], case=case)


def _of_file(violation: Violation, path: str) -> Violation:
    """Return a violation of the case, or of what it gives a run, as one of the file."""
    if violation.source == path:
        return replace(violation, key=f"case.{violation.key}")
    if " on " in violation.source:  # the experiment does not fit the target
        return replace(violation, source=path, key=f"case.experiment.{violation.key}")
    parts = (violation.source, violation.key) if violation.key else (violation.source,)
    return replace(violation, source=path, key=".".join(("case", *parts)))


def _loaded(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError.one(
            str(path),
            rule="no such file" if isinstance(error, FileNotFoundError) else "it must be readable",
            detail=str(error.strerror or ""),
            remedy="name a file that neuroemu verify has written",
        ) from None
    except (ValueError, RecursionError) as error:
        raise ConfigError.one(
            str(path),
            rule="this is no JSON",
            detail=str(error),
            remedy="name a file that neuroemu verify has written",
        ) from None


def _checked(data: Any, source: str) -> dict[str, Any]:
    """Return the file's table, every key of it there and of its kind."""
    remedy = "name a file that neuroemu verify has written"
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, Mapping) else None
        raise _refused(source, "format", found, f"the file starts with {show(FORMAT)}", remedy)
    violations: list[Violation] = []
    for key, (kind, words) in _KINDS.items():
        value: Any = data
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if not isinstance(value, kind) or isinstance(value, bool):
            rule = "a required key is missing" if value is None else f"must be {words}"
            violations += _refused(source, key, value, rule, remedy).violations
    if violations:
        raise ConfigError(violations)
    return dict(data)


def _refused(
    source: str, key: str, value: Any, rule: str, remedy: str, detail: str = ""
) -> ConfigError:
    return ConfigError.one(source, key, show(value), rule=rule, detail=detail, remedy=remedy)
