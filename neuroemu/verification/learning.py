"""Arithmetic laws of the learning: direction of its steps, and updates that are dead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.experiment import Homeostasis
from neuroemu.numeric.constants import decimal
from neuroemu.testing.case import Case
from neuroemu.verification.definition import Ints
from neuroemu.verification.evidence import Evidence, Update
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.small import at_weight, case_of, experiment_of, quiet
from neuroemu.verification.updates import Learning, learnings, learnings_of_case, unlearned

EVENT_ONLY = "learning is periodic"
BY_SIGN = "weights follow a target count, one step a period"
NO_ROOM = "no weight has room for an increment"
SIDES = {"pre": "presynaptic", "post": "postsynaptic"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one spike does to every weight.

    A deferred update takes postsynaptic spikes off at the next presynaptic one: what one of them does is the difference
    to none.

    Parameters
    ----------
    w : (codes,) int64
    before, after : (codes,) int64
        What meets the site ``store`` without and with the spike.
    """

    learning: Learning
    side: str
    w: Ints
    before: Ints
    after: Ints

    @property
    def sign(self) -> int:
        """1 if the rule asks for more, -1 for less."""
        return 1 if self.side == "pre" else -1

    @property
    def asked(self) -> float:
        """What the rule asks for, in weight LSBs, with its sign."""
        return self.sign * asked(self.learning)[self.side]

    def stored(self, wide: Ints) -> tuple[Ints, Ints]:
        """Return what is stored at the lowest and at the highest random word."""
        store = self.learning.plan.sites["store"]
        highest = 2**store.shift - 1 if store.is_stochastic else 0
        return self.learning.stored(wide, 0), self.learning.stored(wide, highest)

    @property
    def goes_wrong(self) -> Any:
        """Where a random word takes the weight the wrong way."""
        pairs = zip(self.stored(self.before), self.stored(self.after), strict=True)
        low, high = (self.sign * (after - before) < 0 for before, after in pairs)
        return low | high

    @property
    def is_dead(self) -> Any:
        """Where no random word moves the weight."""
        if self.learning.plan.sites["store"].is_stochastic:
            return self.before == self.after
        return self.stored(self.before)[0] == self.stored(self.after)[0]

    @property
    def mean_change(self) -> NDArray[np.float64]:
        """How the weight moves in the mean over random words, in weight LSBs."""
        mean = self.learning.mean_stored
        return np.asarray(mean(self.after) - mean(self.before), np.float64)

    @property
    def has_room(self) -> Any:
        """Where the weight can move by what the register asks for without meeting a limit."""
        r = self.learning.r
        low, high, wide = r.w_min * r.unit, r.w_max * r.unit, self.w * r.unit
        if self.learning.update == "deferred" and self.side == "post":
            return (wide - r.dw_minus >= low) & (wide + r.dw_plus <= high)
        total = wide + (r.dw_plus if self.side == "pre" else -r.dw_minus)
        return (total >= low) & (total <= high)


def asked(learning: Learning) -> dict[str, float]:
    """Return the rule's own increments in weight LSBs."""
    rule: Homeostasis | None = learning.projection.plasticity
    if rule is None:
        return {"pre": 0.0, "post": 0.0}
    lsb = learning.r.lsb
    return {"pre": float(decimal(rule.dw_plus) / lsb), "post": float(decimal(rule.dw_minus) / lsb)}


def step_of(learning: Learning, side: str) -> Step:
    """Return what one spike does to every weight, on its own."""
    w, is_pre = learning.codes, side == "pre"
    before = w * learning.r.unit
    match learning.update:
        case "deferred":
            before = before if is_pre else learning.late(w, 0)
            after = learning.late(w, 0 if is_pre else 1)
        case "periodic":
            one, none = np.ones_like(w), np.zeros_like(w)
            counts = (one, none) if is_pre else (none, one)
            after = learning.limited(w, learning.change_of(*counts))
        case _:
            after = learning.limited(w, learning.r.dw_plus if is_pre else -learning.r.dw_minus)
    return Step(learning=learning, side=side, w=w, before=before, after=after)


