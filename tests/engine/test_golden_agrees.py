"""The engine on shipped targets, and on cases kept by hand, does what the golden model does."""

from typing import Any

import pytest

from neuroemu.engine.simulate import simulate
from neuroemu.engine.stimuli import draw
from neuroemu.experiment import Experiment, Poisson
from neuroemu.golden.trial import run as run_golden
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import load_experiment, load_target, shipped_targets
from neuroemu.models.discretize import discretize
from neuroemu.testing.as_golden import golden_network, golden_words, trace_difference
from tests.engine.small import homeostasis, network, neuron, synapses, target

DIGITAL = [n for n in shipped_targets() if load_target(n).membrane.arithmetic == "fixed"]


def assert_golden(experiment: Experiment, chip: Target, *, trials: int = 2, seed: int = 1) -> Any:
    """Run the engine, hold every trial against the golden model, and return the run."""
    plan = discretize(experiment, chip)
    run = simulate(experiment, chip, trials=trials, seed=seed)
    for trial in range(trials):
        spikes = {
            name: [(step // plan.clock.input_steps, index) for step, index in train.tolist()]
            for name, train in draw(experiment, seed, trial).items()
        }
        words = golden_words(plan, seed, trial)
        trace = run_golden(golden_network(plan), spikes, plan.clock.n_steps, words=words)
        assert trace_difference(run, trial, trace, plan) is None
    return run


@pytest.mark.parametrize("name", DIGITAL)
def test_shipped_targets(name: str) -> None:
    experiment = load_experiment(
        "spike_based_homeostasis",
        [
            "time.duration_ms=100.0",
            "question.settle_ms=0.0",
            "stimuli.varying.rates_hz=[400.0]",
            "stimuli.steady.rates_hz=[600.0]",
            "projections.homeostatic.weight=0.5",
        ],
    )
    chip = load_target(name)
    run = assert_golden(experiment, chip)
    if chip.plasticity.update != "none":
        assert all(raw.size > 20 for raw in run.weights["homeostatic"].raw)
    assert all(steps.size > 5 for steps in run.spikes["with_homeostasis"])


def pair(rest: float = 0.0) -> Experiment:
    """Two populations, each with plastic input from the same two sources."""
    cell = {"size": 2, "refractory": 0.3, "rest": rest, "threshold": rest + 1, "reset": rest - 0.5}
    rule = homeostasis(0.07, 0.09, high=1.75)
    return network(
        {"a": neuron(tau=1.5, **cell), "b": neuron(tau=4.0, **cell)},
        {"s": Poisson(size=2, rates_hz=(3000.0,))},
        {
            "still": synapses("s", "b", 0.75),
            "first": synapses("s", "a", 1.25, plasticity=rule),
            "second": synapses("s", "b", 0.25, plasticity=rule),
            "between": synapses("a", "b", 1.0, plasticity=rule, connector="one_to_one"),
        },
        membrane=("a", "b"),
    )


STOCHASTIC = (
    "plasticity.weight.format=fxp-u6/5",
    "plasticity.increment.format=fxp-u16/6",
    "plasticity.weight.rounding=stochastic",
)


@pytest.mark.parametrize("source", ["counter", "lfsr"])
@pytest.mark.parametrize("update", ["event", "periodic"])
def test_no_two_plastic_synapses_share_their_random_words(source: str, update: str) -> None:
    """Lanes are numbered through all projections."""
    chip = target(
        *STOCHASTIC,
        f"plasticity.random.source={source}",
        f"plasticity.update={update}",
        "plasticity.update_period_us=500",
    )
    run = assert_golden(pair(), chip)
    assert all(raw.size > 5 for record in run.weights.values() for raw in record.raw)


def test_random_words_of_leak_and_drive() -> None:
    chip = target(
        "membrane.rounding=stochastic",
        "synapse.gain.drive_rounding=stochastic",
        "synapse.gain.format=fxp-u16/9",
        "synapse.weight.lsb=full_scale",
    )
    assert_golden(pair(rest=-64.5), chip)


def test_counters_that_wrap_read_full() -> None:
    chip = target(
        *STOCHASTIC[:2],
        "plasticity.update=periodic",
        "plasticity.update_period_us=1300",
        "plasticity.counter.width=2",
    )
    run = assert_golden(pair(), chip)
    assert run.sites["count"]["overflowed"] > 0


def test_weights_stand_still_without_plasticity() -> None:
    run = assert_golden(pair(), target("plasticity.update=none"))
    assert all(raw.size == 0 for record in run.weights.values() for raw in record.raw)


@pytest.mark.parametrize("width", [13, 14])
def test_a_period_without_spikes_narrows_what_its_sum_cannot_hold(width: int) -> None:
    """A weight of 4096 does not fit 13 bits, and every period narrows it; nothing is counted."""
    silent = pair().model_copy(update={"stimuli": {"s": Poisson(size=2, rates_hz=(0.0,))}})
    chip = target(
        "plasticity.update=periodic",
        "plasticity.update_period_us=500",
        "plasticity.increment.format=fxp-u16/0",
        f"plasticity.accumulator.format=fxp-s{width}/0",
    )
    run = assert_golden(silent, chip)
    assert all((raw.size > 0) == (width == 13) for raw in run.weights["second"].raw)
