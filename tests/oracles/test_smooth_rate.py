"""`population_rate` and `smooth_rate` against a live Brian2 ``PopulationRateMonitor``."""

import numpy as np
import pytest

from neuroemu.metrics.rates import population_rate, smooth_rate
from tests.oracles.brian2_reference import b2

# Brian2 2.9 calls names that pyparsing has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

STEPS = 3000
POPULATION = 3


def brian2_rates(spikes: np.ndarray, dt_ms: float):
    """Play spikes, (steps, neurons) bool, to Brian2's monitor."""
    steps, neurons = np.nonzero(spikes)
    source = b2.SpikeGeneratorGroup(
        spikes.shape[1], neurons, steps * dt_ms * b2.ms, dt=dt_ms * b2.ms
    )
    monitor = b2.PopulationRateMonitor(source)
    network = b2.Network(source, monitor)
    network.run(spikes.shape[0] * dt_ms * b2.ms)
    return monitor


@pytest.fixture(scope="module", params=[0.1, 0.25, 1.0], ids="dt={}ms".format)
def recorded(request):
    """Spike counts per step, step length, and Brian2's monitor that saw the same spikes."""
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"  # no compiler needed: the monitor's arithmetic is the same
    spikes = np.random.default_rng(11).random((STEPS, POPULATION)) < 0.03
    monitor = brian2_rates(spikes, request.param)
    b2.prefs.codegen.target = before
    return spikes.sum(axis=1), request.param, monitor


def test_population_rate_is_brian2s_bit_for_bit(recorded) -> None:
    counts, dt_ms, monitor = recorded
    ours = population_rate(counts, dt_ms=dt_ms, population=POPULATION)
    assert ours.max() > 0.0
    np.testing.assert_array_equal(ours, np.asarray(monitor.rate))


@pytest.mark.parametrize("window", ["gaussian", "flat"])
@pytest.mark.parametrize("width_ms", [0.3, 0.6, 1.0, 2.4, 7.77, 50.0])
def test_smooth_rate_is_brian2s_bit_for_bit(recorded, window: str, width_ms: float) -> None:
    counts, dt_ms, monitor = recorded
    rate = population_rate(counts, dt_ms=dt_ms, population=POPULATION)
    theirs = np.asarray(monitor.smooth_rate(window=window, width=width_ms * b2.ms))
    ours = smooth_rate(rate, dt_ms=dt_ms, window=window, width_ms=width_ms)
    np.testing.assert_array_equal(ours, theirs)
    fast = smooth_rate(rate, dt_ms=dt_ms, window=window, width_ms=width_ms, method="fft")
    assert np.abs(fast - theirs).max() <= 1e-9 * theirs.max()


@pytest.mark.parametrize("window", ["gaussian", "flat"])
def test_window_longer_than_the_record_lengthens_it_as_in_brian2(recorded, window: str) -> None:
    counts, dt_ms, monitor = recorded
    rate = population_rate(counts, dt_ms=dt_ms, population=POPULATION)
    width_ms = 2.0 * STEPS * dt_ms
    theirs = np.asarray(monitor.smooth_rate(window=window, width=width_ms * b2.ms))
    ours = smooth_rate(rate, dt_ms=dt_ms, window=window, width_ms=width_ms)
    assert ours.size > STEPS
    np.testing.assert_array_equal(ours, theirs)
    fast = smooth_rate(rate, dt_ms=dt_ms, window=window, width_ms=width_ms, method="fft")
    assert np.abs(fast - theirs).max() <= 1e-9 * theirs.max()
