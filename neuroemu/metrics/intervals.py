"""Means with t intervals over trials, and how many trials a condition needs.

Sums go through `math.fsum`, which rounds once: results do not depend on the order of trials,
not even in the last bit.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

POWER = 0.8
"""Chance with which the trials asked for would meet a condition, see `trials_to_meet`."""

MAX_TRIALS = 100_000
"""Above this, asking for more trials is no advice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its interval; the bounds are None where one trial gives none."""

    value: float
    low: float | None = None
    high: float | None = None

    def within(self, limit: float) -> bool:
        """Tell whether the whole interval lies within plus or minus `limit`."""
        return (
            self.low is not None
            and self.high is not None
            and -limit <= self.low
            and self.high <= limit
        )

    def excludes_zero(self) -> bool:
        """Tell whether the whole interval lies on one side of zero."""
        return self.above(0.0) or (self.high is not None and self.high < 0.0)

    def above(self, limit: float) -> bool:
        """Tell whether the whole interval lies above `limit`."""
        return self.low is not None and self.low > limit

    def at_most(self, limit: float) -> bool:
        """Tell whether the whole interval lies at or below `limit`."""
        return self.high is not None and self.high <= limit


class Condition(NamedTuple):
    """A bound that the interval must keep: distance to it, s.d. per trial, one-sided level."""

    distance: float
    deviation: float
    alpha: float


def exact_mean(values: Iterable[float]) -> float:
    """Mean from a sum that is rounded once.

    >>> exact_mean([1e16, 1.0, -1e16])
    0.3333333333333333
    """
    listed = list(values)
    return math.fsum(listed) / len(listed)


def deviation(values: Iterable[float]) -> float:
    """Sample standard deviation (divisor n - 1), 0 for equal values and for a single one.

    >>> deviation([1.0, 3.0])
    1.4142135623730951
    """
    listed = list(values)
    # Tested first: the mean of equal values need not be that value to the last bit.
    if all(value == listed[0] for value in listed):
        return 0.0
    mean = exact_mean(listed)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in listed) / (len(listed) - 1))


def mean_estimate(values: NDArray[np.float64], alpha: float) -> Estimate:
    """Mean over trials with its t interval at one-sided level alpha.

    Parameters
    ----------
    values : (trials,) float64
        One value per trial.
    alpha : float
        One-sided level: 0.05 gives the 90 % interval.

    Returns
    -------
    Estimate
        Without bounds for one trial; a point for equal values.

    Source
    ------
    docs/spec/verdict.md, "Intervals".
    """
    listed = values.tolist()
    return _t_interval(
        exact_mean(listed), deviation(listed) / math.sqrt(len(listed)), len(listed), alpha
    )


def jackknife_estimate(
    value: float, left_out: Sequence[float | None], alpha: float
) -> tuple[Estimate, float]:
    """Interval of a statistic by the delete-one jackknife.

    Parameters
    ----------
    value : float
        The statistic of all trials.
    left_out : (trials,) sequence of float or None
        The statistic without each of the trials; None where it is undefined.
    alpha : float
        One-sided level.

    Returns
    -------
    (Estimate, float)
        With the standard deviation per trial, the square root of trials times the standard
        error. No bounds for one trial, or if the statistic is undefined without some trial.

    Source
    ------
    B. Efron, The Jackknife, the Bootstrap and Other Resampling Plans (SIAM 1982), chapter 3.
    """
    trials = len(left_out)
    replicates = [replicate for replicate in left_out if replicate is not None]
    if trials < 2 or len(replicates) < trials:
        return Estimate(value=value), math.inf
    # (n-1)/n * sum of squares = (n-1)^2/n * variance with divisor n-1
    error = deviation(replicates) * (trials - 1) / math.sqrt(trials)
    return _t_interval(value, error, trials, alpha), error * math.sqrt(trials)


def trials_to_meet(conditions: Iterable[Condition], more_than: int) -> int | None:
    """Smallest number of trials with which every condition is met at the power stated.

    Parameters
    ----------
    conditions : iterable of Condition
        As observed.
    more_than : int
        Trials that were not enough.

    Returns
    -------
    int or None
        None if a distance is not positive or more than `MAX_TRIALS` would be needed.

    Source
    ------
    docs/spec/verdict.md, "How many trials would do".
    """
    listed = list(conditions)

    def enough(trials: int) -> bool:
        return all(
            (t_quantile(1.0 - alpha, trials) + t_quantile(POWER, trials)) * spread
            <= distance * math.sqrt(trials)
            for distance, spread, alpha in listed
        )

    if any(distance <= 0.0 or math.isinf(spread) for distance, spread, _ in listed):
        return None
    low, high = more_than, MAX_TRIALS
    if not enough(high):
        return None
    # Both quantiles and 1/sqrt(n) fall with n, so `enough` changes once.
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def t_quantile(probability: float, trials: int) -> float:
    """Return the quantile of Student's t with trials - 1 degrees of freedom.

    >>> round(t_quantile(0.95, 8), 4)
    1.8946
    """
    return float(stdtrit(trials - 1, probability))


def _t_interval(value: float, error: float, trials: int, alpha: float) -> Estimate:
    if trials < 2:
        return Estimate(value=value)
    half = t_quantile(1.0 - alpha, trials) * error
    return Estimate(value=value, low=value - half, high=value + half)
