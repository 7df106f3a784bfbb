"""Faults: one small change of one source file each, read from ``faults.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

FILE = Path(__file__).with_name("faults.toml")
KINDS = (
    "rounding",
    "overflow",
    "order",
    "threshold",
    "container",
    "random",
    "constants",
    "time",
    "learning",
    "wiring",
    "records",
    "none",
)


class FaultError(ValueError):
    """A fault that cannot be applied, or a table that describes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One small change.

    Parameters
    ----------
    name : str
        Unique, and short enough for a table.
    kind : str
        One of `KINDS`; ``none`` changes nothing that runs.
    file : str
        Path from the root of the repository.
    find, replace : str
        Exact texts; `find` occurs `count` times, and each of them is replaced.
    equivalent : str
        Why no test can tell, or empty: then a test must.
    """

    name: str
    kind: str
    file: str
    find: str
    replace: str
    count: int = 1
    equivalent: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FaultError(f"{self.name}: the kind {self.kind!r} is none of {', '.join(KINDS)}")
        if self.find == self.replace:
            raise FaultError(f"{self.name}: the replacement is the text itself")

    def applied(self, text: str) -> str:
        """Return `text` with the fault in it.

        Raises
        ------
        FaultError
            If `find` does not occur as often as it should: the source has changed under the fault.
        """
        found = text.count(self.find)
        if found != self.count:
            raise FaultError(
                f"{self.name}: its text occurs {found} times in {self.file}, not {self.count}"
            )
        return text.replace(self.find, self.replace)

    def apply(self, root: Path) -> None:
        """Put the fault into the copy of the repository at `root`."""
        path = root / self.file
        path.write_text(self.applied(path.read_text(encoding="utf-8")), encoding="utf-8")


def load(path: Path = FILE) -> list[Fault]:
    """Return all faults in the order of the file.

    Raises
    ------
    FaultError
        If two have one name, or a table is no fault.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["fault"]
    try:
        faults = [Fault(**table) for table in tables]
    except TypeError as error:
        raise FaultError(f"{path.name}: {error}") from None
    names = [fault.name for fault in faults]
    if len(set(names)) != len(names):
        raise FaultError(f"twice: {', '.join(sorted({n for n in names if names.count(n) > 1}))}")
    return faults


def named(faults: Iterable[Fault], patterns: Iterable[str]) -> list[Fault]:
    """Return the faults whose names match one of `patterns`; all of them if there is none.

    Raises
    ------
    FaultError
        If a pattern matches no name.
    """
    faults, patterns = list(faults), list(patterns)
    for pattern in patterns:
        if not any(fnmatchcase(fault.name, pattern) for fault in faults):
            raise FaultError(f"no fault is named {pattern}")
    return [f for f in faults if not patterns or any(fnmatchcase(f.name, p) for p in patterns)]
