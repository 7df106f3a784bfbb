"""The interval analysis holds every membrane of a run, and is attained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroemu.engine.exact import run_exact
from neuroemu.experiment import Experiment, Poisson
from neuroemu.feasibility.findings import WIDEN_MEMBRANE
from neuroemu.feasibility.range_findings import range_findings
from neuroemu.feasibility.ranges import Reach, reaches
from neuroemu.feasibility.traffic import codes
from neuroemu.hardware.config import Target
from neuroemu.models.discretize import discretize
from neuroemu.models.lif import LifParams, LifSites, LifState, advance, receive
from neuroemu.models.registers import Discretized
from neuroemu.models.synapse import SynapseSites, drive
from neuroemu.numeric.site import Clip
from tests.engine.small import homeostasis, network, neuron, synapses, target

BUSY = Poisson(size=2, rates_hz=(900.0,))
ROUNDINGS = ["floor", "ceil", "fix", "around", "half_up", "stochastic"]


def two_populations(
    excite: float, inhibit: float, init: float = 0.0, threshold: float = 1.0
) -> Experiment:
    """Input, plastic input, and recurrent inhibition."""
    cells = {
        "a": neuron(2, tau=2.0, reset=-0.5, threshold=threshold, refractory=0.2, init=init),
        "b": neuron(1, tau=1.0, threshold=threshold),
    }
    return network(
        cells,
        {"s": BUSY},
        {
            "in": synapses("s", "a", excite),
            "learn": synapses("s", "a", 0.25, plasticity=homeostasis(high=0.5)),
            "on": synapses("a", "b", excite),
            "back": synapses("b", "a", -inhibit),
        },
        steps=300,
    )


def chip(rounding: str, overflow: str, form: str = "fxp-s8/4", *more: str) -> Target:
    return target(
        f"membrane.format={form}",
        f"membrane.rounding={rounding}",
        f"membrane.overflow={overflow}",
        "membrane.leak.format=fxp-u8/8",
        "synapse.weight.format=fxp-u8/5",
        "plasticity.weight.format=fxp-u8/5",
        *more,
    )


def seen(experiment: Experiment, on: Target, **run: Any) -> dict[str, list[int]]:
    """Every membrane that a run meets, by population."""
    values: dict[str, list[int]] = {name: [] for name in experiment.populations}
    owner = [n for n, p in experiment.populations.items() for _ in range(p.size)]

    def trace(site: str, _trial: int, index: int, _step: int, _wide: Any, stored: Any) -> None:
        if site in ("leak", "input"):
            values[owner[index]].append(stored)

    run_exact(experiment, on, trace=trace, **run)
    return values


def reach_of(d: Discretized) -> dict[str, Reach]:
    return {r.population: r for r in reaches(d)}


@settings(max_examples=25)
@given(
    rounding=st.sampled_from(ROUNDINGS),
    overflow=st.sampled_from(["saturate", "wrap"]),
    excite=st.sampled_from([0.25, 0.5, 1.5, 3.0]),
    inhibit=st.sampled_from([0.125, 1.0, 4.0]),
    init=st.sampled_from([0.0, 1.5, -2.0]),
    fires=st.sampled_from(["above", "at_or_above"]),
)
def test_the_interval_holds_every_membrane_of_a_run(
    rounding: str, overflow: str, excite: float, inhibit: float, init: float, fires: str
) -> None:
    experiment = two_populations(excite, inhibit, init)
    on = chip(rounding, overflow, "fxp-s8/4", f"membrane.fires={fires}")
    found, lsb = reach_of(discretize(experiment, on)), 1 / 16
    for name, values in seen(experiment, on, trials=2, seed=1).items():
        low, high = found[name].experiment
        assert low <= min(values) * lsb and max(values) * lsb <= high


def every_step(n: int, sources: int, steps: int) -> dict[str, list[np.ndarray]]:
    pairs = [(k, i) for k in range(steps) for i in range(sources)]
    assert n == 1
    return {"s": [np.asarray(pairs)]}


@pytest.mark.parametrize("rounding", [r for r in ROUNDINGS if r != "stochastic"])
def test_the_leak_s_bound_is_attained_below(rounding: str) -> None:
    experiment = network(
        {"n": neuron(tau=2.0)},
        {"s": Poisson(size=2, rates_hz=(10.0,))},
        {"in": synapses("s", "n", -0.125)},
        steps=400,
    )
    on = chip(rounding, "saturate")
    reach = reach_of(discretize(experiment, on))["n"]
    values = seen(experiment, on, spikes=every_step(1, 2, 400))["n"]
    assert reach.bounded_by[0] == "leak"
    assert min(values) / 16 == reach.experiment[0]


@pytest.mark.parametrize("rounding", [r for r in ROUNDINGS if r != "stochastic"])
def test_the_leak_s_bound_is_attained_above(rounding: str) -> None:
    experiment = network(
        {"n": neuron(tau=2.0, threshold=7.0)},
        {"s": Poisson(size=2, rates_hz=(10.0,))},
        {"in": synapses("s", "n", 0.125)},
        steps=400,
    )
    on = chip(rounding, "saturate")
    reach = reach_of(discretize(experiment, on))["n"]
    values = seen(experiment, on, spikes=every_step(1, 2, 400))["n"]
    assert reach.bounded_by[1] == "leak"
    assert max(values) / 16 == reach.experiment[1]


@pytest.mark.parametrize("overflow", ["saturate", "wrap"])
def test_one_step_is_attained_by_enumeration(overflow: str) -> None:
    """All membranes up to the threshold, all numbers of spikes and all weights, by the models' own texts."""
    experiment = network(
        {"n": neuron(tau=2.0, reset=-1.0)},
        {"s": Poisson(size=2, rates_hz=(10.0,))},
        {
            "learn": synapses("s", "n", 0.25, plasticity=homeostasis(high=1.0)),
            "off": synapses("s", "n", -0.5),
        },
        steps=10,
    )
    d = discretize(experiment, chip("floor", overflow, "fxp-s6/3"))
    reach, params = reach_of(d)["n"], d.neurons["n"]
    p = LifParams(
        leak=int((params.multiplier - 1) * params.unit),
        unit=params.unit,
        threshold=params.threshold,
        reset=params.reset,
        refractory_steps=0,
    )
    wait = Clip(0, 99)
    leak, put = d.sites["leak"].as_fixed(), d.sites["input"].as_fixed()
    sites = LifSites(leak=leak, input=put, wait=wait)
    drive_sites = SynapseSites(drive=d.sites["drive"].as_fixed())
    ends = []
    low, high = codes(d, "learn")
    inhibition = drive(d.synapses["off"].weight, d.synapses["off"].gain, drive_sites, 0)
    for start in range(params.reset, params.threshold + 1):
        if advance(LifState(start, 0), p, sites, 0)[1]:
            continue
        for code in range(low, high + 1):
            amount = drive(code, d.synapses["learn"].gain, drive_sites, 0)
            for pluses in range(3):
                for minuses in range(3):
                    state = LifState(start, 0)
                    for one in (*[amount] * pluses, *[inhibition] * minuses):
                        state, _ = receive(state, one, p, sites)
                    ends.append(state.v)
    assert (min(ends) / 8, max(ends) / 8) == reach.one_step