def has_target(setting: Setting) -> bool:
    """Return whether weights follow a target count."""
    table = setting.target.plasticity
    return table.by_sign


def how_of(learning: Learning) -> str:
    """Return how a law over all codes was tried."""
    return "proof" if learning.is_whole else "sampled"


def weights_of(setting: Setting) -> str:
    """Return the weight register and its roundings in words."""
    table = setting.target.plasticity
    if table.increment.format.fraction == 0:
        return f"weights {table.weight.format}, increments {table.increment.rounding}"
    return f"weights {table.weight.format} {table.weight.rounding}"


def case_at(setting: Setting, learning: Learning, w: int, side: str) -> Case:
    """Return one plastic synapse at the weight code `w` that learns from one spike."""
    projection = at_weight(learning.projection, setting.plan, learning.name, w)
    steps = max(setting.plan.clock.period_steps, 2)
    neuron = quiet(setting.plan, fires=side == "post")
    experiment = experiment_of(setting, neuron, projection, steps=steps)
    return case_of(setting, experiment, (0,) if side == "pre" else (), seed=setting.seed)


# Direction


def direction(side: str) -> Callable[[Setting], Outcome]:
    """Return the law that spikes of one side never move a weight the wrong way."""

    def test(setting: Setting) -> Outcome:
        if unlearned(setting):
            return does_not_apply(unlearned(setting))
        if setting.target.plasticity.update == "periodic":
            return does_not_apply(EVENT_ONLY)
        count, how = 0, "proof"
        for learning in learnings(setting):
            step = step_of(learning, side)
            count += step.w.size
            how = how_of(learning) if how == "proof" else how
            wrong = step.goes_wrong
            if wrong.any():
                return _wrong_way(setting, step, wrong, how, count)
        return holds(how, count)

    return test


def _wrong_way(setting: Setting, step: Step, wrong: Any, how: str, count: int) -> Outcome:
    at = int(np.flatnonzero(wrong)[0])
    after = int(step.stored(step.after)[0 if step.sign > 0 else 1][at])
    table = setting.target.plasticity
    spike = SIDES[step.side]
    text = (
        f"{weights_of(setting)}, accumulator {table.accumulator.format} {table.accumulator.overflow}: a {spike} "
        f"spike takes weight code {step.w[at]} to {after}; {int(wrong.sum())} of {step.w.size} codes"
    )
    case = case_at(setting, step.learning, int(step.w[at]), step.side)
    judge = lowers if step.sign > 0 else raises
    return broken(judge, case, text, how=how, cases=count, code=int(step.w[at]))


def _extremes(e: Evidence) -> Iterator[tuple[Update, int, int]]:
    """Yield each update of a case with what the lowest and the highest random word store."""
    learning = {each.name: each for each in learnings_of_case(e)}
    store = e.plan.sites["store"]
    highest = 2**store.shift - 1 if store.is_stochastic else 0
    is_deferred = e.case.target.plasticity.update == "deferred"
    for u in e.updates():
        one, w = learning[u.projection], np.asarray([u.before])
        wide = one.late(w, u.waited) if is_deferred else one.limited(w, u.change)
        low, high = (int(one.stored(wide, r)[0]) for r in (0, highest))
        yield u, low, high


def _asked_of(u: Update, e: Evidence, becomes: int) -> str:
    unit = e.plan.synapses[u.projection].unit
    return (
        f"step {u.step}: {u.asked}/{unit} LSB are asked of weight {u.before}, it becomes {becomes}"
    )


def lowers(e: Evidence) -> str | None:
    """Return a spike that does not ask for less, and lowers a weight at some random word."""
    found = (_asked_of(u, e, low) for u, low, _ in _extremes(e) if u.asked >= 0 and low < u.before)
    return next(found, None)


