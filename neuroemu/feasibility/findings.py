"""What a static analysis finds, and how it becomes plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from typing import Any, Literal

from neuroemu.models.constants import COARSE

Severity = Literal["problem", "note"]

WIDEN_MEMBRANE = "widen membrane.format in front of the point"
"""The remedy of whatever integer bits of the membrane clear."""

RARE = 0.01
"""Probability of an overflow from which it is a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that changes the result beyond a limit, or (a note) that one should know.

    Parameters
    ----------
    kind : str
        A name of the table in docs/spec/feasibility.md.
    key : str
        Dotted key of the target or of the experiment that it is about.
    sentence : str
        What is so, with numbers and units.
    remedy : str
        What to do.
    severity : str
        ``problem`` or ``note``.
    register : str
        Key of the target's format or width that can clear it; empty if none can.
    """

    kind: str
    key: str
    sentence: str
    remedy: str
    severity: Severity = "problem"
    register: str = ""

    @property
    def is_problem(self) -> bool:
        """Whether it changes the result beyond its limit."""
        return self.severity == "problem"


def severity(value: float, limit: float = COARSE) -> Severity:
    """Return ``problem`` for a magnitude above `limit`."""
    return "problem" if abs(value) > limit else "note"


def plain(value: Any) -> Any:
    """Return frozen results as what JSON can hold: fractions as floats, what is infinite as None.

    Examples
    --------
    >>> plain({"a": (Fraction(1, 2), math.inf)})
    {'a': [0.5, None]}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def percent(ratio: float) -> str:
    """Return a relative error with its sign.

    Examples
    --------
    >>> percent(-0.0625), percent(2.0)
    ('-6.25 %', '+200 %')
    """
    return f"{100 * ratio:+.3g} %"