def test_a_neuron_without_inhibition_stays_above_where_it_starts() -> None:
    d = discretize(two_populations(0.5, 1.0), chip("floor", "saturate"))
    assert reach_of(d)["b"].experiment[0] == 0.0
    assert reach_of(d)["b"].bounded_by[0] == "start"


def test_without_a_leak_only_the_register_bounds_inhibition() -> None:
    experiment = two_populations(0.5, 0.125)
    leakless = ["membrane.leak.format=fxp-u3/2", "membrane.leak.rounding=ceil"]
    found = reach_of(discretize(experiment, target(*leakless)))["a"]
    assert found.bounded_by[0] == "register"
    analog = [*leakless, "membrane.arithmetic=analog"]
    found = reach_of(discretize(experiment, target(*analog)))["a"]
    assert math.isfinite(found.experiment[0])  # an analog membrane keeps its own multiplier


def kinds(experiment: Experiment, on: Target) -> list[tuple[str, str]]:
    d = discretize(experiment, on)
    return sorted({(f.kind, f.severity) for f in range_findings(d, reaches(d))})


@pytest.mark.parametrize(
    ("excite", "inhibit", "overflow", "expected"),
    [
        (0.5, 0.125, "saturate", []),
        (0.5, 0.125, "wrap", []),
        (4.0, 0.125, "saturate", []),  # cut above the threshold, where it fires all the same
        (4.0, 0.125, "wrap", [("wraps", "problem")]),
        (4.0, 0.125, "error", [("refused", "problem")]),
        (0.5, 7.9, "saturate", [("clips", "note")]),
    ],
)
def test_what_is_found(
    excite: float, inhibit: float, overflow: str, expected: list[tuple[str, str]]
) -> None:
    assert kinds(two_populations(excite, inhibit), chip("fix", overflow)) == expected


