"""Small studies: the reference experiment cut to two seconds, a few points, a few trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli_w

from neuroemu.study.config import load_study_file
from neuroemu.study.points import Space, space

SHORT = {
    "experiment.time.duration_ms": 2000.0,
    "experiment.stimuli.varying.interval_ms": 500.0,
    "experiment.question.settle_ms": 100.0,
    "plasticity.increment.format": "fxp-u16/8",
}
BITS = {"name": "bits", "keys": ["plasticity.weight.format"], "bits": [4, 7]}
ROUNDING = {
    "name": "rounding",
    "keys": ["plasticity.weight.rounding"],
    "values": ["floor", "stochastic"],
}


def study_data(**changes: Any) -> dict[str, Any]:
    """Return a study of eight points as its file has it."""
    return {
        "name": "small",
        "title": "A small study",
        "targets": ["generic8"],
        "seed": 3,
        "set": SHORT,
        "axes": [ROUNDING, BITS],
        "trials": {"first": 4, "most": 8},
        "predict": False,
    } | changes


def write_study(folder: Path, **changes: Any) -> Path:
    """Write such a file and return its path."""
    path = folder / "small.toml"
    path.write_text(tomli_w.dumps(study_data(**changes)), encoding="utf-8")
    return path


def small_space(folder: Path, **changes: Any) -> Space:
    """Return the space of such a study."""
    return space(*load_study_file(write_study(folder, **changes)))
