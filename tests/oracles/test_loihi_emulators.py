"""What brian2_loihi and nengo-loihi say: one step, and where they contradict each other."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles.brian2_reference import b2
from tests.oracles.loihi import LoihiNeuron
from tests.oracles.loihi_brian2 import run_brian2_loihi, trace_brian2_loihi
from tests.oracles.loihi_nengo import V_MAX, run_nengo_loihi, trace_nengo_loihi

HOLDS = LoihiNeuron(decay_u=0, decay_v=4095)
CLEARS = LoihiNeuron(decay_u=4095)


def wrap(x, bits):
    half = 1 << (bits - 1)
    return (x + half) % (2 * half) - half


def dec(x, d):
    return (x > 0) * (x * (4096 - d) // 4096) - (x < 0) * (-x * (4096 - d) // 4096)


def written_out(arriving, neuron, *, narrow):
    """Return (u, v, spikes) of one neuron by the step in loihi.py, with nengo-loihi's overflow if narrow."""
    u, v, held, rows = 0, 0, 0, []
    for a_in in arriving:
        u = dec(u, neuron.decay_u + 1) + (wrap(a_in, 22) if narrow else a_in)
        u = wrap(u, 24) if narrow else u
        drive = wrap(u + neuron.bias, 24) if narrow else u + neuron.bias
        v = dec(v, neuron.decay_v) + drive
        v = max(-V_MAX, min(V_MAX, v)) if narrow else v
        v, held = (0, held - 1) if held else (v, 0)
        spike = v > neuron.threshold * 64
        if spike:
            v, held = 0, neuron.refractory - 1
        rows.append((u, v, spike))
    return [np.array(column) for column in zip(*rows, strict=True)]


def assert_equals_the_step_written_out(trace, arriving, neurons, *, narrow):
    """Compare every neuron; (steps, neurons) ints arrive."""
    for k, neuron in enumerate(neurons):
        expected = written_out(arriving[:, k].tolist(), neuron, narrow=narrow)
        for got, word in zip(trace, expected, strict=True):
            np.testing.assert_array_equal(got[:, k], word, strict=True)


EDGES = {
    "decay_u": [0, 1, 2047, 4094, 4095],
    "decay_v": [0, 1, 2047, 4094, 4095],
    "threshold": [0, 1, 131070, 131071],
    "refractory": [1, 2, 63, 64],
    "bias": [-4096 << 7, -1, 0, 1, 4095 << 7],
}


@st.composite
def loihi_neurons(draw, *, bias=True):
    """Draw a neuron, edges of its registers first."""
    ranges = {name: (values[0], values[-1]) for name, values in EDGES.items()}
    values = {
        name: draw(st.sampled_from(EDGES[name]) | st.integers(*ranges[name])) for name in EDGES
    }
    return LoihiNeuron(**(values if bias else values | {"bias": 0}))


def drawn_input(seed, exponent, n, n_steps):
    """Return (steps, channels) spikes and (channels, n) even mantissas, often all of a kind."""
    rng = np.random.default_rng(seed)
    spikes = rng.random((n_steps, 8)) < rng.choice([0.05, 0.5, 1.0])
    weights = 2 * rng.integers(-127, 128, (8, n))
    weights[:, rng.random(n) < 0.3] = rng.choice([-254, 254])
    return spikes, weights, spikes.astype(np.int64) @ (weights << (6 + exponent))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(loihi_neurons(), min_size=1, max_size=8),
    st.integers(0, 7),
    st.integers(0, 2**32 - 1),
)
def test_nengo_loihi_equals_the_step_written_out(neurons, exponent, seed):
    spikes, weights, arriving = drawn_input(seed, exponent, len(neurons), 80)
    trace = run_nengo_loihi(spikes, weights=weights, neuron=neurons, exponent=exponent)
    late = np.vstack([np.zeros_like(arriving[:1]), arriving[:-1]])
    assert_equals_the_step_written_out(trace, late, neurons, narrow=True)


@settings(max_examples=5, deadline=None)
@given(loihi_neurons(bias=False), st.integers(0, 7), st.integers(0, 2), st.integers(0, 2**32 - 1))
def test_brian2_loihi_equals_the_step_written_out(neuron, exponent, delay, seed):
    spikes, weights, arriving = drawn_input(seed, exponent, 20, 80)
    arguments = {"neuron": neuron, "exponent": exponent, "delay": delay}
    trace = run_brian2_loihi(spikes, weights=weights, **arguments)
    late = np.vstack([np.zeros((delay, 20), dtype=np.int64), arriving])[: len(spikes)]
    assert_equals_the_step_written_out(trace, late, [neuron] * 20, narrow=False)


