"""Rules that tie several keys of one file together. Each returns every violation it finds."""

from __future__ import annotations

from collections.abc import Iterator

from neuroemu.errors import Violation
from neuroemu.hardware import schema
from neuroemu.hardware.config import LeakTable, NeuronTable, Target
from neuroemu.hardware.experiment_rules import experiment_violations
from neuroemu.hardware.schema import Report, nearest_multiple, report_for
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.format import Format
from neuroemu.numeric.site import WORD_BITS

PAIR_BITS = 4
"""Of a weight under a pair controller."""

MOST_SHIFTED = 15
"""Bits of a decay by shift."""

__all__ = ["experiment_violations", "target_violations"]


def target_violations(target: Target, source: str) -> list[Violation]:
    """Return what is wrong between the keys of a target."""
    report = report_for(source)
    return [
        *_membrane(target, report),
        *_neuron(target, report),
        *_synapse(target, report),
        *_plasticity(target, report),
        *_random(target, report),
        *_sources(target, report),
    ]


def _membrane(target: Target, report: Report) -> Iterator[Violation]:
    membrane, refractory = target.membrane, target.refractory.format
    if membrane.arithmetic == "fixed":
        for name in ("format", "leak"):
            if getattr(membrane, name) is None:
                yield report(
                    f"membrane.{name}",
                    None,
                    "a fixed-point membrane needs it",
                    "add format to [membrane]" if name == "format" else "add [membrane.leak]",
                )
    for key in ("mismatch", "noise"):
        if getattr(membrane, key) and membrane.arithmetic != "analog":
            yield report(
                f"membrane.{key}",
                "given" if key == "mismatch" else membrane.noise,
                "a digital membrane has neither mismatch nor noise",
                f"take membrane.{key} out",
            )
    if membrane.format is not None and not membrane.format.signed and target.neuron is None:
        yield report(
            "membrane.format",
            membrane.format,
            "the membrane is measured from rest and takes both signs",
            "use a signed format",
        )
    if membrane.leak is not None:
        yield from _leak(target, membrane.leak, report)
    if refractory.fraction != 0 or refractory.signed:
        yield report(
            "refractory.format",
            refractory,
            "a counter of ticks is unsigned and has no fraction bits",
            f"use fxp-u{refractory.width}/0",
        )


