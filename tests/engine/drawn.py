"""Hypothesis strategies: targets at the edges of their registers, and small busy experiments."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from neuroemu.engine import stimuli
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.hardware.rules import experiment_violations, target_violations
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized

Drawn = dict[str, list[NDArray[np.int64]]]

KERNELS = {
    "int32, addends": ("floor", "ceil", "fix", "trunc", "half_up"),
    "int32, any rounding": ("around",),
    "int32, random bits": ("stochastic",),
    "int64": ("around",),
    "analog": ("floor",),
}
"""What one compiled kernel serves, and the roundings of the membrane that lead there."""

plain_roundings = st.sampled_from(["floor", "ceil", "fix", "around", "half_up"])
roundings = st.one_of(plain_roundings, st.just("stochastic"))
overflows = st.sampled_from(["saturate", "wrap"])
REGISTERS = [
    *({"width": 16, "taps": (16, 15, 13, 4), "output_bits": n} for n in (1, 8, 16)),
    {"width": 5, "taps": (5, 3), "output_bits": 5},
    {"width": 32, "taps": (32, 22, 2, 1), "output_bits": 32},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A target, an experiment that fits it, and what to run."""

    target: Target
    experiment: Experiment
    plan: Discretized = field(repr=False)
    seed: int
    first_trial: int
    spikes: Drawn

    @property
    def trials(self) -> int:
        return len(next(iter(self.spikes.values())))


@st.composite
def cases(draw: st.DrawFn, kernel: str, *, overflow: Any = overflows, unique: bool = True) -> Case:
    """Draw a case; with `unique` a source spikes at most once in a step of the target."""
    dt_ms = draw(st.sampled_from(["0.1", "0.5", "1"]))
    input_steps = draw(st.sampled_from([1, 1, 2, 5]))
    step_ms = Fraction(dt_ms) * input_steps
    target = draw(targets(kernel, step_ms, overflow))
    experiment = draw(experiments(target, float(dt_ms), step_ms))
    assert target_violations(target, "drawn") == []
    assert experiment_violations(experiment, "drawn") == []
    seed, first_trial = draw(st.integers(0, 2**64 - 1)), draw(st.integers(0, 3))
    trials = draw(st.integers(1, 4))
    trains = [stimuli.draw(experiment, seed, first_trial + i) for i in range(trials)]
    if unique:
        trains = [{n: _thinned(t, input_steps) for n, t in train.items()} for train in trains]
    try:
        plan = discretize(experiment, target)
    except ConfigError as error:
        raise AssertionError(f"the strategy drew what does not fit: {error}") from error
    return Case(
        target=target,
        experiment=experiment,
        plan=plan,
        seed=seed,
        first_trial=first_trial,
        spikes={name: [train[name] for train in trains] for name in experiment.stimuli},
    )