def test_both_agree_where_nothing_overflows():
    rng = np.random.default_rng(5)
    spikes, weights = rng.random((2000, 3)) < 0.1, 2 * rng.integers(-40, 41, (3, 100))
    neuron = LoihiNeuron(decay_u=410, decay_v=130, threshold=300, refractory=5)
    ours = run_brian2_loihi(spikes, weights=weights, neuron=neuron, delay=1)
    theirs = run_nengo_loihi(spikes, weights=weights, neuron=neuron)
    assert ours.spikes.sum() > 1000
    assert ours.v.min() < -(1 << 16)
    for got, expected in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(got, expected, strict=True)


def both(spikes, weights, neuron, **arguments):
    """Return (u, v) of one neuron in brian2_loihi and in nengo-loihi, with the same delay."""
    given = {"weights": weights, "neuron": neuron, **arguments}
    traces = run_brian2_loihi(spikes, delay=1, **given), run_nengo_loihi(spikes, **given)
    return [(trace.u[:, 0].tolist(), trace.v[:, 0].tolist()) for trace in traces]


def test_decay_rounds_toward_zero_on_either_side():
    given = {"weights": [[2, -2]], "neuron": LoihiNeuron(decay_u=1023, decay_v=4095)}
    spikes = [[1]] + [[0]] * 60
    for trace in (run_brian2_loihi(spikes, delay=1, **given), run_nengo_loihi(spikes, **given)):
        above, below = trace.u.T
        assert above[1:6].tolist() == [128, 96, 72, 54, 40]
        assert below.tolist() == (-above).tolist()
        assert above[-1] == 0, "nothing is left over"


def test_the_input_of_a_step_wraps_at_22_bits_in_nengo_loihi_alone():
    top = 254 << 13
    brian2, nengo = both([[1, 1], [0, 0]], [[254], [254]], CLEARS, exponent=7)
    assert brian2[0] == [0, 2 * top]
    assert nengo[0] == [0, 2 * top - 2**22]


def test_the_current_wraps_at_24_bits_in_nengo_loihi_alone():
    brian2, nengo = both([[1]] * 6, [[254]], HOLDS, exponent=7)
    for currents in (brian2[0], nengo[0]):
        assert currents[:5] == brian2[0][:5]
    assert 2**23 <= brian2[0][5] == nengo[0][5] + 2**24


def test_the_membrane_clips_in_nengo_loihi_alone():
    neuron = LoihiNeuron(decay_u=4095, decay_v=0)
    brian2, nengo = both([[1]] * 6, [[-254]], neuron, exponent=7)
    assert brian2[1] == [-(254 << 13) * k for k in range(6)]
    assert nengo[1] == [max(v, -V_MAX) for v in brian2[1]] != brian2[1]
    limits = {"v_min": -15, "v_max": 511}
    for mantissa, limit in ((-2, -15), (254, 511)):
        trace = run_nengo_loihi([[1]] * 2, weights=[[mantissa]], neuron=neuron, **limits)
        assert trace.v[:, 0].tolist() == [0, limit]


def test_current_and_bias_wrap_together_in_nengo_loihi():
    bias = 4095 << 7
    neuron = LoihiNeuron(decay_u=0, decay_v=4095, bias=bias)
    trace = run_nengo_loihi([[1]] * 5, weights=[[254]], neuron=neuron, exponent=7)
    u, v = trace.u[:, 0].tolist(), trace.v[:, 0].tolist()
    assert u[4] < 2**23 < u[4] + bias
    assert v[4] - dec(v[3], 4095) == u[4] + bias - 2**24


@pytest.mark.parametrize("refractory", [1, 2, 64])
def test_refractory_1_is_none_and_the_current_goes_on(refractory):
    neuron = LoihiNeuron(decay_u=0, decay_v=0, threshold=1, refractory=refractory)
    for run, arguments in ((run_brian2_loihi, {"delay": 1}), (run_nengo_loihi, {})):
        trace = run([[1]] + [[0]] * 130, weights=[[254]], neuron=neuron, **arguments)
        assert np.flatnonzero(trace.spikes)[:3].tolist() == [1, 1 + refractory, 1 + 2 * refractory]
        assert trace.u[1:3, 0].tolist() == [16256, 16252]
        assert not trace.v.any(), "every step spikes, or is refractory"


