"""Which targets can be fitted: docs/spec/fitting.md, "Which targets"."""

from __future__ import annotations

from neuroemu.errors import ConfigError, Violation
from neuroemu.hardware.config import Target


def check_supported(target: Target) -> None:
    """Refuse a target whose step or learning is not the experiment's own.

    Raises
    ------
    ConfigError
        With everything that stands in the way.
    """
    plasticity = target.plasticity
    refused = []
    if target.neuron is not None:
        refused.append(
            (
                "neuron",
                "",
                "the registers of the experiment's own neuron are observed",
                "currents, buffers and biases of a chip's own step are not",
                "fit a target without [neuron], such as generic16, and carry the formats over",
            )
        )
    if plasticity.update in ("deferred", "pairs"):
        refused.append(
            (
                "plasticity.update",
                plasticity.update,
                "learning is event-driven, periodic or none",
                "",
                "set plasticity.update = event, or periodic",
            )
        )
    if plasticity.by_sign:
        refused.append(
            (
                "plasticity.form",
                "sign",
                "a period's update is a sum of increments",
                "by signs every format of the weight moves by one LSB",
                "set plasticity.form = counts",
            )
        )
    if plasticity.counter.signed:
        refused.append(
            (
                "plasticity.counter.signed",
                "true",
                "a counter is read as it is",
                "",
                "set plasticity.counter.signed = false",
            )
        )
    if plasticity.increment.mantissa_bits is not None:
        refused.append(
            (
                "plasticity.increment.mantissa_bits",
                str(plasticity.increment.mantissa_bits),
                "an increment's register holds every multiple of its LSB",
                "",
                "take it out, and round the increments by hand",
            )
        )
    if refused:
        raise ConfigError(
            [
                Violation(
                    source=f"fit of {target.name}",
                    key=key,
                    value=value,
                    rule=rule,
                    detail=detail,
                    remedy=remedy,
                )
                for key, value, rule, detail, remedy in refused
            ]
        )
