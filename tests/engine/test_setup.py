"""What every executor needs before the first step: the grid of the membrane's record, the order of the input."""

import numpy as np
import pytest

from neuroemu.engine.network import build, deliveries
from neuroemu.engine.setup import check_numbers, input_events, sample_grid
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment, MembraneRecord, Poisson
from neuroemu.models.rungs import ideal
from tests.engine.small import network, neuron, synapses


def recording(start: int, stop: int, every: int) -> Experiment:
    """A record between steps of 0.1 ms, its times written with one decimal."""
    whole = network({"n": neuron(2), "m": neuron(3)}, steps=1000, membrane=("m",))
    times = {
        name: n / 10
        for name, n in zip(("start_ms", "stop_ms", "every_ms"), (start, stop, every), strict=True)
    }
    window = MembraneRecord(populations=("m",), **times)
    return whole.model_copy(update={"record": whole.record.model_copy(update={"membrane": window})})


@pytest.mark.parametrize("step", [0, 1, 3, 6, 7, 12, 14, 17, 19, 23, 999])
def test_times_of_the_membrane_record_are_the_nearest_steps(step: int) -> None:
    """0.3 / 0.1 is less than 3 in doubles."""
    experiment = recording(step, step + 3, max(step, 1))
    layout, _ = build(experiment, ideal(experiment))
    grid, members = sample_grid(layout, ideal(experiment), experiment)
    assert grid == (step, min(step + 3, 1000), max(step, 1))
    assert members == [2, 3, 4]


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


def test_input_that_would_fill_the_memory_is_refused_before_it_is_drawn() -> None:
    busy = network({"n": neuron()}, {"a": Poisson(size=2, rates_hz=(500.0,))}, steps=1000)
    check_numbers(10, 0, drawn=busy)
    with pytest.raises(ConfigError, match="a trial has about 100; use at most 1,000,000,"):
        check_numbers(1_000_001, 0, drawn=busy)
