"""Firing rates: per step, smoothed, and per phase."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

MS = 0.001
"""Seconds in a millisecond, the factor by which Brian2 turns ``x * ms`` into seconds."""


def population_rate(
    spike_counts: ArrayLike, *, dt_ms: float, population: int
) -> NDArray[np.float64]:
    """Instantaneous rate of a population, as Brian2's ``PopulationRateMonitor`` records it.

    Parameters
    ----------
    spike_counts : (steps,) int
        Spikes of the whole population in each step.
    dt_ms : float
        Length of a step, ms.
    population : int
        Number of neurons.

    Returns
    -------
    (steps,) float64, Hz
        Rate per neuron.

    Raises
    ------
    ValueError
        If the counts are not one-dimensional, or a number is not positive.

    Examples
    --------
    >>> population_rate([0, 1], dt_ms=0.1, population=1)
    array([    0., 10000.])
    """
    counts = _vector("spike_counts", spike_counts)
    _require_positive("dt_ms", dt_ms)
    _require_positive("population", population)
    # Two divisions in Brian2's order: one by the product would differ in the last bit.
    return counts / (dt_ms * MS) / population


def smooth_rate(
    rate_hz: ArrayLike,
    *,
    dt_ms: float,
    window: Literal["gaussian", "flat"],
    width_ms: float,
    method: Literal["direct", "fft"] = "direct",
) -> NDArray[np.float64]:
    """Smooth a rate with the same numbers as ``PopulationRateMonitor.smooth_rate`` of Brian2.

    The record counts as 0 Hz beyond both ends. A window longer than the record gives an output
    as long as the window, as in Brian2.

    Parameters
    ----------
    rate_hz : (steps,) float, Hz
        Rate per step, see `population_rate`.
    dt_ms : float
        Length of a step, ms.
    window : {"gaussian", "flat"}
        Shape of the window.
    width_ms : float
        Standard deviation of the Gaussian, or length of the flat window, ms.
    method : {"direct", "fft"}
        ``"direct"`` is the definition, equal to Brian2 bit for bit. ``"fft"`` differs from it by
        less than 1e-9 of the largest smoothed rate and is for drawing: its cost does not grow
        with the width.

    Returns
    -------
    (max(steps, taps),) float64, Hz

    Raises
    ------
    ValueError
        If the rate is not one-dimensional or empty, a time is not positive, or a name is unknown.

    Source
    ------
    Brian2 2.9, ``brian2/monitors/ratemonitor.py``.

    Examples
    --------
    >>> smooth_rate([0, 0, 3, 0, 0], dt_ms=1.0, window="flat", width_ms=3.0)
    array([0., 1., 1., 1., 0.])
    """
    rate = _vector("rate_hz", rate_hz)
    kernel = window_taps(window, dt_ms=dt_ms, width_ms=width_ms)
    if method == "direct":
        return np.asarray(np.convolve(rate, kernel, mode="same"), dtype=np.float64)
    if method == "fft":
        return _convolve_fft(rate, kernel)
    raise ValueError(f"method = {method!r}: must be 'direct' or 'fft'")


def window_taps(
    window: Literal["gaussian", "flat"], *, dt_ms: float, width_ms: float
) -> NDArray[np.float64]:
    """Weights of a smoothing window: an odd number of taps with sum 1.

    Parameters
    ----------
    window : {"gaussian", "flat"}
        Shape of the window.
    dt_ms, width_ms : float
        As in `smooth_rate`.

    Returns
    -------
    (taps,) float64

    Raises
    ------
    ValueError
        If a time is not positive or the name is unknown.

    Source
    ------
    Brian2 2.9, ``brian2/monitors/ratemonitor.py``: order of operations included.
    """
    _require_positive("dt_ms", dt_ms)
    _require_positive("width_ms", width_ms)
    dt, width = dt_ms * MS, width_ms * MS
    if window == "gaussian":
        reach = int(np.round(2 * width / dt))
        taps = np.exp(-(np.arange(-reach, reach + 1) ** 2) * 1.0 / (2 * (width / dt) ** 2))
    elif window == "flat":
        taps = np.ones(int(width / 2 / dt) * 2 + 1)
    else:
        raise ValueError(f"window = {window!r}: must be 'gaussian' or 'flat'")
    # A running sum, not np.sum: Brian2 adds from left to right, and pairwise sums differ in bits.
    normalised: NDArray[np.float64] = taps / np.cumsum(taps)[-1]
    return normalised


def phase_counts(
    spike_steps: ArrayLike, phase_edges_steps: ArrayLike, settle_steps: int = 0
) -> NDArray[np.int64]:
    """Count the spikes of one train in each phase, after settling.

    Parameters
    ----------
    spike_steps : (spikes,) int, steps
        Sorted; steps may repeat where a population fires.
    phase_edges_steps : (phases + 1,) int, steps
        Phase p is the steps from edge p up to, not including, edge p + 1.
    settle_steps : int
        Steps at the start of each phase that are not counted.

    Returns
    -------
    (phases,) int64

    Raises
    ------
    ValueError
        If spikes are not sorted, edges do not rise, or settling leaves nothing of a phase.

    Source
    ------
    docs/spec/verdict.md, "Rates".

    Examples
    --------
    >>> phase_counts([0, 5, 9, 10], [0, 10, 20], settle_steps=5)
    array([2, 0])
    """
    steps = _vector("spike_steps", spike_steps)
    if np.any(np.diff(steps) < 0):
        raise ValueError("spike_steps: must be sorted; got a step below the one before; sort them")
    edges, _ = _counted_spans(phase_edges_steps, settle_steps)
    first = np.searchsorted(steps, edges[:-1] + settle_steps, side="left")
    last = np.searchsorted(steps, edges[1:], side="left")
    return (last - first).astype(np.int64)


def phase_rates(
    trains: Sequence[ArrayLike],
    phase_edges_steps: ArrayLike,
    settle_steps: int = 0,
    *,
    dt_ms: float,
    population: int = 1,
) -> NDArray[np.float64]:
    """Mean rate of each trial in each phase, after settling.

    Parameters
    ----------
    trains : sequence of (spikes,) int, steps
        One sorted train per trial.
    phase_edges_steps, settle_steps
        As in `phase_counts`.
    dt_ms : float
        Length of a step, ms.
    population : int
        Neurons whose spikes each train holds.

    Returns
    -------
    (trials, phases) float64, Hz
        Rate per neuron.

    Raises
    ------
    ValueError
        As `phase_counts`, or if a number is not positive.

    Source
    ------
    docs/spec/verdict.md, "Rates".

    Examples
    --------
    >>> phase_rates([[0, 5, 9], [12]], [0, 10, 20], dt_ms=100.0)
    array([[3., 0.],
           [0., 1.]])
    """
    _require_positive("dt_ms", dt_ms)
    _require_positive("population", population)
    _, lengths = _counted_spans(phase_edges_steps, settle_steps)
    counts = [phase_counts(train, phase_edges_steps, settle_steps) for train in trains]
    shaped = np.asarray(counts, dtype=np.float64).reshape(len(counts), lengths.size)
    # Hz = counts / seconds; as 1000/ms so that ten seconds are exactly ten seconds.
    rates: NDArray[np.float64] = shaped * 1000.0 / (lengths * dt_ms * population)
    return rates


def _convolve_fft(rate: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    full = rate.size + kernel.size - 1
    import scipy.fft  # late: it takes a fifth of a second, and only long records need it

    size = scipy.fft.next_fast_len(full, real=True)
    product = scipy.fft.rfft(rate, size) * scipy.fft.rfft(kernel, size)
    longer, shorter = max(rate.size, kernel.size), min(rate.size, kernel.size)
    # numpy's "same" is centred on the longer operand; an even shorter one leans to the left.
    start = (shorter - 1) // 2
    smoothed: NDArray[np.float64] = scipy.fft.irfft(product, size)[start : start + longer]
    return smoothed


def _counted_spans(
    phase_edges_steps: ArrayLike, settle_steps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Edges and counted steps of each phase, checked."""
    edges = np.asarray(phase_edges_steps, dtype=np.int64)
    if edges.ndim != 1 or edges.size < 2:
        raise ValueError(f"phase_edges_steps: must be (phases + 1,); got shape {edges.shape}")
    if settle_steps < 0:
        raise ValueError(f"settle_steps = {settle_steps}: must not be negative")
    lengths = np.diff(edges) - settle_steps
    if np.any(lengths <= 0):
        phase = int(np.argmax(lengths <= 0))
        raise ValueError(
            f"settle_steps = {settle_steps}: must leave steps in every phase; "
            f"phase {phase} has {edges[phase + 1] - edges[phase]}; settle for less"
        )
    return edges, lengths


def _vector(name: str, values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name}: must be one-dimensional; got shape {array.shape}")
    return array


def _require_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name} = {value}: must be positive")
