"""What every executor needs before the first step: arithmetic, checked arguments, input, grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from neuroemu.engine.inputs import Inputs
from neuroemu.engine.network import Layout
from neuroemu.engine.stimuli import draw, given, trials_given
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment, rates_per_step
from neuroemu.hardware.config import Target
from neuroemu.models.arithmetic import RUNGS, Arithmetic, Rung
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from neuroemu.models.rungs import ideal, on_target

MOST_INPUT_SPIKES = 100_000_000
"""Of all trials of a run; they are held in memory, in some 100 bytes each."""


def resolve(
    experiment: Experiment,
    target: Target | None,
    rung: Rung | None = None,
    exact_sites: frozenset[str] = frozenset(),
) -> Arithmetic:
    """Return the arithmetic that `simulate` would run.

    Raises
    ------
    ConfigError
        If the rung is unknown, needs a target, or the experiment does not fit the target.
    """
    return resolve_with_plan(experiment, target, rung, exact_sites)[0]


def resolve_with_plan(
    experiment: Experiment,
    target: Target | None,
    rung: Rung | None = None,
    exact_sites: frozenset[str] = frozenset(),
) -> tuple[Arithmetic, Discretized | None]:
    """Return what `resolve` does, and the registers and sites behind it (None for ``ideal``)."""
    rung = rung or ("ideal" if target is None else "fixed")
    if rung not in RUNGS:
        raise ConfigError.one(
            "rung", value=rung, rule="no such rung", remedy=f"use one of {', '.join(RUNGS)}"
        )
    if rung == "ideal":
        return ideal(experiment), None
    if target is None:
        raise ConfigError.one(
            "rung", value=rung, rule="this rung needs a target", remedy="give a target"
        )
    discretized = discretize(experiment, target)
    unknown = exact_sites - set(discretized.sites)
    if unknown:
        raise ConfigError.one(
            "exact_sites",
            value=", ".join(sorted(unknown)),
            rule="the target has no such site",
            remedy=f"use some of {', '.join(sorted(discretized.sites))}",
        )
    return on_target(discretized, rung, exact_sites), discretized


def simulate_inputs(
    experiment: Experiment,
    *,
    trials: int | None = None,
    seed: int = 0,
    first_trial: int = 0,
    spikes: Mapping[str, Sequence[ArrayLike]] | None = None,
) -> Inputs:
    """Return the input spikes of every trial, drawn or given; parameters as for `simulate`."""
    trials = trials_given(spikes) if trials is None else trials
    check_numbers(trials, seed, first_trial, None if spikes else experiment)
    if spikes is not None:
        return Inputs(given(experiment, spikes, trials))
    return Inputs([draw(experiment, seed, first_trial + i) for i in range(trials)])


def check_numbers(
    trials: int, seed: int, first_trial: int = 0, drawn: Experiment | None = None
) -> None:
    """Refuse numbers that name no trial or no seed, or input that fills the memory, before any work is done.

    Parameters
    ----------
    trials, seed, first_trial : int
    drawn : Experiment, optional
        Whose input will be drawn.

    Raises
    ------
    ConfigError
    """
    for name, value, low in (
        ("trials", trials, 1),
        ("seed", seed, 0),
        ("first_trial", first_trial, 0),
    ):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
            raise ConfigError.one(
                name,
                value=value,
                rule=f"{name} is a whole number from {low}",
                remedy=f"use {low}",
            )
    if seed >= 2**64:
        raise ConfigError.one(
            "seed", value=seed, rule="at most 64 bits", remedy="use a smaller one"
        )
    if drawn is not None:
        _check_size(drawn, trials)


def _check_size(experiment: Experiment, trials: int) -> None:
    """Refuse a run whose input would fill the memory."""
    steps, dt_ms = experiment.n_steps, experiment.time.dt_ms
    per_trial = sum(
        stimulus.size * float(rates_per_step(stimulus, steps, dt_ms).sum()) * dt_ms / 1000
        for stimulus in experiment.stimuli.values()
    )
    if trials * per_trial > MOST_INPUT_SPIKES:
        raise ConfigError.one(
            "trials",
            value=trials,
            rule=f"a run has at most {MOST_INPUT_SPIKES:,} input spikes",
            detail=f"a trial has about {per_trial:,.0f}",
            remedy=f"use at most {max(int(MOST_INPUT_SPIKES / per_trial), 1):,}, and other seeds for more",
        )


def sample_grid(
    layout: Layout, a: Arithmetic, experiment: Experiment
) -> tuple[tuple[int, int, int], list[int]]:
    """Return when membranes are recorded (start, stop, every; in steps), and of which neurons."""
    record = experiment.record.membrane
    if record is None:
        return (0, 0, 1), []
    step = float(a.clock.step_ms)
    start = round(record.start_ms / step)
    stop = min(round(record.stop_ms / step), a.clock.n_steps)
    every = 1 if record.every_ms is None else max(1, round(record.every_ms / step))
    members = [n for name in record.populations for n in layout.neurons[name]]
    return (start, stop, every), members
