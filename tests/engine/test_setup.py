"""What every executor needs before the first step: the grid of the membrane's record, the size of the input."""

import pytest

from neuroemu.engine.network import build
from neuroemu.engine.setup import check_numbers, sample_grid
from neuroemu.errors import ConfigError
from neuroemu.experiment import Experiment, MembraneRecord, Poisson
from neuroemu.models.rungs import ideal
from tests.engine.small import network, neuron


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


def test_input_that_would_fill_the_memory_is_refused_before_it_is_drawn() -> None:
    busy = network({"n": neuron()}, {"a": Poisson(size=2, rates_hz=(500.0,))}, steps=1000)
    check_numbers(10, 0, drawn=busy)
    with pytest.raises(ConfigError, match="a trial has about 100; use at most 1,000,000,"):
        check_numbers(1_000_001, 0, drawn=busy)
