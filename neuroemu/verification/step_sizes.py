"""Arithmetic laws of the learning: size and ratio of its steps, in the mean."""

from __future__ import annotations

import math

import numpy as np

from neuroemu.hardware.config import Target
from neuroemu.models.constants import COARSE
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.learning import (
    BY_SIGN,
    EVENT_ONLY,
    NO_ROOM,
    SIDES,
    asked,
    case_at,
    has_target,
    how_of,
    name_of,
    step_of,
    weights_of,
)
from neuroemu.verification.updates import Learning, learnings, learnings_of_case, unlearned


def mean_changes(learning: Learning) -> dict[str, float]:
    """Return the mean change of a weight with room by one spike of each side, LSB, the way the rule asks for.

    NaN where no weight has room.
    """
    means = {}
    for side in SIDES:
        step = step_of(learning, side)
        moved = step.mean_change[step.has_room]
        means[side] = step.sign * float(moved.mean()) if moved.size else math.nan
    return means


def updates_keep_size(setting: Setting) -> Outcome:
    """Compare mean changes with what the rule asks for."""
    if unlearned(setting):
        return does_not_apply(unlearned(setting))
    if setting.target.plasticity.update == "periodic":
        return does_not_apply(EVENT_ONLY)
    count, how, found, moving = 0, "proof", [], 0
    for learning in learnings(setting):
        moving += any(not math.isnan(mean) for mean in mean_changes(learning).values())
        how = how_of(learning) if how == "proof" else how
        count += 2 * learning.codes.size
        off = _off(learning)
        if off:
            found.append((learning, off))
    if not found:
        return holds(how, count) if moving else does_not_apply(NO_ROOM)
    texts = [f"{name_of(setting, learning)}{'; '.join(off.values())}" for learning, off in found]
    learning, off = found[0]
    case = case_at(setting, learning, int(np.median(learning.codes)), next(iter(off)))
    text = f"{weights_of(setting)}: {'; '.join(texts)}"
    return broken(size_is_off, case, text, how=how, cases=count)


def _off(learning: Learning) -> dict[str, str]:
    means = mean_changes(learning)
    wanted, words = asked(learning), {}
    for side, spike in SIDES.items():
        if wanted[side] and abs(means[side] / wanted[side] - 1) > COARSE:
            sign = 1 if side == "pre" else -1
            error = 100 * (means[side] / wanted[side] - 1)
            words[side] = (
                f"a {spike} spike asks for {sign * wanted[side]:+.4g} LSB and gives {sign * means[side]:+.4g} "
                f"({error:+.3g} %)"
            )
    return words


def size_is_off(e: Evidence) -> str | None:
    """Return by how much the mean changes of a case's rule are off."""
    for learning in learnings_of_case(e):
        off = _off(learning)
        if off:
            return "; ".join(off.values())
    return None


def updates_keep_ratio(setting: Setting) -> Outcome:
    """Compare the ratio of up to down with the rule's."""
    if unlearned(setting):
        return does_not_apply(unlearned(setting))
    if has_target(setting):
        return does_not_apply(BY_SIGN)
    count, how, moving = 0, "proof", 0
    for learning in learnings(setting):
        how = how_of(learning) if how == "proof" else how
        count += 2 * learning.codes.size
        moving += any(m for m in effective(learning, setting.target).values() if not math.isnan(m))
        text = _lopsided(learning, setting.target)
        if text is not None:
            case = case_at(setting, learning, int(np.median(learning.codes)), "pre")
            text = f"{weights_of(setting)}: {text}"
            return broken(ratio_is_off, case, text, how=how, cases=count)
    return holds(how, count) if moving else does_not_apply("no update moves a weight")


def effective(learning: Learning, target: Target) -> dict[str, float]:
    """Return the mean change by one spike of each side; what counts hold of it if learning is periodic."""
    if target.plasticity.update == "periodic":
        unit = learning.r.unit
        return {"pre": learning.r.dw_plus / unit, "post": learning.r.dw_minus / unit}
    return mean_changes(learning)


def _lopsided(learning: Learning, target: Target) -> str | None:
    wanted, means = asked(learning), effective(learning, target)
    if not wanted["pre"] or not wanted["post"]:
        return None
    if any(map(math.isnan, means.values())) or not any(means.values()):
        return None
    steps = f"{means['pre']:.4g} LSB up and {means['post']:.4g} down"
    if means["post"] == 0:
        return f"{steps}: the weight only rises"
    ratio = (means["pre"] / means["post"]) / (wanted["pre"] / wanted["post"])
    if abs(ratio - 1) <= COARSE:
        return None
    if ratio == 0:
        return f"{steps}: the weight only falls"
    return f"{steps} for {wanted['pre']:.4g} and {wanted['post']:.4g}: the set point is {ratio:.3g} times the rule's"


def ratio_is_off(e: Evidence) -> str | None:
    """Return by how much the ratio of a case's rule is off."""
    found = (_lopsided(learning, e.case.target) for learning in learnings_of_case(e))
    return next((text for text in found if text is not None), None)


LAWS = (
    Law(
        name="updates-keep-their-size",
        sentence="An update moves a weight by what the rule asks, within 5 %, in the mean.",
        kind="arithmetic",
        judge=size_is_off,
        test=updates_keep_size,
    ),
    Law(
        name="updates-keep-their-ratio",
        sentence="Up and down stand in the ratio that the rule asks for, within 5 %.",
        kind="arithmetic",
        judge=ratio_is_off,
        test=updates_keep_ratio,
    ),
)
