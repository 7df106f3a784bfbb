"""Formats of membrane, leak, refractory counter and gain: docs/spec/fitting.md."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

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
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.format import Format


def leak_multiplier(request: Request) -> Register:
    """Return the register of the leak multiplier."""
    leak, p = request.target.membrane.leak, request.precision
    rounding = "around" if leak is None else leak.rounding
    decay = min(_decays(request).values())
    bits = max(fraction_bits(p * decay / DELTA[rounding]), 1)
    form = make_format("membrane.leak.format", bits, bits, signed=False)
    own = None if leak is None else leak.format
    return Register(
        key="membrane.leak.format",
        observed=request.observation.registers["membrane.leak.format"],
        needs=(0.0, float(1 - decay)),
        format=form,
        own=own,
        lsb=float(form.lsb),
        own_lsb=0.0 if own is None else float(own.lsb),
        range_reason="a multiplier is below 1",
        step_reason=f"a step's decay of {float(decay):.3g} off by "
        f"{percent(DELTA[rounding] * form.lsb / decay)} at most",
        is_proved=True,
    )


def _decays(request: Request) -> dict[str, Fraction]:
    """Return 1 - multiplier of each population, as `discretize` has it."""
    step = request.observation.arithmetic.clock.step_ms
    found = {}
    for name, population in request.experiment.populations.items():
        ratio = step / decimal(population.tau_m_ms)
        is_euler = request.target.membrane.integration == "euler"
        found[name] = ratio if is_euler else 1 - Fraction(math.exp(-float(ratio)))
    return found


def membrane(request: Request) -> Register:
    """Return the register of the membrane."""
    bound = tightest(_membrane_bounds(request))
    if bound is None:
        raise ValueError("an experiment has a population")
    fraction = fraction_bits(bound.lsb)
    lsb = Fraction(2) ** -fraction
    reach = _reach(request)
    low, high = reach.low, reach.high
    for population in request.experiment.populations.values():
        rest = decimal(population.v_rest)
        values = [decimal(v) - rest for v in (population.v_reset, population.v_init)]
        low, high = min(low, *values), max(high, *values)
        high = max(high, decimal(population.v_thresh) - rest + lsb)
    width = width_for(low / lsb, high / lsb, signed=True)
    form = make_format("membrane.format", width, fraction, signed=True)
    own = request.target.membrane.format
    proved = form.lo * lsb <= reach.least and reach.most <= form.hi * lsb
    return Register(
        key="membrane.format",
        observed=request.observation.registers["membrane.format"],
        needs=(float(low), float(high)),
        format=form,
        own=own,
        lsb=float(lsb),
        own_lsb=0.0 if own is None else float(own.lsb),
        range_reason="proved: no input can bring more"
        if proved
        else f"observed and {percent(request.margin)}",
        step_reason=bound.reason(lsb),
        is_proved=proved,
    )


def _membrane_bounds(request: Request) -> list[Bound]:
    table, p = request.target.membrane, request.precision
    bounds = []
    for name, decay in _decays(request).items():
        population = request.experiment.populations[name]
        threshold = decimal(population.v_thresh) - decimal(population.v_rest)
        if table.rounding == "stochastic":
            spread = Fraction(math.sqrt(float(decay * (2 - decay))))
            words = "the leak's noise is {} of the threshold"
            bounds.append(Bound(2 * spread * p * threshold, p, words))
        else:
            what = "dead zone" if table.rounding in ("around", "half_up") else "bias"
            words = f"the leak's {what} is at most {{}} of the threshold"
            bounds.append(Bound(p * threshold * decay / DELTA[table.rounding], p, words))
    delta = DELTA[request.target.synapse.gain.drive_rounding]
    return bounds + [
        Bound(p * weight / delta, p, f"an input of {float(weight):g} off by {{}} at most")
        for weight in _inputs(request)
        if weight
    ]


def _inputs(request: Request) -> list[Fraction]:
    """Return the magnitude of each static weight, and the largest of each plastic projection."""
    static = [abs(decimal(s.weight)) for s in request.static.values()]
    rules = [rule for _, rule in request.plastic.values()]
    return static + [max(abs(decimal(r.w_min)), abs(decimal(r.w_max))) for r in rules]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a membrane goes: with margin, and at most."""

    low: Fraction
    high: Fraction
    least: Fraction
    most: Fraction