def _leak(target: Target, leak: LeakTable, report: Report) -> Iterator[Violation]:
    membrane, form = target.membrane, leak.format
    if leak.kind != "multiply" and target.neuron is None:
        yield report(
            "membrane.leak.kind",
            leak.kind,
            "a leak that does not multiply belongs to a chip's own step",
            "add [neuron], or set membrane.leak.kind = multiply",
        )
    if leak.kind == "multiply" and (form.fraction < 1 or form.hi < 2**form.fraction // 2):
        yield report(
            "membrane.leak.format",
            form,
            "the leak multiplier lies between 0 and 1",
            "use as many fraction bits as the width, for example fxp-u16/16",
        )
    if leak.kind == "shift":
        yield from _shift("membrane.leak.format", form, report)
    if leak.kind in ("subtract", "constant") and membrane.format is not None:
        yield from _same_fraction("membrane.leak.format", form, membrane.format, report)
    if membrane.rounding == "stochastic" and leak.kind == "multiply" and form.fraction > WORD_BITS:
        yield report(
            "membrane.leak.format",
            form,
            f"stochastic rounding drops at most {WORD_BITS} bits",
            f"use at most {WORD_BITS} fraction bits, or another membrane.rounding",
        )


def _shift(key: str, form: Format, report: Report) -> Iterator[Violation]:
    if form.signed or form.fraction != 0 or form.hi > MOST_SHIFTED:
        yield report(
            key,
            form,
            f"a shift is a whole number of bits, at most {MOST_SHIFTED}",
            "use fxp-u4/0",
        )


def _same_fraction(key: str, form: Format, membrane: Format, report: Report) -> Iterator[Violation]:
    if form.fraction != membrane.fraction:
        sign = "s" if form.signed else "u"
        yield report(
            key,
            form,
            "it counts membrane LSBs",
            f"use fxp-{sign}{form.width}/{membrane.fraction}",
            f"membrane.format is {membrane}",
        )


def _neuron(target: Target, report: Report) -> Iterator[Violation]:
    neuron, membrane = target.neuron, target.membrane
    if neuron is None:
        return
    if membrane.arithmetic == "analog" or membrane.format is None:
        yield report(
            "neuron",
            None,
            "a chip's own step is digital",
            'take [neuron] out, or set membrane.arithmetic = "fixed"',
        )
        return
    for key, other, needed in (
        ("most_spikes", neuron.most_spikes > 1, 'reset = "subtract", or evaluation = "event"'),
        ("floor", neuron.floor is not None, 'reset = "zero" or "subtract"'),
    ):
        fits = {
            "most_spikes": neuron.reset == "subtract" or neuron.evaluation == "event",
            "floor": neuron.reset != "value",
        }[key]
        if other and not fits:
            value = getattr(neuron, key)
            yield report(f"neuron.{key}", value, f"it needs {needed}", f"set neuron.{needed}")
    wraps = membrane.overflow == "wrap" or neuron.input_overflow == "wrap"
    if membrane.range == "symmetric" and wraps:
        yield report(
            "membrane.range",
            "symmetric",
            "a register that wraps has all of its codes",
            'set membrane.range = "full", or the overflow to "saturate"',
        )
    if neuron.resistance is not None and neuron.bias is not None and neuron.bias.joins == "current":
        yield report(
            "neuron.bias.joins",
            "current",
            "a bias that joins the current is not multiplied by the resistance",
            'set neuron.bias.joins = "change"',
        )
    if neuron.channels == "two" and neuron.input == "membrane":
        yield report(
            "neuron.channels",
            "two",
            "excitation and inhibition meet in the membrane",
            'set neuron.channels = "one", or neuron.input = "buffer"',
        )
    if neuron.evaluation == "event" and neuron.input != "membrane":
        yield report(
            "neuron.evaluation",
            "event",
            "an event is judged where it reaches the membrane",
            'set neuron.input = "membrane"',
        )
    if neuron.input == "current" and neuron.current is None:
        yield report(
            "neuron.input", "current", "the current needs its register", "add [neuron.current]"
        )
    if neuron.current is not None:
        yield from _current(neuron, membrane.format, report)
    if neuron.rest == "bias" and neuron.reset == "value":
        yield report(
            "neuron.rest",
            "bias",
            "the register's 0 is where the reset goes",
            'set neuron.reset = "zero", or neuron.rest = "zero"',
        )
    if neuron.rest == "bias" and membrane.leak is not None and membrane.leak.kind == "subtract":
        yield report(
            "neuron.rest",
            "bias",
            "a bias holds a rest against a leak that grows with the membrane",
            'set neuron.rest = "zero", or membrane.leak.kind = "multiply"',
        )
    for key in ("threshold", "bias"):
        table = getattr(neuron, key)
        if table is not None and table.format.fraction > membrane.format.fraction:
            yield report(
                f"neuron.{key}.format",
                table.format,
                "an LSB is one or more of the membrane",
                f"use at most {membrane.format.fraction} fraction bits",
                f"membrane.format is {membrane.format}",
            )


def _current(neuron: NeuronTable, membrane: Format, report: Report) -> Iterator[Violation]:
    current = neuron.current
    if current is None:
        return
    if neuron.resistance is None or current.format.fraction != membrane.fraction:
        yield from _same_fraction("neuron.current.format", current.format, membrane, report)
    if current.decay == "shift":
        yield from _shift("neuron.current.decay_format", current.decay_format, report)
    elif current.decay_format.fraction < 1 or current.decay_format.signed:
        yield report(
            "neuron.current.decay_format",
            current.decay_format,
            "the multiplier lies between 0 and 1",
            "use as many fraction bits as the width, for example fxp-u16/16",
        )


def _synapse(target: Target, report: Report) -> Iterator[Violation]:
    gain = target.synapse.gain
    if gain.format is None:
        return
    most = WORD_BITS if gain.drive_rounding == "stochastic" else gain.format.fraction
    if gain.format.fraction < 0 or gain.format.fraction > most:
        yield report(
            "synapse.gain.format",
            gain.format,
            "the gain's fraction bits are what the drive's rounding drops",
            f"use 0 to {WORD_BITS} fraction bits, for example fxp-u24/12",
            f"{gain.format.fraction} of them",
        )


def _plasticity(target: Target, report: Report) -> Iterator[Violation]:
    plasticity = target.plasticity
    period, increment = plasticity.update_period_us, plasticity.increment.format
    accumulator, tick = plasticity.accumulator.format, decimal(target.time.tick_us)
    if plasticity.has_period and period is None:
        yield report(
            "plasticity.update_period_us",
            None,
            "a periodic update needs its period",
            "add update_period_us, in hardware time, to [plasticity]",
        )
    if plasticity.has_period and period is not None and decimal(period) % tick:
        yield report(
            "plasticity.update_period_us",
            period,
            "the period is a multiple of time.tick_us",
            f"use {nearest_multiple(period, target.time.tick_us)}",
            f"the tick is {target.time.tick_us:g} us",
        )
    if plasticity.update == "pairs":
        yield from _pairs(target, report)
    if plasticity.counter.signed and plasticity.counter.width < 2:
        yield report(
            "plasticity.counter.signed",
            True,
            "a signed number has two bits or more",
            "widen plasticity.counter.width, or set signed = false",
        )
    if plasticity.by_sign and increment.fraction != 0:
        yield report(
            "plasticity.increment.format",
            increment,
            "the rule of signs moves a weight by whole LSBs",
            f"use fxp-u{increment.width}/0",
        )
    if not 0 <= increment.fraction <= WORD_BITS:
        yield report(
            "plasticity.increment.format",
            increment,
            f"increments are counted in weight LSBs and have 0 to {WORD_BITS} fraction bits",
            "for example fxp-u16/8: multiples of 1/256 weight LSB",
        )
    elif accumulator is not None and accumulator.fraction != increment.fraction:
        yield report(
            "plasticity.accumulator.format",
            accumulator,
            "the accumulator has the increments' fraction bits",
            f"use fxp-{'s' if accumulator.signed else 'u'}{accumulator.width}/{increment.fraction}",
            f"plasticity.increment.format is {increment}",
        )
    if accumulator is None and plasticity.accumulator.overflow == "wrap":
        yield report(
            "plasticity.accumulator.overflow",
            "wrap",
            "an accumulator wraps at its width",
            f"add plasticity.accumulator.format, for example fxp-s16/{increment.fraction}",
        )
    if plasticity.weight.rounding == "stochastic" and increment.fraction == 0:
        finer = min(increment.width + 8, 32)
        yield report(
            "plasticity.weight.rounding",
            "stochastic",
            "there is something to round when a weight is stored",
            f"set plasticity.increment.format = fxp-{'s' if increment.signed else 'u'}{finer}/8 as well",
            f"plasticity.increment.format {increment} has no fraction bits",
        )


def _pairs(target: Target, report: Report) -> Iterator[Violation]:
    plasticity = target.plasticity
    if plasticity.pairs is None:
        yield report(
            "plasticity.pairs", None, "pair sensors have a time constant", "add [plasticity.pairs]"
        )
    form = plasticity.weight.format
    if form.signed or form.width != PAIR_BITS or target.membrane.arithmetic != "analog":
        yield report(
            "plasticity.weight.format",
            form,
            f"the tables of a pair controller have entries of {PAIR_BITS} bits, beside an analog membrane",
            f"use fxp-u{PAIR_BITS}/0",
        )
    row, period = plasticity.row_time_us, plasticity.update_period_us
    if row is not None and period is not None and decimal(period) % decimal(row) != 0:
        yield report(
            "plasticity.row_time_us",
            row,
            "a turn is a whole number of rows",
            f"set plasticity.update_period_us = {nearest_multiple(period, row)}",
        )


def _random(target: Target, report: Report) -> Iterator[Violation]:
    random = target.plasticity.random
    if random.source != "lfsr":
        return
    if max(random.taps, default=0) != random.width:
        yield report(
            "plasticity.random.taps",
            random.taps,
            "the highest tap is the register's width",
            f"make {random.width} the highest tap, or change plasticity.random.width",
        )
    if len(set(random.taps)) != len(random.taps):
        yield report(
            "plasticity.random.taps", random.taps, "each bit is tapped once", "drop the double"
        )
    if random.output_bits > random.width:
        yield report(
            "plasticity.random.output_bits",
            random.output_bits,
            "a register cannot give more bits than it has",
            f"use at most {random.width}",
        )


def _sources(target: Target, report: Report) -> Iterator[Violation]:
    for key, text in target.sources.items():
        if not schema.is_known(key, Target, {}):
            yield report(
                f"sources.{schema.as_key(key)}",
                text,
                "a source belongs to a key",
                schema.nearest(key, schema.known_keys(Target, {})) or "take it out",
            )
