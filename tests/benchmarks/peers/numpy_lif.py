"""Leak-add-fire in numpy: preallocated int32 arrays, every operation in place."""

import time

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.peers import (
    LEAK_FRACTION_BITS,
    LEAK_MULTIPLIER,
    MEMBRANE_HI,
    MEMBRANE_LO,
    REFRACTORY_STEPS,
    RESET,
    THRESHOLD,
    Raw,
    initial_state,
)


def _simulate(membrane: NDArray[np.int32], drive: NDArray[np.int32], n_steps: int) -> None:
    """Advance the membranes in place; the 31-bit leak product fits the int32."""
    counter = np.zeros_like(membrane)
    moved = np.empty_like(membrane)
    active = np.empty(membrane.shape, dtype=np.bool_)
    fired = np.empty(membrane.shape, dtype=np.bool_)
    for _ in range(n_steps):
        np.subtract(counter, 1, out=counter)
        np.maximum(counter, 0, out=counter)
        np.equal(counter, 0, out=active)
        np.multiply(membrane, LEAK_MULTIPLIER, out=moved)
        np.right_shift(moved, LEAK_FRACTION_BITS, out=moved)
        np.clip(moved, MEMBRANE_LO, MEMBRANE_HI, out=moved)
        np.add(moved, drive, out=moved)
        np.clip(moved, MEMBRANE_LO, MEMBRANE_HI, out=moved)
        np.copyto(membrane, moved, where=active)
        np.greater(membrane, THRESHOLD, out=fired)
        np.logical_and(fired, active, out=fired)
        np.copyto(membrane, RESET, where=fired)
        np.copyto(counter, REFRACTORY_STEPS, where=fired)


def simulate(membrane: Raw, drive: Raw, n_steps: int) -> Raw:
    """Return the raw membranes, (neurons,) int64, after `n_steps` steps."""
    narrow = membrane.astype(np.int32)
    _simulate(narrow, drive.astype(np.int32), n_steps)
    return narrow.astype(np.int64)


def step_time_ns(n_neurons: int, n_steps: int) -> float:
    """Return the time of one neuron update in nanoseconds, conversions left out."""
    membrane, drive = (raw.astype(np.int32) for raw in initial_state(n_neurons))
    begin = time.perf_counter_ns()
    _simulate(membrane, drive, n_steps)
    return (time.perf_counter_ns() - begin) / (n_neurons * n_steps)
