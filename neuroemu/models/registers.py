"""What `discretize` hands on: registers, sites, steps, and what was lost on the way."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from neuroemu.experiment import Experiment
from neuroemu.hardware.clock import Clock
from neuroemu.hardware.config import Target
from neuroemu.numeric.site import Site

COARSE = 0.05
"""Relative error of a constant from which it is flagged ``coarse``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """One constant of the experiment, as asked and as the chip has it.

    Parameters
    ----------
    key : str
        Where it is from, for example ``projections.homeostatic.dw_plus``.
    asked, realised : float
        In the experiment's unit.
    unit : str
        Of both.
    register : str
        Format of the register; empty if there is none (an analog quantity).
    raw : int or None
        What the register holds.
    flags : tuple of str
        Of ``zeroed``, ``saturated``, ``coarse``, ``clipped_limit``.
    """

    key: str
    asked: float
    realised: float
    unit: str
    register: str
    raw: int | None
    flags: tuple[str, ...] = ()

    @property
    def relative_error(self) -> float:
        """``realised / asked - 1``; 0 where both are 0."""
        if self.asked == 0:
            return 0.0 if self.realised == 0 else float("inf")
        return self.realised / self.asked - 1.0

    def as_json(self) -> dict[str, Any]:
        """Return the constant as plain data."""
        return {
            "key": self.key,
            "asked": self.asked,
            "realised": self.realised,
            "relative_error": self.relative_error,
            "unit": self.unit,
            "register": self.register,
            "raw": self.raw,
            "flags": list(self.flags),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronRegisters:
    """Constants of docs/spec/lif.md for one population, in membrane LSBs.

    On an analog membrane they are the float values and ``multiplier`` is not rounded.
    """

    multiplier: Fraction
    unit: int
    threshold: Any
    reset: Any
    v_init: Any
    refractory_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SynapseRegisters:
    """Constants of one projection: weights in weight LSBs, increments in parts of them."""

    lsb: Fraction
    weight: int
    gain: Any
    dw_plus: int = 0
    dw_minus: int = 0
    unit: int = 1
    w_min: int = 0
    w_max: int = 0
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

    @property
    def is_analog(self) -> bool:
        """Whether the membrane has no digital arithmetic."""
        return self.membrane_lsb is None
