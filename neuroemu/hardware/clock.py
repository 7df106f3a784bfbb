"""Biological time, hardware time and steps: how an experiment's grid meets a chip's tick."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.config import Target
from neuroemu.numeric.constants import decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The time grid of one run.

    Parameters
    ----------
    step_ms : Fraction
        Biological time of one step.
    n_steps : int
        Steps of the run.
    input_steps : int
        Steps of the experiment's own grid that fall into one step: 1, or more on a coarse tick.
    acceleration : float
        Biological time over hardware time.
    period_steps : int
        Steps from one periodic plasticity update to the next, 0 if there is none.
    row_steps : int
        Steps from one row to the next, where rows are updated in turn; else the period.
    """

    step_ms: Fraction
    n_steps: int
    input_steps: int
    acceleration: float
    period_steps: int = 0
    row_steps: int = 0

    def hardware_us(self, biological_ms: float) -> float:
        """Return the hardware time in which the chip does `biological_ms`."""
        return biological_ms * 1000.0 / self.acceleration


def reference_clock(experiment: Experiment) -> Clock:
    """Return the float reference's own grid."""
    dt = decimal(experiment.time.dt_ms)
    return Clock(step_ms=dt, n_steps=experiment.n_steps, input_steps=1, acceleration=1.0)


def target_clock(experiment: Experiment, target: Target) -> Clock:
    """Return the grid on which `target` runs `experiment`.

    Raises
    ------
    ConfigError
        If the tick and the experiment's times do not fit together.
    """
    dt = decimal(experiment.time.dt_ms)
    acceleration = decimal(target.time.acceleration)
    tick = decimal(target.time.tick_us) * acceleration / 1000
    fine, coarse = (tick, dt) if tick <= dt else (dt, tick)
    if coarse % fine != 0:
        raise ConfigError.one(
            target.name,
            "time.tick_us",
            target.time.tick_us,
            rule="the biological tick and time.dt_ms are multiples of one another",
            detail=f"the tick is {float(tick):g} ms biological, dt_ms is {float(dt):g}",
            remedy=f"use tick_us = {float(dt / acceleration * 1000):g}",
        )
    duration = decimal(experiment.time.duration_ms)
    if duration % coarse != 0:
        raise ConfigError.one(
            experiment.name,
            "time.duration_ms",
            experiment.time.duration_ms,
            rule="the duration is a multiple of the tick",
            detail=f"a step on {target.name} is {float(coarse):g} ms biological",
            remedy=f"use {float(duration // coarse * coarse):g}",
        )
    return Clock(
        step_ms=coarse,
        n_steps=int(duration / coarse),
        input_steps=int(coarse / dt),
        acceleration=target.time.acceleration,
        period_steps=(period := _period_steps(target, coarse, acceleration)),
        row_steps=_row_steps(target, coarse, acceleration, period),
    )


def _period_steps(target: Target, step: Fraction, acceleration: Fraction) -> int:
    plasticity = target.plasticity
    if not plasticity.has_period or plasticity.update_period_us is None:
        return 0
    period = decimal(plasticity.update_period_us) * acceleration / 1000
    if period % step != 0:
        raise ConfigError.one(
            target.name,
            "plasticity.update_period_us",
            plasticity.update_period_us,
            rule="the update period is a multiple of the step",
            detail=f"{float(period):g} ms biological, a step is {float(step):g} ms",
            remedy=f"use {float(max(1, round(period / step)) * step / acceleration * 1000):g}",
        )
    return int(period / step)


def _row_steps(target: Target, step: Fraction, acceleration: Fraction, period: int) -> int:
    """Return the steps of a row of a pair controller, which reads one after another."""
    row = target.plasticity.row_time_us
    if target.plasticity.update != "pairs" or row is None:
        return period
    biological = decimal(row) * acceleration / 1000
    if biological % step != 0:
        raise ConfigError.one(
            target.name,
            "plasticity.row_time_us",
            row,
            rule="the time of a row is a multiple of the step",
            detail=f"{float(biological):g} ms biological, a step is {float(step):g} ms",
            remedy=f"use {float(max(1, round(biological / step)) * step / acceleration * 1000):g}",
        )
    return int(biological / step)
