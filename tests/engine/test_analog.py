"""Mismatch and noise of an analog membrane, and learning through pair sensors: kernel and executor agree."""

import numpy as np
import pytest

from neuroemu.engine.exact import run_exact
from neuroemu.engine.simulate import simulate
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.discretize import discretize
from tests.engine.small import assert_equal

STEPS = 6000


def short(*changes: str) -> Experiment:
    ends = ("time.duration_ms=600.0", "stimuli.varying.interval_ms=150.0")
    return load_experiment("spike_based_homeostasis", (*ends, "question.settle_ms=50.0", *changes))


@pytest.mark.parametrize(
    "changes",
    [
        ["plasticity.update_period_us=15.0"],
        ["plasticity.update_period_us=15.0", "plasticity.pairs.step=3"],
    ],
)
def test_pair_sensors(changes: list[str]) -> None:
    target = load_target("brainscales1", changes)
    runs = [
        simulate(short(), target, trials=3, seed=4),
        run_exact(short(), target, trials=3, seed=4),
    ]
    assert_equal(*runs)
    steps = np.concatenate([changes.step for changes in runs[0].weights["homeostatic"].trials])
    assert steps.size > 3
    assert set((steps + 1) % 1500) == {0}  # one row: it is read once in a turn


def test_rows_are_read_in_turn() -> None:
    experiment = short(
        "stimuli.steady.size=3", "populations.with_homeostasis.size=2", "time.duration_ms=900.0"
    )
    target = load_target("brainscales1", ["plasticity.update_period_us=15.0"])
    run, exact = simulate(experiment, target, seed=2), run_exact(experiment, target, seed=2)
    assert_equal(run, exact)
    changes = run.weights["homeostatic"][0]
    for step, synapse in zip(changes.step.tolist(), changes.synapse.tolist(), strict=True):
        assert (step + 1) % 1500 == 150 * (synapse // 2)  # rows of two columns, 15 ms each


def test_noise_has_the_deviation_that_is_asked_for() -> None:
    silent = short(
        "stimuli.varying.rates_hz=[0.0]",
        "record.membrane.populations=['without_homeostasis']",
        "record.membrane.stop_ms=600.0",
    )
    target = load_target("brainscales2", ["membrane.noise=0.01"])
    run = simulate(silent, target, trials=20, seed=1)
    assert_equal(run, run_exact(silent, target, trials=20, seed=1, n_steps=STEPS))
    v = run.membrane["without_homeostasis"].value[1000:, 0, :]
    # a first-order process: its variance is that of a step over 1 - 0.99^2
    assert np.std(v) == pytest.approx(0.01 / np.sqrt(1 - 0.99**2), rel=0.1)
    assert abs(v.mean()) < 0.01


def test_a_mismatched_pattern_is_the_chips_and_not_the_trials() -> None:
    population = short("populations.without_homeostasis.size=4")
    pattern = ["membrane.mismatch.threshold=0.3", "membrane.mismatch.tau_m=0.3"]
    target = load_target("brainscales2", pattern)
    run = simulate(population, target, trials=2, seed=3)
    assert_equal(run, run_exact(population, target, trials=2, seed=3))
    same = simulate(population, load_target("brainscales2"), trials=2, seed=3)
    other = simulate(
        population, load_target("brainscales2", [*pattern, "membrane.mismatch.seed=1"]), seed=3
    )
    counts = [
        [np.bincount(r.spikes["without_homeostasis"].neurons[0], minlength=4).tolist()]
        for r in (run, same, other)
    ]
    assert len(set(counts[1][0])) == 1  # without mismatch all neurons of the control are alike
    assert len(set(counts[0][0])) > 1
    assert counts[0] != counts[2]


def test_noise_belongs_to_an_analog_membrane() -> None:
    with pytest.raises(ConfigError, match="a digital membrane has neither mismatch nor noise"):
        load_target("generic8", ["membrane.noise=0.1"])


def test_a_refractory_counter_with_a_clock_of_its_own() -> None:
    # counts of 0.25 us, 0.25 ms biological: 1 ms is 4 counts, 1.1 ms still 4
    target = load_target("brainscales2", ["refractory.clock_us=0.25"])
    for asked in (1.0, 1.1):
        d = discretize(short(f"populations.with_homeostasis.tau_refrac_ms={asked}"), target)
        assert d.neurons["with_homeostasis"].refractory_steps == 10


def test_a_pair_of_one_step_is_acausal() -> None:
    """The neuron spikes a step after its input, in the very steps of the plastic source."""
    ends = ("time.duration_ms=60.0", "stimuli.varying.interval_ms=15.0", "question.settle_ms=5.0")
    loaded = short(*ends, "projections.homeostatic.weight=1.0")
    experiment = loaded.model_copy(update={"question": None})
    together = {"varying": [np.arange(0, 590, 40)], "steady": [np.arange(1, 591, 40)]}
    changes = ["plasticity.pairs.tau_us=2.5", "plasticity.update_period_us=3.0"]
    target = load_target("brainscales1", changes)
    run = simulate(experiment, target, spikes=together)
    assert_equal(run, run_exact(experiment, target, spikes=together))
    # eight acausal pairs without distance in each turn: above the threshold, one code down
    assert run.weights["homeostatic"][0].raw.tolist() == [7, 6]
