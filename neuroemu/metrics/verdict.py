"""The verdict: does homeostasis survive in the target's numbers? See docs/spec/verdict.md."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroemu.metrics.intervals import (
    Condition,
    Estimate,
    deviation,
    exact_mean,
    mean_estimate,
    trials_to_meet,
)
from neuroemu.metrics.outcome import REGULATED_RATIO
from neuroemu.metrics.outcome import Reason as Reason
from neuroemu.metrics.outcome import Verdict as Verdict
from neuroemu.metrics.regulation import (
    phase_spread,
    realised_set_point,
    regulates,
    spread_ratio,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseResult:
    """Rates of one phase over the trials, Hz.

    `difference` is target minus reference, `lift` target minus control, both paired by trial.
    `open` tells that the control alone stays below the set point, so that the rule can act.
    """

    target: Estimate
    reference: Estimate
    control: Estimate
    difference: Estimate
    lift: Estimate
    within_margin: bool
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with everything it rests on.

    Rates and spreads are in Hz. `regulates` is None where the ratio of spreads leaves it open or
    is undefined. `leaning` is the verdict of the point estimates, `trials_needed` the trials that
    would settle it; both are None unless the verdict is inconclusive. `worst_phase` is the phase
    whose difference from the reference reaches farthest.
    """

    verdict: Verdict
    reason: Reason
    phases: tuple[PhaseResult, ...]
    regulates: bool | None
    spread_target: float
    spread_reference: float
    spread_control: float
    spread_ratio: Estimate | None
    realised_set_point: Estimate | None
    worst_phase: int
    leaning: Verdict | None
    trials_needed: int | None
    trials: int
    set_point_hz: float
    margin_hz: float
    alpha: float


@dataclass(frozen=True, slots=True)
class _Rates:
    """The checked input: arrays of shape (trials, phases), Hz."""

    target: NDArray[np.float64]
    reference: NDArray[np.float64]
    control: NDArray[np.float64]
    margin_hz: float
    alpha: float

    @property
    def trials(self) -> int:
        return len(self.target)

    @property
    def alpha_any_phase(self) -> float:
        """Level at which one phase of several is shown to differ, on either side."""
        return self.alpha / (2 * int(self.target.shape[1]))


def decide(
    target: ArrayLike,
    reference: ArrayLike,
    control: ArrayLike,
    *,
    set_point_hz: float,
    margin: float = 0.10,
    alpha: float = 0.05,
) -> Decision:
    """Decide whether homeostasis survives on the target.

    Parameters
    ----------
    target : (trials, phases) float, Hz
        Rates on the target, see `neuroemu.metrics.rates.phase_rates`.
    reference : (trials, phases) float, Hz
        Rates of the float reference on the same input spikes, trial by trial.
    control : (trials, phases) float, Hz
        Rates of the target's own neuron without homeostasis, on the same input spikes.
    set_point_hz : float, Hz
        The rate that the rule is meant to hold.
    margin : float
        Largest difference that counts as none, as a fraction of the set point.
    alpha : float
        One-sided level of each test; 0.05 gives 90 % intervals.

    Returns
    -------
    Decision

    Raises
    ------
    ValueError
        If the arrays are not of one shape (trials, phases), hold rates that are no finite
        numbers >= 0, or a number is out of its range.

    Source
    ------
    docs/spec/verdict.md.

    Examples
    --------
    >>> reference = [[50.0, 51.0], [49.0, 50.0], [51.0, 49.0]]
    >>> control = [[25.0, 0.0], [24.0, 1.0], [26.0, 0.0]]
    >>> str(decide(reference, reference, control, set_point_hz=50.0).verdict)
    'survives'
    >>> str(decide(control, reference, control, set_point_hz=50.0).verdict)
    'dead'
    """
    rates = _checked(target, reference, control, set_point_hz, margin, alpha)
    open_phases = np.array([exact_mean(phase) < set_point_hz for phase in rates.control.T])
    phases = tuple(
        _phase_result(rates, phase, bool(open_phases[phase])) for phase in range(len(open_phases))
    )
    spread = spread_ratio(rates.target, rates.control, open_phases, alpha=alpha)
    ratio = spread[0] if spread is not None else None
    regulated = regulates(ratio)
    verdict, reason = _judge(rates, phases, regulated)
    leaning, needed = None, None
    if verdict is Verdict.INCONCLUSIVE:
        leaning, needed = _outlook(rates, phases, spread)
    return Decision(
        verdict=verdict,
        reason=reason,
        phases=phases,
        regulates=regulated,
        spread_target=phase_spread(rates.target, open_phases),
        spread_reference=phase_spread(rates.reference, open_phases),
        spread_control=phase_spread(rates.control, open_phases),
        spread_ratio=ratio,
        realised_set_point=None
        if verdict is Verdict.DEAD
        else realised_set_point(rates.target, rates.control, alpha=alpha),
        worst_phase=max(range(len(phases)), key=lambda phase: _reach(phases[phase].difference)),
        leaning=leaning,
        trials_needed=needed,
        trials=rates.trials,
        set_point_hz=float(set_point_hz),
        margin_hz=rates.margin_hz,
        alpha=float(alpha),
    )


