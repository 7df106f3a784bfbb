"""Jobs that kill their worker."""

from __future__ import annotations

import os
import signal
from typing import Any

from neuroemu.study.batch import Job, run_batch
from tests.study.small import BITS

POISON = "fxp-u8/6"
"""Format of the weight of the point that kills its worker."""

FOUR = {"axes": [BITS | {"bits": [6, 9]}], "trials": {"first": 2, "most": 4}}


def die() -> None:
    """End as the kernel's out-of-memory killer ends processes."""
    os.kill(os.getpid(), signal.SIGKILL)


def poisoned(function: Any, *arguments: Any) -> Any:
    """Run a job, but die of some."""
    if function is run_batch:
        job: Job = arguments[0]
        if job.target is not None and str(job.target.plasticity.weight.format) == POISON:
            die()
    return function(*arguments)
