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
    still,
)
from neuroemu.verification.step import Registers, Step, input_place, membrane_site

MOST_PAIRS = 2**20
SAMPLED = 2**17
TIMES = (1, 2, 5)
"""Spikes that one synapse brings a current or buffer in one step."""
NAMES = {"v": "the membrane", "spikes": "the spikes"}


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
            plan=discretize(small, setting.pinned),
        )
        found.setdefault(key, delivery)
    return list(found.values())


def codes_of(delivery: Delivery, target: Any) -> tuple[int, int]:
    """Return the lowest and the highest code that a weight can have."""
    registers = delivery.plan.synapses[SYNAPSE]
    is_plastic = delivery.projection.plasticity is not None
    if is_plastic and target.plasticity.update != "none":
        return registers.w_min, registers.w_max
    form = (target.plasticity if is_plastic else target.synapse).weight.format
    return form.lo, form.hi


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """What a delivery is tried on.

    Parameters
    ----------
    place : str
        The register that input goes to.
    held : (n,) int64
        What it holds before the step; a buffer is always read before it is filled.
    codes : (n,) int64
        Weight codes.
    how : str
        As of an `Outcome`.
    """

    place: str
    held: Ints
    codes: Ints
    how: str


def pairs(setting: Setting, delivery: Delivery) -> Pairs:
    """Return register states and weight codes to try, and how that counts."""
    plan, place = delivery.plan, input_place(delivery.plan)
    site = {"v": membrane_site(plan), "excitatory": plan.sites.get("current")}.get(place)
    least, most = (0, 0) if site is None else (site.lo, site.hi)
    low, high = codes_of(delivery, setting.target)
    if (most - least + 1) * (high - low + 1) <= MOST_PAIRS:
        held, codes = np.meshgrid(np.arange(least, most + 1), np.arange(low, high + 1))
        drawn = any(plan.sites[name].is_stochastic for name in ("leak", "drive"))
        how = "sampled" if drawn else "proof"
        return Pairs(place=place, held=held.ravel(), codes=codes.ravel(), how=how)
    rng = setting.rng(f"delivery {delivery.name}")
    theta = plan.neurons[NEURON].threshold
    held = aimed(least, most, (theta, *(2**b for b in range(most.bit_length()))), SAMPLED, rng)
    codes = aimed(low, high, [2**b for b in range(high.bit_length())], SAMPLED, rng)
    return Pairs(place=place, held=rng.permutation(held), codes=codes, how="sampled")


def delivery_as_defined(setting: Setting) -> Outcome:
    """Compare the kernel with the definition for each projection."""
    if setting.plan.is_analog:
        return does_not_apply(ANALOG)
    count, hows = 0, {"proof"}
    for delivery in projections(setting):
        tried = pairs(setting, delivery)
        hows.add(tried.how)
        for times in (1,) if tried.place == "v" else TIMES:
            wrong, n = _compared(setting, delivery, tried, times)
            count += n
            if wrong is not None:
                return _shown(setting, delivery, tried, wrong, count)
    how = "sampled" if "sampled" in hows else "proof"
    return holds(how, count) if count else does_not_apply("the experiment has no synapses")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A delivery of which kernel and definition differ: the register held, code, spikes; and what came of it."""

    held: int
    code: int
    times: int
    register: str
    after: int
    wanted: int


def _compared(
    setting: Setting, delivery: Delivery, tried: Pairs, times: int
) -> tuple[Wrong | None, int]:
    """Compare deliveries of `times` spikes in one step; return the smallest that differs, and how many there were."""
    lanes = min(LANES, tried.held.size)
    projection = still(delivery.projection, setting.target)
    experiment = experiment_of(setting, delivery.population, projection, steps=1, lanes=lanes)
    bench = Bench(setting.pinned, experiment, spikes=times, seed=setting.seed)
    words = {
        name: drawn_integers(name, delivery.plan.sites[name], lanes, setting.seed)
        for name in ("leak", "drive")
    }
    table, count = setting.target.neuron, 0
    arrive = 1 if table is not None and table.merges_input else times
    for held, codes in pieces((tried.held, tried.codes), lanes):
        count += lanes
        _, _, spikes = bench.do(weight=codes, registers={tried.place: held})
        wanted, fires = _defined(delivery, {"v": np.zeros(lanes, np.int64), tried.place: held}, codes,
                                 words, arrive)  # fmt: skip
        after = {name: bench.register(name) for name in wanted}
        for name, register in (after | {"spikes": spikes}).items():
            right = np.broadcast_to((wanted | {"spikes": fires})[name], register.shape)
            wrong = np.flatnonzero(register != right)
            if wrong.size:
                at = int(wrong[np.argmin(np.abs(held[wrong]) + np.abs(codes[wrong]))])
                return Wrong(
                    held=int(held[at]), code=int(codes[at]), times=times, register=name,
                    after=int(register[at]), wanted=int(right[at]),
                ), count  # fmt: skip
    return None, count


def _defined(
    delivery: Delivery, state: Registers, codes: Ints, words: dict[str, Ints], times: int
) -> tuple[Registers, Ints]:
    """Return the registers after one step with input, and the spikes that were sent."""
    plan = delivery.plan
    step = Step(plan=plan, r=plan.neurons[NEURON])
    after, spikes = step.advance(state, words["leak"])
    drive = narrowed(codes * plan.synapses[SYNAPSE].gain, plan.sites["drive"], words["drive"])
    for _ in range(times):
        after = step.receive(after, drive, spikes)
    return after, spikes


def _shown(setting: Setting, delivery: Delivery, tried: Pairs, wrong: Wrong, count: int) -> Outcome:
    where = "membrane" if tried.place == "v" else tried.place
    text = (
        f"projection {delivery.name}: weight code {wrong.code}, {wrong.times} times, with a {where} of {wrong.held} "
        f"LSB leaves {NAMES.get(wrong.register, wrong.register)} at {wrong.after} in the kernel, and at "
        f"{wrong.wanted} by definition"
    )
    projection = at_weight(delivery.projection, setting.plan, delivery.name, wrong.code)
    start = wrong.held if tried.place == "v" else 0
    population = at_state(delivery.population, setting.plan, start)
    experiment = experiment_of(setting, population, projection, steps=3)
    case = case_of(setting, experiment, (0,), seed=setting.seed)
    how = tried.how
    return broken(
        golden_differs, case, text, how=how, cases=count, state=wrong.held, code=wrong.code
    )


LAWS = (
    Law(
        name="delivery-as-defined",
        sentence="The kernel brings every weight code to every membrane state as defined.",
        kind="emulator",
        judge=golden_differs,
        test=delivery_as_defined,
    ),
)
