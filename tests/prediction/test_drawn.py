"""Prediction against simulation, over drawn chips and experiments.

The mean of a run over its trials has a standard error. The bound is the stated interval and six of them, none taken to
be below that of a Poisson count. A normal deviate exceeds six once in 10^9, and the interval covers more than the
error of the analysis, so that these tests fail by chance far less often than once in 10^4. The draws are those of a
fixed seed; another version of Hypothesis draws others.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from neuroemu.engine.simulate import simulate
from neuroemu.models.registers import Discretized
from neuroemu.prediction.predict import Interval, predict
from tests.prediction.drawn_learning import SETTLE_MS, plans

TRIALS = 12
ERRORS = 6.0


def measured_s(edges_ms: Sequence[float]) -> list[float]:
    return [(stop - start - SETTLE_MS) / 1000.0 for start, stop in pairwise(edges_ms)]


def check_rates(
    simulated: np.ndarray, intervals: tuple[Interval | None, ...], seconds: list[float]
) -> None:
    """Hold the mean of (trials, phases) against the intervals."""
    for rates, interval, window_s in zip(simulated.T, intervals, seconds, strict=True):
        assert interval is not None
        low, high = interval
        counting = ((rates.mean() + 1.0) / (window_s * len(rates))) ** 0.5
        error = max(rates.std(ddof=1) / len(rates) ** 0.5, counting)
        assert low - ERRORS * error <= rates.mean() <= high + ERRORS * error


@pytest.mark.parametrize("update", ["event", "periodic", "deferred", "sign"])
@given(data=st.data())
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_rates_and_set_point_are_those_of_a_run(update: str, data: st.DataObject) -> None:
    d: Discretized = data.draw(plans(st.just(update)))
    found = predict(d)
    if not found.applies:
        assert found.verdict is None
        assert found.caveats and found.caveats[0] in found.sentence
        return
    edges = d.experiment.phase_edges_ms()
    seconds = measured_s(edges)
    run = simulate(d.experiment, d.target, trials=TRIALS, seed=7)
    regulated = run.rates("regulated", edges, SETTLE_MS)
    check_rates(regulated, found.intervals_hz, seconds)
    check_rates(run.rates("control", edges, SETTLE_MS), found.control_intervals_hz, seconds)
    held = [p for p, rate in enumerate(found.rates_hz) if is_held(rate, found.set_point_hz)]
    set_points = tuple(found.set_point_interval_hz for _ in held)
    check_rates(regulated[:, held], set_points, [seconds[p] for p in held])


def is_held(rate_hz: float | None, set_point_hz: float | None) -> bool:
    """Tell whether a phase is predicted to lie at the set point: its weight is free, and has settled."""
    return rate_hz is not None and set_point_hz is not None and abs(rate_hz - set_point_hz) < 0.5


@given(data=st.data())
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_the_float_reference_is_predicted_as_well(data: st.DataObject) -> None:
    d: Discretized = data.draw(plans(st.just("event")))
    found = predict(d)
    assert found.applies
    edges = d.experiment.phase_edges_ms()
    seconds = measured_s(edges)
    run = simulate(d.experiment, trials=TRIALS, seed=7)
    check_rates(run.rates("regulated", edges, SETTLE_MS), found.float_intervals_hz, seconds)