def test_a_spike_that_is_cut_short_of_the_threshold_is_found() -> None:
    experiment = network(
        {"n": neuron(tau=2.0, threshold=1.5, reset=-1.5)},
        {"s": BUSY},
        {"in": synapses("s", "n", 4.0)},
    )
    on = target("membrane.format=fxp-s5/3", "synapse.weight.format=fxp-u8/4")
    assert ("clips", "problem") in kinds(experiment, on)


def test_a_threshold_that_no_input_reaches() -> None:
    """A coarse leak takes more in each step than the input gives."""
    experiment = network(
        {"n": neuron(tau=100.0)},
        {"s": Poisson(rates_hz=(100.0,))},
        {"in": synapses("s", "n", 0.0625)},
        steps=2000,
    )
    on = chip("floor", "saturate", "fxp-s8/4")
    assert ("unreachable", "problem") in kinds(experiment, on)
    run = run_exact(experiment, on, spikes=every_step(1, 1, 2000))
    assert run.spikes["n"][0].size == 0
    in_float = run_exact(experiment, spikes=every_step(1, 1, 2000))
    assert in_float.spikes["n"][0].size > 0


def test_a_register_that_ends_below_what_the_leak_takes() -> None:
    """Saturated at 127 the membrane leaks to 125, which is the threshold: no input makes it fire."""
    experiment = network(
        {"n": neuron(tau=10.0, threshold=3.90625)},
        {"s": Poisson(size=2, rates_hz=(10.0,))},
        {"in": synapses("s", "n", 1.0)},
        steps=200,
    )
    on = chip("fix", "saturate", "fxp-s8/5")
    found = discretize(experiment, on)
    reach = reach_of(found)["n"]
    run = run_exact(experiment, on, spikes=every_step(1, 2, 200))
    assert run.spikes["n"][0].size == 0
    assert (reach.is_reachable, reach.is_reachable_in_float) == (False, True)
    finding = next(f for f in range_findings(found, (reach,)) if f.kind == "unreachable")
    assert finding.remedy == WIDEN_MEMBRANE


def test_codes_that_wrap_at_the_drive_are_within_the_interval() -> None:
    """The largest code delivers -128, the one below it +127: the ends of the codes are not those of the drives."""
    experiment = network(
        {"n": neuron(tau=10.0, threshold=0.9)},
        {"s": Poisson(rates_hz=(10.0,))},
        {"p": synapses("s", "n", 1.984375, plasticity=homeostasis(0.0, 0.0, high=2.0))},
        steps=20,
    )
    on = target(
        "membrane.format=fxp-s8/6",
        "membrane.overflow=wrap",
        "membrane.leak.format=fxp-u8/8",
        "plasticity.weight.format=fxp-u8/6",
    )
    reach = reach_of(discretize(experiment, on))["n"]
    values = seen(experiment, on, spikes=every_step(1, 1, 20))["n"]
    low, high = reach.experiment
    assert max(values) == 127
    assert low <= min(values) / 64 and max(values) / 64 <= high
    assert reach.is_reachable


def test_inhibition_pulls_down_what_was_cut() -> None:
    """Cut at 127 it would fire, 120 below it does not: the saturation decides, and is noted."""
    assert kinds(two_populations(4.0, 7.5), chip("fix", "saturate")) == [("clips", "note")]
