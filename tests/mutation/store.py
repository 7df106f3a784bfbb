"""Outcomes that are kept: a run that was interrupted goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.mutation.faults import Fault
from tests.mutation.trial import COPIED, Outcome


def digest_of(sources: Path) -> str:
    """Return a digest of everything that an outcome depends on but the fault: package and judges alike.

    The list of faults itself is left out: a fault more changes no other's outcome.
    """
    digest = hashlib.sha256()
    for name in COPIED:
        top = sources / name
        files = sorted(p for p in top.rglob("*") if p.is_file()) if top.is_dir() else [top]
        for path in files:
            if "__pycache__" not in path.parts and path.name != "faults.toml":
                digest.update(path.relative_to(sources).as_posix().encode() + b"\0")
                digest.update(path.read_bytes())
    return digest.hexdigest()


class Store:
    """Outcomes by fault, in one JSON file; those of other sources are forgotten at the first new one.

    Parameters
    ----------
    path : Path
        The file; made when there is something to keep.
    sources : str
        `digest_of` the sources.
    """

    def __init__(self, path: Path, sources: str) -> None:
        self.path, self.sources = path, sources
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.outcomes: dict[str, dict[str, object]] = (
            kept["outcomes"] if kept.get("sources") == sources else {}
        )

    def get(self, fault: Fault) -> Outcome | None:
        """Return what is known of a fault."""
        found = self.outcomes.get(_key(fault))
        return None if found is None else Outcome(**found)  # type: ignore[arg-type]

    def put(self, fault: Fault, outcome: Outcome) -> None:
        """Keep an outcome; the file is whole at any time."""
        self.outcomes[_key(fault)] = outcome.as_json()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_suffix(".tmp")
        text = json.dumps({"sources": self.sources, "outcomes": self.outcomes}, indent=1)
        aside.write_text(text, encoding="utf-8")
        aside.replace(self.path)


def _key(fault: Fault) -> str:
    change = (fault.file, fault.find, fault.replace, fault.count)
    return hashlib.sha256(repr(change).encode()).hexdigest()[:16]