def _thinned(train: NDArray[np.int64], input_steps: int) -> NDArray[np.int64]:
    cell = np.stack((train[:, 0] // input_steps, train[:, 1]), axis=1)
    _, first = np.unique(cell, axis=0, return_index=True)
    return train[np.sort(first)]


@st.composite
def targets(draw: st.DrawFn, kernel: str, step_ms: Fraction, overflow: Any) -> Target:
    """A chip with a tick of `step_ms`; most of its registers can overflow."""
    acceleration = draw(st.sampled_from([1, 1000]))
    tick_us = step_ms * 1000 / acceleration
    shift = draw(st.integers(20, 30) if kernel == "int64" else st.integers(1, 12))
    fraction = draw(st.integers(10, 25) if kernel == "int64" else st.integers(1, 12))
    width = fraction + draw(st.integers(2, 5))
    if kernel == "int64":
        width, shift = max(width, 33 - shift), min(shift, 62 - width)
    else:
        shift = min(shift, 29 - width)
    leak = draw(st.sampled_from([f"fxp-u{shift}/{shift}", f"fxp-s{shift + 2}/{shift}"]))
    has_gain = kernel != "analog" and draw(st.booleans())
    weight_lsb = draw(st.sampled_from(["format", "full_scale", 0.23])) if has_gain else "format"
    rounding = draw(st.sampled_from(KERNELS[kernel]))
    data = {
        "name": "drawn",
        "title": "",
        "summary": "",
        "exactness": "generic",
        "time": {"acceleration": float(acceleration), "tick_us": float(tick_us)},
        "membrane": {
            "arithmetic": "analog" if kernel == "analog" else "fixed",
            "format": f"fxp-s{width}/{fraction}",
            "rounding": rounding,
            "overflow": draw(overflow),
            "integration": draw(st.sampled_from(["euler", "exponential"])),
            "fires": draw(st.sampled_from(["above", "at_or_above"])),
            "leak": {"format": leak, "rounding": draw(plain_roundings)},
        },
        "refractory": {"format": draw(st.sampled_from(["fxp-u2/0", "fxp-u8/0"]))},
        "synapse": {
            "weight": {"format": draw(weight_formats), "lsb": weight_lsb},
            "gain": {
                "format": draw(st.sampled_from(["fxp-u20/8", "fxp-u12/0"])) if has_gain else None,
                "drive_rounding": draw(roundings),
            },
        },
        "plasticity": draw(plasticities(tick_us, overflow, weight_lsb)),
    }
    return Target.model_validate(data)


weight_formats = st.sampled_from(["fxp-u3/1", "fxp-u4/3", "fxp-u6/5", "fxp-u8/7", "fxp-s5/3"])


@st.composite
def plasticities(draw: st.DrawFn, tick_us: Fraction, overflow: Any, lsb: Any) -> dict[str, Any]:
    fraction = draw(st.integers(0, 10))
    bits = draw(st.sampled_from([None, 1, 2, 4, 8, 12]))
    accumulator = None
    if bits is not None:
        sign = draw(st.sampled_from(["s", "s", "u"]))
        accumulator = f"fxp-{sign}{bits + 1 + fraction}/{fraction}"
    return {
        "update": draw(st.sampled_from(["event", "event", "periodic", "periodic", "none"])),
        "update_period_us": float(tick_us * draw(st.integers(1, 20))),
        "weight": {
            "format": draw(weight_formats),
            "lsb": lsb,
            "rounding": draw(roundings if fraction else plain_roundings),
            "overflow": draw(overflow),
        },
        "increment": {"format": f"fxp-u24/{fraction}", "rounding": draw(plain_roundings)},
        "accumulator": {
            "format": accumulator,
            "overflow": draw(overflow) if accumulator else "saturate",
        },
        "counter": {"width": draw(st.integers(1, 5)), "overflow": draw(overflow)},
        "random": {
            "source": draw(st.sampled_from(["counter", "lfsr"])),
            **draw(st.sampled_from(REGISTERS)),
            "bits_per_draw": draw(st.integers(1, 9)),
        },
    }


@st.composite
def experiments(draw: st.DrawFn, target: Target, dt_ms: float, step_ms: Fraction) -> Experiment:
    """A few neurons with static, plastic and recurrent synapses and input in most steps."""
    n_steps = draw(st.integers(50, 150))
    signed = target.plasticity.weight.format.signed
    # a chosen LSB of 0.23 and 3 bits reach to 1.6
    weights = st.sampled_from([0.0, 0.25, 0.4, 0.7, 1.0, 1.3, 1.5, -0.25, -1.0])

    def population() -> dict[str, Any]:
        rest = draw(st.sampled_from([0.0, -64.5]))
        return {
            "size": draw(st.integers(1, 2)),
            "tau_m_ms": float(step_ms * draw(st.integers(1, 30))),
            "v_rest": rest,
            "v_thresh": rest + draw(st.sampled_from([0.3, 1.0])),
            "v_reset": rest + draw(st.sampled_from([-1.0, -0.4, 0.0])),
            "v_init": rest + draw(st.sampled_from([-0.9, 0.0, 0.5])),
            "tau_refrac_ms": float(step_ms * draw(st.integers(0, 5))),
        }

    def rule() -> dict[str, Any]:
        return {
            "dw_plus": draw(st.sampled_from([0.0, 0.01, 0.05, 0.11, 0.5])),
            "dw_minus": draw(st.sampled_from([0.0, 0.02, 0.05, 0.13, 0.7])),
            "w_min": draw(st.sampled_from([-1.0, -0.3, 0.0] if signed else [0.0, 0.3])),
            "w_max": draw(st.sampled_from([0.9, 1.5])),
        }

    def static(pre: str, post: str, **more: Any) -> dict[str, Any]:
        return {"pre": pre, "post": post, "weight": draw(_fitting(target, weights)), **more}

    def plastic(pre: str, post: str, **more: Any) -> dict[str, Any]:
        start = draw(st.sampled_from([0.3, 0.5, 0.9]))
        return {"pre": pre, "post": post, "weight": start, "plasticity": rule(), **more}

    either = st.sampled_from([static, plastic])
    sparse = {"connector": "fixed_probability", "probability": 0.5}
    projections = {
        "fixed": static("input", "first"),
        "learning": plastic("input", "first"),
        "recurrent": draw(either)("first", "first"),
        "onwards": draw(either)("first", "second", **draw(st.sampled_from([{}, sparse]))),
        "back": draw(either)("second", "first"),
    }
    order = draw(st.permutations(list(projections)))
    per_ms = draw(st.sampled_from([0.1, 0.5, 0.9])) / dt_ms
    return Experiment.model_validate(
        {
            "name": "drawn",
            "title": "",
            "time": {"dt_ms": dt_ms, "duration_ms": float(n_steps * step_ms)},
            "connection_seed": draw(st.integers(0, 3)),
            "stimuli": {"input": {"size": draw(st.integers(1, 3)), "rates_hz": (per_ms * 999,)}},
            "populations": {"first": population(), "second": population()},
            "projections": {name: projections[name] for name in order},
            "record": {
                "weights": tuple(n for n in projections if "plasticity" in projections[n]),
                "membrane": {
                    "populations": ("second", "first"),
                    "stop_ms": float(n_steps * step_ms),
                    "every_ms": float(step_ms * draw(st.sampled_from([1, 1, 3]))),
                },
            },
        }
    )


def _fitting(target: Target, weights: Any) -> Any:
    """A weight of the wrong sign fits an unsigned register as an inhibitory row."""
    return weights.filter(lambda w: w >= 0 or target.synapse.weight.lsb != "full_scale")
