"""Emulator laws about the leak, through the compiled kernel, for every state where the register allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.experiment import Experiment, Population
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import NeuronRegisters
from neuroemu.numeric.site import Site
from neuroemu.testing.case import Case
from neuroemu.verification.agreement import golden_differs
from neuroemu.verification.bench import LANES, Bench, drawn_integers, pieces
from neuroemu.verification.definition import Ints, aimed, narrowed
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Judge, Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.small import at_state, case_of, experiment_of

MOST_STATES = 2**24
SAMPLED = 2**17
VECTOR_LANES = 9
"""Enough neurons for the kernel's vector loop."""
ANALOG = "the membrane is analog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaked:
    """What the kernel made of some states of one population."""

    name: str
    population: Population
    registers: NeuronRegisters
    site: Site
    v: Ints
    after: Ints
    fired: NDArray[np.bool_]
    r: Ints

    def defined(self) -> Ints:
        """Return the leaked membranes by definition."""
        factor = int(self.registers.multiplier * self.registers.unit)
        return narrowed(self.v * factor, self.site, self.r)


def states(setting: Setting, law: str) -> tuple[Ints, str]:
    """Return the membrane states that a law is tried on, and how that counts."""
    site = setting.plan.sites["leak"]
    if site.hi - site.lo < MOST_STATES:
        all_states = np.arange(site.lo, site.hi + 1, dtype=np.int64)
        return all_states, "sampled" if site.is_stochastic else "proof"
    edges = [sign * 2**bit for bit in range(site.hi.bit_length()) for sign in (-1, 1)]
    return np.sort(aimed(site.lo, site.hi, edges, SAMPLED, setting.rng(law))), "sampled"


def leaked(setting: Setting, law: str, *, own: tuple[bool, ...]) -> Iterator[Leaked]:
    """Yield every state of every population after one step of the kernel, in pieces of one bench.

    Parameters
    ----------
    own : tuple of bool
        With the population's own threshold, or with one out of the way, so that every leaked value is seen.
    """
    plan = setting.plan
    all_states, _ = states(setting, law)
    lanes = min(LANES, all_states.size)
    site = plan.sites["leak"]
    for name, population in setting.populations.items():
        for with_own in own:
            like = at_state(population, plan, 0)
            if not with_own:
                top = float((site.hi - 1) * (plan.membrane_lsb or 1))
                like = like.model_copy(update={"v_thresh": top})
            experiment = experiment_of(setting, like, steps=1, lanes=lanes)
            bench = Bench(setting.target, experiment, spikes=False, seed=setting.seed)
            registers = bench_registers(setting, experiment)
            r = drawn_integers("leak", site, lanes, setting.seed)
            for (v,) in pieces((all_states,), lanes):
                after, _, fired = bench.do(v)
                yield Leaked(
                    name=name, population=like, registers=registers, site=site,
                    v=v, after=after, fired=fired, r=r,
                )  # fmt: skip


def bench_registers(setting: Setting, experiment: Experiment) -> NeuronRegisters:
    """Return the registers of the neurons of a small experiment."""
    return next(iter(discretize(experiment, setting.target).neurons.values()))


def leak_as_defined(setting: Setting) -> Outcome:
    """Compare the kernel with the definition."""
    if setting.plan.is_analog:
        return does_not_apply(ANALOG)
    count = 0
    for piece in leaked(setting, "leak-as-defined", own=(True, False)):
        count += piece.v.size
        wanted = piece.defined()
        fires = wanted > piece.registers.threshold
        wanted = np.where(fires, piece.registers.reset, wanted)
        wrong = (piece.after != wanted) | (piece.fired != fires)
        if wrong.any():
            return _shown(setting, piece, wrong, wanted, count)
    return holds(states(setting, "leak-as-defined")[1], count)


def _shown(setting: Setting, piece: Leaked, wrong: Any, wanted: Ints, count: int) -> Outcome:
    at = min(np.flatnonzero(wrong).tolist(), key=lambda i: abs(int(piece.v[i])))
    v, after = int(piece.v[at]), int(piece.after[at])
    text = (
        f"population {piece.name}: the kernel leaks a membrane of {v} LSB to {after}, "
        f"and by definition it is {int(wanted[at])}"
    )
    how = states(setting, "leak-as-defined")[1]
    return _with_case(setting, piece.population, [v], text, how, count, golden_differs)


