"""From numbers to the registers of Loihi 1: docs/spec/loihi-learning.md.

What is asked is an exact number in the register's own unit; physical units end before this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from neuroemu.errors import ConfigError
from neuroemu.models.loihi import Term, TraceParams, WeightParams
from neuroemu.numeric.constants import round_fraction
from neuroemu.numeric.format import Format

SignMode = Literal["excitatory", "inhibitory", "mixed"]
Variable = Literal["trace", "weight", "spike", "constant"]
Factor = tuple[Variable, int]
"""What a factor of a term looks at, and the constant added to it."""

TRACE_HI = 127
TRACE_BITS = 24
"""Fraction bits of a trace's decay."""
IMPULSE_BITS = 7
ACCUMULATOR = Format(signed=True, width=16, fraction=7)
UNIT = 128
"""One LSB of a weight in the accumulator."""
FACTORS = 3
"""Most factors of a term."""
DELIVERED = 64
DELIVERED_HI = 32767
DECAY = Format(signed=False, width=12, fraction=12)

SCALE_MANTISSA = Format(signed=True, width=4, fraction=0)
SCALE_EXPONENTS = range(-7, 10)
THRESHOLD_MANTISSA = Format(signed=False, width=17, fraction=0)
THRESHOLD_EXPONENTS = range(6, 7)
BIAS_MANTISSA = Format(signed=True, width=13, fraction=0)
BIAS_EXPONENTS = range(8)
WEIGHT_EXPONENTS = range(-8, 8)


class Floating(NamedTuple):
    """A mantissa and an exponent: ``mantissa * 2**exponent``."""

    mantissa: int
    exponent: int

    @property
    def value(self) -> Fraction:
        """What the register stands for."""
        return self.mantissa * Fraction(2) ** self.exponent


def mantissa_exponent(
    value: Fraction | int, mantissa: Format, exponents: Sequence[int]
) -> Floating:
    """Return the nearest number that a floating register can hold.

    Parameters
    ----------
    value : Fraction or int
        What is asked, exactly.
    mantissa : Format
        Register of the mantissa; its fraction bits are not looked at.
    exponents : sequence of int
        Consecutive exponents, lowest first.

    Returns
    -------
    Floating
        With the smallest exponent that the mantissa allows. Of two equally near numbers it is the
        even multiple of their distance; what is too large saturates.

    Examples
    --------
    >>> mantissa_exponent(Fraction(32, 5), SCALE_MANTISSA, SCALE_EXPONENTS)
    Floating(mantissa=6, exponent=0)
    >>> mantissa_exponent(300 * 64, BIAS_MANTISSA, BIAS_EXPONENTS)
    Floating(mantissa=2400, exponent=3)
    """
    for exponent in exponents:
        rounded = _around(Fraction(value) / Fraction(2) ** exponent)
        if mantissa.lo <= rounded <= mantissa.hi:
            return Floating(rounded, exponent)
    return Floating(mantissa.hi if value > 0 else mantissa.lo, exponents[-1])


def learning_scale(value: Fraction | int) -> Floating:
    """Return the scale of a term; `value` in weight LSBs."""
    return mantissa_exponent(value, SCALE_MANTISSA, SCALE_EXPONENTS)


def threshold_register(value: Fraction | int) -> Floating:
    """Return a threshold; `value` in membrane LSBs."""
    return mantissa_exponent(value, THRESHOLD_MANTISSA, THRESHOLD_EXPONENTS)


def bias_register(value: Fraction | int) -> Floating:
    """Return a bias; `value` in membrane LSBs per step."""
    return mantissa_exponent(value, BIAS_MANTISSA, BIAS_EXPONENTS)


def decay_register(keep: Fraction, *, offset: int = 0) -> int:
    """Return the 12-bit decay of a current (`offset` 1) or a membrane (0).

    Parameters
    ----------
    keep : Fraction
        Factor per step, ``1 - 1/tau`` for Euler.
    offset : int
        What the chip adds to the register.

    Examples
    --------
    >>> decay_register(Fraction(99, 100)), decay_register(Fraction(0), offset=1)
    (41, 4095)
    """
    return _saturated(_around((1 - keep) * (DECAY.hi + 1)) - offset, DECAY.lo, DECAY.hi)