def _reach(request: Request) -> Reach:
    """Return the range to hold: observed with margin, cut to what is possible; single weights too."""
    seen = request.observation.registers["membrane.format"]
    low, high = (
        Fraction(v) + sign * request.margin * abs(Fraction(v))
        for v, sign in ((seen.low, -1), (seen.high, 1))
    )
    least, most = possible(request)
    low, high = max(low, least), min(high, most)
    for projection, rule in ((p, p.plasticity) for p in request.experiment.projections.values()):
        ends = (rule.w_min, rule.w_max) if rule else (projection.weight,)
        low, high = min(low, *map(decimal, ends)), max(high, *map(decimal, ends))
    return Reach(low=low, high=high, least=min(low, least), most=max(least, most))


def possible(request: Request) -> tuple[Fraction, Fraction]:
    """Return between which values every membrane stays, whatever the input: docs/spec/fitting.md."""
    observation, p = request.observation, request.precision
    lows, highs = [Fraction(0)], [Fraction(0)]
    start = 0
    for name, population in request.experiment.populations.items():
        members = slice(start, start + population.size)
        start += population.size
        more = (1 + p) ** 3
        up = Fraction(float(observation.positive[members].max())) * more
        down = Fraction(float(observation.negative[members].max())) * more
        rest = decimal(population.v_rest)
        threshold, reset, first = (
            decimal(v) - rest for v in (population.v_thresh, population.v_reset, population.v_init)
        )
        top = max(first, threshold * more + up)
        waits = observation.arithmetic.neurons[name].refractory_steps > 0
        highs.append(top if waits else top + up)
        lows += [reset, first]
        if down:
            lows.append(-(down / _decays(request)[name] + p * threshold) / (1 - p))
    return min(lows), max(highs)


def refractory(request: Request) -> Register:
    """Return the refractory counter."""
    neurons = request.observation.arithmetic.neurons.values()
    most = max(n.refractory_steps for n in neurons)
    form = make_format("refractory.format", max(int(most).bit_length(), 1), 0, signed=False)
    return Register(
        key="refractory.format",
        observed=request.observation.registers["refractory.format"],
        needs=(0.0, float(most)),
        format=form,
        own=request.target.refractory.format,
        lsb=1.0,
        own_lsb=1.0,
        range_reason="the longest period",
        step_reason="one tick",
        is_proved=True,
    )


def gain(request: Request, weight_lsb: Mapping[str, Fraction], lsb: Fraction) -> Register | None:
    """Return the register of the gain; None where a shift does."""
    ratios = [step / lsb for step in weight_lsb.values()]
    if all(r.numerator.bit_count() == 1 and r.denominator.bit_count() == 1 for r in ratios):
        return None
    p, key = request.precision, "synapse.gain.format"
    fraction = max(fraction_bits(2 * p * min(ratios)), 0)
    top = Fraction(round(max(ratios) * 2**fraction))
    form = make_format(key, width_for(Fraction(0), top, signed=False), fraction, signed=False)
    own: Format | None = request.target.synapse.gain.format
    return Register(
        key=key,
        observed=None,
        needs=(0.0, float(max(ratios))),
        format=form,
        own=own,
        lsb=float(form.lsb),
        own_lsb=0.0 if own is None else float(own.lsb),
        range_reason="the largest gain",
        step_reason=f"a gain of {float(min(ratios)):.3g} off by "
        f"{percent(form.lsb / (2 * min(ratios)))} at most",
        is_proved=True,
    )
