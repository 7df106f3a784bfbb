"""Input spikes of all trials: in which order they reach the network, and what runs share of them."""

from dataclasses import replace

import numpy as np
import pytest

from neuroemu.engine.inputs import Deliveries, Inputs, deliveries, input_events
from neuroemu.engine.network import build
from neuroemu.engine.simulate import resolve, run_trains, simulate, simulate_inputs
from neuroemu.experiment import Experiment, Poisson
from neuroemu.hardware.config import Target
from neuroemu.models.rungs import ideal
from tests.engine.small import assert_equal, homeostasis, network, neuron, synapses, target


def test_input_is_sorted_by_step_then_unit_then_trial() -> None:
    experiment = network(
        {"n": neuron()},
        {"a": Poisson(size=2, rates_hz=(0.0,)), "b": Poisson(size=2, rates_hz=(0.0,))},
        {
            "second": synapses("b", "n", 1.0),
            "both": synapses("a", "n", 1.0),
            "again": synapses("b", "n", 1.0),
        },
        steps=10,
    )
    layout, wiring = build(experiment, ideal(experiment))
    rng = np.random.default_rng(1)
    trains = [
        {name: np.argwhere(rng.random((10, 2)) < 0.5).astype(np.int64) for name in ("a", "b")}
        for _ in range(3)
    ]
    events, coincidences = input_events(layout, ideal(experiment), trains)
    assert coincidences == 0
    rows = events.tolist()
    assert rows == sorted(rows)
    assert len(rows) == sum(len(train) for trial in trains for train in trial.values()) > 40
    for step, unit, trial in rows:
        name, start = ("a", 0) if unit < 2 else ("b", 2)
        assert [step, unit - start] in trains[trial][name].tolist()
    # each spike is delivered by every projection of its source, and counts once
    delivered = deliveries(events, wiring).tolist()
    assert [row[:4] for row in delivered] == sorted(row[:4] for row in delivered)
    known = [[k, p, u, t] for k, u, t in rows for p in ((1,) if u < 2 else (0, 2))]
    assert sorted(row[:4] for row in delivered) == sorted(known)
    counted = [[k, u, t] for k, _, u, t, counts in delivered if counts]
    assert sorted(counted) == rows


def busy(weight: float = 0.5) -> Experiment:
    """One neuron that learns from 500 Hz."""
    return network(
        {"n": neuron()},
        {"a": Poisson(rates_hz=(500.0,))},
        {"plastic": synapses("a", "n", weight, plasticity=homeostasis())},
        steps=2000,
    )


def reached(
    inputs: Inputs, experiment: Experiment, chip: Target | None, **changes: bool
) -> Deliveries:
    """What a run would be handed."""
    arithmetic = replace(resolve(experiment, chip), **changes)
    return inputs.deliveries(*build(experiment, arithmetic), arithmetic)


@pytest.mark.parametrize("chip", [None, target(), target("time.tick_us=500")])
def test_runs_that_share_their_input_equal_runs_of_their_own(chip: Target | None) -> None:
    experiment = busy()
    shared = simulate_inputs(experiment, trials=3, seed=5)
    reached(shared, experiment, None)
    arithmetic = resolve(experiment, chip)
    run = run_trains(experiment, chip, arithmetic, shared, seed=5)
    assert sum(s.size for s in run.spikes["n"]) > 30
    assert_equal(run, simulate(experiment, chip, trials=3, seed=5))
    assert_equal(run, run_trains(experiment, chip, arithmetic, list(shared), seed=5))


def test_input_is_sorted_once_for_runs_on_one_grid() -> None:
    shared = simulate_inputs(busy(), trials=3, seed=5)
    first = reached(shared, busy(), None)
    assert reached(shared, busy(), target()) is first
    assert reached(shared, busy(weight=1.0), target("synapse.weight.format=fxp-s8/4")) is first


def test_input_is_sorted_again_for_another_grid_another_merging_and_other_units() -> None:
    shared = simulate_inputs(busy(), trials=3, seed=5)
    wider = busy().model_copy(update={"stimuli": {"b": Poisson(rates_hz=(0.0,)), **busy().stimuli}})
    coarse = target("time.tick_us=500")
    found = [
        reached(shared, busy(), None),
        reached(shared, busy(), coarse),
        reached(shared, busy(), coarse, merges_input=True),
        reached(shared, wider, None),
    ]
    assert [one.rows[0].tolist()[2] for one in found] == [0, 0, 0, 1]
    fine, binned, merged, _ = (len(one.rows) for one in found)
    assert fine == binned == merged + found[2].coincidences > merged
