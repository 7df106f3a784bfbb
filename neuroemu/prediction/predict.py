"""The rates and the verdict that an experiment will have on a target, without running it: docs/spec/prediction.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from threadpoolctl import threadpool_limits

from neuroemu.experiment import Experiment
from neuroemu.metrics.outcome import Verdict
from neuroemu.models.drift import Drift, drift, presynaptic_rate
from neuroemu.models.registers import Discretized
from neuroemu.models.rungs import ideal, on_target
from neuroemu.prediction.arrivals import OutOfScopeError
from neuroemu.prediction.expected import Expected, expected
from neuroemu.prediction.outlook import outlook
from neuroemu.prediction.reasons import (
    OVERSHOOT,
    STILL_NOTHING,
    caveats_of,
    has_mismatch,
    is_control,
    loop_gain,
    reason,
    unknown,
)

TOLERANCE_HZ = 1.5
"""By which a predicted rate may be off at least: docs/spec/prediction.md, "Tolerance"."""

TOLERANCE_PART = 0.03
"""And which part of it."""

ROUGH_PART = 0.1
"""The same where periodic updates overshoot, or move the weight by a large part of its range."""

STABLE_GAIN = 2.0
"""Part of a deviation that an update may take back before the loop no longer settles."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the stationary analysis says about an experiment on a target.

    Parameters
    ----------
    verdict : Verdict or None
        None where it cannot be known: out of scope, or on the edge between two.
    leaning : Verdict or None
        Verdict of the predicted rates as they stand, on the edge as well.
    sentence : str
        The reason, in one or two plain sentences.
    applies : bool
        Whether rates were predicted.
    caveats : tuple of str
        What the analysis leaves out, or why it cannot know.
    set_point_hz : float or None
        Rate at which the increments balance; None if there is none.
    set_point_interval_hz : (float, float) or None
        What the phases and the rounding of a periodic sum leave open, and the tolerance.
    rates_hz, float_rates_hz, control_rates_hz : tuple of (float or None)
        Mean rate in each phase after settling: on the target, on the float reference, of the control.
    intervals_hz, float_intervals_hz, control_intervals_hz : tuple of ((float, float) or None)
        The same with the stated tolerance.
    speed : float or None
        Weight change for each spike, relative to what the rule asks for; None for the rule of signs.
    loop_gain : float or None
        Periodic updates: how much of a deviation of the weight one update takes back, in the phase where it is most;
        None if event-driven.
    is_stable : bool or None
        Periodic updates: whether a deviation dies out, which it does below a gain of 2.
    """

    verdict: Verdict | None = None
    leaning: Verdict | None = None
    sentence: str
    applies: bool
    caveats: tuple[str, ...] = ()
    set_point_hz: float | None = None
    set_point_interval_hz: Interval | None = None
    rates_hz: tuple[float | None, ...] = ()
    float_rates_hz: tuple[float | None, ...] = ()
    control_rates_hz: tuple[float | None, ...] = ()
    intervals_hz: tuple[Interval | None, ...] = ()
    float_intervals_hz: tuple[Interval | None, ...] = ()
    control_intervals_hz: tuple[Interval | None, ...] = ()
    speed: float | None = None
    loop_gain: float | None = None
    is_stable: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the prediction as plain data."""
        plain = asdict(self)
        for name in ("verdict", "leaning"):
            plain[name] = None if plain[name] is None else str(plain[name])
        return plain


def predict(d: Discretized) -> Prediction:
    """Return what is known about the rates and the verdict of `d` before any run.

    Parameters
    ----------
    d : Discretized
        An experiment in a target's numbers.

    Returns
    -------
    Prediction
        With ``applies = False``, and the reason among the caveats, where the analysis does not cover `d`.

    Examples
    --------
    >>> from neuroemu.hardware.load import load_experiment, load_target
    >>> from neuroemu.models.discretize import discretize
    >>> plan = discretize(load_experiment("spike_based_homeostasis"), load_target("generic4"))
    >>> found = predict(plan)
    >>> str(found.verdict), [round(rate) for rate in found.rates_hz]
    ('dead', [24, 47, 0, 34])
    """
    balance = drift(d)
    known = _from_drift(d, balance)
    try:
        with threadpool_limits(limits=1, user_api="blas"):  # threads cost more than these matrices
            on_chip, on_float = _on_target(d, balance), _on_float(d.experiment.model_dump_json())
    except OutOfScopeError as error:
        caveat = str(error)
        without_rates = replace(known, sentence=unknown(d, balance, caveat), caveats=(caveat,))
        return _as_control(without_rates) if is_control(d) else without_rates
    return _with_rates(known, d, balance, on_chip, on_float)


