"""What can go wrong, and how it is said: ``<file>:<key> = <value>: <rule>; <limit or got>; <remedy>``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class NeuroemuError(Exception):
    """Base of every error that neuroemu raises for a reason a user can act on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule of one key.

    Parameters
    ----------
    source : str
        File (or ``--set``, or the name of the Python argument) that holds the value.
    key : str
        Dotted key; empty if the file as a whole is meant.
    value : str
        The value as the user wrote it; empty if there is none.
    rule, detail, remedy : str
        What must hold; the limit or what was found; what to do. `detail` may be empty.
    """

    source: str
    key: str = ""
    value: str = ""
    rule: str
    detail: str = ""
    remedy: str

    def __str__(self) -> str:
        place = f"{self.source}:{self.key}" if self.key else self.source
        subject = f"{place} = {self.value}" if self.value else place
        return f"{subject}: " + "; ".join(p for p in (self.rule, self.detail, self.remedy) if p)


class ConfigError(NeuroemuError):
    """One or more rules are broken by a target, an experiment or an argument.

    Attributes
    ----------
    violations : tuple of Violation
        All of them, not only the first.
    """

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("\n".join(str(v) for v in self.violations))

    @classmethod
    def one(
        cls,
        source: str,
        key: str = "",
        value: object = "",
        *,
        rule: str,
        detail: str = "",
        remedy: str,
    ) -> ConfigError:
        """Return the error for a single violation."""
        return cls(
            [
                Violation(
                    source=source,
                    key=key,
                    value=str(value),
                    rule=rule,
                    detail=detail,
                    remedy=remedy,
                )
            ]
        )


class SpikeInputError(ConfigError):
    """Given spike trains are unsorted, out of range or of the wrong shape."""


class FixedPointOverflowError(NeuroemuError):
    """A site with ``overflow = "error"`` met a value outside its range."""


class ContainerOverflowError(NeuroemuError):
    """A value left the range that was proved for its site: a fault of neuroemu, not of a target."""


class OutputError(NeuroemuError):
    """A result cannot be written where it was asked for, or a saved one cannot be read."""


class TextError(NeuroemuError):
    """A step text of a user's own cannot be compiled."""
