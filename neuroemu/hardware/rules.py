"""Rules that tie several keys of one file together. Each returns every violation it finds."""

from __future__ import annotations

from collections.abc import Iterator

from neuroemu.errors import Violation
from neuroemu.hardware import schema
from neuroemu.hardware.config import Target
from neuroemu.hardware.experiment_rules import experiment_violations
from neuroemu.hardware.schema import Report, nearest_multiple, report_for
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.site import WORD_BITS

__all__ = ["experiment_violations", "target_violations"]


def target_violations(target: Target, source: str) -> list[Violation]:
    """Return what is wrong between the keys of a target."""
    report = report_for(source)
    return [
        *_membrane(target, report),
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
    if membrane.format is not None and not membrane.format.signed:
        yield report(
            "membrane.format",
            membrane.format,
            "the membrane is measured from rest and takes both signs",
            "use a signed format",
        )
    if membrane.leak is not None:
        fraction = membrane.leak.format.fraction
        if fraction < 1 or membrane.leak.format.hi < 2**fraction // 2:
            yield report(
                "membrane.leak.format",
                membrane.leak.format,
                "the leak multiplier lies between 0 and 1",
                "use as many fraction bits as the width, for example fxp-u16/16",
            )
        if membrane.rounding == "stochastic" and fraction > WORD_BITS:
            yield report(
                "membrane.leak.format",
                membrane.leak.format,
                f"stochastic rounding drops at most {WORD_BITS} bits",
                f"use at most {WORD_BITS} fraction bits, or another membrane.rounding",
            )
    if refractory.fraction != 0 or refractory.signed:
        yield report(
            "refractory.format",
            refractory,
            "a counter of ticks is unsigned and has no fraction bits",
            f"use fxp-u{refractory.width}/0",
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
    if plasticity.update == "periodic" and period is None:
        yield report(
            "plasticity.update_period_us",
            None,
            "a periodic update needs its period",
            "add update_period_us, in hardware time, to [plasticity]",
        )
    if plasticity.update == "periodic" and period is not None and decimal(period) % tick != 0:
        yield report(
            "plasticity.update_period_us",
            period,
            "the period is a multiple of time.tick_us",
            f"use {nearest_multiple(period, target.time.tick_us)}",
            f"the tick is {target.time.tick_us:g} us",
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
