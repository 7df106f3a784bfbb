"""The float run that is observed: unrounded constants on a target's own time grid."""

from __future__ import annotations

import math
from dataclasses import replace

from neuroemu.errors import ConfigError, Violation
from neuroemu.experiment import Experiment, MembraneRecord
from neuroemu.hardware.clock import target_clock
from neuroemu.hardware.config import Target
from neuroemu.models.arithmetic import Arithmetic
from neuroemu.models.rungs import MS, ideal
from neuroemu.numeric.constants import decimal


def float_on_grid(experiment: Experiment, target: Target) -> Arithmetic:
    """Return the float reference with the step, the integration and the cadence of `target`.

    Raises
    ------
    ConfigError
        If the times of both do not fit together.
    """
    clock = target_clock(experiment, target)
    reference = ideal(experiment)
    step_ms = float(clock.step_ms)
    is_euler = target.membrane.integration == "euler"
    neurons, violations = {}, []
    for name, population in experiment.populations.items():
        if is_euler and step_ms > population.tau_m_ms:
            violations.append(
                Violation(
                    source=f"{experiment.name} on {target.name}",
                    key=f"populations.{name}.tau_m_ms",
                    value=f"{population.tau_m_ms:g}",
                    rule="an Euler step is no longer than the time constant",
                    detail=f"a step on {target.name} is {step_ms:g} ms",
                    remedy="lengthen tau_m_ms, or set membrane.integration to exponential",
                )
            )
            continue
        ratio = float(clock.step_ms / decimal(population.tau_m_ms))
        params = reference.neurons[name]
        at_equality = target.membrane.fires == "at_or_above"
        neurons[name] = params._replace(
            leak=-(step_ms * MS) / (population.tau_m_ms * MS)
            if is_euler
            else math.exp(-ratio) - 1.0,
            threshold=math.nextafter(params.threshold, -math.inf)
            if at_equality
            else params.threshold,
            refractory_steps=math.floor(population.tau_refrac_ms / step_ms + 1e-3),
        )
    if violations:
        raise ConfigError(violations)
    can_learn = reference.update != "none" and target.plasticity.update != "none"
    return replace(
        reference,
        rung="parameters",
        clock=clock,
        neurons=neurons,
        update=target.plasticity.update if can_learn else "none",
        counter_overflow=2**31 - 1,
    )


def recording_all(experiment: Experiment, window_ms: float) -> Experiment:
    """Return `experiment` with every plastic weight recorded, and every membrane for a window."""
    plastic = tuple(n for n, p in experiment.projections.items() if p.plasticity is not None)
    window = MembraneRecord(populations=tuple(experiment.populations), stop_ms=window_ms)
    record = experiment.record.model_copy(update={"weights": plastic, "membrane": window})
    return experiment.model_copy(update={"record": record})
