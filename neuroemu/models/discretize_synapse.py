"""The constants of the projections into registers: docs/spec/plasticity.md and docs/spec/lif.md."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from neuroemu.experiment import Homeostasis, Projection
from neuroemu.hardware.clock import Clock
from neuroemu.hardware.config import Target, WeightTable
from neuroemu.models.constants import ConstantsReport
from neuroemu.models.discretize_pairs import pair_controller, set_point_hz
from neuroemu.models.network_load import load_lsb, network_load
from neuroemu.models.registers import SynapseRegisters
from neuroemu.numeric.constants import decimal, round_fraction
from neuroemu.numeric.format import Format
from neuroemu.numeric.site import WORD_BITS


def weight_lsb(table: WeightTable, largest: Fraction, load: Fraction) -> Fraction:
    """Return the value of one weight LSB.

    Parameters
    ----------
    table : WeightTable
        The register.
    largest : Fraction
        Largest magnitude that the projection's weights can take.
    load : Fraction
        Largest sum of weights that can meet a neuron in a step, where the network decides.
    """
    if table.lsb == "format":
        return table.format.lsb
    if table.lsb == "full_scale":
        return largest / table.format.hi if largest else Fraction(1)
    if table.lsb == "network":
        return load_lsb(load, table.format)
    return decimal(float(table.lsb))


def synapse_registers(
    report: ConstantsReport, key: str, projection: Projection, clock: Clock
) -> SynapseRegisters:
    """Return the registers of a projection, without its gain."""
    rule = projection.plasticity
    place = "synapse" if rule is None else "plasticity"
    table = report.target.synapse.weight if rule is None else report.target.plasticity.weight
    weight = decimal(projection.weight)
    sign = 1
    if rule is None and weight < 0 and not table.format.signed:
        sign, weight = -1, -weight  # an inhibitory row: the sign is the row's, not the synapse's
    lowest, largest = (weight, weight) if rule is None else map(decimal, (rule.w_min, rule.w_max))
    load = network_load(report.experiment) if table.lsb == "network" else Fraction(0)
    lsb = weight_lsb(table, max(abs(lowest), abs(largest)), load)
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
    if rule is None or report.target.plasticity.update == "none":
        return SynapseRegisters(lsb=sign * lsb, weight=raw, gain=None)
    pairs = None
    if report.target.plasticity.update == "pairs":
        pairs, raws = pair_controller(report, key, projection, clock), {}
    else:
        raws = _increments(report, key, projection, rule, lsb)
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
        unit=2**report.target.plasticity.increment.format.fraction,
        pairs=pairs,
        **raws,
        **limits,
    )


def _increments(
    report: ConstantsReport, key: str, projection: Projection, rule: Homeostasis, lsb: Fraction
) -> dict[str, int]:
    """Return ``dw_plus`` and ``dw_minus``, or what stands for them in the rule of signs."""
    table = report.target.plasticity
    if table.by_sign:
        return {"dw_plus": 0, "dw_minus": 1, "target_count": _target(report, key, projection)}
    increment, raws = table.increment, {}
    part = lsb * increment.format.lsb
    for name, value in (("dw_plus", decimal(rule.dw_plus)), ("dw_minus", decimal(rule.dw_minus))):
        step = 1
        if increment.mantissa_bits is not None:
            step = leading_step(value / part, increment.mantissa_bits, increment.rounding)
        raws[name] = report.register(
            f"{key}.plasticity.{name}", value, increment.format, part, increment.rounding, step=step
        )
        if raws[name] == increment.format.hi and round_fraction(value / part, "floor") > raws[name]:
            report.refuse(
                f"{key}.plasticity.{name}",
                float(value),
                "the increment fits its register",
                f"it is {float(value / lsb):.4g} weight LSBs, and plasticity.increment.format "
                f"{increment.format} holds at most {float(increment.format.hi * increment.format.lsb):g}",
                "widen plasticity.increment.format",
            )
    return raws


def _target(report: ConstantsReport, key: str, projection: Projection) -> int:
    """Return the spikes of a period at the set point."""
    counter, period = report.target.plasticity.counter, report.target.plasticity.update_period_us
    rate = set_point_hz(report.experiment, projection)
    if rate is None or period is None:
        report.refuse(
            "plasticity.form",
            "sign",
            "a target count follows from a steady presynaptic rate and both increments",
            f"{projection.pre} has none, or dw_minus is 0",
            'set plasticity.form = "counts"',
        )
        return 0
    seconds = decimal(period) * decimal(report.target.time.acceleration) / 1_000_000
    form = Format(counter.signed, counter.width, 0)
    return report.register(
        f"{key}.plasticity.target_count", rate * seconds, form, Fraction(1), "around", unit="spikes"
    )


def leading_step(value: Fraction, bits: int, rounding: str) -> int:
    """Return the power of two in which a register of `bits` leading bits holds `value`.

    Examples
    --------
    >>> leading_step(Fraction(819), 4, "around"), leading_step(Fraction(6), 4, "around")
    (64, 1)
    """
    step = 1
    while round_fraction(value / step, rounding) >= 2**bits:
        step *= 2
    return step


def place_of_input(
    target: Target, synapses: dict[str, SynapseRegisters], lsb: Fraction | None
) -> Fraction | None:
    """Return the LSB of the register that a spike's input goes to; None on an analog membrane."""
    table = target.neuron
    if lsb is None or table is None or table.input == "membrane":
        return lsb
    if table.input == "buffer" and table.buffer.counts == "weights":
        return min((abs(s.lsb) for s in synapses.values()), default=lsb)
    return table.current.format.lsb if table.current is not None else lsb


def buffer_scale(report: ConstantsReport, place: Fraction | None, lsb: Fraction | None) -> int:
    """Return the LSBs of the current, or of the membrane, in one of the buffer."""
    table = report.target.neuron
    if lsb is None or place is None or table is None or table.input != "buffer":
        return 1
    inner = table.current.format.lsb if table.current is not None else lsb
    scale = place / inner
    if scale.denominator != 1:
        report.refuse(
            "neuron.buffer.format",
            str(table.buffer.format),
            "an LSB of the buffer is one or more of the current",
            f"the weight's LSB is {float(place):g}, the current's {float(inner):g}",
            "add fraction bits to neuron.current.format, or take some from the weight",
        )
    return int(scale)


def fill_gains(
    report: ConstantsReport, synapses: dict[str, SynapseRegisters], lsb: Fraction | None
) -> int:
    """Fill in the gains to a register of this LSB, and return the shift of the site ``drive``."""
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


def _rounded_gain(report: ConstantsReport, name: str, wide: Fraction, form: Format) -> int:
    raw = report.register(
        f"projections.{name}.gain", abs(wide) * form.lsb, form, form.lsb, "around"
    )
    return raw if wide > 0 else -raw
