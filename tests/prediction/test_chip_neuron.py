"""The chain's view of a chip neuron against the text of its step, run as it stands on plain integers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models import cuba
from neuroemu.models.cuba import CubaSites, CubaState
from neuroemu.models.discretize import discretize
from neuroemu.models.rungs import on_target
from neuroemu.prediction.arrivals import Afferents, OutOfScopeError, arrivals
from neuroemu.prediction.chip_neuron import ChipNeuron, chip_neuron
from neuroemu.prediction.current_chain import lasting_rate
from neuroemu.prediction.held import static_rate
from neuroemu.prediction.membrane_chain import membrane_chain
from neuroemu.prediction.network import plain

CHIPS: dict[str, tuple[str, ...]] = {
    "loihi1": (),
    "spinnaker1": (),
    "xylo": (),
    "truenorth": (),
    "tinyodin": (),
    "reckon": (),
    "loihi1 below 16 bits": (
        "membrane.format=fxp-s13/7",
        "neuron.threshold.format=fxp-u12/7",
        "neuron.bias.format=fxp-s13/7",
        "neuron.buffer.format=fxp-s13/7",
        "neuron.current.format=fxp-s13/7",
    ),
    "reckon that subtracts": ("neuron.reset=subtract",),
    "reckon, tested after its leak": ("neuron.tests=leaked",),
    "reckon, refractory": ("refractory.counter=true", "refractory.clock_us=200.0"),
    "xylo that resets": ("neuron.reset=zero", "neuron.most_spikes=1"),
    "tinyodin with a leak": (
        "membrane.format=fxp-s12/6",
        "membrane.leak.format=fxp-u7/6",
        "neuron.threshold.format=fxp-u12/6",
    ),
}


ACCUMULATING = ("xylo", "xylo that resets", "reckon that subtracts")
"""Where the input of several steps adds up, or what is left of it after a spike."""


def neuron_of(name: str) -> ChipNeuron:
    """Return the neuron of the reference experiment on a chip of `CHIPS`."""
    experiment = load_experiment("spike_based_homeostasis")
    target = load_target(name.replace(",", " ").split()[0], [*CHIPS[name]])
    a = on_target(discretize(experiment, target), "fixed")
    sites = CubaSites(*(plain(site) for site in a.neuron_sites))
    params = type(a.neurons["with_homeostasis"])(*map(int, a.neurons["with_homeostasis"]))
    return chip_neuron(params, sites, "with_homeostasis", is_stochastic=False)


def resting(neuron: ChipNeuron, v: int | None = None) -> CubaState:
    return CubaState(int(neuron.rest) if v is None else v, *[0] * 7)


def spikes_of_text(neuron: ChipNeuron, steps: Sequence[Sequence[int]]) -> Iterator[int]:
    """Yield the spikes of each step while the inputs of `steps` come at their ends."""
    state: Any = resting(neuron)
    for drives in steps:
        state, sent = cuba.advance(state, neuron.params, neuron.sites, 0)
        yield int(sent)
        for drive in drives:
            state, _ = cuba.receive(state, drive, neuron.params, neuron.sites)


@pytest.mark.parametrize("name", CHIPS)
@given(part=st.floats(0.0, 1.0))
@settings(max_examples=30)
def test_a_leak_is_a_step_of_the_text(name: str, part: float) -> None:
    neuron = NEURONS[name]
    low, high = min(neuron.start, neuron.rest) - 50.0, neuron.top
    v = round(low + part * (high - low))
    after, sent = cuba.advance(resting(neuron, v), neuron.params, neuron.sites, 0)
    if not sent:
        assert int(neuron.leaked(np.int64(v))) == after.v


@pytest.mark.parametrize("name", CHIPS)
def test_the_rest_is_where_the_text_stays(name: str) -> None:
    neuron = NEURONS[name]
    after, sent = cuba.advance(resting(neuron), neuron.params, neuron.sites, 0)
    assert (after.v, sent) == (neuron.rest, 0)


@pytest.mark.parametrize("name", [n for n in CHIPS if n not in ACCUMULATING])
def test_input_in_every_step_shows_the_steps_that_are_lost(name: str) -> None:
    neuron = NEURONS[name]
    enough = int(2.5 * (neuron.top - neuron.start + 2.0) / neuron.drive)
    spikes = list(spikes_of_text(neuron, [[enough]] * 400))
    first = spikes.index(1)
    gaps = np.diff(np.flatnonzero(spikes[first:]))
    assert set(gaps.tolist()) == {neuron.dead_steps + 1}


@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize("part", [0.45, 0.8, 1.7])
def test_rates_are_those_of_the_text(name: str, part: float) -> None:
    """Spikes of random input are about as irregular as that, or less; four deviations and a part in a hundred."""
    neuron, draws, p = NEURONS[name], 3, 0.04
    height = float(neuron.top - neuron.rest)
    drive = round(part * height / neuron.drive)
    rng = np.random.default_rng(round(100 * part))
    counts = rng.binomial(draws, p, 6_000)
    total = sum(spikes_of_text(neuron, [[drive] * int(n) for n in counts]))
    expected = rate_of(neuron, drive, p, draws) * len(counts)
    assert abs(total - expected) <= 4.0 * expected**0.5 + 0.01 * expected + 4.0


def rate_of(neuron: ChipNeuron, drive: int, p: float, draws: int) -> float:
    one = Afferents(static={"fixed": 1})
    lasts = neuron.lasting > 0.0
    unit = 1.0 if lasts else neuron.drive
    found = arrivals(one, {"fixed": drive * unit}, {"fixed": p}, draws)
    if lasts:
        return lasting_rate(neuron, found, neuron.start)
    chain = membrane_chain(neuron, neuron.start)
    return static_rate(chain, found, in_order=bool(neuron.params.at_events))


def test_merged_spikes_are_one() -> None:
    one = Afferents(static={"fixed": 2})
    merged = arrivals(one, {"fixed": 1.0}, {"fixed": 0.1}, 10, merges=True)
    p = 1.0 - 0.9**10
    assert merged.static[0].tolist() == [0.0, 1.0, 2.0]
    assert merged.static[1] == pytest.approx([(1 - p) ** 2, 2 * p * (1 - p), p**2])


def test_a_constant_leak_without_a_floor_has_no_rest() -> None:
    neuron = NEURONS["truenorth"]
    params = neuron.params._replace(floor=-(10**9))
    with pytest.raises(OutOfScopeError, match="no rest"):
        chip_neuron(params, neuron.sites, "here", is_stochastic=False)


def test_a_bias_above_the_threshold_needs_no_input() -> None:
    neuron = NEURONS["loihi1"]
    params = neuron.params._replace(early_bias=3 * neuron.params.early_bias)
    with pytest.raises(OutOfScopeError, match="here spikes without input"):
        chip_neuron(params, neuron.sites, "here", is_stochastic=False)


NEURONS = {name: neuron_of(name) for name in CHIPS}