def _judge(
    rates: _Rates, phases: tuple[PhaseResult, ...], regulated: bool | None
) -> tuple[Verdict, Reason]:
    """Apply the decision table of docs/spec/verdict.md, line by line."""
    if rates.trials < 2:
        return Verdict.INCONCLUSIVE, Reason.TOO_FEW_TRIALS
    if all(phase.within_margin for phase in phases):
        return Verdict.SURVIVES, Reason.WITHIN_MARGIN
    if not rates.target.any():
        return Verdict.DEAD, Reason.SILENT
    if regulated and _differs(rates, phases):
        return Verdict.SHIFTED, Reason.ANOTHER_RATE
    if not regulated and all(phase.lift.within(rates.margin_hz) for phase in phases):
        return Verdict.DEAD, Reason.SAME_AS_CONTROL
    if regulated is False:
        return Verdict.DEAD, Reason.UNREGULATED
    return Verdict.INCONCLUSIVE, Reason.INTERVALS_TOO_WIDE


def _differs(rates: _Rates, phases: tuple[PhaseResult, ...]) -> bool:
    """Whether some phase outside the margin is shown to differ from the reference."""
    differences = rates.target - rates.reference
    return any(
        mean_estimate(differences[:, index], rates.alpha_any_phase).excludes_zero()
        for index, phase in enumerate(phases)
        if not phase.within_margin
    )


def _outlook(
    rates: _Rates, phases: tuple[PhaseResult, ...], spread: tuple[Estimate, float] | None
) -> tuple[Verdict | None, int | None]:
    """Verdict of the point estimates, and the trials that would settle it."""
    margin, alpha, trials = rates.margin_hz, rates.alpha, rates.trials
    differences, lifts = rates.target - rates.reference, rates.target - rates.control
    close = all(abs(phase.difference.value) < margin for phase in phases)
    unlifted = all(abs(phase.lift.value) < margin for phase in phases)
    # Alternatives, each a list of conditions; the cheapest one counts.
    ways: list[list[Condition]] = []
    leaning = None
    if close:
        leaning = Verdict.SURVIVES
        ways.append(_margin_conditions(differences, margin, alpha))
    elif spread is not None and spread[0].value < REGULATED_RATIO:
        leaning = Verdict.SHIFTED
        regulated = Condition(REGULATED_RATIO - spread[0].value, spread[1], alpha)
        ways += [
            [regulated, Condition(abs(exact_mean(phase)), deviation(phase), rates.alpha_any_phase)]
            for phase in differences.T.tolist()
            if abs(exact_mean(phase)) >= margin
        ]
    else:
        if unlifted:
            ways.append(_margin_conditions(lifts, margin, alpha))
        if spread is not None and spread[0].value > REGULATED_RATIO:
            ways.append([Condition(spread[0].value - REGULATED_RATIO, spread[1], alpha)])
        leaning = Verdict.DEAD if ways else None
    if trials < 2:
        return leaning, None
    counts = [trials_to_meet(conditions, more_than=trials) for conditions in ways]
    return leaning, min((count for count in counts if count is not None), default=None)


def _margin_conditions(
    differences: NDArray[np.float64], margin_hz: float, alpha: float
) -> list[Condition]:
    return [
        Condition(margin_hz - abs(exact_mean(phase)), deviation(phase), alpha)
        for phase in differences.T.tolist()
    ]


def _phase_result(rates: _Rates, phase: int, is_open: bool) -> PhaseResult:
    target = rates.target[:, phase]
    reference, control = rates.reference[:, phase], rates.control[:, phase]
    difference = mean_estimate(target - reference, rates.alpha)
    return PhaseResult(
        target=mean_estimate(target, rates.alpha),
        reference=mean_estimate(reference, rates.alpha),
        control=mean_estimate(control, rates.alpha),
        difference=difference,
        lift=mean_estimate(target - control, rates.alpha),
        within_margin=difference.within(rates.margin_hz),
        open=is_open,
    )


def _reach(difference: Estimate) -> float:
    """Largest magnitude in the interval."""
    bounds = (difference.value, difference.low, difference.high)
    return max(abs(bound) for bound in bounds if bound is not None)


def _checked(
    target: ArrayLike,
    reference: ArrayLike,
    control: ArrayLike,
    set_point_hz: float,
    margin: float,
    alpha: float,
) -> _Rates:
    arrays = {"target": target, "reference": reference, "control": control}
    rates = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
    shape = rates["target"].shape
    for name, array in rates.items():
        if array.ndim != 2 or array.size == 0 or array.shape != shape:
            raise ValueError(
                f"{name}: must be (trials, phases), the same for all; got {array.shape}, "
                f"target {shape}"
            )
        if not np.all(np.isfinite(array) & (array >= 0.0)):
            raise ValueError(f"{name}: rates must be finite and not negative")
    for name, value, high in (
        ("set_point_hz", set_point_hz, math.inf),
        ("margin", margin, math.inf),
        ("alpha", alpha, 0.5),
    ):
        if not 0.0 < value < high:
            raise ValueError(f"{name} = {value}: must lie between 0 and {high}")
    return _Rates(
        rates["target"],
        rates["reference"],
        rates["control"],
        margin_hz=float(margin * set_point_hz),
        alpha=float(alpha),
    )
