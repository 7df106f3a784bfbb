"""Equality of runs, bit for bit."""

import numpy as np
from numpy.typing import ArrayLike

from neuroemu.engine.run import Run


def same_bits(a: ArrayLike, b: ArrayLike, what: object) -> None:
    x, y = np.asarray(a), np.asarray(b)
    assert x.dtype == y.dtype and x.shape == y.shape, (what, x.dtype, y.dtype, x.shape, y.shape)
    assert np.array_equal(x, y), (what, x, y)


def assert_same_run(a: Run, b: Run) -> None:
    """Spikes, weights, membranes and what the sites did."""
    assert (a.rung, a.n_steps, a.step_ms, a.trials) == (b.rung, b.n_steps, b.step_ms, b.trials)
    assert a.spikes.keys() == b.spikes.keys()
    for name in a.spikes:
        for trial in range(a.trials):
            same_bits(a.spikes[name].steps[trial], b.spikes[name].steps[trial], (name, trial))
            same_bits(a.spikes[name].neurons[trial], b.spikes[name].neurons[trial], (name, trial))
    assert a.weights.keys() == b.weights.keys()
    for name in a.weights:
        assert a.weights[name].initial == b.weights[name].initial
        assert a.weights[name].lsb == b.weights[name].lsb
        for trial in range(a.trials):
            for column in ("step", "synapse", "raw", "value"):
                one, other = a.weights[name][trial], b.weights[name][trial]
                same_bits(getattr(one, column), getattr(other, column), (name, trial, column))
    assert a.membrane.keys() == b.membrane.keys()
    for name in a.membrane:
        same_bits(a.membrane[name].step, b.membrane[name].step, name)
        same_bits(a.membrane[name].value, b.membrane[name].value, name)
    assert a.sites == b.sites
    assert a.input_coincidences == b.input_coincidences
