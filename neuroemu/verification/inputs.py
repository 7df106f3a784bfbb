"""Arithmetic laws of the input: its sign, and whether it brings a neuron over its threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroemu.experiment import Projection
from neuroemu.models.registers import COARSE
from neuroemu.testing.case import Case
from neuroemu.testing.judges import kernel_run
from neuroemu.verification.definition import Ints, extremes, narrowed
from neuroemu.verification.deliveries import Delivery, projections
from neuroemu.verification.evidence import Evidence, ended
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.leaks import ANALOG
from neuroemu.verification.membrane import STILL, Leak, how_of_codes, leak_of, used_codes
from neuroemu.verification.small import (
    NEURON,
    SYNAPSE,
    at_state,
    at_weight,
    case_of,
    experiment_of,
    own_case,
)

TIME_CONSTANTS = 4
"""In which float passes a threshold that its steady state passes by 5 %: ln 21 is 3.04."""
MOST_SOURCES = 4096
"""Sources of a counterexample of input that goes the wrong way."""
LONGEST = 4000
"""Steps of the longest counterexample of an input that reaches no threshold."""


# input-keeps-its-sign


def input_keeps_sign(setting: Setting) -> Outcome:
    """Look for inputs that move a membrane the wrong way."""
    if setting.plan.is_analog:
        return does_not_apply(ANALOG)
    count = 0
    site = setting.plan.sites["input"]
    for name in setting.experiment.populations:
        inputs = _inputs(setting, name)
        for sign in (1, -1):
            drives = [i for i in inputs if sign * i.drive > 0]
            wrong_rounded = [i for i in inputs if i.sign * i.drive < 0]
            v = _furthest(setting, name, sign, inputs)
            count += len(drives)
            for one in (*wrong_rounded, *drives):
                after = int(narrowed(v + one.drive, site))
                if one in wrong_rounded or sign * (after - v) < 0:
                    return _wrong_way(setting, one, v, after)
    how = how_of_codes(setting)
    return holds(how, count) if count else does_not_apply("no synapse moves a membrane")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A spike of one projection that asks for one direction, and what it delivers; `sources` reach the same neuron."""

    name: str
    sign: int
    code: int
    drive: int
    sources: int


def _inputs(setting: Setting, population: str) -> list[Input]:
    """Return the strongest input of each projection onto a population in each direction, and what is turned around."""
    found = []
    experiment, plan = setting.experiment, setting.plan
    for name, projection in experiment.projections.items():
        if projection.post != population:
            continue
        delivery = Delivery(
            name=name,
            projection=projection,
            population=experiment.populations[population],
            plan=plan,
        )
        codes = used_codes(setting, delivery, name)
        wide = codes * plan.synapses[name].gain
        for sign, drives in zip((-1, 1), extremes(wide, plan.sites["drive"]), strict=True):
            sources = _sources(setting, name)
            found += [
                Input(
                    name=name,
                    sign=sign,
                    code=int(codes[at]),
                    drive=int(drives[at]),
                    sources=sources,
                )
                for at in _ends(sign, wide, drives)
            ]
    return found


def _ends(sign: int, wide: Ints, drives: Ints) -> list[int]:
    """Return where the strongest drive in a direction is, and the one that is furthest turned around, if any is."""
    meant = np.flatnonzero(sign * wide > 0)
    if meant.size == 0:
        return []
    strengths = sign * drives[meant]
    strongest, weakest = int(np.argmax(strengths)), int(np.argmin(strengths))
    turned = [weakest] if strengths[weakest] < 0 and weakest != strongest else []
    return [int(meant[i]) for i in (strongest, *turned)]


def _sources(setting: Setting, name: str) -> int:
    """Return how many spikes one step can bring a neuron through a projection."""
    experiment = setting.experiment
    projection = experiment.projections[name]
    is_stimulus = projection.pre in experiment.stimuli
    groups: Any = experiment.stimuli if is_stimulus else experiment.populations
    size = 1 if projection.connector == "one_to_one" else int(groups[projection.pre].size)
    return size * (setting.plan.clock.input_steps if is_stimulus else 1)


