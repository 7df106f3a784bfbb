"""The Hypothesis strategy for whole cases."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from numpy.typing import NDArray

from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.numeric.constants import decimal
from neuroemu.testing.case import Case
from neuroemu.testing.experiments import MOST_PERIODS, experiments, spike_trains
from neuroemu.testing.targets import neighbours, targets

LONGEST_PERIOD = 20
"""Steps; a case with a longer update period is drawn with a shorter one, and with rows that take no time, so that a
short run has several."""


@st.composite
def cases(
    draw: st.DrawFn,
    /,
    target: Target | None = None,
    *,
    experiment: Experiment | None = None,
    around: bool = False,
    unique: bool = True,
    max_trials: int = 3,
    **more: Any,
) -> Case:
    """Draw a case: what a short run on a target needs.

    Parameters
    ----------
    target : Target, optional
        Any target if left out. An update period longer than `LONGEST_PERIOD` steps is shortened: it is no part of the
        arithmetic.
    experiment : Experiment, optional
        Small drawn ones, that fit the target, if left out.
    around : bool
        Also targets with some formats, roundings and overflow rules beside those of `target`.
    unique : bool
        A source spikes at most once in a step of the target, also where a coarse tick brings spikes together.
    max_trials : int
        Most trials.
    **more
        For `targets`, if no target is given.
    """
    chip = draw(targets(**more)) if target is None else target
    if around and draw(st.booleans()):
        chip = draw(neighbours(chip))
    chip, period = _shortened(draw, chip)
    found = experiment or draw(experiments(chip, max_steps=max(120, MOST_PERIODS * period)))
    case = Case(
        target=chip,
        experiment=found,
        seed=draw(st.integers(0, 2**64 - 1)),
        first_trial=draw(st.integers(0, 3)),
    )
    try:
        input_steps = case.plan.clock.input_steps
    except ConfigError:
        reject()
    trials = draw(st.integers(1, max_trials))
    spikes = {
        name: [draw(spike_trains(n_steps=found.n_steps, size=stimulus.size)) for _ in range(trials)]
        for name, stimulus in found.stimuli.items()
    }
    if unique:
        spikes = {n: [_thinned(t, input_steps) for t in trains] for n, trains in spikes.items()}
    return Case(
        target=chip,
        experiment=found,
        spikes=spikes,
        seed=case.seed,
        first_trial=case.first_trial,
    )


def _shortened(draw: st.DrawFn, target: Target) -> tuple[Target, int]:
    """Return `target` with a period of few ticks, and the period in ticks."""
    plasticity = target.plasticity
    if not plasticity.has_period or plasticity.update_period_us is None:
        return target, 0
    ticks = round(plasticity.update_period_us / target.time.tick_us)
    if ticks <= LONGEST_PERIOD:
        return target, ticks
    has_pairs = plasticity.update == "pairs"  # whose rows take turns, and which need some charge
    ticks = draw(st.integers(LONGEST_PERIOD // 2 if has_pairs else 1, LONGEST_PERIOD))
    period_us = float(decimal(target.time.tick_us) * ticks)
    row_us = target.time.tick_us if has_pairs else None
    period = plasticity.model_copy(update={"update_period_us": period_us, "row_time_us": row_us})
    return target.model_copy(update={"plasticity": period}), ticks


def _thinned(train: NDArray[np.int64], input_steps: int) -> NDArray[np.int64]:
    cell = np.stack((train[:, 0] // input_steps, train[:, 1]), axis=1)
    _, first = np.unique(cell, axis=0, return_index=True)
    return train[np.sort(first)]
