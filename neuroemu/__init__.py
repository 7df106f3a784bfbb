"""Emulate the fixed-point arithmetic of neuromorphic chips, and judge a spiking model in it.

Importing this package is cheap: what needs numba or matplotlib is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from neuroemu.errors import (
    ConfigError,
    FixedPointOverflowError,
    NeuroemuError,
    OutputError,
    SpikeInputError,
)

if TYPE_CHECKING:
    from neuroemu.comparison import Comparison, compare
    from neuroemu.engine.run import Run, load_run
    from neuroemu.engine.simulate import simulate
    from neuroemu.experiment import Experiment
    from neuroemu.feasibility.check import check
    from neuroemu.fitting import fit
    from neuroemu.hardware.config import Target
    from neuroemu.hardware.load import (
        load_experiment,
        load_target,
        shipped_experiments,
        shipped_targets,
    )
    from neuroemu.metrics.verdict import Verdict
    from neuroemu.models.discretize import discretize
    from neuroemu.numeric.format import Format
    from neuroemu.study.results import load_study
    from neuroemu.study.run import run_study
    from neuroemu.verification import verify

__version__ = "0.1.0"

_LATE = {
    "Comparison": "neuroemu.comparison",
    "Experiment": "neuroemu.experiment",
    "Format": "neuroemu.numeric.format",
    "Run": "neuroemu.engine.run",
    "Target": "neuroemu.hardware.config",
    "Verdict": "neuroemu.metrics.verdict",
    "check": "neuroemu.feasibility.check",
    "compare": "neuroemu.comparison",
    "discretize": "neuroemu.models.discretize",
    "fit": "neuroemu.fitting",
    "load_experiment": "neuroemu.hardware.load",
    "load_run": "neuroemu.engine.run",
    "load_study": "neuroemu.study.results",
    "load_target": "neuroemu.hardware.load",
    "run_study": "neuroemu.study.run",
    "shipped_experiments": "neuroemu.hardware.load",
    "shipped_targets": "neuroemu.hardware.load",
    "simulate": "neuroemu.engine.simulate",
    "verify": "neuroemu.verification",
}

__all__ = [
    "Comparison",
    "ConfigError",
    "Experiment",
    "FixedPointOverflowError",
    "Format",
    "NeuroemuError",
    "OutputError",
    "Run",
    "SpikeInputError",
    "Target",
    "Verdict",
    "__version__",
    "check",
    "compare",
    "discretize",
    "fit",
    "load_experiment",
    "load_run",
    "load_study",
    "load_target",
    "run_study",
    "shipped_experiments",
    "shipped_targets",
    "simulate",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        value = getattr(import_module(_LATE[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
