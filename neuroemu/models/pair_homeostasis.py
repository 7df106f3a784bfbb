"""Settings with which a pair controller holds a rate: docs/spec/pair-controller.md, its last part."""

from __future__ import annotations

from math import exp

from neuroemu.errors import ConfigError, Violation
from neuroemu.models.pair_controller import Pattern
from neuroemu.models.pair_settings import SOURCE, PairSettings, step_table

BELOW = Pattern(cc=0, ca=0, ac=0, aa=1)
"""Holds where the acausal charge is below the threshold, with both thresholds the same."""

ABOVE = Pattern(cc=0, ca=1, ac=0, aa=0)
"""Holds where it is above."""

LEAST_CHARGE = 0.5
"""Mean charge of a readout period from which the threshold's formula holds."""


def expected_acausal_charge(
    *,
    pre_rate_hz: float,
    post_rate_hz: float,
    tau_ms: float,
    period_ms: float,
    other_rate_hz: float = 0.0,
    refractory_ms: float = 0.0,
    power: int = 1,
) -> float:
    """Return a cumulant of the charge that the acausal sensor collects in a readout period.

    Parameters
    ----------
    pre_rate_hz : float
        Poisson rate of the synapse's own source.
    post_rate_hz : float
        Rate of the neuron.
    tau_ms, period_ms : float
        Time constant of the sensor and readout period.
    other_rate_hz : float
        Poisson rate at which the neuron would spike without this synapse.
    refractory_ms : float
        Its refractory period.
    power : int
        1 for the mean, 2 for the variance, 3 for the third cumulant.

    Examples
    --------
    >>> charge = expected_acausal_charge(
    ...     pre_rate_hz=50.0, post_rate_hz=50.0, tau_ms=2.5, period_ms=150.0)
    >>> round(charge, 4)
    0.8333
    """
    decay = pre_rate_hz + 1000.0 * power / tau_ms
    dead = refractory_ms / 1000.0
    survives = exp(-decay * dead)
    until_closed = (1.0 - survives) / decay + survives / (decay + other_rate_hz)
    return period_ms / 1000.0 * pre_rate_hz * post_rate_hz * until_closed


def homeostatic_controller(
    *,
    pre_rate_hz: float,
    set_point_hz: float,
    tau_ms: float,
    period_ms: float,
    other_rate_hz: float = 0.0,
    refractory_ms: float = 0.0,
    step: int = 1,
) -> PairSettings:
    """Return settings that hold a neuron's rate near `set_point_hz` by steps of `step` codes.

    Parameters
    ----------
    pre_rate_hz, tau_ms, period_ms, other_rate_hz, refractory_ms : float
        As for `expected_acausal_charge`.
    set_point_hz : float
        For the reference rule: ``pre_rate_hz * dw_plus / dw_minus``.
    step : int
        Codes per readout, 1 to 15.

    Raises
    ------
    ConfigError
        If a number is out of range, or if a period collects too little charge for a comparison.

    Examples
    --------
    >>> settings = homeostatic_controller(
    ...     pre_rate_hz=50.0, set_point_hz=50.0, tau_ms=2.5, period_ms=150.0)
    >>> round(settings.threshold_high, 4), settings.threshold_low == settings.threshold_high
    (0.72, True)
    """
    _check(
        pre_rate_hz=pre_rate_hz,
        set_point_hz=set_point_hz,
        tau_ms=tau_ms,
        period_ms=period_ms,
        other_rate_hz=other_rate_hz,
        refractory_ms=refractory_ms,
        step=step,
    )
    mean, variance, third = (
        expected_acausal_charge(
            pre_rate_hz=pre_rate_hz,
            post_rate_hz=set_point_hz,
            tau_ms=tau_ms,
            period_ms=period_ms,
            other_rate_hz=other_rate_hz,
            refractory_ms=refractory_ms,
            power=power,
        )
        for power in (1, 2, 3)
    )
    if mean < LEAST_CHARGE:
        raise ConfigError.one(
            SOURCE,
            "period_ms",
            period_ms,
            rule="a readout period collects enough charge to compare",
            detail=f"{mean:.2g} of at least {LEAST_CHARGE:g} pairs",
            remedy=f"read every {period_ms * LEAST_CHARGE / mean:.3g} ms or less often",
        )
    median = mean - third / (6.0 * variance)
    return PairSettings(
        causal_table=step_table(step),
        acausal_table=step_table(-step),
        pattern_0=BELOW,
        pattern_1=ABOVE,
        threshold_high=median,
        threshold_low=median,
    )


def _check(*, step: int, **numbers: float) -> None:
    may_be_zero = ("other_rate_hz", "refractory_ms")
    violations = [
        Violation(
            source=SOURCE,
            key=key,
            value=str(number),
            rule="it is 0 or more" if key in may_be_zero else "it is more than 0",
            remedy="give a larger one",
        )
        for key, number in numbers.items()
        if not (number > 0.0 or (number == 0.0 and key in may_be_zero))
    ]
    if step not in range(1, 16):
        rule = "a step has 1 to 15 codes"
        violations.append(
            Violation(source=SOURCE, key="step", value=str(step), rule=rule, remedy="take 1")
        )
    if violations:
        raise ConfigError(violations)
