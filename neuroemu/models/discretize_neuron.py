"""The constants of one population into registers: docs/spec/lif.md and docs/spec/chip-neuron.md."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from neuroemu.experiment import Population
from neuroemu.hardware.clock import Clock
from neuroemu.models.chip import ChipConstants, register_zero
from neuroemu.models.constants import ConstantsReport, left_after
from neuroemu.models.registers import NeuronRegisters
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.format import Format


def neuron_registers(
    report: ConstantsReport, key: str, population: Population, clock: Clock, lsb: Fraction | None
) -> NeuronRegisters:
    """Return the registers of a population; `lsb` is the membrane's, None if it is analog."""
    steps = _refractory(report, key, population, clock)
    rest = decimal(population.v_rest)
    zero = rest + register_zero(report.target, population)
    level = _Levels(
        threshold=decimal(population.v_thresh) - zero,
        reset=decimal(population.v_reset) - zero,
        v_init=decimal(population.v_init) - zero,
    )
    if lsb is None:
        return _analog_neuron(report, key, population, clock, level, steps)
    if report.target.neuron is not None:
        return _chip_neuron(report, key, population, clock, lsb, level, steps)
    return _digital_neuron(report, key, population, clock, lsb, level, steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Levels:
    """Voltages from the register's 0, in the experiment's unit."""

    threshold: Fraction
    reset: Fraction
    v_init: Fraction


def _multiplier(
    report: ConstantsReport, key: str, population: Population, clock: Clock
) -> Fraction:
    target = report.target
    tau = decimal(population.tau_m_ms)
    multiplier = left_after(clock.step_ms, tau, target.membrane.integration)
    if not 0 <= multiplier <= 1:
        report.refuse(
            f"{key}.tau_m_ms",
            population.tau_m_ms,
            "an Euler step is shorter than the time constant",
            f"a step on {target.name} is {float(clock.step_ms):g} ms",
            "lengthen tau_m_ms, or set membrane.integration to exponential",
        )
    return multiplier


def _analog_neuron(
    report: ConstantsReport,
    key: str,
    population: Population,
    clock: Clock,
    level: _Levels,
    steps: int,
) -> NeuronRegisters:
    multiplier = _multiplier(report, key, population, clock)
    report.analog(f"{key}.leak_multiplier", multiplier)
    return NeuronRegisters(
        multiplier=multiplier,
        unit=1,
        threshold=report.analog(f"{key}.v_thresh", level.threshold),
        reset=report.analog(f"{key}.v_reset", level.reset),
        v_init=float(level.v_init),
        refractory_steps=steps,
        zero=population.v_rest,
    )


def _digital_neuron(
    report: ConstantsReport,
    key: str,
    population: Population,
    clock: Clock,
    lsb: Fraction,
    level: _Levels,
    steps: int,
) -> NeuronRegisters:
    membrane = report.target.membrane
    form, leak = membrane.format, membrane.leak
    if form is None or leak is None:
        raise ValueError("a fixed-point membrane has a format and a leak")
    multiplier = _multiplier(report, key, population, clock)
    raw = report.register(
        f"{key}.leak_multiplier", multiplier, leak.format, leak.format.lsb, leak.rounding
    )
    raw_threshold = report.register(f"{key}.v_thresh", level.threshold, form, lsb, "around")
    fires_at = 1 if membrane.fires == "at_or_above" else 0
    _fits(report, key, "v_thresh", level.threshold, form, lsb)
    _fits(report, key, "v_reset", level.reset, form, lsb)
    return NeuronRegisters(
        multiplier=Fraction(raw, 2**leak.format.fraction),
        unit=2**leak.format.fraction,
        threshold=raw_threshold - fires_at,
        reset=report.register(f"{key}.v_reset", level.reset, form, lsb, "around"),
        v_init=report.register(f"{key}.v_init", level.v_init, form, lsb, "around"),
        refractory_steps=steps,
        zero=population.v_rest,
    )


def _chip_neuron(
    report: ConstantsReport,
    key: str,
    population: Population,
    clock: Clock,
    lsb: Fraction,
    level: _Levels,
    steps: int,
) -> NeuronRegisters:
    membrane, table = report.target.membrane, report.target.neuron
    form = membrane.format
    if form is None or table is None:
        raise ValueError("a chip's own step has a fixed-point membrane")
    if membrane.leak is not None and membrane.leak.kind == "multiply":
        _multiplier(report, key, population, clock)  # it refuses a step that is too long
    chip = ChipConstants(report, key, population, clock, lsb).registers(table)
    own = table.threshold.format if table.threshold is not None else form
    unit = own.lsb if table.threshold is not None else lsb
    threshold = report.register(f"{key}.v_thresh", level.threshold, own, unit, "around")
    threshold = int(threshold * unit / lsb)
    _fits(report, key, "v_thresh", level.threshold, form, lsb)
    if table.reset == "value":
        _fits(report, key, "v_reset", level.reset, form, lsb)
        reset = report.register(f"{key}.v_reset", level.reset, form, lsb, "around")
    else:  # it lands at 0, or, from the threshold, where the threshold is taken away
        reset = report.fixed(f"{key}.v_reset", level.reset, 0, form, lsb)
    if table.reset == "subtract":
        reset = threshold
        if threshold <= 0:
            report.refuse(
                f"{key}.v_thresh",
                population.v_thresh,
                "a spike takes the threshold away, so that it is above the register's 0",
                f"it is {threshold} LSB",
                'raise v_thresh, or set neuron.reset = "zero"',
            )
    fires_at = 1 if membrane.fires == "at_or_above" else 0
    return NeuronRegisters(
        multiplier=chip.leak.multiplier,
        unit=chip.leak.unit,
        threshold=threshold - fires_at,
        reset=reset,
        v_init=report.register(f"{key}.v_init", level.v_init, form, lsb, "around"),
        refractory_steps=steps,
        zero=float(decimal(population.v_rest) + register_zero(report.target, population)),
        chip=chip,
    )


def _fits(
    report: ConstantsReport, key: str, name: str, value: Fraction, form: Format, lsb: Fraction
) -> None:
    if not form.lo * lsb <= value < form.hi * lsb:
        report.refuse(
            f"{key}.{name}",
            float(value),
            "it lies inside the membrane's range",
            f"{form} holds {float(form.lo * lsb):g} to {float(form.hi * lsb):g}, from rest",
            "widen membrane.format, or take fraction bits away",
        )


def _refractory(report: ConstantsReport, key: str, population: Population, clock: Clock) -> int:
    """Return the steps, counted down as Brian2 does; a thousandth of a step forgives rounding."""
    table, asked = report.target.refractory, decimal(population.tau_refrac_ms)
    if not table.counter:
        return report.fixed(f"{key}.tau_refrac_ms", asked, 0, table.format, clock.step_ms)
    count_ms = clock.step_ms
    if table.clock_us is not None:
        count_ms = decimal(table.clock_us) * decimal(clock.acceleration) / 1000
    forgive = Fraction(-1 if table.rounding == "ceil" else 1, 1000)
    counts = report.register(
        f"{key}.tau_refrac_ms",
        asked,
        table.format,
        count_ms,
        table.rounding,
        unit="ms",
        forgive=forgive,
    )
    steps = math.floor(counts * count_ms / clock.step_ms + abs(forgive))
    return steps + 1 if table.counts == "steps_after" and steps > 0 else steps
