"""Hypothesis strategies: homeostasis on chips that round, limit and time its updates in many ways."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.hardware.rules import experiment_violations, target_violations
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized

ROUNDINGS = ("floor", "around", "half_up", "fix", "ceil", "stochastic")
SETTLE_MS = 2000.0


@st.composite
def plans(draw: st.DrawFn, update: Any) -> Discretized:
    """Draw an experiment of two or three phases and a target that holds it."""
    target = draw(targets(draw(update)))
    experiment = draw(experiments(target))
    assert target_violations(target, "drawn") == []
    assert experiment_violations(experiment, "drawn") == []
    try:
        return discretize(experiment, target)
    except ConfigError as error:
        raise AssertionError(f"the strategy drew what does not fit: {error}") from error


@st.composite
def targets(draw: st.DrawFn, update: str) -> Target:
    """A chip with a tick of 0.1 or 0.5 ms."""
    tick_us = draw(st.sampled_from([100.0, 100.0, 100.0, 500.0]))
    fraction = draw(st.integers(0, 7))
    bits = draw(st.integers(3, 12))
    fractions = draw(st.integers(4, 14))
    stored = draw(st.sampled_from(ROUNDINGS if fraction else ROUNDINGS[:-1]))
    by_sign = update == "sign"
    data: dict[str, Any] = {
        "name": "drawn",
        "title": "",
        "summary": "",
        "exactness": "generic",
        "time": {"acceleration": 1.0, "tick_us": tick_us},
        "membrane": {
            "arithmetic": draw(st.sampled_from(["analog", "fixed"])),
            "format": f"fxp-s{fractions + 3}/{fractions}",
            "rounding": draw(st.sampled_from(ROUNDINGS)),
            "integration": draw(st.sampled_from(["euler", "exponential"])),
            "fires": draw(st.sampled_from(["above", "at_or_above"])),
            "leak": {"format": draw(st.sampled_from(["fxp-u8/8", "fxp-u12/12"]))},
        },
        "synapse": {
            "weight": {"format": "fxp-u8/6"},
            "gain": {
                "format": "fxp-u24/12",
                "drive_rounding": draw(st.sampled_from(ROUNDINGS)),
            },
        },
        "plasticity": {
            "update": "periodic" if by_sign else update,
            "form": "sign" if by_sign else "counts",
            "weight": {
                "format": f"fxp-u{bits}/0",
                "lsb": "full_scale",
                "rounding": stored,
            },
            "increment": {"format": f"fxp-u24/{0 if by_sign else fraction}"},
            "counter": {"width": 4 if update == "deferred" else 8},
        },
    }
    if update == "periodic":
        ticks = draw(st.sampled_from([1, 2, 4, 10, 20, 100]))
        data["plasticity"]["update_period_us"] = 5_000.0 * ticks
    if by_sign:
        data["plasticity"]["update_period_us"] = draw(st.sampled_from([20e3, 50e3, 100e3, 200e3]))
        if stored == "stochastic":
            data["plasticity"]["weight"]["rounding"] = "around"
    return Target.model_validate(data)


@st.composite
def experiments(draw: st.DrawFn, target: Target) -> Experiment:
    """One regulated neuron and its control, under one changing drive."""
    dw = draw(st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.2]))
    neuron = {
        "tau_m_ms": draw(st.sampled_from([5.0, 10.0, 20.0, 30.0])),
        "v_thresh": 1.0,
        "v_reset": draw(st.sampled_from([-1.0, -0.5, 0.0])),
        "tau_refrac_ms": draw(st.sampled_from([0.0, 1.0, 2.0, 5.0])),
    }
    phases = draw(st.integers(2, 3))
    rate = st.sampled_from([0.0, 10.0, 25.0, 40.0, 60.0])
    weight = draw(st.sampled_from([0.375, 0.75, 1.25, 2.0]))
    return Experiment.model_validate(
        {
            "name": "drawn",
            "title": "",
            "time": {"dt_ms": 0.1, "duration_ms": phases * 6000.0},
            "stimuli": {
                "varying": {
                    "size": draw(st.sampled_from([1, 1, 3])),
                    "rates_hz": draw(st.lists(rate, min_size=phases, max_size=phases)),
                    "interval_ms": 6000.0,
                },
                "steady": {"rates_hz": [draw(st.sampled_from([20.0, 50.0, 80.0]))]},
            },
            "populations": {"regulated": neuron, "control": neuron},
            "projections": {
                "drive": {"pre": "varying", "post": "regulated", "weight": weight},
                "control_drive": {"pre": "varying", "post": "control", "weight": weight},
                "homeostatic": {
                    "pre": "steady",
                    "post": "regulated",
                    "weight": 0.0,
                    "plasticity": {
                        "dw_plus": dw,
                        "dw_minus": dw * draw(st.sampled_from([0.5, 1.0, 1.0, 1.5, 2.5])),
                        "w_max": draw(st.sampled_from([1.0, 2.0, 3.0])),
                    },
                },
            },
            "question": {
                "population": "regulated",
                "control": "control",
                "projection": "homeostatic",
                "stimulus": "varying",
                "settle_ms": SETTLE_MS,
            },
        }
    )
