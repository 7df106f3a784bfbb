"""What the outside emulators of Intel's Loihi 1 share: parameters in, integer traces out.

`loihi_brian2` and `loihi_nengo` agree on this step wherever no register overflows (test_loihi_emulators.py pins it).
`dec(x, d) = sign(x) * (|x| * (4096 - d) // 4096)` rounds toward zero; w is an actual weight, a multiple of 64:

    u = dec(u, decay_u + 1) + sum of w over the input that arrives in this step
    v = dec(v, decay_v) + u + bias      but 0 in the refractory - 1 steps after a spike
    spike if v > threshold * 64, and then v = 0

Where they differ, brian2_loihi 0.5.2 first, then nengo-loihi 1.1.0:

- sum of a step's input: unbounded · wraps to signed 22 bits
- u: unbounded · wraps to signed 24 bits, and once more after the bias is added
- v: unbounded · clips to vmin..vmax, -(2^23 - 1)..2^23 - 1 at most
- input spike of step k: in u of step k + delay · in u of step k + 1
- bias: none · into v
- mantissa of mixed sign: -256..254, its lowest bit cut toward zero · -254..254, to the nearest even number, ties to a
  multiple of 4
- bits lost to a negative exponent: floor · nearest, ties to even, but clipped to 127 before the shift, so that the
  highest weights lose 1 (254 at exponent -8 becomes 0, -254 becomes -64)
- actual weight: clips at +-(2^21 - 64), which changes -256 at exponent 7 · never that large
- trace: x (1 - 1/tau) in each step, the impulse comes before, clip at 127 · x exp(-2/tau) in each second step, the
  impulse is added before the rounding, and one a period at most
- rounding of a trace: stochastic, but in the step of an impulse with the fraction that the value before the impulse
  has · stochastic

nengo-loihi's authors compared its overflows with the chip, in a test that needs one.

Source
------
brian2_loihi (sagacitysite) loihi_neuron_group.py, loihi_synapses.py, loihi_network.py; nengo-loihi (Applied Brain
Research) emulator/interface.py, builder/discretize.py, emulator/tests/test_interface.py (test_uv_overflow).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Words = NDArray[np.int64]

SIGNS = {"mixed": 1, "excitatory": 2, "inhibitory": 3}
"""Loihi's weight modes, by the numbers of brian2_loihi."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoihiNeuron:
    """The registers of a compartment, as the chip counts them.

    decay_u : 0..4095, of which the chip adds 1; decay_v : 0..4095. threshold : 0..131071, times 64.
    refractory : 1..64 steps, 1 is none. bias : LSB of u, what the mantissa and the exponent make.
    """

    decay_u: int = 4095
    decay_v: int = 0
    threshold: int = 131071
    refractory: int = 1
    bias: int = 0

    def __post_init__(self) -> None:
        limits = {
            "decay_u": (0, 4095),
            "decay_v": (0, 4095),
            "threshold": (0, 131071),
            "refractory": (1, 64),
            "bias": (-4096 << 7, 4095 << 7),
        }
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} = {getattr(self, name)} lies outside {low}..{high}")


class LoihiTrace(NamedTuple):
    """What the neurons did, each (steps, neurons), at the end of each step.

    u, v : int64, LSB, v after the reset. spikes : bool.
    """

    u: Words
    v: Words
    spikes: NDArray[np.bool_]


def checked_input(
    spikes: ArrayLike, weights: ArrayLike, exponent: int
) -> tuple[NDArray[np.bool_], Words]:
    """Return the (steps, channels) spikes and the (channels, neurons) weight mantissas.

    Raises
    ------
    ValueError
        Shapes that do not fit, no integers, or an exponent out of -8..7.
    """
    trains, mantissas = np.asarray(spikes, dtype=bool), np.asarray(weights)
    if trains.ndim != 2 or mantissas.ndim != 2 or trains.shape[1] != mantissas.shape[0]:
        raise ValueError("need spikes (steps, channels) and weights (channels, neurons)")
    if not np.issubdtype(mantissas.dtype, np.integer):
        raise ValueError("weights are integer mantissas")
    if not -8 <= exponent <= 7:
        raise ValueError(f"exponent = {exponent} lies outside -8..7")
    return trains, mantissas.astype(np.int64)
