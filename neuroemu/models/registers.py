"""What `discretize` hands on: registers, sites, steps, and what was lost on the way."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from neuroemu.experiment import Experiment
from neuroemu.hardware.clock import Clock
from neuroemu.hardware.config import Target
from neuroemu.models.chip import ChipRegisters
from neuroemu.models.constants import Constant
from neuroemu.models.pair_settings import PairSettings
from neuroemu.numeric.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronRegisters:
    """Constants of docs/spec/lif.md for one population, in membrane LSBs from the register's 0.

    On an analog membrane they are the float values and ``multiplier`` is not rounded.

    Parameters
    ----------
    reset : int or float
        Where a spike takes the membrane; on a chip that subtracts, what it takes away.
    zero : float
        Biological value of the register's 0.
    chip : ChipRegisters or None
        What only the chip's own step has.
    """

    multiplier: Fraction
    unit: int
    threshold: Any
    reset: Any
    v_init: Any
    refractory_steps: int
    zero: float = 0.0
    chip: ChipRegisters | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SynapseRegisters:
    """Constants of one projection: weights in weight LSBs, increments in parts of them, a target in spikes."""

    lsb: Fraction
    weight: int
    gain: Any
    dw_plus: int = 0
    dw_minus: int = 0
    unit: int = 1
    w_min: int = 0
    w_max: int = 0
    target_count: int = 0
    pairs: PairSettings | None = None
    gain_value: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Discretized:
    """An experiment in a target's numbers.

    Parameters
    ----------
    membrane_lsb : Fraction or None
        None if the membrane is analog.
    sites : dict of str to Site
        Every place where a value is narrowed.
    widest : dict of str to (int, int)
        Proved range of the wide value at each site, its terms and the rounding's addend included.
    container : str
        ``int32``, ``int64`` or ``double`` (an analog membrane with registers held in doubles).
    buffer_scale : int
        LSBs of the current, or of the membrane, in one of the input buffer.
    """

    experiment: Experiment
    target: Target
    clock: Clock
    constants: tuple[Constant, ...]
    membrane_lsb: Fraction | None
    neurons: dict[str, NeuronRegisters]
    synapses: dict[str, SynapseRegisters]
    sites: dict[str, Site]
    widest: dict[str, tuple[int, int]]
    container: str
    buffer_scale: int = 1

    @property
    def is_analog(self) -> bool:
        """Whether the membrane has no digital arithmetic."""
        return self.membrane_lsb is None
