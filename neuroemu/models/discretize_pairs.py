"""The reference rule as a pair controller can do it: docs/spec/pair-controller.md, its last part."""

from __future__ import annotations

from fractions import Fraction

from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment, Projection, rates_per_step
from neuroemu.hardware.clock import Clock
from neuroemu.models.constants import ConstantsReport
from neuroemu.models.pair_homeostasis import homeostatic_controller
from neuroemu.models.pair_settings import PairSettings
from neuroemu.numeric.constants import decimal


def set_point_hz(experiment: Experiment, projection: Projection) -> Fraction | None:
    """Return the rate that the rule holds; None without a steady presynaptic rate and both increments."""
    stimulus, rule = experiment.stimuli.get(projection.pre), projection.plasticity
    if stimulus is None or len(stimulus.rates_hz) != 1 or rule is None or rule.dw_minus == 0:
        return None
    return decimal(stimulus.rates_hz[0]) * decimal(rule.dw_plus) / decimal(rule.dw_minus)


def pair_controller(
    report: ConstantsReport, key: str, projection: Projection, clock: Clock
) -> PairSettings | None:
    """Return what is written into the controller, or None after refusing the projection."""
    experiment, table = report.experiment, report.target.plasticity.pairs
    rate = set_point_hz(experiment, projection)
    if rate is None or table is None:
        report.refuse(
            "plasticity.update",
            "pairs",
            "a pair controller is set for one steady presynaptic rate and one set point",
            f"{projection.pre} has no steady rate, or dw_minus is 0",
            "use a stimulus of one rate",
        )
        return None
    try:
        settings = homeostatic_controller(
            pre_rate_hz=experiment.stimuli[projection.pre].rates_hz[0],
            set_point_hz=float(rate),
            tau_ms=table.tau_us * clock.acceleration / 1000.0,
            period_ms=float(clock.period_steps * clock.step_ms),
            other_rate_hz=_other_rate_hz(experiment, projection),
            refractory_ms=experiment.populations[projection.post].tau_refrac_ms,
            step=table.step,
        )
    except ConfigError as error:
        report.violations += error.violations
        return None
    report.analog(f"{key}.plasticity.pair_threshold", Fraction(settings.threshold_high))
    return settings


def _other_rate_hz(experiment: Experiment, projection: Projection) -> float:
    """Return the mean rate of the other stimuli of the neuron, as if each of their spikes made one."""
    names = {
        p.pre
        for p in experiment.projections.values()
        if p.post == projection.post and p.plasticity is None and p.pre in experiment.stimuli
    }
    stimuli = (experiment.stimuli[name] for name in names)
    n, dt = experiment.n_steps, experiment.time.dt_ms
    return sum(s.size * float(rates_per_step(s, n, dt).mean()) for s in stimuli)
