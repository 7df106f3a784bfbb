"""What a proposal is made from, and what it says of one register."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from neuroemu.experiment import Experiment, Homeostasis, Projection
from neuroemu.fitting.observed import LABELS, Observation, Observed
from neuroemu.hardware.config import Target
from neuroemu.numeric.format import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for.

    Parameters
    ----------
    margin : Fraction
        Headroom over what was observed.
    precision : Fraction
        Part by which a quantity may be off.
    """

    experiment: Experiment
    target: Target
    observation: Observation
    margin: Fraction
    precision: Fraction

    @property
    def static(self) -> dict[str, Projection]:
        """Projections with a fixed weight."""
        return {n: p for n, p in self.experiment.projections.items() if p.plasticity is None}

    @property
    def plastic(self) -> dict[str, tuple[Projection, Homeostasis]]:
        """Projections with a rule, whether the target can learn or not."""
        found = self.experiment.projections.items()
        return {n: (p, p.plasticity) for n, p in found if p.plasticity is not None}

    @property
    def learns(self) -> bool:
        """Whether weights change."""
        return bool(self.plastic) and self.target.plasticity.update != "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The format proposed for one register, and why.

    Parameters
    ----------
    key : str
        Dotted key of the format in a target.
    observed : Observed or None
        What it held; None for the gain, which float has not.
    needs : tuple of (float, float)
        What it has to hold, in the experiment's unit (the increments too).
    format, own : Format, Format or None
        Proposed, and the target's.
    lsb, own_lsb : float
        Largest value of one LSB over the projections, in the experiment's unit.
    range_reason, step_reason : str
        Where the integer bits and where the fraction bits come from.
    is_proved : bool
        Whether nothing beyond the format is possible, by analysis.
    """

    key: str
    observed: Observed | None
    needs: tuple[float, float]
    format: Format
    own: Format | None
    lsb: float
    own_lsb: float
    range_reason: str
    step_reason: str
    is_proved: bool

    @property
    def label(self) -> str:
        """Name in tables and figures."""
        return LABELS[self.key]

    @property
    def holds(self) -> tuple[float, float]:
        """Smallest and largest value of the format proposed."""
        return self.format.lo * self.lsb, self.format.hi * self.lsb

    @property
    def own_holds(self) -> tuple[float, float] | None:
        """The same of the target's format."""
        return (
            None if self.own is None else (self.own.lo * self.own_lsb, self.own.hi * self.own_lsb)
        )

    def as_json(self) -> dict[str, Any]:
        """Return the register as plain data."""
        seen = self.observed
        return {
            "key": self.key,
            "format": str(self.format),
            "lsb": self.lsb,
            "holds": list(self.holds),
            "needs": list(self.needs),
            "proved": self.is_proved,
            "range": self.range_reason,
            "resolution": self.step_reason,
            "own_format": None if self.own is None else str(self.own),
            "observed": None
            if seen is None
            else {
                "low": seen.low,
                "high": seen.high,
                "quantiles": {str(q): v for q, v in seen.quantiles.items()},
                "constants": {repr(v): n for v, n in seen.constants.items()},
            },
        }
