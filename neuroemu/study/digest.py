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

ARITHMETIC = (
    *(
        f"{name}/*.py"
        for name in ("numeric", "models", "engine", "hardware", "metrics", "prediction")
    ),
    *("experiment.py", "study/batch.py"),
)
"""Sources that decide every bit of what is kept."""


@cache
def arithmetic_version() -> str:
    """Return the digest of the emulator's sources."""
    package, digest = Path(neuroemu.__file__).parent, hashlib.sha256()
    for pattern in ARITHMETIC:
        for path in sorted(package.glob(pattern)):
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
    # tables stay in their order: it is that of the neurons, and of their random words
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _dump(config: Target | Experiment, without: set[str]) -> dict[str, Any]:
    return config.model_dump(mode="json", exclude=without)
