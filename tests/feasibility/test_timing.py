"""Ticks, events and places against drawn input."""

from __future__ import annotations

import math

import pytest

from neuroemu.engine.simulate import simulate
from neuroemu.experiment import Poisson
from neuroemu.feasibility.findings import Finding
from neuroemu.feasibility.timing import places, timing, timing_findings
from neuroemu.feasibility.traffic import stretches
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.discretize import discretize
from tests.engine.small import network, neuron, synapses, target

REFERENCE = load_experiment("spike_based_homeostasis")
POPULATION = load_experiment("homeostatic_population")


def found_on(experiment, chip) -> list[Finding]:
    d = discretize(experiment, chip)
    return list(timing_findings(d, timing(d), places(d)))


@pytest.mark.parametrize("tick_us", [200.0, 1000.0, 5000.0])
def test_expected_coincidences_are_counted(tick_us: float) -> None:
    experiment = network(
        {"n": neuron(tau=10.0)},
        {"s": Poisson(size=4, rates_hz=(400.0, 20.0, 0.0, 900.0), interval_ms=500.0)},
        {"p": synapses("s", "n", 0.1)},
        steps=30_000,
    )
    chip = target(f"time.tick_us={tick_us}", "membrane.integration=exponential")
    expected = timing(discretize(experiment, chip))
    trials = 10
    run = simulate(experiment, chip, trials=trials, seed=5)
    assert expected.coincident > 100
    assert abs(run.input_coincidences / trials - expected.coincident) < 5 * math.sqrt(
        2 * expected.coincident / trials
    )


def test_a_tick_as_fine_as_the_input_has_none() -> None:
    found = timing(discretize(REFERENCE, load_target("generic16")))
    assert found.coincident == pytest.approx(0.0, abs=1e-6)
    assert (found.resolution_ms, found.step_ms) == (0.1, 0.1)


def test_a_chip_may_resolve_more_than_the_experiment_asks() -> None:
    found = timing(discretize(REFERENCE, load_target("brainscales2", ["time.tick_us=0.02"])))
    assert (found.resolution_ms, found.step_ms) == (0.02, 0.02) or found.step_ms == 0.1


def test_events_of_the_busiest_stretch_and_the_whole_run() -> None:
    found = timing(discretize(POPULATION, load_target("generic4")))
    # four sources at 10 Hz and sixteen at 40 Hz, ten thousand times as fast
    assert found.events_per_us == pytest.approx((4 * 10 + 16 * 40) * 1e4 / 1e6)
    assert found.run_us == pytest.approx(20e6 / 1e4)
    assert found.input_spikes == pytest.approx(4 * 5 * (5 + 10 + 0 + 8) + 16 * 40 * 20)
    assert found.most_events_per_us is None


def test_stretches_are_those_inside_the_experiment() -> None:
    found = stretches(REFERENCE, REFERENCE.stimuli["varying"])
    assert [(s.rate_hz, s.steps) for s in found] == [
        (rate, 100_000) for rate in (25.0, 50.0, 0.0, 35.0)
    ]
    long = load_experiment("spike_based_homeostasis", ["time.duration_ms=65000.0"])
    assert sum(s.steps for s in stretches(long, long.stimuli["varying"])) == long.n_steps
    assert stretches(long, long.stimuli["varying"])[-1].rate_hz == 0.0


def test_what_is_used_of_the_chip() -> None:
    neurons, fan_in = places(discretize(POPULATION, load_target("brainscales2")))
    assert (neurons.used, neurons.available) == (32, 512)
    assert (fan_in.used, fan_in.available, fan_in.is_bound) == (4 + 1 + 16, 256, True)
    assert places(discretize(POPULATION, target()))[0].available is None


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], []),
        (["capacity.neurons=31"], [("neurons", "problem")]),
        (["capacity.neurons=32"], []),
        (["capacity.fan_in=20"], [("fan_in", "problem")]),
        (["capacity.events_per_us=0.5"], [("bandwidth", "problem")]),
        (["capacity.events_per_us=0.7"], []),
        (["time.tick_us=1.0", "plasticity.update_period_us=100.0"], [("coincident", "note")]),
        (["time.tick_us=10.0", "refractory.format=fxp-u16/0"], [("coincident", "problem")]),
    ],
)
def test_what_is_found(overrides: list[str], expected: list[tuple[str, str]]) -> None:
    overrides = [*overrides, "membrane.integration=exponential"]
    found = found_on(POPULATION, load_target("brainscales2", overrides))
    assert [(f.kind, f.severity) for f in found] == expected