def _furthest(setting: Setting, name: str, sign: int, inputs: list[Input]) -> int:
    """Return the membrane before the last input of a step in which everything comes that has this sign."""
    plan, site = setting.plan, setting.plan.sites["input"]
    right = [i for i in inputs if i.sign == sign and sign * i.drive > 0]
    together = sum(i.drive * i.sources for i in right)
    last = max((abs(i.drive) for i in right), default=0)
    r = plan.neurons[name]
    start = r.threshold if sign > 0 else min(r.reset, r.v_init, 0)
    if sign < 0:  # step after step, as far as the leak lets it
        leak, low, high = leak_of(setting, name), site.lo, start
        while low < high:
            middle = (low + high + 1) // 2
            falls = int(leak.of(middle)) + together < middle
            low, high = (low, middle - 1) if falls else (middle, high)
        start = low
    return int(min(max(start + together - sign * last, site.lo), site.hi))


def _wrong_way(setting: Setting, one: Input, v: int, after: int) -> Outcome:
    membrane = setting.target.membrane
    text = (
        f"membrane {membrane.format}, overflow {membrane.overflow}: an input of {one.name}, weight code {one.code}, "
        f"{one.drive:+d} LSB, takes a membrane from {v} to {after} LSB"
    )
    cases = (_all_at_once(setting, one, v), _alone(setting, one, v))
    shows = next((c for c in cases if goes_wrong_way(Evidence(c)) is not None), cases[0])
    return broken(
        goes_wrong_way, shows, text, how=how_of_codes(setting), cases=1, code=one.code, state=v
    )


def _start(setting: Setting, one: Input, v: int) -> int:
    """Return the membrane before a step that brings it to `v`; above its threshold it would fire."""
    post = setting.experiment.projections[one.name].post
    return int(setting.plan.neurons[post].threshold) if one.sign > 0 else v


def _all_at_once(setting: Setting, one: Input, v: int) -> Case:
    """Return the experiment itself, with all its sources spiking in every step."""
    projections = {
        name: at_weight(p, setting.plan, name, setting.plan.synapses[name].w_max)
        if p.plasticity is not None and one.sign > 0
        else p
        for name, p in setting.experiment.projections.items()
    }
    strongest = setting.experiment.model_copy(update={"projections": projections})
    post = setting.experiment.projections[one.name].post
    states = {post: _start(setting, one, v)}
    return own_case(setting, strongest, STILL, range(STILL), states=states)


