"""The keys that a configuration model knows, and how its violations are worded."""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from neuroemu.errors import Violation
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.format import Format

LONGEST_SHOWN = 60
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
FORMAT_SHAPE = re.compile(r"fxp-[su]\d+/-?\d+")


def show(value: Any) -> str:
    """Return a value as TOML would have it, on one line and shortened; nothing for None.

    Examples
    --------
    >>> show("floor"), show(True), show([1, 2.5]), show(None)
    ('"floor"', 'true', '[1, 2.5]', '')
    """
    if value is None:
        return ""
    if isinstance(value, Format):
        value = str(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text if text.isprintable() else json.dumps(value, default=str)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."


def as_key(name: str) -> str:
    """Return one part of a dotted key as TOML has it, in quotes where it needs them."""
    return name if BARE_KEY.fullmatch(name) else show(name)


def nearest(word: str, words: Iterable[str], cutoff: float = 0.5) -> str:
    """Return "did you mean ...?", or nothing if no word is near; `cutoff` is 1 for the same word alone."""
    close = difflib.get_close_matches(word, list(words), n=1, cutoff=cutoff)
    return f"did you mean {close[0]}?" if close else ""


class Report(Protocol):
    """Makes a violation of the file under test."""

    def __call__(self, key: str, value: Any, rule: str, remedy: str, detail: str = "") -> Violation:
        """Return the violation of one key."""


def report_for(source: str) -> Report:
    """Return what makes the violations of the file `source`."""

    def report(key: str, value: Any, rule: str, remedy: str, detail: str = "") -> Violation:
        return Violation(
            source=source,
            key=key,
            value=show(value),
            rule=rule,
            detail=detail,
            remedy=remedy,
        )

    return report


def nearest_multiple(value: float, step: float) -> str:
    """Return the multiple of `step` next to `value`, at least one step."""
    grid = decimal(step)
    near = max(1, round(decimal(value) / grid)) * grid
    return f"{float(near):.15g}" if near < sys.float_info.max else "a smaller one"


def is_known(key: str, model: type[BaseModel], data: Mapping[str, Any]) -> bool:
    """Return whether a dotted key is one of `model`; names of named tables are those in `data`."""
    parts = key.split(".")
    current: type[BaseModel] | None = model
    inside: Any = data
    while parts:
        name = parts.pop(0)
        if current is None or name not in current.model_fields:
            return False
        current, is_mapping = _table_behind(current.model_fields[name])
        inside = _inside(inside, name)
        if is_mapping and parts:
            if parts[0] not in inside:
                return False
            inside = _inside(inside, parts.pop(0))
    return True


def is_table(model: type[BaseModel], name: str) -> bool:
    """Return whether a key of `model` holds a table with keys of its own."""
    return _table_behind(model.model_fields[name])[0] is not None


def known_keys(model: type[BaseModel], data: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the dotted keys of all values that `model` knows; named tables are those in `data`."""
    keys: list[str] = []
    for name, field in model.model_fields.items():
        table, is_mapping = _table_behind(field)
        inside = _inside(data, name)
        if table is None:
            keys.append(prefix + name)
        elif is_mapping:
            for entry in inside:
                keys += known_keys(table, _inside(inside, entry), f"{prefix}{name}.{entry}.")
        else:
            keys += known_keys(table, inside, f"{prefix}{name}.")
    return keys


def violations(
    errors: Sequence[Mapping[str, Any]],
    source: str,
    model: type[BaseModel],
    data: Mapping[str, Any],
) -> list[Violation]:
    """Return pydantic's errors as violations, one for each key.

    Parameters
    ----------
    errors : sequence of mapping
        ``ValidationError.errors()``.
    source : str
        The file.
    model, data
        What was expected and what the file has.
    """
    by_key: dict[str, list[Mapping[str, Any]]] = {}
    for error in errors:
        by_key.setdefault(_dotted(error["loc"], model), []).append(error)
    for key, alike in list(by_key.items()):
        # An entry that is refused is not counted, so its array may seem too short.
        if alike[0]["type"] == "too_short" and any(
            k.startswith((f"{key}.", f"{key}[")) for k in by_key
        ):
            del by_key[key]
    return [_violation(source, key, alike, model, data) for key, alike in by_key.items()]


def _inside(data: Any, name: str) -> Mapping[str, Any]:
    inside = data.get(name) if isinstance(data, Mapping) else None
    return inside if isinstance(inside, Mapping) else {}


def _table_behind(field: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """Return the table a field holds, if any, and whether the field is a mapping of names."""
    annotation = field.annotation
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate, getattr(annotation, "__origin__", None) is dict
    return None, getattr(annotation, "__origin__", None) is dict


def _dotted(location: Sequence[int | str], model: type[BaseModel]) -> str:
    """Return an error's place as the file has it, without pydantic's marks for unions and keys."""
    key = ""
    parts = list(location)
    current: type[BaseModel] | None = model
    while parts and current is not None:
        name = str(parts.pop(0))
        key += f".{as_key(name)}" if key else as_key(name)
        field = current.model_fields.get(name)
        current, is_mapping = _table_behind(field) if field else (None, False)
        if is_mapping and parts:
            entry = str(parts.pop(0))
            key += f".{as_key(entry)}"
            if parts == ["[key]"]:
                break
    return key + "".join(f"[{part}]" for part in parts if isinstance(part, int))


def _violation(
    source: str,
    key: str,
    errors: Sequence[Mapping[str, Any]],
    model: type[BaseModel],
    data: Mapping[str, Any],
) -> Violation:
    first = errors[0]
    kind, value = first["type"], first["input"]
    rule, detail, remedy = "", "", "change the value"
    if kind == "missing":
        value = None
        rule, remedy = "a required key is missing", _where_to_add(key)
    elif kind == "extra_forbidden":
        rule, remedy = "unknown key", _intended(first["loc"], model, data)
    elif first["loc"] and first["loc"][-1] == "[key]":
        value = None
        rule, detail = "this is no name", "a letter first, then letters, digits and _"
        remedy = "rename the table"
    elif kind == "format":
        rule, remedy = _format_rule(value, first["msg"])
    else:
        wanted = " or ".join(_wanted(error) for error in errors)
        rule, remedy = f"must be {wanted}", _mend(errors, value)
        detail = f"this is {_kind_of(value)}" if kind.endswith("_type") else ""
    return Violation(
        source=source, key=key, value=show(value), rule=rule, detail=detail, remedy=remedy
    )


def _format_rule(value: Any, message: str) -> tuple[str, str]:
    if isinstance(value, str) and FORMAT_SHAPE.fullmatch(value):
        return f"no register has this format: {message}", "change the format"
    return (
        "this is no format",
        'write "fxp-<s|u><width>/<fraction bits>", for example "fxp-s16/12"',
    )


def _where_to_add(key: str) -> str:
    parent, _, name = key.rpartition(".")
    return f"add {name} to [{parent}]" if parent else f"add {name} above the first table"


def _intended(location: Sequence[Any], model: type[BaseModel], data: Mapping[str, Any]) -> str:
    """Return which key was meant: of the same table, or of the same name elsewhere."""
    *parts, name = map(str, location)
    current: type[BaseModel] | None = model
    while parts and current is not None:
        field = current.model_fields.get(parts.pop(0))
        current, is_mapping = _table_behind(field) if field else (None, False)
        parts = parts[1:] if is_mapping else parts
    here = list(current.model_fields) if current is not None else []
    elsewhere = [k for k in known_keys(model, data) if k.rpartition(".")[2] == name]
    if elsewhere:
        return f"did you mean {elsewhere[0]}?"
    return nearest(name, here) or f"keys here are {', '.join(here)}"


_NOUNS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "a text in quotes",
    "tuple_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
    "finite_number": "a finite number",
    "int_parsing_size": "a smaller number",
    "string_pattern_mismatch": "a name",
}
_BOUNDS = {
    "greater_than": ("more than", "gt", "raise it"),
    "greater_than_equal": ("at least", "ge", "raise it"),
    "less_than": ("less than", "lt", "lower it"),
    "less_than_equal": ("at most", "le", "lower it"),
}
_NAME_PATTERNS = {
    r"^[A-Za-z0-9_.-]+$": "letters, digits and _ . - only",
    r"^[A-Za-z][A-Za-z0-9_]*$": "a letter, then letters, digits and _",
}


def _wanted(error: Mapping[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "literal_error":
        return str(context["expected"]).replace("'", '"')
    if kind in _BOUNDS:
        words, limit, _ = _BOUNDS[kind]
        return f"a number {words} {context[limit]:g}"
    if kind == "string_pattern_mismatch":
        return _NAME_PATTERNS.get(context["pattern"], f"like {context['pattern']}")
    if kind == "too_short":
        return f"at least {context['min_length']} long"
    return _NOUNS.get(kind, "otherwise: " + str(error["msg"]))


def _mend(errors: Sequence[Mapping[str, Any]], value: Any) -> str:
    kinds = {error["type"] for error in errors}
    for error in errors:
        if error["type"] == "literal_error":
            words = str(error["ctx"]["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            return nearest(str(value), words) or "use one of them"
    if kinds & {"float_type", "int_type"} and isinstance(value, str):
        return "write a number, without quotes"
    if "int_type" in kinds and isinstance(value, float):
        return "write it without a decimal point"
    if "string_type" in kinds:
        return "write it in quotes" + (
            "; a dotted key of [sources] has quotes, too" if isinstance(value, dict) else ""
        )
    if "tuple_type" in kinds:
        return f"write [{show(value)}]"
    if kinds & {"model_type", "dict_type"}:
        return "write its keys under the table's own header"
    for kind in kinds & _BOUNDS.keys():
        return _BOUNDS[kind][2]
    return "add an entry" if "too_short" in kinds else "change the value"


def _kind_of(value: Any) -> str:
    if type(value) is int and abs(value) > sys.float_info.max:
        return "too large"
    names = {bool: "true or false", str: "a text", int: "a whole number", float: "a fraction"}
    names |= {tuple: "an array", list: "an array", dict: "a table"}
    return names.get(type(value), f"a {type(value).__name__}")
