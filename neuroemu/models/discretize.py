"""Physical constants into registers, with a report of what each lost. Units end here."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

from neuroemu.errors import ConfigError, Violation
from neuroemu.experiment import Experiment, Population, Projection
from neuroemu.hardware.clock import Clock, target_clock
from neuroemu.hardware.config import Target, WeightTable
from neuroemu.models.containers import build_sites, choose_container, widest_values
from neuroemu.models.registers import (
    COARSE,
    Constant,
    Discretized,
    NeuronRegisters,
    SynapseRegisters,
)
from neuroemu.numeric.constants import decimal, round_fraction
from neuroemu.numeric.format import Format
from neuroemu.numeric.site import WORD_BITS


def discretize(experiment: Experiment, target: Target) -> Discretized:
    """Return `experiment` in the numbers of `target`.

    Raises
    ------
    ConfigError
        With every constant or time that cannot be held, and every product that is too wide.
    """
    clock = target_clock(experiment, target)
    constants: list[Constant] = []
    violations: list[Violation] = []
    lsb = target.membrane.format.lsb if target.membrane.format else None
    lsb = lsb if target.membrane.arithmetic == "fixed" else None
    report = _Report(constants, violations, experiment, target)
    neurons = {
        name: _neuron(report, f"populations.{name}", population, clock, lsb)
        for name, population in experiment.populations.items()
    }
    synapses = {
        name: _synapse(report, f"projections.{name}", projection)
        for name, projection in experiment.projections.items()
    }
    drive_shift = _gains(report, synapses, lsb)
    if violations:
        raise ConfigError(violations)
    sites = build_sites(target, synapses, neurons, drive_shift)
    widest = widest_values(target, neurons, synapses, sites)
    return Discretized(
        experiment=experiment,
        target=target,
        clock=clock,
        constants=tuple(constants),
        membrane_lsb=lsb,
        neurons=neurons,
        synapses=synapses,
        sites=sites,
        widest=widest,
        container=choose_container(target, widest),
    )


class _Report:
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
    ) -> int:
        """Put a constant into a register and note what became of it.

        `forgive` is added before the rounding, in parts of the LSB.
        """
        wished = round_fraction(value / lsb + forgive, rounding)
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


def _neuron(
    report: _Report, key: str, population: Population, clock: Clock, lsb: Fraction | None
) -> NeuronRegisters:
    target = report.target
    rest = decimal(population.v_rest)
    threshold = decimal(population.v_thresh) - rest
    reset = decimal(population.v_reset) - rest
    v_init = decimal(population.v_init) - rest
    ratio = clock.step_ms / decimal(population.tau_m_ms)
    is_euler = target.membrane.integration == "euler"
    multiplier = 1 - ratio if is_euler else Fraction(math.exp(-float(ratio)))
    if not 0 <= multiplier <= 1:
        report.refuse(
            f"{key}.tau_m_ms",
            population.tau_m_ms,
            "an Euler step is shorter than the time constant",
            f"a step on {target.name} is {float(clock.step_ms):g} ms",
            "lengthen tau_m_ms, or set membrane.integration to exponential",
        )
    steps = _refractory(report, key, population, clock)
    form, leak = target.membrane.format, target.membrane.leak
    if lsb is None or form is None or leak is None:
        report.analog(f"{key}.leak_multiplier", multiplier)
        return NeuronRegisters(
            multiplier=multiplier,
            unit=1,
            threshold=report.analog(f"{key}.v_thresh", threshold),
            reset=report.analog(f"{key}.v_reset", reset),
            v_init=float(v_init),
            refractory_steps=steps,
        )
    raw = report.register(
        f"{key}.leak_multiplier", multiplier, leak.format, leak.format.lsb, leak.rounding
    )
    raw_threshold = report.register(f"{key}.v_thresh", threshold, form, lsb, "around")
    fires_at = 1 if target.membrane.fires == "at_or_above" else 0
    _fits(report, key, "v_thresh", threshold, form, lsb)
    _fits(report, key, "v_reset", reset, form, lsb)
    return NeuronRegisters(
        multiplier=Fraction(raw, 2**leak.format.fraction),
        unit=2**leak.format.fraction,
        threshold=raw_threshold - fires_at,
        reset=report.register(f"{key}.v_reset", reset, form, lsb, "around"),
        v_init=report.register(f"{key}.v_init", v_init, form, lsb, "around"),
        refractory_steps=steps,
    )


def _fits(
    report: _Report, key: str, name: str, value: Fraction, form: Format, lsb: Fraction
) -> None:
    if not form.lo * lsb <= value < form.hi * lsb:
        report.refuse(
            f"{key}.{name}",
            float(value),
            "it lies inside the membrane's range",
            f"{form} holds {float(form.lo * lsb):g} to {float(form.hi * lsb):g}, from rest",
            "widen membrane.format, or take fraction bits away",
        )


def _refractory(report: _Report, key: str, population: Population, clock: Clock) -> int:
    """Return the steps, counted down as Brian2 does; a thousandth of a step forgives rounding."""
    asked = decimal(population.tau_refrac_ms)
    return report.register(
        f"{key}.tau_refrac_ms",
        asked,
        report.target.refractory.format,
        clock.step_ms,
        "floor",
        unit="ms",
        forgive=Fraction(1, 1000),
    )


def weight_lsb(table: WeightTable, largest: Fraction) -> Fraction:
    """Return the value of one weight LSB.

    Parameters
    ----------
    table : WeightTable
        The register.
    largest : Fraction
        Largest magnitude that the projection's weights can take.
    """
    if table.lsb == "format":
        return table.format.lsb
    if table.lsb == "full_scale":
        return largest / table.format.hi if largest else Fraction(1)
    return decimal(float(table.lsb))


def _synapse(report: _Report, key: str, projection: Projection) -> SynapseRegisters:
    rule = projection.plasticity
    place = "synapse" if rule is None else "plasticity"
    table = report.target.synapse.weight if rule is None else report.target.plasticity.weight
    weight = decimal(projection.weight)
    sign = 1
    if rule is None and weight < 0 and not table.format.signed:
        sign, weight = -1, -weight  # an inhibitory row: the sign is the row's, not the synapse's
    lowest, largest = (weight, weight) if rule is None else map(decimal, (rule.w_min, rule.w_max))
    lsb = weight_lsb(table, max(abs(lowest), abs(largest)))
    form = table.format
    if not (form.lo - 1) * lsb < lowest or not largest <= (form.hi + 1) * lsb:
        report.refuse(
            f"{key}.weight" if rule is None else f"{key}.plasticity.w_max",
            f"{float(lowest):g} to {float(largest):g}" if rule else float(weight),
            "the weight range fits its register",
            f"{place}.weight.format {form} with an LSB of {float(lsb):.6g} holds "
            f"{float(form.lo * lsb):g} to {float(form.hi * lsb):g}",
            f'take fraction bits away, or set {place}.weight.lsb = "full_scale"',
        )
    raw = report.register(f"{key}.weight", weight, form, lsb, table.rounding)
    if rule is None:
        return SynapseRegisters(lsb=sign * lsb, weight=raw, gain=None)
    increment = report.target.plasticity.increment
    part = lsb * increment.format.lsb
    values = {"dw_plus": decimal(rule.dw_plus), "dw_minus": decimal(rule.dw_minus)}
    raws = {
        name: report.register(
            f"{key}.plasticity.{name}", value, increment.format, part, increment.rounding
        )
        for name, value in values.items()
    }
    for name, raw_dw in raws.items():
        if raw_dw == increment.format.hi and round_fraction(values[name] / part, "floor") > raw_dw:
            report.refuse(
                f"{key}.plasticity.{name}",
                float(values[name]),
                "the increment fits its register",
                f"it is {float(values[name] / lsb):.4g} weight LSBs, and plasticity.increment.format "
                f"{increment.format} holds at most {float(increment.format.hi * increment.format.lsb):g}",
                "widen plasticity.increment.format",
            )
    limits = {
        name: report.register(
            f"{key}.plasticity.{name}", decimal(value), form, lsb, rounding, is_limit=True
        )
        for name, value, rounding in (("w_min", rule.w_min, "ceil"), ("w_max", rule.w_max, "floor"))
    }
    if limits["w_min"] > limits["w_max"]:
        report.refuse(
            f"{key}.plasticity.w_max",
            rule.w_max,
            "a code of the weight lies between its limits",
            f"an LSB of {place}.weight is {float(lsb):.6g}",
            f"add fraction bits to {place}.weight.format",
        )
    return SynapseRegisters(
        lsb=lsb,
        weight=min(max(raw, limits["w_min"]), limits["w_max"]),
        gain=None,
        unit=2**increment.format.fraction,
        **raws,
        **limits,
    )


def _gains(report: _Report, synapses: dict[str, SynapseRegisters], lsb: Fraction | None) -> int:
    """Fill in the gains and return the shift of the site ``drive``."""
    if lsb is None:
        for name, synapse in synapses.items():
            synapses[name] = replace(synapse, gain=float(synapse.lsb))
        return 0
    ratios = {name: synapse.lsb / lsb for name, synapse in synapses.items()}
    form = report.target.synapse.gain.format
    halvings = max((_halvings(abs(r)) or 0 for r in ratios.values()), default=0)
    shift = halvings if form is None else form.fraction
    if shift > WORD_BITS and report.target.synapse.gain.drive_rounding == "stochastic":
        report.refuse(
            "synapse.gain.drive_rounding",
            "stochastic",
            f"stochastic rounding drops at most {WORD_BITS} bits",
            f"weight times gain drops {shift}",
            "use another drive_rounding, or fewer fraction bits of the weight",
        )
    for name, ratio in ratios.items():
        if form is None and _halvings(abs(ratio)) is None:
            report.refuse(
                "synapse.gain.format",
                "",
                "weight LSB over membrane LSB is a power of two, or the gain has a format",
                f"{name}: {float(ratio):.6g}",
                "add synapse.gain.format, for example fxp-u24/12",
            )
            continue
        wide = ratio * 2**shift
        raw = int(wide) if form is None else _rounded_gain(report, name, wide, form)
        synapses[name] = replace(synapses[name], gain=raw, gain_value=float(Fraction(raw) / wide))
    return max(shift, 0)


def _halvings(ratio: Fraction) -> int | None:
    """Return how many bits a gain of `ratio` drops (0 if none), or None if it is no power of two."""
    numerator, denominator = ratio.numerator, ratio.denominator
    if numerator.bit_count() != 1 or denominator.bit_count() != 1:
        return None
    return denominator.bit_length() - 1


def _rounded_gain(report: _Report, name: str, wide: Fraction, form: Format) -> int:
    raw = report.register(
        f"projections.{name}.gain", abs(wide) * form.lsb, form, form.lsb, "around"
    )
    return raw if wide > 0 else -raw