def _alone(setting: Setting, one: Input, v: int) -> Case:
    """Return as many sources on one neuron as it takes: for input that only neurons can bring."""
    start, site = _start(setting, one, v), setting.plan.sites["input"]
    projection = setting.experiment.projections[one.name]
    population = at_state(setting.experiment.populations[projection.post], setting.plan, start)
    projection = at_weight(projection, setting.plan, one.name, one.code)
    experiment = experiment_of(setting, population, projection, steps=3)
    leaked = int(leak_of(setting, projection.post).of(start))
    room = site.hi - leaked if one.sign > 0 else leaked - site.lo
    size = min(room // abs(one.drive) + 2, MOST_SOURCES)
    stimuli = {n: s.model_copy(update={"size": size}) for n, s in experiment.stimuli.items()}
    synapses = {
        n: p.model_copy(update={"connector": "all_to_all"})
        for n, p in experiment.projections.items()
    }
    wider = experiment.model_copy(update={"stimuli": stimuli, "projections": synapses})
    return case_of(setting, wider, range(3), seed=setting.seed)


def goes_wrong_way(e: Evidence) -> str | None:
    """Return an input that moved a membrane against its sign."""
    drive, wide = 0, 0
    for p in e.trace if not e.plan.is_analog else ():
        if p.site == "drive":
            wide, drive = p.wide, p.stored
        if p.site == "input":
            v = p.wide - drive
            if (p.stored - v) * wide < 0:
                return f"step {p.step}, neuron {p.lane}: {v} LSB and {drive:+d} LSB give {p.stored} LSB"
    return None


# input-reaches-threshold


def input_reaches_threshold(setting: Setting) -> Outcome:
    """Compare, for each code that comes in every step, whether chip and float fire."""
    if setting.plan.is_analog:
        return does_not_apply(ANALOG)
    if setting.plan.sites["leak"].is_stochastic or setting.plan.sites["drive"].is_stochastic:
        return does_not_apply("the membrane rounds stochastically")
    count = 0
    for delivery in projections(setting):
        codes = used_codes(setting, delivery)
        plan = delivery.plan
        drives = narrowed(codes * plan.synapses[SYNAPSE].gain, plan.sites["drive"])
        excites = codes * plan.synapses[SYNAPSE].gain > 0
        codes, drives = codes[excites], drives[excites]
        count += codes.size
        fires = _fires(delivery, drives)
        wanted, decided = _fires_in_float(setting, delivery, codes)
        wrong = decided & (fires != wanted)
        if wrong.any():
            return _not_reached(setting, delivery, codes[wrong], drives[wrong], fires[wrong], count)
    how = how_of_codes(setting)
    return holds(how, count) if count else does_not_apply("nothing excites")


def _fires(delivery: Delivery, drives: Ints) -> Ints:
    """Return which inputs in every step bring the membrane over the threshold from the lowest state."""
    r, site = delivery.plan.neurons[NEURON], delivery.plan.sites["leak"]
    leak = Leak(factor=int(r.multiplier * r.unit), site=site)
    low = np.full(drives.shape, site.lo, np.int64)
    high = np.full(drives.shape, site.hi, np.int64)
    while (low < high).any():  # the least v that climbs no further; what wraps has its own law
        middle = (low + high) // 2
        stays = leak.of(middle) + drives <= middle
        low, high = np.where(stays, low, middle + 1), np.where(stays, middle, high)
    return np.asarray(leak.of(low) > r.threshold)


def _fires_in_float(setting: Setting, delivery: Delivery, codes: Ints) -> tuple[Any, Any]:
    """Return which codes fire in float, and for which that is not within `COARSE` of the threshold."""
    p = delivery.population
    step = float(setting.plan.clock.step_ms)
    a = 1 - step / p.tau_m_ms
    if setting.target.membrane.integration == "exponential":
        a = float(np.exp(-step / p.tau_m_ms))
    lsb = float(setting.plan.synapses[delivery.name].lsb)
    theta = p.v_thresh - p.v_rest
    steady = codes * lsb * a / (1 - a) if a < 1 else np.full(codes.shape, np.inf)
    return steady > theta, np.abs(steady / theta - 1) > COARSE


def _not_reached(
    setting: Setting, delivery: Delivery, codes: Ints, drives: Ints, fires: Ints, count: int
) -> Outcome:
    lsb, theta = setting.plan.synapses[delivery.name].lsb, delivery.population.v_thresh
    never = ~fires
    code = int(codes[never][-1] if never.any() else codes[0])
    drive = int(drives[codes == code][0])
    kind = codes[never] if never.any() else codes
    span = f"code {code}" if kind.size == 1 else f"codes {kind.min()} to {kind.max()}"
    what = "never fires; in float it does" if never.any() else "fires; in float it never does"
    membrane = setting.target.membrane
    text = (
        f"membrane {membrane.format}, leak {membrane.rounding}: an input of {delivery.name} in every step with "
        f"weight {span} (up to {float(int(kind.max()) * lsb):.4g}, {drive} LSB; threshold {theta:g}) {what}"
    )
    ratio = float(setting.plan.clock.step_ms) / delivery.population.tau_m_ms
    steps = min(LONGEST, max(STILL, int(TIME_CONSTANTS / ratio)))
    frozen = at_weight(delivery.projection, setting.plan, delivery.name, code)
    static = _without_learning(frozen)
    experiment = experiment_of(setting, delivery.population, static, steps=steps)
    case = case_of(setting, experiment, range(steps), seed=setting.seed)
    return broken(fires_otherwise, case, text, how=how_of_codes(setting), cases=count, code=code)


def _without_learning(projection: Projection) -> Projection:
    """Return a plastic projection that stands still."""
    rule = projection.plasticity
    if rule is None:
        return projection
    still = rule.model_copy(update={"dw_plus": 0.0, "dw_minus": 0.0})
    return projection.model_copy(update={"plasticity": still})


def fires_otherwise(e: Evidence) -> str | None:
    """Return whether chip and float differ in that they fire at all."""
    ideal = ended(lambda: kernel_run(e.case, rung="ideal"))
    if isinstance(e.kernel, str) or isinstance(ideal, str):
        return None
    for name in e.case.experiment.populations:
        spikes = [sum(s.size for s in run.spikes[name].steps) for run in (e.kernel, ideal)]
        if (spikes[0] == 0) != (spikes[1] == 0):
            return f"{name}: {spikes[0]} spikes on the target, {spikes[1]} in float"
    return None


LAWS = (
    Law(
        name="input-keeps-its-sign",
        sentence="An excitatory input never lowers a membrane, an inhibitory one never raises it.",
        kind="arithmetic",
        judge=goes_wrong_way,
        test=input_keeps_sign,
    ),
    Law(
        name="input-reaches-threshold",
        sentence="An input in every step brings the neuron over its threshold exactly if it does in float.",
        kind="arithmetic",
        judge=fires_otherwise,
        test=input_reaches_threshold,
    ),
)
