"""Laws of two forms of learning: one step towards a target count, and updates that wait for a presynaptic spike."""

from __future__ import annotations

import numpy as np

from neuroemu.verification.agreement import golden_differs
from neuroemu.verification.definition import Ints
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.learning import case_at, has_target, weights_of
from neuroemu.verification.small import at_weight, case_of, experiment_of, quiet
from neuroemu.verification.updates import (
    Learning,
    learnings,
    learnings_of_case,
    periods,
    unlearned,
    waiting_space,
)

NO_TARGET = "weights follow no target count"
NOT_DEFERRED = "updates do not wait"


def signs_move_one_step(setting: Setting) -> Outcome:
    """Look at the kernel's weights alone after periods of every count."""
    if unlearned(setting):
        return does_not_apply(unlearned(setting))
    if not has_target(setting):
        return does_not_apply(NO_TARGET)
    count, how = 0, "proof"
    for learning in learnings(setting):
        for tried in periods(setting, learning):
            how = "sampled" if tried.is_sample else how
            count += tried.w.size
            n_post = np.zeros_like(tried.w) if tried.counts is None else tried.counts[1]
            wrong = np.flatnonzero(_no_step(learning, tried.w, tried.after, n_post))
            if wrong.size:
                at = int(wrong[0])
                text = (
                    f"a period with {n_post[at]} postsynaptic spikes, target {learning.r.target_count}, takes weight "
                    f"code {tried.w[at]} to {tried.after[at]}"
                )
                case = case_at(setting, learning, int(tried.w[at]), "pre")
                return broken(golden_differs, case, text, how=how, cases=count)
    return holds(how, count)


def _no_step(learning: Learning, w: Ints, after: Ints, n_post: Ints) -> Ints:
    """Return where a weight does not move by one step, or by none where it is at its target or its limit."""
    r, width = learning.r, learning.plan.target.plasticity.counter.width
    read = n_post
    if learning.plan.target.plasticity.counter.signed:  # the upper half of the codes is negative
        read = np.where(n_post >= 2 ** (width - 1), n_post - 2**width, n_post)
    to = w + np.sign(r.target_count - read)
    return np.asarray(after != np.minimum(np.maximum(to, r.w_min), r.w_max))


# late-updates-add-up


def late_updates_add_up(setting: Setting) -> Outcome:
    """Compare what waits with the same spikes one after another, without rounding."""
    if unlearned(setting):
        return does_not_apply(unlearned(setting))
    if setting.target.plasticity.update != "deferred":
        return does_not_apply(NOT_DEFERRED)
    count, how = 0, "proof"
    for learning in learnings(setting):
        w, n_post, is_sample = waiting_space(setting, learning)
        how = "sampled" if is_sample else how
        count += w.size
        wrong = np.flatnonzero(_is_off(learning, w, n_post))
        if wrong.size:
            at = int(wrong[0])
            text = f"{weights_of(setting)}: {_off_in_words(learning, int(w[at]), int(n_post[at]))}"
            projection = at_weight(learning.projection, setting.plan, learning.name, int(w[at]))
            neuron = quiet(setting.plan, fires=bool(n_post[at]))
            experiment = experiment_of(setting, neuron, projection, steps=4)
            case = case_of(setting, experiment, (0, 2), seed=setting.seed)
            return broken(adds_up_wrongly, case, text, how=how, cases=count)
    return holds(how, count)


def one_by_one(learning: Learning, w: Ints, n_post: Ints) -> Ints:
    """Return the exact weight in the increments' scale: spikes one after another, each within the limits."""
    r = learning.r
    low, high = r.w_min * r.unit, r.w_max * r.unit
    exact = w * r.unit
    for n in range(int(np.max(n_post, initial=0))):
        exact = np.where(n < n_post, np.maximum(exact - r.dw_minus, low), exact)
    return np.asarray(np.minimum(exact + r.dw_plus, high), np.int64)


def _is_off(learning: Learning, w: Ints, n_post: Ints) -> Ints:
    """Return where some random word stores a weight that is an LSB or more off."""
    exact, store = one_by_one(learning, w, n_post), learning.plan.sites["store"]
    highest = 2**store.shift - 1 if store.is_stochastic else 0
    wide = learning.late(w, n_post)
    ends = [learning.stored(wide, r) * learning.r.unit for r in (0, highest)]
    off = [np.abs(end - exact) >= learning.r.unit for end in ends]
    return np.asarray(off[0] | off[1])


def _off_in_words(learning: Learning, w: int, n_post: int) -> str:
    unit = learning.r.unit
    codes, waits = np.asarray([w]), np.asarray([n_post])
    exact = int(one_by_one(learning, codes, waits)[0])
    found = int(learning.stored(learning.late(codes, waits))[0])
    return (
        f"{n_post} postsynaptic spikes and a presynaptic one take weight code {w} to {exact / unit:.4g} one by one, "
        f"and to {found} at once"
    )


def adds_up_wrongly(e: Evidence) -> str | None:
    """Return a deferred update that is an LSB or more off what its spikes do one after another."""
    if e.case.target.plasticity.update != "deferred":
        return None
    learning = {each.name: each for each in learnings_of_case(e)}
    for u in e.updates():
        w, waits = np.asarray([u.before]), np.asarray([u.waited])
        if _is_off(learning[u.projection], w, waits).any():
            return f"step {u.step}: {_off_in_words(learning[u.projection], u.before, u.waited)}"
    return None


LAWS = (
    Law(
        name="signs-move-one-step",
        sentence="The rule of signs moves a weight by one step towards its target, and not at the target.",
        kind="emulator",
        judge=golden_differs,
        test=signs_move_one_step,
    ),
)

LATE_LAWS = (
    Law(
        name="late-updates-add-up",
        sentence="A deferred update does what its spikes do one after another, within one step.",
        kind="arithmetic",
        judge=adds_up_wrongly,
        test=late_updates_add_up,
    ),
)
