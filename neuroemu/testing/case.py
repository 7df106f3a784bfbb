"""A case: everything that decides a short run, so that it can be shrunk, saved and run again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import experiment_from, target_from
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized

T = TypeVar("T")
Spikes = Mapping[str, Sequence[NDArray[np.int64]]]
"""By stimulus, for each trial (spikes, 2) int64: step on the experiment's grid, source."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A target, an experiment that fits it, and the input spikes of a few trials.

    Parameters
    ----------
    target : Target
    experiment : Experiment
    spikes : dict of str to list of (spikes, 2) int64
        By stimulus, one array per trial: step on the experiment's grid, source; sorted.
    seed, first_trial : int
        Of stochastic rounding.
    """

    target: Target
    experiment: Experiment
    spikes: Spikes = field(default_factory=dict)
    seed: int = 0
    first_trial: int = 0

    @property
    def trials(self) -> int:
        """Number of trials."""
        return max((len(trains) for trains in self.spikes.values()), default=1)

    @property
    def input(self) -> dict[str, Any]:
        """What `neuroemu.simulate` needs beside experiment and target."""
        numbers = {"trials": self.trials, "seed": self.seed, "first_trial": self.first_trial}
        return numbers | {"spikes": dict(self.spikes)}

    @cached_property
    def plan(self) -> Discretized:
        """The experiment in the target's numbers."""
        return discretize(self.experiment, self.target)

    def as_json(self) -> dict[str, Any]:
        """Return the case as plain data."""
        return {
            "target": self.target.model_dump(mode="json"),
            "experiment": self.experiment.model_dump(mode="json"),
            "spikes": {n: [t.tolist() for t in trains] for n, trains in self.spikes.items()},
            "seed": self.seed,
            "first_trial": self.first_trial,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], source: str) -> Case:
        """Return the case that `as_json` wrote.

        Parameters
        ----------
        data : mapping
            As `as_json` returns it.
        source : str
            The file, for errors.

        Raises
        ------
        ConfigError
            With every violation of target and experiment.
        """
        return cls(
            target=_below("target", target_from, data["target"], source),
            experiment=_below("experiment", experiment_from, data["experiment"], source),
            spikes={name: [_train(t) for t in trains] for name, trains in data["spikes"].items()},
            seed=int(data["seed"]),
            first_trial=int(data["first_trial"]),
        )


def _below(name: str, read: Callable[[Any, str], T], data: Any, source: str) -> T:
    """Return what `read` makes of a table, its keys in errors below the table's name."""
    try:
        return read(data, source)
    except ConfigError as error:
        found = [replace(v, key=f"{name}.{v.key}" if v.key else name) for v in error.violations]
        raise ConfigError(found) from None


def _train(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return one trial's spikes, (spikes, 2) int64; a fraction of a step is refused, not cut off."""
    if any(len(row) != 2 for row in rows):
        raise ValueError("a row has one step and one source")
    found = np.asarray(rows)
    if found.size and found.dtype.kind != "i":
        raise ValueError("step and source are whole numbers")
    return found.astype(np.int64).reshape(-1, 2)
