"""What holds for every run of the engine, whatever the network, the target and the numbers."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from neuroemu.engine import simulate as engine
from neuroemu.engine.kernels import FEW_LANES
from neuroemu.engine.run import MembraneRecord, Run, SpikeTrains, WeightRecord
from neuroemu.engine.simulate import simulate
from neuroemu.experiment import Experiment, Homeostasis, Poisson
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import load_experiment, load_target
from tests.engine.small import assert_equal, network, neuron, synapses, target

STEPS = 600

# Every kind of kernel: floats, 32-bit and 64-bit integers, integers in doubles; with and without
# random bits in the leak; event-driven and periodic.
LFSR = ("plasticity.random.source=lfsr", "plasticity.weight.rounding=stochastic")
NARROW = (
    "plasticity.weight.format=fxp-u6/5",
    "plasticity.increment.format=fxp-u12/4",
    "synapse.weight.format=fxp-u6/4",
)
PERIODIC = (
    "plasticity.update=periodic",
    "plasticity.update_period_us=2500",
    "plasticity.counter.width=4",
    "plasticity.increment.format=fxp-s16/8",
    "plasticity.weight.format=fxp-u8/6",
    "plasticity.weight.rounding=stochastic",
)
TARGETS: dict[str, Target | None] = {
    "float": None,
    "generic16": target(),
    "narrow, lfsr": target(*NARROW, *LFSR),
    "stochastic everywhere": target(
        *NARROW,
        "membrane.rounding=stochastic",
        "synapse.gain.drive_rounding=stochastic",
        "plasticity.weight.rounding=stochastic",
    ),
    "periodic": target(*PERIODIC),
    "analog, periodic": load_target("brainscales2", ["plasticity.update_period_us=3"]),
    "wide": target("membrane.format=fxp-s40/24", "membrane.rounding=around"),
    "coarse tick": target("time.tick_us=300"),
}
targets = st.sampled_from(list(TARGETS))

POPULATIONS = {
    "alone": neuron(2, tau=3.0, refractory=0.4, reset=-0.5),
    "next": neuron(1, tau=7.0, refractory=1.0),
    "last": neuron(2, tau=3.0, refractory=0.4, reset=-0.5),
}
STIMULI = {
    "many": Poisson(size=3, rates_hz=(300.0, 80.0), interval_ms=20.1),
    "single": Poisson(rates_hz=(400.0,)),
}
RULE = Homeostasis(dw_plus=0.05, dw_minus=0.08, w_min=0.0, w_max=1.5)
SOME = {"connector": "fixed_probability", "probability": 0.6}
PROJECTIONS = {
    "drive": synapses("single", "alone", 1.25),
    "learn": synapses("many", "alone", 0.75, plasticity=RULE, **SOME),
    "onward": synapses("alone", "last", 0.875, plasticity=RULE),
    "inhibit": synapses("last", "next", -0.5),
    "excite": synapses("many", "next", 1.0),
}


def small_network(
    order: tuple[str, ...] = tuple(POPULATIONS), stimuli=tuple(STIMULI)
) -> Experiment:
    """Five neurons, four sources, two plastic projections; tables in the order given."""
    return network(
        {name: POPULATIONS[name] for name in order},
        {name: STIMULI[name] for name in stimuli},
        PROJECTIONS,
        steps=STEPS,
        membrane=tuple(POPULATIONS),
    )


def trials_of(run: Run, first: int, stop: int) -> Run:
    """What is left of a run if it had been asked for these trials only (sites aside)."""
    part = slice(first, stop)
    return replace(
        run,
        first_trial=run.first_trial + first,
        spikes={
            n: SpikeTrains(s.steps[part], s.neurons[part], s.size) for n, s in run.spikes.items()
        },
        weights={n: WeightRecord(w.trials[part], w.initial, w.lsb) for n, w in run.weights.items()},
        membrane={n: MembraneRecord(m.step, m.value[:, :, part]) for n, m in run.membrane.items()},
        sites={},
        input_coincidences=0,
    )


def without_totals(run: Run) -> Run:
    return replace(run, sites={}, input_coincidences=0)


@pytest.mark.parametrize("name", TARGETS)
def test_the_network_is_busy(name: str) -> None:
    """So that the properties below are about something."""
    run = simulate(small_network(), TARGETS[name])
    assert all(trains[0].size > 3 for trains in run.spikes.values())
    if name != "analog, periodic":
        assert all(record.step[0].size > 5 for record in run.weights.values())


@pytest.mark.parametrize("name", TARGETS)
@given(seed=st.integers(0, 2**64 - 1), chunk_ms=st.floats(0.01, 80.0), trials=st.integers(1, 3))
@example(seed=0, chunk_ms=0.1, trials=1)
@settings(max_examples=6, deadline=None)
def test_results_do_not_depend_on_the_chunk(
    name: str, seed: int, chunk_ms: float, trials: int
) -> None:
    arguments = {"trials": trials, "seed": seed}
    whole = simulate(small_network(), TARGETS[name], **arguments)
    assert_equal(whole, simulate(small_network(), TARGETS[name], chunk_ms=chunk_ms, **arguments))


@contextmanager
def buffer_of(entries: int):
    before = engine.BUFFER
    engine.BUFFER = entries
    try:
        yield
    finally:
        engine.BUFFER = before


@pytest.mark.parametrize("name", TARGETS)
@given(seed=st.integers(0, 2**32), entries=st.integers(0, 40), trials=st.integers(1, 3))
@example(seed=0, entries=0, trials=1)
@settings(max_examples=6, deadline=None)
def test_results_do_not_depend_on_the_size_of_the_buffers(
    name: str, seed: int, entries: int, trials: int
) -> None:
    whole = simulate(small_network(), TARGETS[name], seed=seed, trials=trials)
    with buffer_of(entries):
        tight = simulate(small_network(), TARGETS[name], seed=seed, trials=trials)
    assert_equal(whole, tight)


@pytest.mark.parametrize("name", TARGETS)
@given(
    seed=st.integers(0, 2**32),
    first=st.integers(0, 100),
    trials=st.integers(2, 5),
    data=st.data(),
)
@settings(max_examples=6, deadline=None)
def test_a_trial_is_the_same_alone_and_among_others(
    name: str, seed: int, first: int, trials: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, trials - 1))
    stop = data.draw(st.integers(start + 1, trials))
    many = simulate(small_network(), TARGETS[name], trials=trials, seed=seed, first_trial=first)
    few = simulate(
        small_network(), TARGETS[name], trials=stop - start, seed=seed, first_trial=first + start
    )
    assert_equal(trials_of(many, start, stop), without_totals(few))


@pytest.mark.parametrize("name", TARGETS)
def test_what_sites_did_adds_up_over_trials(name: str) -> None:
    together = simulate(small_network(), TARGETS[name], trials=4, seed=3)
    apart = [simulate(small_network(), TARGETS[name], seed=3, first_trial=i) for i in range(4)]
    assert together.input_coincidences == sum(run.input_coincidences for run in apart)
    for site, did in together.sites.items():
        for number, step in (("overflowed", "overflow_step"), ("lost", "lost_step")):
            assert did[number] == sum(run.sites[site][number] or 0 for run in apart)
            steps = [s for run in apart if (s := run.sites[site][step]) is not None]
            assert did[step] == min(steps, default=None)


@pytest.mark.parametrize("name", TARGETS)
@given(
    seed=st.integers(0, 2**32),
    order=st.permutations(list(POPULATIONS)),
    stimuli=st.permutations(list(STIMULI)),
)
@settings(max_examples=6, deadline=None)
def test_results_do_not_depend_on_the_order_of_populations_and_stimuli(
    name: str, seed: int, order: list[str], stimuli: list[str]
) -> None:
    chip = TARGETS[name]
    if name == "stochastic everywhere":
        # A neuron's random bits are those of its place in the experiment.
        chip = target(*NARROW, "plasticity.weight.rounding=stochastic")
    known = simulate(small_network(), chip, trials=2, seed=seed)
    other = simulate(small_network(tuple(order), tuple(stimuli)), chip, trials=2, seed=seed)
    for population in POPULATIONS:
        assert_equal(known.spikes[population], other.spikes[population])
        assert_equal(known.membrane[population], other.membrane[population])
    assert_equal(known.weights, other.weights)
    assert known.sites == other.sites


@pytest.mark.parametrize("name", TARGETS)
def test_many_lanes_equal_few(name: str) -> None:
    """From 8 lanes on the loop over neurons is another one, with its own search for spikes."""
    assert 5 < FEW_LANES <= 5 * 16
    many = simulate(small_network(), TARGETS[name], trials=16, seed=9)
    for trial in range(16):
        alone = simulate(small_network(), TARGETS[name], seed=9, first_trial=trial)
        assert_equal(trials_of(many, trial, trial + 1), without_totals(alone))


@pytest.mark.parametrize("lanes", [*range(1, 19), 63, 64, 65])
@pytest.mark.parametrize("chip", [None, target()], ids=["float", "fixed"])
def test_every_lane_is_looked_at(chip: Target | None, lanes: int) -> None:
    """Also the last ones, which fill no word of the search for spikes."""
    experiment = network(
        {"n": neuron(lanes)},
        {"s": Poisson(size=lanes, rates_hz=(0.0,))},
        {"p": synapses("s", "n", 2.0, connector="one_to_one")},
        steps=lanes + 2,
    )
    index = np.arange(lanes)
    run = simulate(experiment, chip, spikes={"s": [np.stack((index, index), axis=1)]})
    np.testing.assert_array_equal(run.spikes["n"].steps[0], index + 1)
    np.testing.assert_array_equal(run.spikes["n"].neurons[0], index)


# Weights


@st.composite
def weight_registers(draw: st.DrawFn) -> tuple[tuple[str, ...], float, float]:
    """Overrides that make a weight register with its rounding, and limits that it can hold."""
    signed, width = draw(st.booleans()), draw(st.integers(2, 16))
    fraction = draw(st.integers(width - 4, width))
    lsb = 2.0**-fraction
    lowest = -(2 ** (width - 1)) if signed else 0
    highest = 2 ** (width - 1) - 1 if signed else 2**width - 1
    ends = st.floats(lowest * lsb, highest * lsb).map(lambda x: round(x, 6))
    grid = st.integers(lowest, highest).map(lambda n: n * lsb)
    low, high = sorted(draw(st.tuples(st.one_of(ends, grid), st.one_of(ends, grid))))
    low, high = max(low, lowest * lsb), min(high, highest * lsb)
    if high - low < 2 * lsb:
        low, high = lowest * lsb, highest * lsb
    rounding = draw(
        st.sampled_from(["floor", "ceil", "fix", "trunc", "around", "half_up", "stochastic"])
    )
    increments = draw(st.integers(1 if rounding == "stochastic" else 0, 8))
    overrides = (
        f"plasticity.weight.format=fxp-{'s' if signed else 'u'}{width}/{fraction}",
        f"plasticity.weight.rounding={rounding}",
        f"plasticity.weight.overflow={draw(st.sampled_from(['saturate', 'wrap', 'error']))}",
        f"plasticity.increment.format=fxp-u32/{increments}",
        "synapse.gain.format=fxp-u32/8",
        f"membrane.rounding={draw(st.sampled_from(['floor', 'half_up']))}",
    )
    return overrides, low, high


@given(
    register=weight_registers(),
    plus=st.floats(0, 3),
    minus=st.floats(0, 3),
    start=st.floats(0, 1),
    periodic=st.booleans(),
    source=st.sampled_from(["counter", "lfsr"]),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=80, deadline=None)
def test_weights_stay_within_their_limits(
    register: tuple[tuple[str, ...], float, float],
    plus: float,
    minus: float,
    start: float,
    periodic: bool,
    source: str,
    seed: int,
) -> None:
    overrides, low, high = register
    update = ("plasticity.update=periodic", "plasticity.update_period_us=1000")
    chip = target(
        *overrides,
        f"plasticity.random.source={source}",
        *(update if periodic else ("plasticity.update=event",)),
    )
    rule = Homeostasis(dw_plus=plus, dw_minus=minus, w_min=low, w_max=high)
    initial = min(max(low + start * (high - low), low), high)
    experiment = network(
        {"n": neuron(threshold=0.8)},
        {"s": Poisson(rates_hz=(1500.0,)), "k": Poisson(rates_hz=(700.0,))},
        {
            "learn": synapses("s", "n", initial, plasticity=rule),
            "kick": synapses("k", "n", 2.0),
        },
        steps=400,
    )
    for rung in ("fixed", "range", "parameters", "ideal"):
        record = simulate(experiment, chip, rung=rung, seed=seed).weights["learn"]  # type: ignore[arg-type]
        for values in (record.value[0], np.array([record.initial])):
            assert np.all(values >= low)
            assert np.all(values <= high)
        assert np.all(np.diff(record.value[0], prepend=record.initial) != 0)


# The float limit


def homeostasis_short(duration_ms: float = 2000.0) -> Experiment:
    """The beginning of the shipped experiment, at ten times its rates, phases of half a second."""
    shipped = load_experiment("spike_based_homeostasis")
    faster = {
        name: s.model_copy(update={"rates_hz": tuple(10 * r for r in s.rates_hz[:3])})
        for name, s in shipped.stimuli.items()
    }
    faster["varying"] = faster["varying"].model_copy(update={"interval_ms": 500.0})
    time = shipped.time.model_copy(update={"duration_ms": duration_ms})
    return shipped.model_copy(update={"stimuli": faster, "time": time, "question": None})


def with_fraction(bits: int, rounding: str) -> Target:
    return target(
        f"membrane.format=fxp-s{bits + 4}/{bits}",
        f"membrane.leak.format=fxp-u{bits + 1}/{bits}",
        f"membrane.rounding={rounding}",
        f"plasticity.weight.format=fxp-u{bits + 2}/{bits}",
        f"plasticity.weight.rounding={rounding}",
        "plasticity.increment.format=fxp-u31/8",
        f"synapse.weight.format=fxp-u{bits + 2}/{bits}",
    )


def at_each_step(run: Run, trial: int) -> np.ndarray:
    """The plastic weight at the end of every step."""
    record = run.weights["homeostatic"]
    until = np.searchsorted(record.step[trial], np.arange(run.n_steps), side="right")
    return np.concatenate(([record.initial], record.value[trial]))[until]


@pytest.mark.parametrize("rounding", ["half_up", "around"])
def test_wider_formats_converge_to_the_float_reference(rounding: str) -> None:
    experiment, trials = homeostasis_short(), 4
    reference = simulate(experiment, trials=trials, seed=2)
    assert sum(trains.size for trains in reference.spikes["with_homeostasis"]) > 1000
    spikes, weights = [], []
    for bits in (8, 12, 16, 24):
        run = simulate(experiment, with_fraction(bits, rounding), trials=trials, seed=2)
        apart = [
            np.setxor1d(run.spikes[name][t], reference.spikes[name][t]).size
            for name in run.spikes
            for t in range(trials)
        ]
        spikes.append(sum(apart))
        errors = [at_each_step(run, t) - at_each_step(reference, t) for t in range(trials)]
        weights.append(float(np.sqrt(np.mean(np.square(errors)))))
    assert spikes == sorted(spikes, reverse=True)
    assert spikes[0] > 20
    assert spikes[-1] == 0
    assert all(wide < narrow for narrow, wide in pairwise(weights))
    assert weights[-1] < 1e-4


@given(seed=st.integers(0, 2**64 - 1), dw_plus=st.floats(0, 0.3), dw_minus=st.floats(0, 0.3))
@settings(max_examples=15, deadline=None, derandomize=True)  # a membrane may end on the threshold
def test_the_widest_format_fires_as_the_float_reference(
    seed: int, dw_plus: float, dw_minus: float
) -> None:
    experiment = homeostasis_short(200.0)
    rule = Homeostasis(dw_plus=dw_plus, dw_minus=dw_minus, w_max=2.0)
    plastic = experiment.projections["homeostatic"].model_copy(update={"plasticity": rule})
    projections = experiment.projections | {"homeostatic": plastic}
    experiment = experiment.model_copy(update={"projections": projections})
    reference = simulate(experiment, seed=seed)
    run = simulate(experiment, with_fraction(24, "half_up"), seed=seed)
    assert_equal(run.spikes, reference.spikes)
    assert np.abs(at_each_step(run, 0) - at_each_step(reference, 0)).max() < 1e-5
