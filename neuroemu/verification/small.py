"""Experiments of one neuron and one synapse, and of many at once: what a law needs to show a state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from neuroemu.experiment import Experiment, Population, Projection
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import experiment_from
from neuroemu.models.chip import register_zero
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal, round_fraction
from neuroemu.testing.case import Case
from neuroemu.verification.law import Setting

INPUT, NEURON, SYNAPSE = "input", "neuron", "synapse"

ANALOG_TOP = 2**40
"""Beyond what the input of a small experiment adds up to on an analog membrane."""


def experiment_of(
    setting: Setting,
    population: Population,
    projection: Projection | None = None,
    *,
    steps: int,
    lanes: int = 1,
) -> Experiment:
    """Return an experiment of `lanes` equal neurons, each with a source and a synapse of its own.

    Parameters
    ----------
    setting : Setting
        Whose target and time grid it has to fit.
    population : Population
        Constants of the neurons.
    projection : Projection, optional
        Constants of the synapses; without one there is no input.
    steps : int
        Of the target.
    """
    clock = setting.plan.clock
    duration = float(steps * clock.step_ms)
    data: dict[str, Any] = {
        "name": "counterexample",
        "title": "What a law was tried on",
        "time": {"dt_ms": float(clock.step_ms / clock.input_steps), "duration_ms": duration},
        "populations": {NEURON: population.model_dump() | {"size": lanes}},
        "record": {"membrane": {"populations": [NEURON], "stop_ms": duration}},
    }
    if projection is not None:
        synapse = projection.model_dump() | {
            "pre": INPUT,
            "post": NEURON,
            "connector": "one_to_one",
            "probability": None,
        }
        data["stimuli"] = {INPUT: {"size": lanes, "rates_hz": [_rate_hz(setting, projection)]}}
        data["projections"] = {SYNAPSE: synapse}
        if projection.plasticity is not None:
            data["record"]["weights"] = [SYNAPSE]
    return experiment_from(data, f"a small experiment for {setting.target.name}")


def _rate_hz(setting: Setting, projection: Projection) -> float:
    """Return the rate from which a target count follows; 0 where there is none, as spikes are given anyway."""
    stimulus = setting.experiment.stimuli.get(projection.pre)
    has_target = setting.target.plasticity.by_sign
    return stimulus.rates_hz[0] if stimulus is not None and has_target else 0.0


def case_of(
    setting: Setting, experiment: Experiment, steps: Sequence[int] = (), *, seed: int = 0
) -> Case:
    """Return a case of one trial in which every source spikes in the given steps of the target."""
    spikes = {}
    clock = setting.plan.clock
    for name, stimulus in experiment.stimuli.items():
        rows = [(k * clock.input_steps, i) for k in steps for i in range(stimulus.size)]
        spikes[name] = [np.asarray(rows, np.int64).reshape(-1, 2)]
    return Case(target=setting.pinned, experiment=experiment, spikes=spikes, seed=seed)


def at_state(population: Population, plan: Discretized, raw: int) -> Population:
    """Return `population` with a raw membrane to start with, its voltages from the register's 0."""
    lsb = plan.membrane_lsb or Fraction(1)
    zero = decimal(population.v_rest) + register_zero(plan.target, population)
    names = ("v_rest", "v_thresh", "v_reset")
    shifted = {name: float(decimal(getattr(population, name)) - zero) for name in names}
    return population.model_copy(update=shifted | {"v_init": float(raw * lsb)})


def unbiased(population: Population) -> Population:
    """Return `population`, measured from the register's 0, without an input that holds its rest elsewhere."""
    return population.model_copy(update={"v_rest": 0.0, "v_reset": 0.0})


SLOW = 1000
"""Membrane time constant of a quiet neuron, in steps."""


def quiet(plan: Discretized, *, fires: bool) -> Population:
    """Return a neuron that spikes once, in the first step, or never."""
    lsb, top = plan.membrane_lsb or Fraction(1), _top(plan)
    low = loud(plan) // 2 if _subtracts(plan) else top // 8
    return Population(
        tau_m_ms=float(SLOW * plan.clock.step_ms),
        v_thresh=float(lsb * (max(low, 1) if fires else top - 1)),
        v_reset=0.0,
        v_init=float(lsb * loud(plan)) if fires else 0.0,
    )


def loud(plan: Discretized) -> int:
    """Return the raw membrane from which a quiet neuron fires: once, also where a spike takes a threshold away."""
    return 2 * (_top(plan) // 3) if _subtracts(plan) else _top(plan)


def _top(plan: Discretized) -> int:
    form = plan.target.membrane.format
    return ANALOG_TOP if plan.is_analog or form is None else form.hi


def _subtracts(plan: Discretized) -> bool:
    return plan.target.neuron is not None and plan.target.neuron.reset == "subtract"


def at_weight(projection: Projection, plan: Discretized, name: str, raw: int) -> Projection:
    """Return a projection with a raw weight, as far as its LSB does not follow from the weight."""
    tables = plan.target.synapse, plan.target.plasticity
    table = tables[projection.plasticity is not None].weight
    if projection.plasticity is None and table.lsb == "full_scale":
        return projection
    lsb, rounding = plan.synapses[name].lsb, table.rounding
    value = float(raw * lsb)
    near = (value, math.nextafter(value, math.inf), math.nextafter(value, -math.inf))
    # an LSB that is no short decimal may fall just short of the code
    exact = (x for x in near if round_fraction(decimal(x) / lsb, rounding) == raw)
    return projection.model_copy(update={"weight": next(exact, value)})


def still(projection: Projection, target: Target) -> Projection:
    """Return a plastic projection that stands still at spikes."""
    rule = projection.plasticity
    if rule is None or (target.plasticity.by_sign):
        return projection
    nothing = rule.model_copy(update={"dw_plus": 0.0, "dw_minus": 0.0})
    return projection.model_copy(update={"plasticity": nothing})


def own_case(
    setting: Setting,
    experiment: Experiment,
    steps: int,
    spiking: Sequence[int],
    *,
    states: dict[str, int],
) -> Case:
    """Return a variant of the setting's experiment, cut to a few steps, with all sources spiking in some.

    Parameters
    ----------
    setting : Setting
    experiment : Experiment
        The setting's, perhaps with other weights.
    steps : int
        Of the target.
    spiking : sequence of int
        In which of them the sources spike.
    states : dict of str to int
        Raw membrane of a population to start with.
    """
    short = shortened(experiment, float(steps * setting.plan.clock.step_ms))
    populations = {
        name: at_state(population, setting.plan, states[name]) if name in states else population
        for name, population in short.populations.items()
    }
    return case_of(setting, short.model_copy(update={"populations": populations}), spiking)


def shortened(experiment: Experiment, duration_ms: float) -> Experiment:
    """Return the first part of an experiment, all membranes and plastic weights recorded."""
    data = experiment.model_dump()
    data["time"]["duration_ms"] = duration_ms
    data["question"] = None
    data["record"] = experiment.record.model_dump() | {
        "weights": [n for n, p in experiment.projections.items() if p.plasticity is not None],
        "membrane": {"populations": list(experiment.populations), "stop_ms": duration_ms},
    }
    return experiment_from(data, experiment.name)
