"""Does a neuron hold its rate as the stimulus changes, and which? See docs/spec/verdict.md."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroemu.metrics.intervals import (
    Estimate,
    deviation,
    exact_mean,
    jackknife_estimate,
    mean_estimate,
)
from neuroemu.metrics.outcome import REGULATED_RATIO


def phase_spread(rates: NDArray[np.float64], phases: NDArray[np.bool_]) -> float:
    """Measure the spread over phases: the standard deviation of the mean rates, Hz.

    Parameters
    ----------
    rates : (trials, phases) float64, Hz
    phases : (phases,) bool
        The phases to use; with fewer than two of them the spread is 0.

    Returns
    -------
    float, Hz
    """
    means = [exact_mean(phase) for phase in rates[:, phases].T.tolist()]
    return deviation(means) if len(means) > 1 else 0.0


def spread_ratio(
    target: NDArray[np.float64],
    control: NDArray[np.float64],
    phases: NDArray[np.bool_],
    *,
    alpha: float,
) -> tuple[Estimate, float] | None:
    """Compare the spread of the target with that of the control.

    Parameters
    ----------
    target, control : (trials, phases) float64, Hz
        Paired by trial.
    phases : (phases,) bool
        The open phases.
    alpha : float
        One-sided level of the interval.

    Returns
    -------
    (Estimate, float) or None
        The ratio with its jackknife interval, and its standard deviation per trial. None where
        the control has no spread.

    Source
    ------
    docs/spec/verdict.md, "Does it regulate?".
    """
    value = _ratio(phase_spread(target, phases), phase_spread(control, phases))
    if value is None:
        return None
    spreads = (_spreads_without(rates[:, phases]).tolist() for rates in (target, control))
    return jackknife_estimate(value, [_ratio(*pair) for pair in zip(*spreads, strict=True)], alpha)


def _spreads_without(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the spread over phases without each of the trials, (trials,), whatever the order of phases."""
    trials, phases = rates.shape
    if phases < 2:
        return np.zeros(trials)
    sums = np.array([math.fsum(phase) for phase in rates.T.tolist()])
    means = np.sort((sums - rates) / max(trials - 1, 1), axis=1)
    spreads: NDArray[np.float64] = means.std(axis=1, ddof=1)
    return np.where(means[:, 0] == means[:, -1], 0.0, spreads)


def _ratio(target: float, control: float) -> float | None:
    return target / control if control > 0.0 else None


def regulates(ratio: Estimate | None) -> bool | None:
    """Tell whether a ratio of spreads shows regulation, or its absence, or neither (None)."""
    if ratio is None:
        return None
    if ratio.at_most(REGULATED_RATIO):
        return True
    return False if ratio.above(REGULATED_RATIO) else None


def realised_set_point(
    target: ArrayLike, control: ArrayLike, *, alpha: float = 0.05
) -> Estimate | None:
    """Rate that the target holds: its mean over the phases which the rule can lift to it.

    Parameters
    ----------
    target, control : (trials, phases) float, Hz
        As in `decide`.
    alpha : float
        One-sided level of the interval.

    Returns
    -------
    Estimate or None, Hz
        None if in no phase the target's rate is above the control's.

    Source
    ------
    docs/spec/verdict.md, "The realised set point".

    Examples
    --------
    >>> realised_set_point([[25.0, 46.0, 25.0]], [[20.0, 46.0, 0.0]]).value
    25.0
    """
    rates = np.asarray(target, dtype=np.float64)
    means = [exact_mean(phase) for phase in rates.T]
    controls = np.array([exact_mean(phase) for phase in np.asarray(control, dtype=np.float64).T])
    # Phases of equal control rate enter together, so the order of phases does not matter.
    for limit in np.unique(controls)[::-1]:
        lifted = controls <= limit
        if limit < exact_mean(means[phase] for phase in np.flatnonzero(lifted)):
            per_trial = [exact_mean(trial[lifted]) for trial in rates]
            return mean_estimate(np.array(per_trial), alpha)
    return None