def test_a_threshold_is_passed_not_reached():
    weights = [[2, 4]]
    neuron = LoihiNeuron(threshold=2)
    for run in (run_brian2_loihi, run_nengo_loihi):
        spikes = run([[1], [0]], weights=weights, neuron=neuron).spikes
        assert spikes.any(axis=0).tolist() == [False, True]


def test_an_input_spike_arrives_in_its_step_in_brian2_loihi_one_late_in_nengo_loihi():
    spikes = [[1], [0], [0]]
    for delay in (0, 2):
        trace = run_brian2_loihi(spikes, weights=[[2]], neuron=CLEARS, delay=delay)
        assert np.flatnonzero(trace.u).tolist() == [delay]
    assert np.flatnonzero(run_nengo_loihi(spikes, weights=[[2]], neuron=CLEARS).u).tolist() == [1]


def brian2_weight(mantissa, exponent, *, step):
    """Return the actual weight: cut toward zero to a multiple of the step, then floor, then clip."""
    cut = math.trunc(Fraction(mantissa, step)) * step
    scaled = math.floor(cut * Fraction(2) ** exponent) * 64
    return max(-(2**21) + 64, min(2**21 - 64, scaled))


def nengo_weight(mantissa, exponent):
    """Return the actual weight: to the nearest, ties to even (`round`), then clip, then floor."""
    half = max(-127, min(127, round(Fraction(mantissa, 2))))
    scale = Fraction(2) ** (exponent + 1)
    if exponent < -1:
        half = max(-127, min(127, round(half * scale) / scale))
    return math.floor(half * scale) * 64


@pytest.mark.parametrize(
    ("sign", "exponent", "low", "high"),
    [
        ("mixed", -8, -256, 254),
        ("mixed", 0, -256, 254),
        ("mixed", 7, -256, 254),
        ("excitatory", -3, 0, 255),
        ("excitatory", 7, 0, 255),
        ("inhibitory", -3, -256, 0),
    ],
)
def test_every_weight_of_brian2_loihi(sign, exponent, low, high):
    mantissas = list(range(low, high + 1))
    arguments = {"weights": [mantissas], "neuron": CLEARS, "exponent": exponent, "sign": sign}
    current = run_brian2_loihi([[1], [1]], **arguments).u
    step = 2 if sign == "mixed" else 1
    expected = [brian2_weight(m, exponent, step=step) for m in mantissas]
    # Set before the run, and computed again in each step.
    assert current[0].tolist() == current[1].tolist() == expected


@pytest.mark.parametrize("exponent", range(-8, 8))
def test_every_weight_of_nengo_loihi(exponent):
    mantissas = list(range(-256, 256))
    arguments = {"weights": [mantissas], "neuron": CLEARS, "exponent": exponent}
    current = run_nengo_loihi([[1], [0]], **arguments).u[1]
    assert current.tolist() == [nengo_weight(m, exponent) for m in mantissas]


def test_nengo_loihis_highest_weights_lose_one_at_negative_exponents():
    arguments = {"weights": [[-254, 254]], "neuron": CLEARS}
    for exponent, weights in ((-1, [-8128, 8128]), (-2, [-4096, 4032]), (-8, [-64, 0])):
        current = run_nengo_loihi([[1], [0]], exponent=exponent, **arguments).u[1]
        assert current.tolist() == weights


def assert_rounds_stochastically(before, after, exact):
    """Check each transition's bounds, and the mean by six standard deviations, value by value."""
    assert before.size > 10_000
    for value in np.unique(before):
        new, target = after[before == value], exact(value)
        floor = math.floor(target)
        up = target - floor
        assert set(np.unique(new)) <= {floor, floor + 1}
        spread = 6 * math.sqrt(up * (1 - up) / new.size) + 1e-9
        assert abs(np.mean(new == floor + 1) - up) <= spread


def test_brian2_loihis_trace_between_impulses():
    spikes = np.zeros(60, dtype=bool)
    spikes[[3, 30, 31]] = True
    trace = trace_brian2_loihi(spikes, impulse=100, tau=20, repetitions=2000, seed=1)
    assert np.all(trace[:3] == 0)
    assert np.all(trace[3] == 100), "the impulse is there in its step"
    assert np.all(trace[31] == 127), "and clips"
    quiet = ~spikes[:-1] & ~spikes[1:]
    before, after = trace[:-1][quiet], trace[1:][quiet]
    assert_rounds_stochastically(before, after, lambda x: x * (1 - 1 / 20))


