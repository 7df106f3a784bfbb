"""Loaded before a test forks processes off: all imports, and kernels that have run, so that a child works at once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from neuroemu.study.batch import Job, run_batch
from neuroemu.study.points import Space
from tests.study.small import BITS, ROUNDING, small_space

TINY: dict[str, Any] = {
    "axes": [ROUNDING, BITS | {"bits": [5, 5]}],
    "trials": {"first": 2, "most": 16},
}
"""Two points and up to four looks: a dozen batches."""


def tiny_space(**changes: Any) -> Space:
    with tempfile.TemporaryDirectory() as folder:
        return small_space(Path(folder), **(TINY | changes))


SPACE = tiny_space()

for _target in (None, SPACE.point((0, 0, 0)).target):
    run_batch(
        Job(config="", target=_target, experiment=SPACE.experiment, seed=0, first=0, trials=1)
    )
