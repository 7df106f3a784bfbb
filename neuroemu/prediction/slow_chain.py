"""A weight that needs many spikes to move: it drifts and spreads while the neuron keeps up. docs/spec/prediction.md."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from neuroemu.prediction.course import Flow
from neuroemu.prediction.grid import Floats
from neuroemu.prediction.held import Held
from neuroemu.prediction.weight_chain import Changes

FINEST = 192
"""Levels of a weight of very small increments."""


def fine_levels(values: Floats, step: float) -> Floats:
    """Return levels about `step` apart, from the lowest of `values` to the highest."""
    low, high = float(values[0]), float(values[-1])
    count = int(min(max((high - low) / step, len(values)), FINEST))
    return np.linspace(low, high, count)


def at_levels(neuron: Held, levels: Floats, values: Floats) -> Held:
    """Return a neuron known at `levels` at the weights `values`."""
    return Held(
        **{f.name: np.interp(values, levels, getattr(neuron, f.name)) for f in fields(Held)}
    )


def event_walk(neuron: Held, pre: float, changes: Changes) -> tuple[Floats, Floats]:
    """Return mean and variance of the weight's change per step under the event-driven rule.

    Parameters
    ----------
    neuron : Held
    pre : float
        Presynaptic spikes per step.
    changes : Changes
    """
    drift = pre * changes.plus - neuron.rates * changes.minus
    variance = (
        pre * changes.plus_square
        + neuron.rates * (changes.minus_square - changes.minus**2)
        + neuron.variance * changes.minus**2
        - 2.0 * neuron.covariance * changes.plus * changes.minus
    )
    return drift, variance


def slow_flow(values: Floats, drift: Floats, variance: Floats, rates: Floats) -> Flow:
    """Return the weight's own chain in time: a walk between levels that has this mean and variance.

    Parameters
    ----------
    values : (levels,) float64
        Equally spaced.
    drift, variance : (levels,) float64
        Of the weight's change, per step.
    rates : (levels,) float64
        Postsynaptic spikes per step.
    """
    spacing = values[1] - values[0]
    spread = np.maximum(variance, (1e-3 * spacing) ** 2) / (2.0 * spacing**2)
    bias = drift / spacing / spread
    up, down = spread * _bernoulli(-bias), spread * _bernoulli(bias)
    up[-1] = down[0] = 0.0
    step = 0.5 / float((up + down).max())
    size = len(values)
    moves = np.eye(size) * (1.0 - step * (up + down))[:, None]
    moves[np.arange(size - 1), np.arange(1, size)] = step * up[:-1]
    moves[np.arange(1, size), np.arange(size - 1)] = step * down[1:]
    return Flow(moves, step, rates, is_aligned=False)


def _bernoulli(x: Floats) -> Floats:
    """Return x/(exp(x) - 1): the rates of a walk that keep mean and stationary state on a coarse grid.

    Source
    ------
    D. L. Scharfetter, H. K. Gummel, IEEE Trans. Electron Devices 16 (1969) 64.
    """
    small = np.abs(x) < 1e-6
    safe = np.where(small, 1.0, np.minimum(x, 500.0))
    return np.where(small, 1.0 - x / 2.0, safe / np.expm1(safe))
