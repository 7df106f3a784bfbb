"""What the update of a weight needs, and the register of the increments: docs/spec/fitting.md."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from neuroemu.experiment import Homeostasis
from neuroemu.fitting.register import Register, Request
from neuroemu.fitting.rules import (
    DELTA,
    Bound,
    fraction_bits,
    make_format,
    percent,
    tightest,
    width_for,
)
from neuroemu.models.discretize_synapse import weight_lsb
from neuroemu.models.network_load import network_load
from neuroemu.numeric.constants import decimal, round_fraction
from neuroemu.numeric.site import WORD_BITS

DOWNWARDS = ("floor", "ceil", "fix", "trunc")
"""Roundings that lose half a step of every updated weight on average."""


def smaller_increment(rule: Homeostasis) -> Fraction:
    """Return the smaller increment that is not 0; 0 if both are."""
    return min((decimal(w) for w in (rule.dw_plus, rule.dw_minus) if w), default=Fraction(0))


def takes_whole_steps(request: Request) -> bool:
    """Return whether increments are best counted in whole weight steps."""
    table = request.target.plasticity
    if table.weight.rounding == "stochastic":
        return False
    if table.update != "periodic" or not request.plastic:
        return True
    if table.weight.rounding not in DOWNWARDS:
        return False
    allowed = {}
    for whole in (True, False):
        found = tightest(b for n in request.plastic for b in update_bounds(request, n, whole))
        allowed[whole] = found.lsb if found is not None else Fraction(1)
    return allowed[True] >= allowed[False]


def update_bounds(request: Request, name: str, whole_steps: bool) -> list[Bound]:
    """Return what the update of a plastic projection asks of the weight's LSB."""
    rule, table, p = request.plastic[name][1], request.target.plasticity, request.precision
    small, one = smaller_increment(rule), Fraction(1)
    if not request.learns or small == 0:
        return []
    if whole_steps:
        words = f"{float(small):g} in whole steps, off by {{}} at most"
        return [Bound(p * small / DELTA[table.increment.rounding], p, words)]
    if table.weight.rounding == "stochastic":
        return [Bound(small, one, "a step is {} of an increment: little noise")]
    bounds = [Bound(small, one, "a step is {} of an increment: no spike is lost")]
    if table.weight.rounding in DOWNWARDS:
        a_period = decimal(rule.dw_plus) * Fraction(request.observation.presynaptic.get(name, 0.0))
        if a_period == 0:
            return update_bounds(request, name, whole_steps=True)
        words = "half a step lost per update moves the set point by {}"
        bounds.append(Bound(2 * p * a_period, p, words))
    return bounds


def own_step(request: Request) -> Fraction:
    """Return the largest LSB of a plastic weight on the target as it is."""
    table = request.target.plasticity.weight
    limits = [(decimal(r.w_min), decimal(r.w_max)) for _, r in request.plastic.values()]
    load = network_load(request.experiment)
    return max(weight_lsb(table, max(abs(low), abs(high)), load) for low, high in limits)


def increments(
    request: Request, lsb: Mapping[str, Fraction], whole_steps: bool
) -> tuple[Register, tuple[str, ...]]:
    """Return the register of the increments for weights of the given LSBs, and what it falls short of."""
    table, rules = request.target.plasticity, {n: r for n, (_, r) in request.plastic.items()}
    key, rounding = "plasticity.increment.format", table.increment.rounding
    fraction, shortfalls = _fraction(request, lsb, whole_steps)
    raw = [
        round_fraction(decimal(w) / lsb[n] * 2**fraction, rounding)
        for n, rule in rules.items()
        for w in (rule.dw_plus, rule.dw_minus)
    ]
    width = width_for(Fraction(0), Fraction(max(raw)), signed=False)
    form = make_format(key, width, fraction, signed=False)
    reason = "whole weight steps, so nothing is rounded in the loop"
    parts = {n: smaller_increment(rule) / lsb[n] for n, rule in rules.items()}
    name = min((n for n in parts if parts[n]), key=lambda n: parts[n], default="")
    if not whole_steps and name:
        cost = percent(DELTA[rounding] * form.lsb / parts[name])
        reason = f"{float(smaller_increment(rules[name])):g} off by {cost} at most"
    register = Register(
        key=key,
        observed=request.observation.registers.get(key),
        needs=(0.0, max(max(r.dw_plus, r.dw_minus) for r in rules.values())),
        format=form,
        own=table.increment.format,
        lsb=float(max(lsb.values()) * form.lsb),
        own_lsb=float(own_step(request) * table.increment.format.lsb),
        range_reason="the largest increment",
        step_reason=reason,
        is_proved=True,
    )
    return register, shortfalls


def _fraction(
    request: Request, lsb: Mapping[str, Fraction], whole_steps: bool
) -> tuple[int, tuple[str, ...]]:
    """Return the increments' fraction bits, and which increments they do not hold as asked."""
    table, p = request.target.plasticity, request.precision
    most = 0 if whole_steps else WORD_BITS
    # Stochastic rounding needs a bit to round even where nothing learns.
    fraction = 1 if table.weight.rounding == "stochastic" else 0
    shortfalls = []
    for name, (_, rule) in request.plastic.items():
        small = smaller_increment(rule)
        if small == 0 or not request.learns:
            continue
        wanted = fraction_bits(p * small / (DELTA[table.increment.rounding] * lsb[name]))
        if wanted > most:
            shortfalls.append(
                f"{name}: an increment of {float(small):g} is {float(small / lsb[name]):.3g} weight steps, "
                f"and no register holds that within {percent(p)}"
            )
        fraction = max(fraction, min(wanted, most))
    return fraction, tuple(shortfalls)
