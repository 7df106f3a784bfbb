"""Peers: the same work done by other tools, for the benchmarks to compare with.

The fixed-point peers share one neuron, leak-add-fire, in these numbers. Per step and neuron,
all in raw integers (LSB of the membrane format):

1. the refractory counter falls by one, down to 0; at 0 the neuron is active;
2. an active neuron leaks, `v = saturate(floor(v * LEAK_MULTIPLIER / 2**LEAK_FRACTION_BITS))`;
3. an active neuron adds its drive, `v = saturate(v + drive)`;
4. an active neuron with `v > THRESHOLD` fires: `v = RESET` and the counter is REFRACTORY_STEPS.
"""

import numpy as np
from numpy.typing import NDArray

Raw = NDArray[np.int64]

MEMBRANE_BITS = 16
MEMBRANE_FRACTION_BITS = 12
MEMBRANE_LO = -(1 << (MEMBRANE_BITS - 1))
MEMBRANE_HI = (1 << (MEMBRANE_BITS - 1)) - 1
LEAK_FRACTION_BITS = 15
LEAK_MULTIPLIER = 32_440  # 0.99: dt 0.1 ms, tau 10 ms
THRESHOLD = 1 << MEMBRANE_FRACTION_BITS  # 1.0
RESET = -(1 << MEMBRANE_FRACTION_BITS)  # -1.0
REFRACTORY_STEPS = 10


def initial_state(n_neurons: int, seed: int = 0) -> tuple[Raw, Raw]:
    """Return membranes over the whole format, and a constant drive per neuron, from -1 to 1.

    Returns
    -------
    membrane, drive : (n_neurons,) int64, LSB of membrane
    """
    rng = np.random.default_rng(seed)
    membrane = rng.integers(MEMBRANE_LO, MEMBRANE_HI, n_neurons, endpoint=True)
    drive = rng.integers(RESET, THRESHOLD, n_neurons, endpoint=True)
    return membrane, drive
