"""Emulator law about input, through the compiled kernel: every weight code into every membrane state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroemu.experiment import Population, Projection
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from neuroemu.verification.agreement import golden_differs
from neuroemu.verification.bench import LANES, Bench, drawn_integers, pieces
from neuroemu.verification.definition import Ints, aimed, narrowed
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.leaks import ANALOG
from neuroemu.verification.small import (
    NEURON,
    SYNAPSE,
    at_state,
    at_weight,
    case_of,
    experiment_of,
)

MOST_PAIRS = 2**20
SAMPLED = 2**17


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One projection onto one neuron, on its own."""

    name: str
    projection: Projection
    population: Population
    plan: Discretized


def projections(setting: Setting) -> list[Delivery]:
    """Return each projection of other constants, with the neurons that it reaches."""
    found: dict[Any, Delivery] = {}
    plan = setting.plan
    for name, projection in setting.experiment.projections.items():
        population = at_state(setting.experiment.populations[projection.post], plan, 0)
        small = experiment_of(setting, population, projection, steps=1)
        key = (plan.synapses[name], plan.neurons[projection.post])
        delivery = Delivery(
            name=name,
            projection=projection,
            population=population,
            plan=discretize(small, setting.target),
        )
        found.setdefault(key, delivery)
    return list(found.values())


def codes_of(delivery: Delivery, target: Any) -> tuple[int, int]:
    """Return the lowest and the highest code that a weight can have."""
    registers = delivery.plan.synapses[SYNAPSE]
    if delivery.projection.plasticity is not None:
        return registers.w_min, registers.w_max
    form = target.synapse.weight.format
    return form.lo, form.hi


def pairs(setting: Setting, delivery: Delivery) -> tuple[Ints, Ints, str]:
    """Return membrane states and weight codes to try, and how that counts."""
    site = delivery.plan.sites["leak"]
    low, high = codes_of(delivery, setting.target)
    if (site.hi - site.lo + 1) * (high - low + 1) <= MOST_PAIRS:
        v, w = np.meshgrid(np.arange(site.lo, site.hi + 1), np.arange(low, high + 1))
        drawn = any(delivery.plan.sites[name].is_stochastic for name in ("leak", "drive"))
        return v.ravel(), w.ravel(), "sampled" if drawn else "proof"
    rng = setting.rng(f"delivery {delivery.name}")
    theta = delivery.plan.neurons[NEURON].threshold
    v = aimed(site.lo, site.hi, (theta, *(2**b for b in range(site.hi.bit_length()))), SAMPLED, rng)
    w = aimed(low, high, [2**b for b in range(high.bit_length())], SAMPLED, rng)
    return rng.permutation(v), w, "sampled"


def delivery_as_defined(setting: Setting) -> Outcome:
    """Compare the kernel with the definition for each projection."""
    if setting.plan.is_analog:
        return does_not_apply(ANALOG)
    count, hows = 0, {"proof"}
    for delivery in projections(setting):
        v, w, how = pairs(setting, delivery)
        lanes = min(LANES, v.size)
        hows.add(how)
        experiment = experiment_of(
            setting, delivery.population, delivery.projection, steps=1, lanes=lanes
        )
        bench = Bench(setting.target, experiment, spikes=True, seed=setting.seed)
        words = {
            name: drawn_integers(name, delivery.plan.sites[name], lanes, setting.seed)
            for name in ("leak", "drive")
        }
        for some_v, some_w in pieces((v, w), lanes):
            after, _, fired = bench.do(some_v, weight=some_w)
            wanted, fires = _defined(delivery, some_v, some_w, words)
            count += lanes
            wrong = np.flatnonzero((after != wanted) | (fired != fires))
            if wrong.size:
                at = int(wrong[np.argmin(np.abs(some_v[wrong]) + np.abs(some_w[wrong]))])
                numbers = [int(n[at]) for n in (some_v, some_w, after, wanted)]
                return _shown(setting, delivery, numbers, how, count)
    how = "sampled" if "sampled" in hows else "proof"
    return holds(how, count) if count else does_not_apply("the experiment has no synapses")


def _defined(delivery: Delivery, v: Ints, w: Ints, words: dict[str, Ints]) -> tuple[Any, Any]:
    """Return membranes after one step with one input spike, and who fires."""
    plan, r = delivery.plan, delivery.plan.neurons[NEURON]
    gain = plan.synapses[SYNAPSE].gain
    leaked = narrowed(v * int(r.multiplier * r.unit), plan.sites["leak"], words["leak"])
    fires = leaked > r.threshold
    drive = narrowed(w * gain, plan.sites["drive"], words["drive"])
    reached = narrowed(leaked + drive, plan.sites["input"])
    return np.where(fires, r.reset, reached), fires


def _shown(
    setting: Setting, delivery: Delivery, numbers: list[int], how: str, count: int
) -> Outcome:
    v, w, after, wanted = numbers
    text = (
        f"projection {delivery.name}: weight code {w} brings a membrane of {v} LSB to {after} in the kernel, "
        f"and to {wanted} by definition"
    )
    projection = at_weight(delivery.projection, setting.plan, delivery.name, w)
    population = at_state(delivery.population, setting.plan, v)
    experiment = experiment_of(setting, population, projection, steps=3)
    case = case_of(setting, experiment, (0,), seed=setting.seed)
    return broken(golden_differs, case, text, how=how, cases=count, state=v, code=w)


LAWS = (
    Law(
        name="delivery-as-defined",
        sentence="The kernel brings every weight code to every membrane state as defined.",
        kind="emulator",
        judge=golden_differs,
        test=delivery_as_defined,
    ),
)