def raises(e: Evidence) -> str | None:
    """Return a spike that does not ask for more, and raises a weight at some random word."""
    if e.case.target.plasticity.update == "deferred":
        return _raised_late(e)
    found = (
        _asked_of(u, e, high) for u, _, high in _extremes(e) if u.asked <= 0 and high > u.before
    )
    return next(found, None)


def _raised_late(e: Evidence) -> str | None:
    """Return a deferred update that takes a weight higher with spikes that wait than without."""
    learning = {each.name: each for each in learnings_of_case(e)}
    for u in e.updates():
        one, w = learning[u.projection], np.asarray([u.before])
        with_them, without = (int(one.late(w, n)[0]) for n in (u.waited, 0))
        if with_them > without:
            return f"step {u.step}: {u.waited} spikes wait at weight {u.before}, and raise what is stored"
    return None


def moves_against(e: Evidence) -> str | None:
    """Return an update against what a period's counts ask for."""
    for u, low, high in _extremes(e):
        if (u.asked > 0 and low < u.before) or (u.asked < 0 and high > u.before):
            return _asked_of(u, e, low if u.asked > 0 else high)
    return None


# Dead updates


def updates_move(setting: Setting) -> Outcome:
    """Look for weights with room that an update leaves alone."""
    if unlearned(setting):
        return does_not_apply(unlearned(setting))
    if has_target(setting):
        return does_not_apply(BY_SIGN)
    count, how, rooms = 0, "proof", 0
    texts, case = [], None
    for learning in learnings(setting):
        how = how_of(learning) if how == "proof" else how
        for side in SIDES:
            step = step_of(learning, side)
            count += step.w.size
            rooms += int(step.has_room.sum())
            dead = step.is_dead & step.has_room
            if step.asked == 0 or not dead.any():
                continue
            texts.append(
                f"{name_of(setting, learning)}a {SIDES[side]} spike asks for {step.asked:+.4g} LSB and moves "
                f"{int(dead.sum())} of {int(step.has_room.sum())} weights by 0"
            )
            case = case or case_at(setting, learning, int(step.w[dead][dead.sum() // 2]), side)
    if case is None:
        return holds(how, count) if rooms else does_not_apply(NO_ROOM)
    text = f"{weights_of(setting)}: {'; '.join(texts)}"
    return broken(stands_still, case, text, how=how, cases=count)


def name_of(setting: Setting, learning: Learning) -> str:
    """Return the projection's name before a colon, if there are several."""
    return f"{learning.name}: " if len(setting.plastic) > 1 else ""


def stands_still(e: Evidence) -> str | None:
    """Return an update that asks for a change that the weight has room for, and changes nothing."""
    for u, low, high in _extremes(e):
        rule, r = (
            e.case.experiment.projections[u.projection].plasticity,
            e.plan.synapses[u.projection],
        )
        asks = u.asked != 0 or (rule is not None and _asks(e, rule))
        inside = r.w_min * r.unit <= u.before * r.unit + u.asked <= r.w_max * r.unit
        if asks and inside and low == high == u.before:
            return f"step {u.step}: {u.asked}/{r.unit} LSB are asked of weight {u.before}, it stays {u.before}"
    return None


def _asks(e: Evidence, rule: Homeostasis) -> bool:
    """Return whether the case's spikes ask for an increment that its register holds as 0."""
    plus = any(t.size for trains in e.case.spikes.values() for t in trains)
    return (rule.dw_plus if plus else rule.dw_minus) > 0


LAWS = (
    Law(
        name="pre-never-lowers",
        sentence="A presynaptic spike never lowers a weight.",
        kind="arithmetic",
        judge=lowers,
        test=direction("pre"),
    ),
    Law(
        name="post-never-raises",
        sentence="A postsynaptic spike never raises a weight.",
        kind="arithmetic",
        judge=raises,
        test=direction("post"),
    ),
    Law(
        name="updates-move",
        sentence="An update that asks for a change moves every weight that has room for it.",
        kind="arithmetic",
        judge=stands_still,
        test=updates_move,
    ),
)
