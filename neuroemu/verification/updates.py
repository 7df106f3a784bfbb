"""Emulator law about learning, through the compiled kernel: every weight code, every spike or count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neuroemu.experiment import Projection
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized, SynapseRegisters
from neuroemu.numeric.site import WORD_BITS
from neuroemu.testing.as_golden import golden_words
from neuroemu.verification.agreement import golden_differs
from neuroemu.verification.bench import LANES, Bench, pieces
from neuroemu.verification.definition import Ints, aimed, codes_between, narrowed, random_integer
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.small import (
    SYNAPSE,
    at_weight,
    case_of,
    experiment_of,
    loud,
    quiet,
)

MOST = 2**23
SAMPLED = 2**17
NO_LEARNING = "the target or the experiment does not learn"
PAIRS = "a controller of pair sensors learns"
MANY = 1000
"""A counterexample rather has a thousand presynaptic spikes more than one postsynaptic one."""
SPIKES = {"pre": (True, False), "post": (False, True), "both": (True, True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """One plastic projection on its own."""

    name: str
    projection: Projection
    plan: Discretized

    @property
    def r(self) -> SynapseRegisters:
        """Its registers."""
        return self.plan.synapses[SYNAPSE]

    def limited(self, w: Ints, change: Ints | int) -> Ints:
        """Return what meets the site ``store``; `change` as the increments' register counts."""
        unit = self.r.unit
        total = narrowed(w * unit + change, self.plan.sites["accumulate"])
        low, high = self.r.w_min * unit, self.r.w_max * unit
        return np.where(total < low, low, np.where(total > high, high, total))

    def updated(self, w: Ints, change: Ints | int, r: Ints | int = 0) -> Ints:
        """Return weights after an update by definition, `r` the random integer."""
        return self.stored(self.limited(w, change), r)

    def late(self, w: Ints, n_post: Ints | int) -> Ints:
        """Return what meets the site ``store`` at a presynaptic spike that `n_post` others have waited for."""
        unit, site = self.r.unit, self.plan.sites["accumulate"]
        down = narrowed(w * unit - self.r.dw_minus * n_post, site)
        up = narrowed(np.maximum(down, self.r.w_min * unit) + self.r.dw_plus, site)
        return np.asarray(np.clip(up, self.r.w_min * unit, self.r.w_max * unit), np.int64)

    def stored(self, wide: Ints, r: Ints | int = 0) -> Ints:
        """Return what the site ``store`` makes of what meets it."""
        return narrowed(wide, self.plan.sites["store"], r)

    def mean_stored(self, wide: Ints) -> NDArray[np.float64]:
        """Return the same in the mean over random words: exact by the law rounding-unbiased."""
        store, random = self.plan.sites["store"], self.plan.target.plasticity.random
        if not store.is_stochastic:
            return self.stored(wide).astype(np.float64)
        kept = min(store.shift, random.output_bits if random.source == "lfsr" else WORD_BITS)
        part = 2 ** (store.shift - kept)  # an LFSR of few bits does not see less
        return np.asarray(wide // part * (part / self.r.unit), np.float64)

    def mean_updated(self, w: Ints, change: Ints | int) -> NDArray[np.float64]:
        """Return weights after an update in the mean over random words."""
        return self.mean_stored(self.limited(w, change))

    def read(self, n: Ints) -> Ints:
        """Return what a program takes a count for."""
        return narrowed(n, self.plan.sites["read"])

    def change_of(self, n_pre: Ints, n_post: Ints) -> Ints:
        """Return the change that a period's counts make of themselves by definition."""
        sites = self.plan.sites
        plus = narrowed(self.r.dw_plus * self.read(n_pre), sites["plus"])
        minus = narrowed(self.r.dw_minus * self.read(n_post), sites["minus"])
        return narrowed(self.r.target_count + plus - minus, sites["change"])

    @property
    def update(self) -> str:
        """What starts an update."""
        return self.plan.target.plasticity.update

    @property
    def has_target(self) -> bool:
        """Whether weights follow a target count, by one step."""
        return self.plan.target.plasticity.by_sign

    @property
    def codes(self) -> Ints:
        """Every weight between the limits, or many of them, aimed at their edges."""
        return codes_between(self.r.w_min, self.r.w_max, MOST, SAMPLED)

    @property
    def is_whole(self) -> bool:
        """Whether `codes` are all there are."""
        return self.r.w_max - self.r.w_min < MOST


def unlearned(setting: Setting) -> str:
    """Return why a law about learning does not apply; empty if it does."""
    if setting.plastic:
        return ""
    return PAIRS if setting.target.plasticity.update == "pairs" else NO_LEARNING


def learnings(setting: Setting, *, fires: bool = False) -> list[Learning]:
    """Return each plastic projection of other constants."""
    found = []
    for name, projection in setting.plastic.items():
        small = experiment_of(setting, quiet(setting.plan, fires=fires), projection, steps=1)
        plan = discretize(small, setting.pinned)
        found.append(Learning(name=name, projection=projection, plan=plan))
    return found


def learnings_of_case(e: Evidence) -> list[Learning]:
    """Return each plastic projection of a case on its own."""
    if not e.case.target.plasticity.computes:
        return []
    return [
        Learning(name=name, projection=projection, plan=_alone(e, name))
        for name, projection in e.case.experiment.projections.items()
        if projection.plasticity is not None
    ]


def _alone(e: Evidence, name: str) -> Discretized:
    return replace(e.plan, synapses={SYNAPSE: e.plan.synapses[name]})


def update_as_defined(setting: Setting) -> Outcome:
    """Compare the kernel with the definition."""
    if unlearned(setting):
        return does_not_apply(unlearned(setting))
    count, how = 0, "proof"
    ways = {"periodic": (periods,), "deferred": (_events, _waits)}
    for learning in learnings(setting):
        if not learning.is_whole or learning.plan.sites["store"].is_stochastic:
            how = "sampled"
        for way in ways.get(learning.update, (_events,)):
            for tried in way(setting, learning):
                count += tried.w.size
                if tried.is_sample:
                    how = "sampled"
                wrong = np.flatnonzero(tried.after != tried.wanted)
                if wrong.size:
                    return _shown(setting, learning, tried, _simplest(tried, wrong), how, count)
    return holds(how, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What the kernel made of some weights, and what the definition does."""

    what: str
    w: Ints
    after: Ints
    wanted: Ints
    counts: tuple[Ints, Ints] | None = None
    is_sample: bool = False


def _events(setting: Setting, learning: Learning) -> Iterator[Tried]:
    """Yield all weights after a presynaptic spike, a postsynaptic one, and both."""
    codes, store = learning.codes, learning.plan.sites["store"]
    lanes = min(LANES, codes.size)
    for what, (pre, post) in SPIKES.items():
        neuron = quiet(setting.plan, fires=post)
        experiment = experiment_of(setting, neuron, learning.projection, steps=1, lanes=lanes)
        bench = Bench(setting.pinned, experiment, spikes=pre, seed=setting.seed)
        plan = discretize(experiment, setting.pinned)
        words: dict[str, Ints | int] = {"pre": 0, "post": 0}
        if store.is_stochastic:
            draw = golden_words(plan, setting.seed, 0)
            for side, happens in (("pre", pre), ("post", post)):
                if happens:
                    drawn = [draw("store", lane, 0) for lane in range(lanes)]
                    words[side] = random_integer(drawn, store)
        v = loud(setting.plan) if post else 0
        for (w,) in pieces((codes,), lanes):
            _, after, _ = bench.do(v, weight=w)
            wanted = w
            if pre and learning.update == "deferred":
                wanted = learning.stored(learning.late(w, 0), words["pre"])
            elif pre:
                wanted = learning.updated(w, learning.r.dw_plus, words["pre"])
            if post and learning.update != "deferred":
                wanted = learning.updated(wanted, -learning.r.dw_minus, words["post"])
            yield Tried(what=what, w=w, after=after, wanted=wanted)


def _waits(setting: Setting, learning: Learning) -> Iterator[Tried]:
    """Yield all weights after a presynaptic spike that any number of postsynaptic ones have waited for."""
    w, n_post, is_sample = waiting_space(setting, learning)
    lanes, store = min(LANES, w.size), learning.plan.sites["store"]
    neuron, seed = quiet(setting.plan, fires=False), setting.seed
    experiment = experiment_of(setting, neuron, learning.projection, steps=1, lanes=lanes)
    bench = Bench(setting.pinned, experiment, spikes=1, seed=seed)
    r: Ints | int = 0
    if store.is_stochastic:
        draw = golden_words(discretize(experiment, setting.pinned), seed, 0)
        r = random_integer([draw("store", lane, 0) for lane in range(lanes)], store)
    for some_w, post in pieces((w, n_post), lanes):
        _, after, _ = bench.do(0, weight=some_w, since=post)
        wanted = learning.stored(learning.late(some_w, post), r)
        counts = (np.ones_like(post), post)
        yield Tried(
            what="a wait",
            w=some_w,
            after=after,
            wanted=wanted,
            counts=counts,
            is_sample=is_sample,
        )


def waiting_space(setting: Setting, learning: Learning) -> tuple[Ints, Ints, bool]:
    """Return weights and waiting spikes to try, and whether they are a sample."""
    most, codes = 2**setting.target.plasticity.counter.width - 1, learning.codes
    if learning.is_whole and codes.size * (most + 1) <= MOST:
        w, n_post = np.meshgrid(codes, np.arange(most + 1, dtype=np.int64), indexing="ij")
        return w.ravel(), n_post.ravel(), False
    w, _, n_post, _ = period_space(setting, learning)
    return w, n_post, True


def periods(setting: Setting, learning: Learning) -> Iterator[Tried]:
    """Yield all weights after periods with all counts."""
    w, n_pre, n_post, is_sample = period_space(setting, learning)
    lanes = min(LANES, w.size)
    period = setting.plan.clock.period_steps
    neuron, store = quiet(setting.plan, fires=False), learning.plan.sites["store"]
    experiment = experiment_of(setting, neuron, learning.projection, steps=period, lanes=lanes)
    seed, at = setting.seed, period - 1
    bench = Bench(setting.pinned, experiment, spikes=False, step=at, seed=seed)
    r: Ints | int = 0
    if store.is_stochastic:
        draw = golden_words(discretize(experiment, setting.pinned), seed, 0)
        r = random_integer([draw("store", lane, at) for lane in range(lanes)], store)
    for some_w, pre, post in pieces((w, n_pre, n_post), lanes):
        _, after, _ = bench.do(0, weight=some_w, counts=(pre, post))
        wanted = learning.updated(some_w, learning.change_of(pre, post), r)
        yield Tried(
            what="a period",
            w=some_w,
            after=after,
            wanted=wanted,
            counts=(pre, post),
            is_sample=is_sample,
        )


def period_space(setting: Setting, learning: Learning) -> tuple[Ints, Ints, Ints, bool]:
    """Return weights and counts to try, and whether they are a sample."""
    most = 2**setting.target.plasticity.counter.width - 1
    codes = learning.codes
    if learning.is_whole and codes.size * (most + 1) ** 2 <= MOST:
        counts = np.arange(most + 1, dtype=np.int64)
        w, pre, post = np.meshgrid(codes, counts, counts, indexing="ij")
        return w.ravel(), pre.ravel(), post.ravel(), False
    rng = setting.rng(f"periods {learning.name}")
    low, high = learning.r.w_min, learning.r.w_max
    w = aimed(low, high, [2**b for b in range(high.bit_length())], SAMPLED, rng)
    pre, post = (
        rng.permutation(aimed(0, most, [2**b for b in range(most.bit_length())], SAMPLED, rng))
        for _ in range(2)
    )
    return w, pre, post, True


def _simplest(tried: Tried, wrong: Ints) -> int:
    """Return the one that takes the fewest spikes, rather presynaptic ones."""
    if tried.counts is None:
        return int(wrong[0])
    n_pre, n_post = tried.counts
    return int(wrong[np.argmin(n_pre[wrong] + n_post[wrong] * MANY)])


def _shown(
    setting: Setting, learning: Learning, tried: Tried, at: int, how: str, count: int
) -> Outcome:
    w, after, wanted = int(tried.w[at]), int(tried.after[at]), int(tried.wanted[at])
    projection = at_weight(learning.projection, setting.plan, learning.name, w)
    if tried.counts is None:
        pre, post = SPIKES[tried.what]
        what = f"a {tried.what}synaptic spike" if tried.what != "both" else "a spike on both sides"
        experiment = experiment_of(setting, quiet(setting.plan, fires=post), projection, steps=2)
        case = case_of(setting, experiment, (0,) if pre else (), seed=setting.seed)
    else:
        n_pre, n_post = (int(c[at]) for c in tried.counts)
        what = f"{tried.what} with {n_pre} presynaptic and {n_post} postsynaptic spikes"
        steps = max(setting.plan.clock.period_steps, 3)
        experiment = experiment_of(
            setting, quiet(setting.plan, fires=n_post > 0), projection, steps=steps
        )
        case = case_of(setting, experiment, range(min(n_pre, steps)), seed=setting.seed)
    text = (
        f"projection {learning.name}: {what} takes weight code {w} to {after} in the kernel, "
        f"and to {wanted} by definition"
    )
    return broken(golden_differs, case, text, how=how, cases=count, code=w)


LAWS = (
    Law(
        name="update-as-defined",
        sentence="The kernel updates every weight code as defined.",
        kind="emulator",
        judge=golden_differs,
        test=update_as_defined,
    ),
)
