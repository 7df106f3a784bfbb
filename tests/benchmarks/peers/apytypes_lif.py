"""Leak-add-fire in apytypes: arithmetic, casts, compare and select all on `APyFixedArray`."""

import time

import numpy as np
from apytypes import APyFixed, APyFixedArray, OverflowMode, QuantizationMode

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


def _membrane_array(raw: Raw) -> APyFixedArray:
    return APyFixedArray(raw, bits=MEMBRANE_BITS, frac_bits=MEMBRANE_FRACTION_BITS)


def _membrane_scalar(raw: int) -> APyFixed:
    return APyFixed(raw, bits=MEMBRANE_BITS, frac_bits=MEMBRANE_FRACTION_BITS)


def _narrow(wide: APyFixedArray) -> APyFixedArray:
    """Round by floor and saturate into the membrane format."""
    return wide.cast(
        bits=MEMBRANE_BITS,
        frac_bits=MEMBRANE_FRACTION_BITS,
        quantization=QuantizationMode.TRN,
        overflow=OverflowMode.SAT,
    )


def _simulate(membrane: APyFixedArray, drive: APyFixedArray, n_steps: int) -> APyFixedArray:
    """Return the membranes after the steps; the refractory counter, an integer, is numpy's."""
    counter = np.zeros(membrane.shape, dtype=np.int32)
    multiplier = APyFixed(LEAK_MULTIPLIER, int_bits=1, frac_bits=LEAK_FRACTION_BITS)
    threshold, reset = _membrane_scalar(THRESHOLD), _membrane_scalar(RESET)
    for _ in range(n_steps):
        np.maximum(counter - 1, 0, out=counter)
        membrane = _narrow(_narrow(membrane * multiplier) + drive)
        # A refractory neuron rests at its reset: writing that is cheaper than a select.
        membrane[counter > 0] = reset
        fired = membrane > threshold
        membrane[fired] = reset
        counter[fired] = REFRACTORY_STEPS
    return membrane


def simulate(membrane: Raw, drive: Raw, n_steps: int) -> Raw:
    """Return the raw membranes, (neurons,) int64, after `n_steps` steps."""
    fixed = _simulate(_membrane_array(membrane), _membrane_array(drive), n_steps)
    # Bits come out unsigned; the view reads them as two's complement again.
    bits = np.asarray(fixed.to_bits(numpy=True), dtype=np.uint16)
    return bits.view(np.int16).astype(np.int64)


def step_time_ns(n_neurons: int, n_steps: int) -> float:
    """Return the time of one neuron update in nanoseconds, conversions left out."""
    membrane, drive = (_membrane_array(raw) for raw in initial_state(n_neurons))
    begin = time.perf_counter_ns()
    _simulate(membrane, drive, n_steps)
    return (time.perf_counter_ns() - begin) / (n_neurons * n_steps)
