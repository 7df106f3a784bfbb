"""One constant as asked and as the chip has it, and what collects them while registers are filled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from neuroemu.errors import Violation
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.numeric.constants import round_fraction
from neuroemu.numeric.format import Format

COARSE = 0.05
"""Relative error of a constant from which it is flagged ``coarse``."""


def left_after(step_ms: Fraction, tau_ms: Fraction, integration: str) -> Fraction:
    """Return what a decay leaves in a step, as the target integrates; below 0 where an Euler step is too long."""
    ratio = step_ms / tau_ms
    return 1 - ratio if integration == "euler" else Fraction(math.exp(-float(ratio)))


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


class ConstantsReport:
    """Collects constants and violations while the registers are filled."""

    def __init__(
        self,
        constants: list[Constant],
        violations: list[Violation],
        experiment: Experiment,
        target: Target,
    ) -> None:
        self.constants = constants
        self.violations = violations
        self.experiment = experiment
        self.target = target

    def refuse(self, key: str, value: Any, rule: str, detail: str, remedy: str) -> None:
        """Note what cannot be held."""
        self.violations.append(
            Violation(
                source=f"{self.experiment.name} on {self.target.name}",
                key=key,
                value=str(value),
                rule=rule,
                detail=detail,
                remedy=remedy,
            )
        )

    def analog(self, key: str, value: Fraction, unit: str = "") -> float:
        """Note a constant that no register holds."""
        self.constants.append(
            Constant(
                key=key, asked=float(value), realised=float(value), unit=unit, register="", raw=None
            )
        )
        return float(value)

    def register(
        self,
        key: str,
        value: Fraction,
        form: Format,
        lsb: Fraction,
        rounding: str,
        unit: str = "",
        is_limit: bool = False,
        forgive: Fraction = Fraction(0),
        step: int = 1,
    ) -> int:
        """Put a constant into a register and note what became of it.

        `forgive` is added before the rounding, in parts of the LSB; only multiples of `step` LSBs are held.
        """
        wished = step * round_fraction((value / lsb + forgive) / step, rounding)
        raw = min(max(wished, form.lo), form.hi)
        realised = raw * lsb
        flags = []
        if value != 0 and raw == 0:
            flags.append("zeroed")
        if raw != wished:
            flags.append("saturated")
        if is_limit and realised != value:
            flags.append("clipped_limit")
        if value != 0 and raw != 0 and abs(realised / value - 1) > COARSE:
            flags.append("coarse")
        self.constants.append(
            Constant(
                key=key,
                asked=float(value),
                realised=float(realised),
                unit=unit,
                register=str(form),
                raw=raw,
                flags=tuple(flags),
            )
        )
        return raw

    def fixed(self, key: str, asked: Fraction, raw: int, form: Format, lsb: Fraction) -> int:
        """Note a constant that the chip does not let anyone choose."""
        realised = raw * lsb
        flags = ("zeroed",) if asked != 0 and raw == 0 else ()
        self.constants.append(
            Constant(
                key=key,
                asked=float(asked),
                realised=float(realised),
                unit="",
                register=str(form),
                raw=raw,
                flags=flags if asked != realised else (),
            )
        )
        return raw