def weight_exponent(largest: Fraction | int, mode: SignMode = "excitatory", bits: int = 8) -> int:
    """Return the weight exponent of a group of synapses.

    Parameters
    ----------
    largest : Fraction or int
        Largest magnitude of a weight, in 64 membrane LSBs: what a mantissa of 1 delivers at exponent 0.
    mode : str
        Sign mode.
    bits : int
        Bits of a weight.
    """
    magnitude = Format(signed=False, width=bits - (mode == "mixed"), fraction=0)
    asked = Fraction(largest) / grid_step(mode, bits)
    return mantissa_exponent(asked, magnitude, WEIGHT_EXPONENTS).exponent


def weight_mantissa(
    value: Fraction | int, exponent: int, mode: SignMode = "excitatory", bits: int = 8
) -> int:
    """Return the weight mantissa that comes nearest at `exponent`; as for `weight_exponent`.

    Examples
    --------
    >>> weight_exponent(600), weight_mantissa(100, weight_exponent(600))
    (2, 25)
    """
    step, (lo, hi) = grid_step(mode, bits), code_range(mode, bits)
    return _saturated(_around(Fraction(value) / (step * Fraction(2) ** exponent)), lo, hi) * step


def grid_step(mode: SignMode, bits: int) -> int:
    """Return the distance of two weight mantissas.

    Raises
    ------
    ConfigError
        If there is no such weight.
    """
    lowest = 2 if mode == "mixed" else 1
    if not lowest <= bits <= 8:
        rule = f"a weight of sign mode {mode} has {lowest} to 8 bits"
        raise ConfigError.one("bits", value=bits, rule=rule, remedy="choose a width within")
    return int(2 ** (8 - bits + (mode == "mixed")))


def code_range(mode: SignMode, bits: int) -> tuple[int, int]:
    """Return the smallest and the largest code of a weight."""
    if mode == "mixed":
        form = Format(signed=True, width=bits, fraction=0)
        return form.lo, form.hi
    top = Format(signed=False, width=bits, fraction=0).hi
    return (0, top) if mode == "excitatory" else (-top, 0)


def trace_params(tau: Fraction | int | None, impulse: Fraction | int) -> TraceParams:
    """Return the registers of a trace.

    Parameters
    ----------
    tau : Fraction, int or None
        Time constant in steps, 1 or more; 0 forgets at once, None never.
    impulse : Fraction or int
        What a spike adds, in trace LSBs.

    Raises
    ------
    ConfigError
        If `tau` lies below 1 and is not 0, or `impulse` below 0.

    Examples
    --------
    >>> trace_params(2, Fraction(33, 2))
    TraceParams(decay=8388608, unit=128, impulse=2112)
    """
    if tau is not None and tau != 0 and tau < 1:
        rule = "a trace decays by 1 - 1/tau in a step"
        raise ConfigError.one("tau", value=tau, rule=rule, remedy="use 0, or 1 step or more")
    if impulse < 0:
        rule = "a trace is not negative"
        raise ConfigError.one("impulse", value=impulse, rule=rule, remedy="use 0 or more")
    keep = Fraction(1) if tau is None else 1 - 1 / Fraction(tau) if tau else Fraction(0)
    unit = 2**IMPULSE_BITS
    raw = _saturated(_around(Fraction(impulse) * unit), 0, (TRACE_HI + 1) * unit - 1)
    return TraceParams(_around(keep * 2**TRACE_BITS), unit, raw)


def weight_params(mode: SignMode = "excitatory", bits: int = 8, exponent: int = 0) -> WeightParams:
    """Return the units of a weight with weight exponent `exponent`."""
    return WeightParams(UNIT, grid_step(mode, bits), int(2 ** max(exponent, 0)), DELIVERED)


def term(scale: Floating, factors: Sequence[Factor] = ()) -> Term:
    """Return one term of a rule.

    Parameters
    ----------
    scale : Floating
        Of `learning_scale`.
    factors : sequence of (variable, constant)
        Up to three.

    Examples
    --------
    >>> term(learning_scale(Fraction(-1, 4)), [("trace", 0), ("weight", -255)])
    Term(mantissa=-8, scale=4, first=0, second=-255, third=0)
    """
    constants = [constant for _, constant in factors]
    power = int(2 ** (scale.exponent + ACCUMULATOR.fraction))
    return Term(scale.mantissa, power, *constants, *[0] * (FACTORS - len(constants)))


def _around(q: Fraction) -> int:
    return round_fraction(q, "around")


def _saturated(raw: int, lo: int, hi: int) -> int:
    return min(max(raw, lo), hi)
