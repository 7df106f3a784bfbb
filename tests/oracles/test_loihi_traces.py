"""Loihi 1's learning texts against brian2_loihi, live: exactly where it draws nothing, else in distribution.

Where brian2_loihi is not followed docs/spec/loihi-learning.md says so; the last tests here show it.
"""

from math import exp
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2

from neuroemu.models.loihi import (
    TraceParams,
    Variables,
    add_impulse,
    add_term,
    apply,
    decay_trace,
    delivered,
    load_weight,
    open_total,
    store_total,
)
from neuroemu.models.loihi_registers import (
    Floating,
    learning_scale,
    term,
    trace_params,
    weight_params,
)
from neuroemu.models.loihi_sites import term_sites, trace_sites, weight_sites
from neuroemu.numeric.bits import philox
from tests.oracles.brian2_reference import b2
from tests.oracles.loihi import SIGNS, Words
from tests.oracles.loihi_brian2 import _kept, loihi, trace_brian2_loihi

Trains = NDArray[np.bool_]

# Seeds are fixed, so every run is the same; the bound says how surprising the drawn numbers may be.
SURPRISE = 1e-6


# --- traces ---

SPIKES = np.zeros(160, dtype=bool)
SPIKES[[2, 9, 10, 40, 75, 110, 111, 112, 140]] = True
REPETITIONS = 1500


class Drawn(NamedTuple):
    """How often a trace of 0 to 127 decayed, and how often to each of its next values."""

    visits: NDArray[np.int64]
    ups: NDArray[np.int64]


def _floors(params: TraceParams) -> NDArray[np.int64]:
    """Return what each trace decays to at least, by the text."""
    return np.array([decay_trace(x, params, trace_sites(), 0) for x in range(128)])


def _chances(params: TraceParams) -> NDArray[np.float64]:
    """Return how likely each trace decays to one more than that: over the words, by bisection."""

    def first_up(x: int, floor: int) -> int:
        low, high = 0, 2**32
        while low < high:
            middle = (low + high) // 2
            if decay_trace(x, params, trace_sites(), middle) > floor:
                high = middle
            else:
                low = middle + 1
        return low

    return np.array([1 - first_up(x, int(f)) / 2**32 for x, f in enumerate(_floors(params))])


def _transitions(traces: Words, spikes: Trains, params: TraceParams) -> Drawn:
    """Count how traces decayed, (steps, repetitions), in steps that follow one without a spike."""
    assert params.impulse % params.unit == 0
    impulse = params.impulse // params.unit
    visits, ups = np.zeros(128, dtype=np.int64), np.zeros(128, dtype=np.int64)
    floors = _floors(params)
    for k in range(1, len(traces)):
        if spikes[k - 1] or traces[k].max() == 127:  # a clipped trace hides how it decayed
            continue
        before, up = traces[k - 1], traces[k] - impulse * spikes[k] - floors[traces[k - 1]]
        assert set(np.unique(up)) <= {0, 1}
        np.add.at(visits, before, 1)
        np.add.at(ups, before, up)
    return Drawn(visits, ups)


def _surprise(drawn: Drawn, chances: NDArray[np.float64]) -> float:
    """Return the chance of numbers that are as far from `chances`, over all traces together."""
    variance = drawn.visits * chances * (1 - chances)
    enough = variance > 10
    assert enough.sum() > 30
    z2 = (drawn.ups - drawn.visits * chances)[enough] ** 2 / variance[enough]
    return float(chi2.sf(z2.sum(), enough.sum()))


def _text_traces(params: TraceParams, seed: int) -> Words:
    """Return traces by the texts, with counter-based words."""
    sites, traces = trace_sites(), np.zeros((len(SPIKES), 300), dtype=np.int64)
    for lane in range(300):
        x = 0
        for k, spike in enumerate(SPIKES):
            x = decay_trace(x, params, sites, philox(2 * k, lane, seed))
            x = add_impulse(x, params, sites, philox(2 * k + 1, lane, seed)) if spike else x
            traces[k, lane] = x
    return traces


@pytest.fixture(scope="module", params=[(100, 10), (90, 37), (110, 20)])
def drawn(request: pytest.FixtureRequest) -> tuple[TraceParams, Drawn]:
    impulse, tau = request.param
    traces = trace_brian2_loihi(
        SPIKES, impulse=impulse, tau=tau, repetitions=REPETITIONS, seed=1234
    )
    params = trace_params(tau, impulse)
    return params, _transitions(traces, SPIKES, params)


