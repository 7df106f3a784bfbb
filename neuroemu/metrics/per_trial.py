"""Metrics of one trial against its reference on the same input: docs/spec/study.md, "Questions"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuroemu.metrics.spike_trains import coincidence, van_rossum, victor_purpura
from neuroemu.metrics.weights import sample_changes

COINCIDENCE_MS = 5.0
VAN_ROSSUM_MS = 20.0
VICTOR_PURPURA_PER_MS = 0.1
WEIGHT_SAMPLES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One trial of one rung.

    Parameters
    ----------
    rates : (phases,) float64, Hz
    spikes : (spikes,) int64
        Steps of the target's grid at which the population fired, sorted; settling left out.
    weights : list of ((changes,) int64, (changes,) float64, float)
        For each synapse: steps of the target's grid, weights after them, weight before the first; experiment's unit.
    """

    rates: NDArray[np.float64]
    spikes: NDArray[np.int64]
    weights: list[tuple[NDArray[np.int64], NDArray[np.float64], float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A trial on the target and on the reference; `lsb` of the weight in the experiment's unit."""

    target: Side
    reference: Side
    step_ms: float
    n_steps: int
    lsb: float


@dataclass(frozen=True, slots=True)
class Metric:
    """A number of one trial: its unit, what it is made of, and how."""

    unit: str
    needs: Literal["rates", "spikes", "weights"]
    of: Callable[[Pair], float]


def _rms_difference(pair: Pair) -> float:
    return _rms(pair.target.rates - pair.reference.rates)


def _spread(pair: Pair) -> float:
    rates = pair.target.rates
    return float(rates.std(ddof=1)) if rates.size > 1 else 0.0


def _weight_rms(pair: Pair) -> float:
    at = np.linspace(0, pair.n_steps, WEIGHT_SAMPLES + 1)[1:].astype(np.int64) - 1
    errors = [
        sample_changes(*mine, at) - sample_changes(*theirs, at)
        for mine, theirs in zip(pair.target.weights, pair.reference.weights, strict=True)
    ]
    return _rms(np.concatenate(errors)) / pair.lsb


def _coincidence(pair: Pair) -> float:
    window = max(round(COINCIDENCE_MS / pair.step_ms), 0)
    return coincidence(pair.target.spikes, pair.reference.spikes, window)


def _van_rossum(pair: Pair) -> float:
    return van_rossum(pair.target.spikes, pair.reference.spikes, VAN_ROSSUM_MS / pair.step_ms)


def _victor_purpura(pair: Pair) -> float:
    cost = VICTOR_PURPURA_PER_MS * pair.step_ms
    return victor_purpura(pair.target.spikes, pair.reference.spikes, cost)


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2)))


METRICS: dict[str, Metric] = {
    "rate": Metric("Hz", "rates", lambda p: float(p.target.rates.mean())),
    "difference": Metric(
        "Hz", "rates", lambda p: float((p.target.rates - p.reference.rates).mean())
    ),
    "rms_difference": Metric("Hz", "rates", _rms_difference),
    "spread": Metric("Hz", "rates", _spread),
    "weight_rms": Metric("LSB", "weights", _weight_rms),
    "coincidence": Metric("", "spikes", _coincidence),
    "van_rossum": Metric("", "spikes", _van_rossum),
    "victor_purpura": Metric("", "spikes", _victor_purpura),
}
