"""Arithmetic laws of periodic learning: the sign of what counts ask for, and the bias of a period."""

from __future__ import annotations

import numpy as np

from neuroemu.models.constants import COARSE
from neuroemu.testing.case import Case
from neuroemu.verification.definition import Ints
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.learning import (
    BY_SIGN,
    asked,
    case_at,
    has_target,
    moves_against,
    weights_of,
)
from neuroemu.verification.small import at_weight, case_of, experiment_of, quiet
from neuroemu.verification.updates import (
    MANY,
    Learning,
    learnings,
    learnings_of_case,
    period_space,
    unlearned,
)

NOT_PERIODIC = "learning is not periodic"
PIECE = 2**18


def counts_keep_sign(setting: Setting) -> Outcome:
    """Look for counts that move a weight against what they ask for."""
    if unlearned(setting):
        return does_not_apply(unlearned(setting))
    if setting.target.plasticity.update != "periodic":
        return does_not_apply(NOT_PERIODIC)
    count, how = 0, "proof"
    for learning in learnings(setting):
        w, pre, post, is_sample = period_space(setting, learning)
        how = "sampled" if is_sample else how
        for start in range(0, w.size, PIECE):
            here = slice(start, start + PIECE)
            count += w[here].size
            wrong = _against(learning, w[here], pre[here], post[here])
            if wrong.size:
                spikes = pre[here][wrong] + post[here][wrong] * MANY
                at = start + int(wrong[np.argmin(spikes)])
                numbers = (int(w[at]), int(pre[at]), int(post[at]))
                return _shown(setting, learning, *numbers, how, count)
    return holds(how, count)


def _against(learning: Learning, w: Ints, pre: Ints, post: Ints) -> Ints:
    r, store = learning.r, learning.plan.sites["store"]
    wanted = np.sign(r.target_count + r.dw_plus * pre - r.dw_minus * post)
    change = learning.change_of(pre, post)
    highest = 2**store.shift - 1 if store.is_stochastic else 0
    low, high = (learning.updated(w, change, word) for word in (0, highest))
    wrong = ((wanted > 0) & (low < w)) | ((wanted < 0) & (high > w))
    return np.flatnonzero(wrong)


def _shown(
    setting: Setting, learning: Learning, w: int, n_pre: int, n_post: int, how: str, count: int
) -> Outcome:
    after = int(
        learning.updated(
            np.asarray([w]), learning.change_of(np.asarray(n_pre), np.asarray(n_post))
        )[0]
    )
    r, table = learning.r, setting.target.plasticity.accumulator
    wanted = (r.target_count + r.dw_plus * n_pre - r.dw_minus * n_post) / r.unit
    text = (
        f"{weights_of(setting)}, accumulator {table.format} {table.overflow}: {n_pre} presynaptic and {n_post} "
        f"postsynaptic spikes ask for {wanted:+.4g} LSB and take weight code {w} to {after}"
    )
    case = _period_case(setting, learning, w, n_pre, n_post)
    return broken(moves_against, case, text, how=how, cases=count, code=w)


def _period_case(setting: Setting, learning: Learning, w: int, n_pre: int, n_post: int) -> Case:
    steps = setting.plan.clock.period_steps
    if n_post > 1 and learning.has_target:
        return _busy_case(setting, learning, n_post)
    projection = at_weight(learning.projection, setting.plan, learning.name, w)
    neuron = quiet(setting.plan, fires=n_post > 0)
    experiment = experiment_of(setting, neuron, projection, steps=steps)
    return case_of(setting, experiment, range(min(n_pre, steps)), seed=setting.seed)


def _busy_case(setting: Setting, learning: Learning, n_post: int) -> Case:
    """Return a neuron that every input spike makes spike, its weight in the middle."""
    plan, steps = setting.plan, setting.plan.clock.period_steps
    lsb = float(plan.membrane_lsb or plan.synapses[learning.name].lsb / 1024)
    neuron = quiet(plan, fires=False).model_copy(update={"v_thresh": lsb})
    middle = (learning.r.w_min + learning.r.w_max) // 2
    projection = at_weight(learning.projection, plan, learning.name, middle)
    experiment = experiment_of(setting, neuron, projection, steps=steps)
    spiking = range(0, min(2 * n_post, steps - 1), 2)  # input in the step of a spike is lost
    return case_of(setting, experiment, spiking, seed=setting.seed)


# The bias of a period


def bias_of(learning: Learning) -> float:
    """Return the mean of stored less asked change over the remainders that counts can make, in weight LSBs."""
    r = learning.r
    step = np.gcd.reduce([r.dw_plus, r.dw_minus, r.unit]) or r.unit
    changes = np.arange(-r.unit, r.unit, step, dtype=np.int64)
    middle = np.asarray([(r.w_min + r.w_max) // 2, (r.w_min + r.w_max) // 2 + 1])
    stored = learning.mean_updated(middle[:, None], changes[None, :])
    return float((stored - middle[:, None] - changes[None, :] / r.unit).mean())


def periods_are_unbiased(setting: Setting) -> Outcome:
    """Compare the bias of a period with what one spike asks for."""
    if unlearned(setting):
        return does_not_apply(unlearned(setting))
    if setting.target.plasticity.update != "periodic":
        return does_not_apply(NOT_PERIODIC)
    if has_target(setting):
        return does_not_apply(BY_SIGN)
    count = 0
    for learning in learnings(setting):
        count += learning.r.unit * 4
        text = _biased(learning)
        if text is not None:
            period_s = float(setting.plan.clock.period_steps * setting.plan.clock.step_ms) / 1000
            per_s = bias_of(learning) / period_s
            text = f"{weights_of(setting)}: {text}; {per_s:+.3g} LSB per second"
            case = case_at(setting, learning, int(np.median(learning.codes)), "pre")
            return broken(bias_of_case, case, text, how="proof", cases=count)
    return holds("proof", count)


def _biased(learning: Learning) -> str | None:
    wanted = [size for size in asked(learning).values() if size]
    if not wanted or learning.r.w_max - learning.r.w_min < 4:
        return None
    bias = bias_of(learning)
    if abs(bias) <= COARSE * min(wanted):
        return None
    share = 100 * abs(bias) / min(wanted)
    return f"a period's update is off by {bias:+.3g} LSB in the mean, {share:.2g} % of what one spike asks for"


def bias_of_case(e: Evidence) -> str | None:
    """Return the bias of a case's rule."""
    found = (_biased(learning) for learning in learnings_of_case(e))
    return next((text for text in found if text is not None), None)


LAWS = (
    Law(
        name="counts-keep-their-sign",
        sentence="A period that asks for more never lowers a weight, one that asks for less never raises it.",
        kind="arithmetic",
        judge=moves_against,
        test=counts_keep_sign,
    ),
    Law(
        name="periods-are-unbiased",
        sentence="A period's update moves a weight by what its counts ask, in the mean.",
        kind="arithmetic",
        judge=bias_of_case,
        test=periods_are_unbiased,
    ),
)
