"""The constants of the chip neuron into registers, and from there onto a rung: docs/spec/chip-neuron.md."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from neuroemu.experiment import Population
from neuroemu.hardware.clock import Clock
from neuroemu.hardware.config import NeuronTable, Target
from neuroemu.models.constants import ConstantsReport, left_after
from neuroemu.models.cuba import CubaParams
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.format import Format

NO_FLOOR = -1e300
"""Below every membrane, and finite: 0 times it is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decay:
    """Of x, x + x*leak/unit is left after a step, and `least` is taken at least."""

    leak: int
    unit: int
    least: int = 0

    @property
    def multiplier(self) -> Fraction:
        """What is left of a large value."""
        return 1 + Fraction(self.leak, self.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipRegisters:
    """Constants of one population that only the chip's own step has; voltages in membrane LSBs.

    Parameters
    ----------
    current, leak : Decay
        Of the synaptic current, of the membrane.
    resistance, resistance_unit : int
        Factor from the current to the membrane, and 1 in its scale.
    bias : int
        Added in every step.
    floor : int or None
        Below it the neuron resets.
    """

    current: Decay
    leak: Decay
    resistance: int
    resistance_unit: int
    bias: int
    floor: int | None


def register_zero(target: Target, population: Population) -> Fraction:
    """Return what the membrane register's 0 stands for, from rest."""
    if target.neuron is None or target.neuron.rest == "zero":
        return Fraction(0)
    return decimal(population.v_reset) - decimal(population.v_rest)


class ChipConstants:
    """Fills the registers of one population."""

    def __init__(
        self, report: ConstantsReport, key: str, population: Population, clock: Clock, lsb: Fraction
    ) -> None:
        self.report, self.key, self.population = report, key, population
        self.clock, self.lsb, self.target = clock, lsb, report.target

    def registers(self, table: NeuronTable) -> ChipRegisters:
        """Return them all."""
        leak, bias = self.leak()
        if table.rest == "bias":
            bias += self.bias_of_rest(table, leak)
        resistance, unit = self.resistance(table)
        return ChipRegisters(
            current=self.current(table),
            leak=leak,
            resistance=resistance,
            resistance_unit=unit,
            bias=bias,
            floor=None if table.floor is None else int(decimal(table.floor) / self.lsb),
        )

    def leak(self) -> tuple[Decay, int]:
        """Return the leak, and what a constant leak adds in every step."""
        table = self.target.membrane.leak
        if table is None:
            return Decay(leak=0, unit=1), 0
        tau = decimal(self.population.tau_m_ms)
        if table.kind == "multiply":
            return self.multiplied("leak_multiplier", tau, table.format, table.rounding), 0
        if table.kind == "shift":
            return self.shifted("leak_shift", tau, table.format, 0), 0
        height = decimal(self.population.v_thresh) - decimal(self.population.v_rest)
        asked = height * self.clock.step_ms / tau
        amount = self.report.register(
            f"{self.key}.leak_amount", asked, table.format, self.lsb, table.rounding
        )
        if table.kind == "subtract":
            return Decay(leak=0, unit=1, least=amount), 0
        return Decay(leak=0, unit=1), -amount

    def multiplied(self, name: str, tau: Fraction, form: Format, rounding: str) -> Decay:
        """Return a decay by a multiplier; none is left at a time constant of 0."""
        left = Fraction(0)
        if tau:
            left = left_after(self.clock.step_ms, tau, self.target.membrane.integration)
            left = max(left, Fraction(0))  # of a current: nothing stays
        raw = self.report.register(f"{self.key}.{name}", left, form, form.lsb, rounding)
        unit = 2**form.fraction
        return Decay(leak=raw - unit, unit=unit)

    def shifted(self, name: str, tau: Fraction, form: Format, lowest: int) -> Decay:
        """Return a decay by ``x - (x >> n)``, n = round(log2(tau/dt)), and at least by one LSB."""
        wished = max(math.log2(tau / self.clock.step_ms) if tau else 0.0, float(lowest))
        bits = self.report.register(
            f"{self.key}.{name}", Fraction(wished), form, Fraction(1), "around", unit="bit"
        )
        return Decay(leak=-(2 ** (form.hi - bits)), unit=2**form.hi, least=1)

    def bias_of_rest(self, table: NeuronTable, leak: Decay) -> int:
        """Return the input that holds the rest at its height above the reset."""
        form = table.bias.format if table.bias is not None else Format(True, 32, 0)
        unit = form.lsb if table.bias is not None else self.lsb
        asked = -register_zero(self.target, self.population) * (1 - leak.multiplier)
        raw = self.report.register(f"{self.key}.bias", asked, form, unit, "around")
        return int(raw * unit / self.lsb)

    def current(self, table: NeuronTable) -> Decay:
        """Return the decay of the synaptic current; without one nothing stays of it."""
        current = table.current
        if current is None:
            return Decay(leak=-1, unit=1)
        tau, form = decimal(current.tau_ms), current.decay_format
        if current.decay == "shift":
            lowest = 1 if table.input == "current" else 0  # the input decays before it is used
            return self.shifted("current_shift", tau, form, lowest)
        return self.multiplied("current_multiplier", tau, form, "around")

    def resistance(self, table: NeuronTable) -> tuple[int, int]:
        """Return tau/dt: a spike's charge arrives within one step."""
        if table.resistance is None:
            return 1, 1
        form = table.resistance.format
        wished = decimal(self.population.tau_m_ms) / self.clock.step_ms
        raw = self.report.register(f"{self.key}.resistance", wished, form, form.lsb, "around")
        return raw, 2**form.fraction


def bias_joins_current(table: NeuronTable) -> bool:
    """Return whether the bias is added to the current, and narrowed with it."""
    return table.bias is not None and table.bias.joins == "current"


def choices(table: NeuronTable) -> dict[str, int]:
    """Return the constants that are choices, the same on every rung."""
    return {
        "to_membrane": int(table.input == "membrane"),
        "to_current": int(table.input == "current"),
        "split": int(table.channels == "two"),
        "through": int(table.resistance is not None),
        "unleaked": int(table.tests == "unleaked"),
        "at_events": int(table.evaluation == "event"),
        "keep": int(table.reset == "subtract"),
        "most_spikes": table.most_spikes,
    }


def on_chip(table: NeuronTable, r: Any, scale: int, threshold: Any, lowest: int) -> CubaParams:
    """Return the parameters of `NeuronRegisters` in integers."""
    c: ChipRegisters = r.chip
    subtracts = table.reset == "subtract"
    return CubaParams(
        **choices(table),
        decay=c.current.leak,
        decay_unit=c.current.unit,
        decay_least=c.current.least,
        scale=scale,
        resistance=c.resistance,
        leak=c.leak.leak,
        unit=c.leak.unit,
        least=c.leak.least,
        early_bias=c.bias if bias_joins_current(table) else 0,
        bias=0 if bias_joins_current(table) else c.bias,
        threshold=threshold,
        step=r.reset if subtracts else 0,
        reset=0 if subtracts else r.reset,
        floor=lowest if c.floor is None else c.floor,
        refractory_steps=r.refractory_steps,
    )


def in_floats(
    table: NeuronTable, leak_kind: str, r: Any, threshold: float, lsb: float
) -> CubaParams:
    """Return the same parameters in biological units: nothing is lost after they were rounded."""
    c: ChipRegisters = r.chip
    subtracts = table.reset == "subtract"
    return CubaParams(
        **choices(table),
        decay=float(c.current.multiplier - 1),
        decay_unit=1.0,
        decay_least=0.0,
        scale=1.0,
        resistance=c.resistance / c.resistance_unit,
        leak=float(c.leak.multiplier - 1),
        unit=1.0,
        least=c.leak.least * lsb if leak_kind == "subtract" else 0.0,
        early_bias=c.bias * lsb if bias_joins_current(table) else 0.0,
        bias=0.0 if bias_joins_current(table) else c.bias * lsb,
        threshold=threshold,
        step=r.reset * lsb if subtracts else 0.0,
        reset=0.0 if subtracts else r.reset * lsb,
        floor=NO_FLOOR if c.floor is None else c.floor * lsb,
        refractory_steps=r.refractory_steps,
    )