def test_traces_decay_as_often_up_and_down_as_the_texts(drawn: tuple[TraceParams, Drawn]) -> None:
    params, counts = drawn
    assert counts.visits.sum() > 100_000
    assert _surprise(counts, _chances(params)) > SURPRISE


def test_the_comparison_would_see_another_decay(drawn: tuple[TraceParams, Drawn]) -> None:
    params, counts = drawn
    keep = params.decay / 2**24
    for other in (exp(keep - 1), keep + 0.002, keep - 0.002):
        wrong = params._replace(decay=round(other * 2**24))
        chances = np.minimum(np.maximum(_mean(wrong) - _floors(params), 1e-9), 1 - 1e-9)
        assert _surprise(counts, chances) < SURPRISE * 1e-6


def _mean(params: TraceParams) -> NDArray[np.float64]:
    return _floors(params) + _chances(params)


def test_traces_of_the_texts_have_the_distribution_of_the_texts() -> None:
    params = trace_params(10, 100)
    counts = _transitions(_text_traces(params, seed=77), SPIKES, params)
    assert _surprise(counts, _chances(params)) > SURPRISE


def test_mean_and_spread_of_a_trace_agree_step_by_step() -> None:
    # From 100 the first decay by a tenth draws nothing, so that brian2_loihi's slip has no part in it.
    theirs = trace_brian2_loihi(SPIKES[:9], impulse=100, tau=10, repetitions=20_000, seed=5)
    params, chance, values = trace_params(10, 100), np.zeros(128), np.arange(128)
    floors, ups = _floors(params), _chances(params)
    chance[100] = 1
    for k in range(2, 9):
        mean = float(values @ chance)
        variance = float((values - mean) ** 2 @ chance)
        assert abs(theirs[k].mean() - mean) <= 6 * (variance / 20_000) ** 0.5
        assert theirs[k].var() == pytest.approx(variance, rel=0.1, abs=1e-3)
        after = np.zeros(128)
        np.add.at(after, floors, chance * (1 - ups))
        np.add.at(after, floors + 1, chance * ups)
        chance = after


# --- weights ---


class Learned(NamedTuple):
    """Weights at the start of each step, and the spikes that change them in it."""

    weights: Words
    pre: Trains
    post: Trains


def _learn(rule: str, *, mode: str, start: int, seed: int, steps: int = 120) -> Learned:
    """Return pairs of neurons that spike at random under a rule of brian2_loihi, (steps, pairs).

    Source spikes act in their step, target spikes one step later. The targets are made to spike by
    synapses of their own; the learning ones carry a weight exponent of -8 and no input.
    """
    rng = np.random.default_rng(seed)
    sources, drivers = rng.random((2, steps, 200)) < 0.2
    traces = {"imp_x1": 1, "tau_x1": 2, "imp_y1": 1, "tau_y1": 2}  # else there is no x0 and no y0
    with _kept():
        b2.seed(seed)
        source, driver = _generator(sources), _generator(drivers)
        target = loihi.LoihiNeuronGroup(200, threshold_v_mant=10, decay_v=4096, decay_I=4096)
        drive = loihi.LoihiSynapses(driver, target)
        plastic = loihi.LoihiSynapses(
            source, target, w_exp=-8, sign_mode=SIGNS[mode], dw=rule, **traces
        )
        for synapses, weight in ((drive, 200), (plastic, start)):
            synapses.connect(j="i")
            synapses.w = np.full(200, weight)
        monitor = b2.StateMonitor(plastic, "w", record=True)
        fired = loihi.LoihiSpikeMonitor(target)
        loihi.LoihiNetwork(source, driver, target, drive, plastic, monitor, fired).run(steps)
        post = np.zeros((steps + 1, 200), dtype=bool)
        post[np.rint(np.asarray(fired.t_) * 1000).astype(int) + 1, np.array(fired.i)] = True
        return Learned(np.rint(monitor.w).astype(np.int64).T, sources, post[:-1])


def _updates(learned: Learned) -> list[tuple[int, int, int, int]]:
    """Return every different (w before, w after, x0, y0)."""
    before, after = learned.weights[:-1], learned.weights[1:]
    columns = (before, after, learned.pre[:-1], learned.post[:-1])
    return sorted(set(zip(*(c.ravel().tolist() for c in columns), strict=True)))


def _generator(trains: Trains) -> Any:
    steps, neurons = np.nonzero(trains)
    return loihi.LoihiSpikeGeneratorGroup(trains.shape[1], neurons, steps)