def test_brian2_loihi_rounds_an_impulse_by_the_fraction_before_it():
    spikes = np.array([1, 0, 1, 0], dtype=bool)
    trace = trace_brian2_loihi(spikes, impulse=30, tau=4, repetitions=20_000, seed=1)
    assert np.all(trace[1] == 22), "of 22.5; but before the impulse stood 0, with no fraction"
    # 22 becomes 16 or 17, and 46 or 47 with the impulse; then 34.5 or 35.25, but 16 * 0.75 has no
    # fraction, and 17 * 0.75 has 0.75.
    assert set(np.unique(trace[2])) == {46, 47}
    assert np.all(trace[3][trace[2] == 46] == 34)
    after = trace[3][trace[2] == 47]
    assert set(np.unique(after)) == {35, 36}
    assert abs(np.mean(after == 36) - 0.75) < 6 * math.sqrt(0.75 * 0.25 / after.size)


@pytest.mark.parametrize(("epoch", "arrives"), [(1, 4), (2, 5)])
def test_nengo_loihis_trace(epoch, arrives):
    spikes = np.zeros(60, dtype=bool)
    spikes[[3, 30, 31]] = True
    arguments = {"impulse": 100.5, "tau": 20, "repetitions": 2000, "seed": 1}
    trace = trace_nengo_loihi(spikes, epoch=epoch, **arguments)
    assert np.all(trace[:arrives] == 0)
    assert set(np.unique(trace[arrives])) == {100, 101}
    assert abs(np.mean(trace[arrives]) - 100.5) < 6 * 0.5 / math.sqrt(2000)
    assert np.all(trace[32] == 127) == (epoch == 1)
    ticks = trace[np.arange(60) % epoch == epoch - 1]
    stays = np.flatnonzero(
        np.all(np.diff(ticks, axis=0) <= 0, axis=1) & np.all(ticks[:-1] > 0, axis=1)
    )
    stays = stays[np.all(ticks[stays] < 120, axis=1)]
    before, after = ticks[stays].ravel(), ticks[stays + 1].ravel()
    assert_rounds_stochastically(before, after, lambda x: x * math.exp(-epoch / 20))


def test_nengo_loihi_counts_one_impulse_a_period():
    arguments = {"impulse": 10, "tau": 10**6, "repetitions": 1, "seed": 0}
    for train, value in (([0, 0, 1, 0, 0], 10), ([0, 0, 1, 1, 0, 0], 20), ([0, 1, 1, 0, 0], 10)):
        assert trace_nengo_loihi(np.array(train, dtype=bool), **arguments).max() == value


@pytest.mark.parametrize(
    "wrong",
    [{"weights": [[1], [1]]}, {"weights": [[0.5]]}, {"exponent": 8}, {"exponent": -9}],
)
@pytest.mark.parametrize("run", [run_brian2_loihi, run_nengo_loihi])
def test_refuses_what_does_not_fit(run, wrong):
    with pytest.raises(ValueError, match=r"need|integer|exponent"):
        run([[1]], **({"weights": [[2]], "neuron": HOLDS} | wrong))


@pytest.mark.parametrize("name", EDGES)
def test_refuses_a_register_out_of_range(name):
    for value in (EDGES[name][0] - 1, EDGES[name][-1] + 1):
        with pytest.raises(ValueError, match=name):
            LoihiNeuron(**{name: value})


def test_refuses_what_an_emulator_lacks():
    with pytest.raises(ValueError, match="bias"):
        run_brian2_loihi([[1]], weights=[[2]], neuron=LoihiNeuron(bias=1))
    with pytest.raises(ValueError, match="2 neurons"):
        run_nengo_loihi([[1]], weights=[[2]], neuron=[HOLDS, CLEARS])


def process_state():
    preferences = {name: b2.prefs[name] for name in b2.prefs}
    random = np.random.get_state()[1].tolist()
    return preferences, random, float(b2.defaultclock.dt_), list(warnings.filters)


def test_a_run_leaves_nothing_behind_and_repeats():
    before = process_state()
    spikes = np.arange(30) % 7 == 0
    for trace in (trace_brian2_loihi, trace_nengo_loihi):
        runs = [trace(spikes, impulse=50, tau=9, repetitions=5, seed=3) for _ in range(2)]
        np.testing.assert_array_equal(*runs)
        assert np.ptp(runs[0], axis=1).max() > 0
        assert process_state() == before