def _as_control(found: Prediction) -> Prediction:
    """Return what is known of a neuron that gets nothing but what its control gets."""
    return replace(
        found,
        verdict=Verdict.DEAD,
        leaning=Verdict.DEAD,
        sentence=f"{STILL_NOTHING} {found.sentence}",
    )


def _from_drift(d: Discretized, balance: Drift | None) -> Prediction:
    """Return what the increments alone tell."""
    nothing = Prediction(sentence="", applies=False)
    if balance is None:
        return nothing
    rate = presynaptic_rate(d.experiment)
    set_point = None if rate is None else balance.set_point_hz(rate)
    interval = None
    if rate is not None and set_point is not None:
        without_bias = replace(balance, bias=0 * balance.bias).set_point_hz(rate) or set_point
        interval = _interval((set_point, without_bias), TOLERANCE_PART)
    return replace(
        nothing,
        speed=_speed(balance),
        set_point_hz=set_point,
        set_point_interval_hz=interval,
    )


def _speed(balance: Drift) -> float | None:
    """Return the weight change for each spike relative to the asked one; the rule of signs has none."""
    asked, held = balance.asked_plus + balance.asked_minus, balance.plus + balance.minus
    if balance.is_dead:
        return 0.0 if asked else None
    return None if balance.by_sign or not asked else float(held / asked)


def _on_target(d: Discretized, balance: Drift | None) -> Expected:
    if d.target.membrane.noise:
        raise OutOfScopeError("the membrane has noise of its own, which is not followed")
    if has_mismatch(d):
        raise OutOfScopeError("every neuron has constants of its own: each has other rates")
    plus, minus = (balance.plus, balance.minus) if balance else (0, 0)
    return expected(d.experiment, on_target(d, "fixed"), plus=float(plus), minus=float(minus))


@lru_cache(maxsize=8)
def _on_float(experiment_json: str) -> Expected:
    """Return the float part, which all targets of an experiment share."""
    experiment = Experiment.model_validate_json(experiment_json)
    question = experiment.question
    rule = experiment.projections[question.projection].plasticity if question else None
    if rule is None:
        raise OutOfScopeError("the experiment asks about a projection without a rule")
    return expected(experiment, ideal(experiment), plus=rule.dw_plus, minus=rule.dw_minus)


def _with_rates(
    known: Prediction, d: Discretized, balance: Drift | None, on_chip: Expected, on_float: Expected
) -> Prediction:
    gain = loop_gain(on_chip.balances)
    is_stable = None if gain is None else gain < STABLE_GAIN
    is_rough = on_chip.is_rough or (gain is not None and gain > OVERSHOOT)
    part = ROUGH_PART if is_rough else TOLERANCE_PART
    rates = [b.rate for b in on_chip.balances if b.rate is not None]
    if rates:
        known = replace(
            known,
            set_point_hz=sum(rates) / len(rates),
            set_point_interval_hz=_interval(rates, part),
        )
    intervals = tuple(_interval((r,), part) for r in on_chip.rates_hz)
    prediction = replace(
        known,
        applies=True,
        rates_hz=on_chip.rates_hz,
        float_rates_hz=on_float.rates_hz,
        control_rates_hz=on_chip.control_hz,
        intervals_hz=intervals,
        float_intervals_hz=tuple(_interval((r,), TOLERANCE_PART) for r in on_float.rates_hz),
        control_intervals_hz=tuple(_interval((r,), TOLERANCE_PART) for r in on_chip.control_hz),
        loop_gain=gain,
        is_stable=is_stable,
        caveats=caveats_of(d, gain, on_chip),
    )
    set_point = d.experiment.set_point_hz()
    question = d.experiment.question
    if set_point is None or question is None or set_point <= 0.0:
        caveat = "the set point is not known, so neither is the margin of the verdict"
        return replace(prediction, sentence=unknown(d, balance, caveat), caveats=(caveat,))
    found = outlook(
        on_chip.rates_hz,
        on_float.rates_hz,
        on_chip.control_hz,
        set_point_hz=set_point,
        margin_hz=question.margin * set_point,
        tolerance_hz=[(high - low) / 2.0 for low, high in intervals],
    )
    return replace(
        prediction,
        verdict=found.verdict,
        leaning=found.leaning,
        sentence=reason(d, balance, on_chip, on_float, found, set_point),
    )


def _interval(rates: Sequence[float], part: float) -> Interval:
    """Return the rates' range with the tolerance."""
    low, high = min(rates), max(rates)
    return (
        max(low - max(TOLERANCE_HZ, part * low), 0.0),
        high + max(TOLERANCE_HZ, part * high),
    )
