"""Leak-add-fire in fxpmath, kept to the part of fxpmath 0.4.10 that is right.

Signed operands built with `raw=True`; no negation, no shift, no bare `Fxp(x)`; a wide value is
narrowed by quantising its float, exact here: the widest raw value, the leak product, has 33 bits.
"""

import time
from typing import Any

import fxpmath.objects
import numpy as np

from tests.benchmarks.peers import (
    LEAK_FRACTION_BITS,
    LEAK_MULTIPLIER,
    MEMBRANE_BITS,
    MEMBRANE_FRACTION_BITS,
    REFRACTORY_STEPS,
    RESET,
    THRESHOLD,
    Raw,
    initial_state,
)

# fxpmath carries no types.
Fxp: Any = fxpmath.objects.Fxp

LEAK_BITS = LEAK_FRACTION_BITS + 2  # sign, one integer bit, fraction


def _membrane(raw: Raw) -> Any:
    return Fxp(raw, signed=True, n_word=MEMBRANE_BITS, n_frac=MEMBRANE_FRACTION_BITS, raw=True)


def _narrow(wide: Any) -> Any:
    """Round by floor and saturate into the membrane format."""
    return Fxp(
        wide.get_val(),
        signed=True,
        n_word=MEMBRANE_BITS,
        n_frac=MEMBRANE_FRACTION_BITS,
        rounding="floor",
        overflow="saturate",
    )


def _simulate(membrane: Raw, drive: Raw, n_steps: int) -> None:
    """Advance the raw membranes in place; compare and select are numpy's, on raw values."""
    counter = np.zeros_like(membrane)
    multiplier = Fxp(
        LEAK_MULTIPLIER, signed=True, n_word=LEAK_BITS, n_frac=LEAK_FRACTION_BITS, raw=True
    )
    drive_fixed = _membrane(drive)
    for _ in range(n_steps):
        np.maximum(counter - 1, 0, out=counter)
        active = counter == 0
        moved = _narrow(_narrow(_membrane(membrane) * multiplier) + drive_fixed)
        np.copyto(membrane, moved.val, where=active)
        fired = active & (membrane > THRESHOLD)
        membrane[fired] = RESET
        counter[fired] = REFRACTORY_STEPS


def simulate(membrane: Raw, drive: Raw, n_steps: int) -> Raw:
    """Return the raw membranes, (neurons,) int64, after `n_steps` steps."""
    raw = membrane.copy()
    _simulate(raw, drive, n_steps)
    return raw


def step_time_ns(n_neurons: int, n_steps: int) -> float:
    """Return the time of one neuron update in nanoseconds, conversions left out."""
    membrane, drive = initial_state(n_neurons)
    begin = time.perf_counter_ns()
    _simulate(membrane, drive, n_steps)
    return (time.perf_counter_ns() - begin) / (n_neurons * n_steps)
