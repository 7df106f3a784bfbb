"""Arithmetic laws of the input: its sign, and whether it brings a neuron over its threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroemu.models.registers import Discretized
from neuroemu.testing.case import Case
from neuroemu.verification.definition import Ints, extremes, narrowed
from neuroemu.verification.deliveries import Delivery
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.leaks import ANALOG
from neuroemu.verification.membrane import (
    STILL,
    Leak,
    how_of_codes,
    leak_of,
    used_codes,
)
from neuroemu.verification.small import (
    at_state,
    at_weight,
    case_of,
    experiment_of,
    own_case,
)
from neuroemu.verification.step import input_place, nearer

MOST_SOURCES = 4096
"""Sources of a counterexample of input that goes the wrong way."""


def input_keeps_sign(setting: Setting) -> Outcome:
    """Look for inputs that move a membrane the wrong way."""
    if setting.plan.is_analog:
        return does_not_apply(ANALOG)
    count, two = 0, has_two_channels(setting.plan)
    site = setting.plan.sites["input"]
    for name in setting.experiment.populations:
        inputs = _inputs(setting, name)
        for sign in (1, -1):
            drives = [i for i in inputs if sign * i.drive > 0]
            wrong_rounded = [i for i in inputs if i.sign * i.drive < 0]
            v = _furthest(setting, name, sign, inputs)
            count += len(drives)
            for one in (*wrong_rounded, *drives):
                drive, way = (abs(one.drive), 1) if two else (one.drive, sign)
                after = int(narrowed(v + drive, site))
                if one in wrong_rounded or way * (after - v) < 0:
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
    table = setting.target.neuron
    merges = table is not None and table.merges_input
    return size * (setting.plan.clock.input_steps if is_stimulus and not merges else 1)


def has_two_channels(plan: Discretized) -> bool:
    """Return whether excitation and inhibition have a register each, both upwards from 0."""
    return plan.target.neuron is not None and plan.target.neuron.channels == "two"


def _furthest(setting: Setting, name: str, sign: int, inputs: list[Input]) -> int:
    """Return the register before the last input of a step in which everything comes that has this sign."""
    plan, site = setting.plan, setting.plan.sites["input"]
    right = [i for i in inputs if i.sign == sign and sign * i.drive > 0]
    together = sum(i.drive * i.sources for i in right)
    last = max((abs(i.drive) for i in right), default=0)
    place, r, table = input_place(plan), plan.neurons[name], plan.target.neuron
    if has_two_channels(plan):
        together, sign = abs(together), 1
    start = 0
    if place == "v":
        if table is not None and table.evaluation == "event" and sign > 0:
            return int(r.threshold)  # what lies above it has spiked
        value = 0 if table is not None and table.reset == "subtract" else r.reset
        start = r.threshold if sign > 0 else min(value, r.v_init, 0)
    if place == "excitatory" and r.chip is not None:
        decay = nearer(r.chip.current, plan.sites["decay"])
        start = _resting(Leak(decay=decay, lo=site.lo, hi=site.hi), 0, together)
    elif place == "v" and sign < 0:
        start = _resting(leak_of(setting, name), start, together)
    return int(min(max(start + together - sign * last, site.lo), site.hi))


def _resting(leak: Leak, start: int, together: int) -> int:
    """Return where a register ends that gets an input in every step, as far as its decay lets it."""
    sign = 1 if together > 0 else -1
    low, high = (start, leak.hi) if sign > 0 else (leak.lo, start)
    while low < high:
        middle = (low + high + (sign < 0)) // 2
        moves = sign * (int(leak.of(middle)) + together - middle) > 0
        if sign > 0:
            low, high = (middle + 1, high) if moves else (low, middle)
        else:
            low, high = (low, middle - 1) if moves else (middle, high)
    return low


def _wrong_way(setting: Setting, one: Input, v: int, after: int) -> Outcome:
    membrane = setting.target.membrane
    site, place = setting.plan.sites["input"], setting.target.neuron
    head = f"membrane {membrane.format}, overflow {membrane.overflow}"
    if place is not None:
        head = f"{place.input} of {site.lo} to {site.hi}, overflow {site.overflow}"
    where = "membrane" if place is None else place.input
    text = (
        f"{head}: an input of {one.name}, weight code {one.code}, {one.drive:+d} LSB, takes a {where} from {v} to "
        f"{after} LSB"
    )
    cases = (_all_at_once(setting, one, v), _alone(setting, one, v))
    shows = next((c for c in cases if goes_wrong_way(Evidence(c)) is not None), cases[0])
    return broken(
        goes_wrong_way, shows, text, how=how_of_codes(setting), cases=1, code=one.code, state=v
    )


def _start(setting: Setting, one: Input, v: int) -> int:
    """Return the membrane before a step that brings the register of input to `v`; above its threshold it would fire."""
    if input_place(setting.plan) != "v":
        return 0
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
    if input_place(setting.plan) != "v":
        leaked = 0
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
    """Return an input that moved its register against its sign."""
    drive, wide, is_second = 0, 0, False
    is_chip, two = e.case.target.neuron is not None, has_two_channels(e.plan)
    for p in e.trace if not e.plan.is_analog else ():
        if p.site == "drive":
            wide, drive, is_second = p.wide, p.stored, False
        if p.site != "input":
            continue
        taken = drive
        if two:
            taken = max(-drive, 0) if is_second else max(drive, 0)
        elif is_chip and is_second:
            taken = 0
        v = p.wide - taken
        if (p.stored - v) * (abs(wide) if two else wide) < 0:
            return f"step {p.step}, neuron {p.lane}: {v} LSB and {taken:+d} LSB give {p.stored} LSB"
        is_second = True
    return None


LAWS = (
    Law(
        name="input-keeps-its-sign",
        sentence="An excitatory input never lowers a membrane, an inhibitory one never raises it.",
        kind="arithmetic",
        judge=goes_wrong_way,
        test=input_keeps_sign,
    ),
)
