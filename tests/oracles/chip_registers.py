"""One chip neuron with given registers, as a target and an experiment in the units of its membrane LSB."""

import numpy as np
from numpy.typing import NDArray

from neuroemu.engine.run import Run
from neuroemu.engine.simulate import simulate
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import experiment_from

FINE = 16
"""Steps of the experiment in a tick, so that a source may spike several times in one."""


def one_neuron(
    target: Target, *, steps: int, weights: list[float], recurrent: float = 0.0, **neuron: float
) -> Experiment:
    """Return an experiment of one neuron, and a stimulus of one source for each weight."""
    tick_ms = target.time.tick_us * target.time.acceleration / 1000
    projections = {
        f"p{i}": {"pre": f"c{i}", "post": "n", "weight": w} for i, w in enumerate(weights)
    }
    if recurrent:
        projections["back"] = {"pre": "n", "post": "n", "weight": recurrent}
    data = {
        "name": "registers",
        "title": "",
        "time": {"dt_ms": tick_ms / FINE, "duration_ms": tick_ms * steps},
        "stimuli": {f"c{i}": {"rates_hz": [1.0]} for i in range(len(weights))},
        "populations": {"n": neuron},
        "projections": projections,
        "record": {"membrane": {"populations": ["n"], "stop_ms": tick_ms * steps}},
    }
    return experiment_from(data, "registers")


def run_counts(experiment: Experiment, target: Target, counts: NDArray[np.int64]) -> Run:
    """Run under `counts`, (steps, channels): spikes of each source in each tick."""
    spikes = {
        f"c{i}": [np.repeat(np.arange(len(counts)) * FINE, n) + _within(n)]
        for i, n in enumerate(counts.T)
    }
    return simulate(experiment, target, spikes=spikes)


def _within(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 0, 1, ... for the spikes of each tick."""
    return np.concatenate([np.arange(n) for n in counts]).astype(np.int64)


def membrane(run: Run, lsb: float, zero: float) -> NDArray[np.int64]:
    """Return the raw membrane at the start of each step."""
    return np.rint((run.membrane["n"].value[:, 0, 0] - zero) / lsb).astype(np.int64)


def sent(run: Run, steps: int) -> NDArray[np.int64]:
    """Return the spikes of each step."""
    return np.bincount(run.spikes["n"].steps[0], minlength=steps)
