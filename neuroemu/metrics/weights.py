"""Weights from change records: value at given steps, error in LSB, settling time.

A change record is a pair of equally long arrays, the steps of the changes (sorted; a step may
repeat) and the values they lead to. The weight at step k is its value after all changes of k.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightError:
    """Error of the target's weight against the reference's, in LSB of the target's weight."""

    mean: float
    rms: float
    max_abs: float


def sample_changes(
    step: ArrayLike, value: ArrayLike, initial: float, at_steps: ArrayLike
) -> NDArray[np.float64]:
    """Value of a weight at given steps.

    Parameters
    ----------
    step : (changes,) int, steps
        Sorted; of several changes in one step the last one counts.
    value : (changes,) float, weight
        Value after each change.
    initial : float, weight
        Value before the first change.
    at_steps : (...) int, steps
        Where to read; any order.

    Returns
    -------
    (...) float64, weight

    Raises
    ------
    ValueError
        If the two arrays differ in shape or the steps are not sorted.

    Examples
    --------
    >>> sample_changes([3, 5], [0.1, 0.2], 0.0, [2, 3, 4, 5])
    array([0. , 0.1, 0.1, 0.2])
    """
    steps, values = _record(step, value)
    held = np.concatenate([[initial], values])
    return held[np.searchsorted(steps, np.asarray(at_steps), side="right")]


def weight_error_lsb(
    reference_value: ArrayLike, target_value: ArrayLike, lsb: float
) -> WeightError:
    """Error of the target's weight in LSB, over samples on a common grid of steps.

    Parameters
    ----------
    reference_value, target_value : (samples,) float, weight
        See `sample_changes`.
    lsb : float, weight
        One LSB of the target's weight register.

    Returns
    -------
    WeightError
        Of target minus reference.

    Raises
    ------
    ValueError
        If the shapes differ or are empty, or the LSB is not positive.

    Examples
    --------
    >>> weight_error_lsb([0.0, 1.0], [0.5, 1.0], lsb=0.25)
    WeightError(mean=1.0, rms=1.4142135623730951, max_abs=2.0)
    """
    reference = np.asarray(reference_value, dtype=np.float64)
    target = np.asarray(target_value, dtype=np.float64)
    if reference.shape != target.shape or reference.size == 0:
        raise ValueError(
            f"target_value: must have samples, as many as reference_value; "
            f"got {target.shape} and {reference.shape}; sample both at the same steps"
        )
    if not lsb > 0:
        raise ValueError(f"lsb = {lsb}: must be positive")
    error = (target - reference) / lsb
    return WeightError(
        mean=float(error.mean()),
        rms=float(np.sqrt(np.mean(error**2))),
        max_abs=float(np.abs(error).max()),
    )


def settling_time(
    step: ArrayLike,
    value: ArrayLike,
    initial: float,
    *,
    phase_start: int,
    phase_stop: int,
    band: float,
) -> int | None:
    """Measure how many steps into a phase the weight first reaches its stationary mean.

    Parameters
    ----------
    step, value, initial
        The change record, see `sample_changes`.
    phase_start, phase_stop : int, steps
        The phase is the steps from start up to, not including, stop.
    band : float, weight
        Within this distance of the mean the weight has arrived.

    Returns
    -------
    int or None, steps
        None if the weight was still on its way in the second half of the phase, which defines
        the mean.

    Raises
    ------
    ValueError
        If the phase has fewer than two steps, the band is negative or the record is malformed.

    Source
    ------
    docs/spec/verdict.md, "Spike trains and weights".

    Examples
    --------
    >>> settling_time([3, 5], [0.5, 1.0], 0.0, phase_start=0, phase_stop=100, band=0.1)
    5
    """
    if phase_stop - phase_start < 2:
        raise ValueError(
            f"phase_stop = {phase_stop}: must leave two steps or more after {phase_start}"
        )
    if not band >= 0:
        raise ValueError(f"band = {band}: must not be negative")
    steps, values = _record(step, value)
    middle = phase_start + (phase_stop - phase_start) // 2
    stationary = _time_mean(steps, values, initial, middle, phase_stop)
    # Every piece of constant weight that begins in the first half; several changes of one step
    # are one piece, of its last value.
    inside = (steps > phase_start) & (steps < middle)
    starts = np.unique(np.concatenate([[phase_start], steps[inside]]))
    distance = sample_changes(steps, values, initial, starts) - stationary
    arrived = (np.abs(distance) <= band) | (np.sign(distance) != np.sign(distance[0]))
    return int(starts[np.argmax(arrived)] - phase_start) if arrived.any() else None


def _time_mean(
    steps: NDArray[np.int64], values: NDArray[np.float64], initial: float, start: int, stop: int
) -> float:
    """Mean of the weight over the steps from start up to, not including, stop."""
    inside = (steps > start) & (steps < stop)
    edges = np.concatenate([[start], steps[inside], [stop]])
    held = sample_changes(steps, values, initial, edges[:-1])
    # Shifted by one of the values, so that a constant weight has exactly itself as mean.
    return float(held[0] + np.dot(held - held[0], np.diff(edges)) / (stop - start))


def _record(step: ArrayLike, value: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    steps, values = np.asarray(step, dtype=np.int64), np.asarray(value, dtype=np.float64)
    if steps.ndim != 1 or steps.shape != values.shape:
        raise ValueError(
            f"value: must be one value per step; got {values.shape} for {steps.shape} steps"
        )
    if np.any(np.diff(steps) < 0):
        raise ValueError("step: must be sorted; got a step below the one before; sort the record")
    return steps, values
