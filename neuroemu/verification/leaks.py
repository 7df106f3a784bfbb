"""Emulator laws about the leak, through the compiled kernel, for every state where the register allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from neuroemu.experiment import Experiment, Population
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from neuroemu.testing.case import Case
from neuroemu.verification.agreement import golden_differs
from neuroemu.verification.bench import LANES, Bench, drawn_integers, pieces
from neuroemu.verification.definition import Ints, aimed
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Judge, Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.small import at_state, case_of, experiment_of, unbiased
from neuroemu.verification.step import Step, leak_of_registers, membrane_site

MOST_STATES = 2**24
SAMPLED = 2**17
VECTOR_LANES = 9
"""Enough neurons for the kernel's vector loop."""
ANALOG = "the membrane is analog"
CONSTANT = "the leak is a constant amount of one sign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaked:
    """What the kernel made of some states of one population."""

    name: str
    population: Population
    step: Step
    v: Ints
    after: Ints
    spikes: Ints
    words: Ints

    def defined(self) -> tuple[Ints, Ints]:
        """Return membranes and spikes after the step by definition."""
        state, spikes = self.step.advance({"v": self.v}, self.words)
        return state["v"], spikes


def is_constant(plan: Discretized) -> bool:
    """Return whether the leak takes a constant amount of one sign, wherever the membrane is."""
    table = plan.target.membrane.leak
    return table is not None and table.kind == "constant"


def states(setting: Setting, law: str) -> tuple[Ints, str]:
    """Return the membrane states that a law is tried on, and how that counts."""
    site = membrane_site(setting.plan)
    drawn = setting.plan.sites["leak"].is_stochastic
    if site.hi - site.lo < MOST_STATES:
        all_states = np.arange(site.lo, site.hi + 1, dtype=np.int64)
        return all_states, "sampled" if drawn else "proof"
    edges = [sign * 2**bit for bit in range(site.hi.bit_length()) for sign in (-1, 1)]
    return np.sort(aimed(site.lo, site.hi, edges, SAMPLED, setting.rng(law))), "sampled"


def leaked(setting: Setting, law: str, *, own: tuple[bool, ...]) -> Iterator[Leaked]:
    """Yield every state of every population after one step of the kernel without input, in pieces of one bench.

    Parameters
    ----------
    own : tuple of bool
        With the population's own threshold and bias, or with none and the threshold out of the way, so that every
        leaked value is seen.
    """
    plan = setting.plan
    all_states, _ = states(setting, law)
    lanes = min(LANES, all_states.size)
    for name, population in setting.populations.items():
        for with_own in own:
            like = at_state(population, plan, 0)
            if not with_own:
                top = float((membrane_site(plan).hi - 1) * (plan.membrane_lsb or 1))
                like = unbiased(like).model_copy(update={"v_thresh": top})
            experiment = experiment_of(setting, like, steps=1, lanes=lanes)
            bench = Bench(setting.pinned, experiment, spikes=0, seed=setting.seed)
            step = bench_step(setting, experiment)
            words = drawn_integers("leak", plan.sites["leak"], lanes, setting.seed)
            for (v,) in pieces((all_states,), lanes):
                after, _, spikes = bench.do(v)
                yield Leaked(
                    name=name, population=like, step=step, v=v, after=after, spikes=spikes, words=words
                )  # fmt: skip


def bench_step(setting: Setting, experiment: Experiment) -> Step:
    """Return the step of the neurons of a small experiment."""
    plan = discretize(experiment, setting.pinned)
    return Step(plan=plan, r=next(iter(plan.neurons.values())))


def leak_as_defined(setting: Setting) -> Outcome:
    """Compare the kernel with the definition."""
    if setting.plan.is_analog:
        return does_not_apply(ANALOG)
    count = 0
    for piece in leaked(setting, "leak-as-defined", own=(True, False)):
        count += piece.v.size
        wanted, spikes = piece.defined()
        wrong = (piece.after != wanted) | (piece.spikes != spikes)
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
    return shown_at(setting, piece, at, text, how, count, golden_differs)


def shown_at(
    setting: Setting, piece: Leaked, at: int, text: str, how: str, count: int, judge: Judge
) -> Outcome:
    """Return the outcome of a law that the state `at` of a piece breaks."""
    return _with_case(setting, piece.population, [int(piece.v[at])], text, how, count, judge)


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
    if is_constant(setting.plan):
        return does_not_apply(CONSTANT)
    name, count = "leak-stays-between", 0
    how = states(setting, name)[1]
    last: Leaked | None = None
    for piece in leaked(setting, name, own=(False,)):
        count += piece.v.size
        live = piece.spikes == 0
        v, after = piece.v[live], piece.after[live]
        beyond = np.flatnonzero((after < np.minimum(v, 0)) | (after > np.maximum(v, 0)))
        if beyond.size:
            at = int(beyond[np.argmin(np.abs(v[beyond]))])
            text = f"population {piece.name}: {v[at]} LSB leaks to {after[at]}, not between that and rest"
            seen = [int(v[at])]
            return _with_case(setting, piece.population, seen, text, how, count, judge_between)
        if not setting.plan.sites["leak"].is_stochastic:
            if (
                last is not None
                and last.population is piece.population
                and last.v[-1] <= piece.v[0]
            ):
                kept = last.spikes == 0
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
        factor = leak_of_registers(e.plan.neurons[populations[p.lane]], e.plan).factor
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