def _with_case(
    setting: Setting, population: Population, states: list[int], text: str, how: str, count: int,
    judge: Judge,
) -> Outcome:  # fmt: skip
    """Return the outcome with a neuron at each state: alone, or among enough for the kernel's vector loop."""
    cases = [_neurons_at(setting, population, states, lanes) for lanes in (1, VECTOR_LANES)]
    shows = next((case for case in cases if judge(Evidence(case)) is not None), cases[0])
    return broken(judge, shows, text, how=how, cases=count, state=states[0])


def _neurons_at(setting: Setting, population: Population, states: list[int], lanes: int) -> Case:
    like = at_state(population, setting.plan, states[0])
    experiment = experiment_of(setting, like, steps=3, lanes=lanes)
    if len(states) > 1:
        beside = at_state(population, setting.plan, states[1])
        both = experiment.populations | {"beside": beside.model_copy(update={"size": 1})}
        experiment = experiment.model_copy(update={"populations": both})
    return case_of(setting, experiment, seed=setting.seed)


def leak_stays_between(setting: Setting) -> Outcome:
    """Look at the kernel's leaked values alone, without any definition of them."""
    if setting.plan.is_analog:
        return does_not_apply(ANALOG)
    name, count = "leak-stays-between", 0
    how = states(setting, name)[1]
    last: Leaked | None = None
    for piece in leaked(setting, name, own=(False,)):
        count += piece.v.size
        live = ~piece.fired
        v, after = piece.v[live], piece.after[live]
        beyond = np.flatnonzero((after < np.minimum(v, 0)) | (after > np.maximum(v, 0)))
        if beyond.size:
            at = int(beyond[np.argmin(np.abs(v[beyond]))])
            text = f"population {piece.name}: {v[at]} LSB leaks to {after[at]}, not between that and rest"
            seen = [int(v[at])]
            return _with_case(setting, piece.population, seen, text, how, count, judge_between)
        if not piece.site.is_stochastic:
            if (
                last is not None
                and last.population is piece.population
                and last.v[-1] <= piece.v[0]
            ):
                kept = ~last.fired
                v = np.concatenate((last.v[kept][-1:], v))
                after = np.concatenate((last.after[kept][-1:], after))
            falls = np.flatnonzero((np.diff(after) < 0) & (np.diff(v) > 0))
            if falls.size:
                at = int(falls[0])
                text = (
                    f"population {piece.name}: {v[at]} LSB leaks to {after[at]}, "
                    f"and {v[at + 1]} LSB to {after[at + 1]}"
                )
                seen = [int(v[at]), int(v[at + 1])]
                return _with_case(setting, piece.population, seen, text, how, count, judge_between)
        last = piece
    return holds(how, count)


def judge_between(e: Evidence) -> str | None:
    """Return a leak that grows, crosses rest, or turns the order of two membranes around."""
    if e.plan.is_analog:
        return None
    populations = [n for n, members in e.layout.neurons.items() for _ in members]
    by_factor: dict[int, dict[int, int]] = {}
    for p in e.trace:
        if p.site != "leak":
            continue
        r = e.plan.neurons[populations[p.lane]]
        factor = int(r.multiplier * r.unit)
        v = p.wide // factor if factor else 0
        if factor and not min(v, 0) <= p.stored <= max(v, 0):
            return f"step {p.step}, neuron {p.lane}: {v} LSB leaks to {p.stored}"
        by_factor.setdefault(factor, {})[v] = p.stored
    if e.plan.sites["leak"].is_stochastic:
        return None
    for seen in by_factor.values():
        for (low, one), (high, other) in pairwise(sorted(seen.items())):
            if one > other:
                return f"{low} LSB leaks to {one}, and {high} LSB to {other}"
    return None


LAWS = (
    Law(
        name="leak-as-defined",
        sentence="The kernel leaks and fires from every membrane state as defined.",
        kind="emulator",
        judge=golden_differs,
        test=leak_as_defined,
    ),
    Law(
        name="leak-stays-between",
        sentence="A leaked membrane lies between the membrane and rest, in the order of the membranes.",
        kind="emulator",
        judge=judge_between,
        test=leak_stays_between,
    ),
)
