"""Formats of the spike counters and of the accumulator: docs/spec/fitting.md."""

from __future__ import annotations

import math
from fractions import Fraction

from neuroemu.fitting.learning import own_step
from neuroemu.fitting.register import Register, Request
from neuroemu.fitting.rules import make_format, percent, width_for
from neuroemu.hardware.config import Target
from neuroemu.models.discretize import discretize
from neuroemu.numeric.format import Format


def counter(request: Request) -> Register:
    """Return the spike counter of periodic plasticity."""
    seen = request.observation.registers["plasticity.counter.width"]
    clock = request.observation.arithmetic.clock
    wanted = math.ceil(Fraction(seen.high) * (1 + request.margin))
    most = clock.period_steps * clock.input_steps
    form = make_format(
        "plasticity.counter.width",
        width_for(Fraction(0), Fraction(min(wanted, most)), signed=False),
        0,
        signed=False,
    )
    proved = form.hi >= most
    return Register(
        key="plasticity.counter.width",
        observed=seen,
        needs=(0.0, float(min(wanted, most))),
        format=form,
        own=Format(False, request.target.plasticity.counter.width, 0),
        lsb=1.0,
        own_lsb=1.0,
        range_reason="proved: one spike a step"
        if proved
        else f"observed and {percent(request.margin)}",
        step_reason="one spike",
        is_proved=proved,
    )


def accumulator(request: Request, proposed: Target, weight_lsb: Fraction) -> Register:
    """Return the accumulator of `proposed`, wide enough for all that its registers can bring.

    Raises
    ------
    ConfigError
        If the experiment does not fit `proposed`.
    """
    table = proposed.plasticity.accumulator.model_copy(
        update={"format": None, "overflow": "saturate"}
    )
    unlimited = proposed.plasticity.model_copy(update={"accumulator": table})
    d = discretize(request.experiment, proposed.model_copy(update={"plasticity": unlimited}))
    met = ["accumulate"]
    if proposed.plasticity.update == "periodic":
        met += ["plus", "minus", "change"]
    low = Fraction(min(d.widest[site][0] for site in met))
    high = Fraction(max(d.widest[site][1] for site in met))
    fraction = proposed.plasticity.increment.format.fraction
    form = make_format(
        "plasticity.accumulator.format", width_for(low, high, signed=True), fraction, signed=True
    )
    own = request.target.plasticity.accumulator.format
    lsb = float(weight_lsb * form.lsb)
    return Register(
        key="plasticity.accumulator.format",
        observed=request.observation.registers.get("plasticity.accumulator.format"),
        needs=(float(low) * lsb, float(high) * lsb),
        format=form,
        own=own,
        lsb=lsb,
        own_lsb=0.0 if own is None else float(own_step(request) * own.lsb),
        range_reason="proved: weight and counters at their ends",
        step_reason="as the increments",
        is_proved=True,
    )