NONE = Variables(0, 0, 0)


def _by_terms(w: int, x0: int, y0: int, plus: Floating, minus: Floating) -> int:
    total = open_total(w, weight_params())
    for gate, scale in ((x0, plus), (y0, minus)):
        total = add_term(total, gate, NONE, term(scale), term_sites())
    return int(store_total(total, weight_params(), weight_sites(), 2**31))


@pytest.mark.parametrize(
    ("rule", "plus", "minus", "start"),
    [
        ("3*x0-2*y0", 3, -2, 120),
        ("6*x0-6*y0", 6, -6, 3),
        ("2^3*x0-7*y0", 8, -7, 240),
        ("5*2^2*x0-3*2^3*y0", 20, -24, 250),
    ],
)
def test_whole_changes_are_brian2_loihis_at_every_step(
    rule: str, plus: int, minus: int, start: int
) -> None:
    learned = _learn(rule, mode="excitatory", start=start, seed=9)
    updates = _updates(learned)
    assert {(x0, y0) for _, _, x0, y0 in updates} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    up, down = learning_scale(plus), learning_scale(minus)
    assert up.value == plus
    assert down.value == minus
    for w, after, x0, y0 in updates:
        change = 128 * (plus * x0 + minus * y0)
        assert apply(w, change, weight_params(), weight_sites(), 2**31) == after
        if not (x0 and y0 and 128 * (w + plus) > 32767):
            assert _by_terms(w, x0, y0, up, down) == after


def test_at_the_top_the_engines_accumulator_saturates_between_the_terms() -> None:
    learned = _learn("5*2^2*x0-3*2^3*y0", mode="excitatory", start=250, seed=9)
    up, down = learning_scale(20), learning_scale(-24)
    top = [u for u in _updates(learned) if u[2] and u[3] and 128 * (u[0] + 20) > 32767]
    assert top
    for w, after, x0, y0 in top:
        assert after == w - 4
        assert _by_terms(w, x0, y0, up, down) in (255 - 24, 256 - 24)


@pytest.mark.parametrize("mode", ["excitatory", "inhibitory", "mixed"])
@pytest.mark.parametrize("exponent", range(-8, 8))
def test_every_weight_delivers_what_brian2_loihi_says(mode: Any, exponent: int) -> None:
    for bits in (8,) if exponent not in (0, -3) else (2, 3, 4, 5, 6, 7, 8):
        params, sites = weight_params(mode, bits, exponent), weight_sites(mode, bits, exponent)
        lo, hi = {"excitatory": (0, 255), "inhibitory": (-255, 0), "mixed": (-256, 254)}[mode]
        weights = np.arange(lo, hi + 1)
        ours = [delivered(load_weight(int(w), params, sites), params, sites) for w in weights]
        assert ours == _delivered_there(weights, mode, bits, exponent).tolist()


def _delivered_there(weights: Words, mode: str, bits: int, exponent: int) -> Words:
    with _kept():
        group = loihi.LoihiNeuronGroup(1)
        synapses = loihi.LoihiSynapses(
            group, group, w_exp=exponent, sign_mode=SIGNS[mode], num_weight_bits=bits
        )
        return np.asarray(synapses.calcActualWeights(weights)).astype(np.int64)


# --- where brian2_loihi is not followed ---


def test_brian2_loihi_cuts_changes_on_a_coarse_grid_and_the_texts_round_them() -> None:
    updates = _updates(_learn("3*x0-5*y0", mode="mixed", start=100, seed=2))
    there = {after - w for w, after, x0, y0 in updates if x0 and not y0 and w < 250}
    assert there == {2}
    params, sites = weight_params("mixed"), weight_sites("mixed")
    here = [apply(100, 3 * 128, params, sites, r * 2**24) - 100 for r in range(256)]
    assert set(here) == {2, 4}
    assert sum(here) == 3 * 256


def test_brian2_loihi_decides_the_decay_after_an_impulse_by_the_trace_before_it() -> None:
    spikes = np.zeros(6, dtype=bool)
    spikes[2] = True
    there = trace_brian2_loihi(spikes, impulse=101, tau=4, repetitions=2000, seed=3)
    assert set(there[2]) == {101}
    assert set(there[3]) == {75}  # 75.75, rounded with the fraction of 0
    params = trace_params(4, 101)
    assert decay_trace(101, params, trace_sites(), 0) == 75
    assert _chances(params)[101] == 0.75
