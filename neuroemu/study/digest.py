"""What identifies a result: equal digests, equal results, bit for bit."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import neuroemu
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target

ARITHMETIC = ("numeric", "models", "engine")
"""Folders whose sources decide every bit of a result."""


@cache
def arithmetic_version() -> str:
    """Return the digest of the emulator's sources."""
    package, digest = Path(neuroemu.__file__).parent, hashlib.sha256()
    for folder in ARITHMETIC:
        for path in sorted((package / folder).glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def config_digest(target: Target | None, experiment: Experiment, seed: int, arithmetic: str) -> str:
    """Return what identifies the results of a configuration; None for the float reference."""
    parts: dict[str, Any] = {
        "target": None
        if target is None
        else _dump(target, {"name", "title", "summary", "sources"}),
        "experiment": _dump(experiment, {"name", "title", "description", "record"}),
        "seed": seed,
        "arithmetic": arithmetic,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _dump(config: Target | Experiment, without: set[str]) -> dict[str, Any]:
    return config.model_dump(mode="json", exclude=without)
