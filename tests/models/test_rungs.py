"""The ladder of arithmetics: which sites and constants each rung has."""

import math
from collections.abc import Sequence
from fractions import Fraction
from math import inf

import numpy as np
import pytest

from neuroemu.engine.simulate import simulate
from neuroemu.experiment import Experiment
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.arithmetic import Arithmetic, Rung
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from neuroemu.models.rungs import ideal, on_target
from neuroemu.numeric.site import Double, Exact, Fixed, Round, unlimited

FLOAT_SITES = ("drive", "input", "count", "accumulate", "store", "plus", "minus", "change")


def reference() -> Experiment:
    return load_experiment("spike_based_homeostasis")


def discretized(target: str, overrides: Sequence[str] = ()) -> Discretized:
    return discretize(reference(), load_target(target, overrides))


def sites_of(a: Arithmetic) -> dict[str, object]:
    found = {"leak": a.neuron_sites.leak, "input": a.neuron_sites.input}
    found |= {"drive": a.synapse_sites.drive, "count": a.counter_sites.count}
    return found | {name: getattr(a.rule_sites, name) for name in a.rule_sites._fields}


def test_the_reference_has_brian2s_doubles_and_no_limits() -> None:
    a = ideal(reference())
    assert sites_of(a) == {"leak": Exact()} | dict.fromkeys(FLOAT_SITES, unlimited())
    params = a.neurons["with_homeostasis"]
    assert params.leak == -(0.1 * 0.001) / (10.0 * 0.001)
    assert (params.unit, params.threshold, params.reset) == (1.0, 1.0, -1.0)
    assert params.refractory_steps == 10
    rule = a.synapses["homeostatic"].rule
    assert rule is not None
    assert (rule.dw_plus, rule.dw_minus, rule.unit, rule.w_max) == (0.05, 0.05, 1.0, 2.0)
    assert a.synapses["drive"].rule is None
    assert (a.membrane, a.weight) == (np.dtype(float), np.dtype(float))
    assert a.update == "event" and a.stochastic == frozenset()


def test_parameters_are_the_registers_and_nothing_is_limited() -> None:
    a = on_target(discretized("generic8"), "parameters")
    assert sites_of(a) == {"leak": Exact()} | dict.fromkeys(FLOAT_SITES, unlimited())
    params = a.neurons["with_homeostasis"]
    assert params.leak == 253 / 256 - 1
    assert (params.unit, params.threshold, params.reset) == (1.0, 1.0, -1.0)
    rule = a.synapses["homeostatic"].rule
    assert rule is not None
    # in weight LSBs of 1/64, which the gain turns into the experiment's unit
    assert (rule.dw_plus, rule.dw_minus, rule.w_min, rule.w_max) == (3.0, 3.0, 0.0, 128.0)
    assert a.synapses["homeostatic"].gain == 1 / 64
    assert a.synapses["drive"].weight * a.synapses["drive"].gain == 2.0


def test_parameters_take_the_targets_clock_and_cadence() -> None:
    a = on_target(discretized("brainscales2"), "parameters")
    assert (a.update, a.clock.period_steps, a.counter_overflow) == ("periodic", 1000, 255)
    coarse = on_target(discretized("generic8", ["time.tick_us=1000.0"]), "parameters")
    assert (coarse.clock.step_ms, coarse.clock.input_steps) == (1, 10)


def test_range_adds_the_limits_in_units_of_what_is_stored() -> None:
    sites = sites_of(on_target(discretized("generic8"), "range"))
    assert sites["leak"] == Exact()
    assert sites["input"] == unlimited()._replace(lo=-4.0, hi=127 / 32)
    assert sites["store"] == unlimited()._replace(lo=0.0, hi=255.0)
    assert sites["count"] == unlimited()._replace(lo=0.0, hi=255.0, span=256.0)
    wrapping = on_target(discretized("generic8", ["membrane.overflow=wrap"]), "range")
    assert wrapping.neuron_sites.input == unlimited()._replace(lo=-4.0, hi=127 / 32, span=8.0)


def test_range_counts_accumulators_in_weight_lsbs() -> None:
    sites = sites_of(on_target(discretized("brainscales2"), "range"))
    assert sites["accumulate"] == unlimited()._replace(lo=-64.0, hi=32767 / 512)


@pytest.mark.parametrize(
    ("target", "overrides", "container", "leak"),
    [
        ("generic16", [], np.int32, Round),
        ("generic16", ["membrane.rounding=around"], np.int32, Fixed),
        ("generic16", ["membrane.rounding=stochastic"], np.int32, Fixed),
        ("generic8", [], np.int32, Round),
        ("loihi1", [], np.int64, Round),
        ("spinnaker1", [], np.int64, Round),
        ("generic4", [], np.float64, Exact),
        ("brainscales2", [], np.float64, Exact),
    ],
)
def test_fixed_is_the_chip(target: str, overrides: list[str], container: type, leak: type) -> None:
    d = discretized(target, overrides)
    a = on_target(d, "fixed")
    sites = sites_of(a)
    assert a.membrane == np.dtype(container)
    assert type(sites["leak"]) is leak
    if d.is_analog:
        assert a.weight == np.dtype(float)
        assert sites["store"] == d.sites["store"].as_double()
        assert sites["input"] == sites["drive"] == unlimited()
        assert a.neurons["with_homeostasis"].leak == -(0.1 * 0.001) / (10.0 * 0.001)
        return
    assert a.weight == np.dtype(np.int64)
    assert {type(x) for x in sites["leak"]} == {container}
    for name in FLOAT_SITES:
        assert sites[name] == d.sites[name].as_fixed()
        assert {type(x) for x in sites[name]} == {np.int64}
    params, registers = a.neurons["with_homeostasis"], d.neurons["with_homeostasis"]
    assert params.leak == (registers.multiplier - 1) * registers.unit
    assert params.leak < 0 and type(params.leak) is int


def test_limits_of_the_rule_are_in_the_increments_scale() -> None:
    rule = on_target(discretized("brainscales2"), "fixed").synapses["homeostatic"].rule
    assert rule is not None
    assert (rule.unit, rule.dw_plus, rule.w_min, rule.w_max) == (512, 806, 0, 63 * 512)


def test_stochastic_sites_are_named_where_they_drop_bits() -> None:
    assert on_target(discretized("loihi1"), "fixed").stochastic == {"store"}
    noisy = ["membrane.rounding=stochastic", "synapse.gain.drive_rounding=stochastic"]
    d = discretized("generic8", noisy)
    assert on_target(d, "fixed").stochastic == {"leak", "drive"}
    assert on_target(d, "fixed", frozenset({"leak"})).stochastic == {"drive"}
    assert on_target(d, "range").stochastic == frozenset()
    # a gain of 2^11 drops no bits, so there is nothing to draw
    loihi = discretized("loihi1", ["synapse.gain.drive_rounding=stochastic"])
    assert on_target(loihi, "fixed").stochastic == {"store"}


@pytest.mark.parametrize("site", ["leak", "drive", "input", "store"])
def test_one_site_made_exact_leaves_the_others(site: str) -> None:
    d = discretized("generic16")
    a = on_target(d, "fixed", frozenset({site}))
    sites = sites_of(a)
    assert (a.membrane, a.weight) == (np.dtype(float), np.dtype(float))
    for name, found in sites.items():
        assert type(found) is Double
        if name == site:
            assert (found.keep, found.scale) == (1.0, 2.0 ** -d.sites[name].shift)
            assert (found.lo, found.hi, found.span) == (-inf, inf, 0.0)
        else:
            assert found == d.sites[name].as_double()
            assert found.keep == 0.0


def test_with_every_site_exact_the_chip_is_its_parameters() -> None:
    """All LSBs here are powers of two, so that even the last bit of each double agrees."""
    experiment = load_experiment(
        "spike_based_homeostasis",
        ["time.duration_ms=16000.0", "stimuli.varying.interval_ms=4000.0"],
    )
    target = load_target("generic16")
    names = discretize(experiment, target).sites
    exact = simulate(experiment, target, exact_sites=names, seed=5, trials=2)
    parameters = simulate(experiment, target, rung="parameters", seed=5, trials=2)
    fixed = simulate(experiment, target, seed=5, trials=2)
    assert spikes_of(exact) == spikes_of(parameters) != spikes_of(fixed)
    for a, b in zip(exact.weights["homeostatic"], parameters.weights["homeostatic"], strict=True):
        np.testing.assert_array_equal(a.step, b.step)
        np.testing.assert_array_equal(a.value, b.value)


def spikes_of(run) -> list[list[int]]:
    return [steps.tolist() for trains in run.spikes.values() for steps in trains]


@pytest.mark.parametrize("rung", ["parameters", "range", "fixed"])
@pytest.mark.parametrize(
    ("target", "overrides"),
    [("spinnaker1", []), ("generic8", ["membrane.fires=at_or_above"])],
)
def test_a_chip_that_fires_at_equality_does_so_on_every_rung(
    target: str, overrides: list[str], rung: Rung
) -> None:
    a = on_target(discretized(target, overrides), rung)
    threshold, unit = a.neurons["with_homeostasis"].threshold, a.membrane_lsb
    at, below = 1.0, 1.0 - a.membrane_lsb
    if rung == "fixed":
        at, below = round(at / unit), round(below / unit)
        assert type(threshold) is int
    else:
        below = math.nextafter(1.0, 0.0)
    assert at > threshold and not below > threshold


def test_with_an_exact_site_the_threshold_is_the_double_below() -> None:
    a = on_target(discretized("spinnaker1"), "fixed", frozenset({"leak"}))
    assert a.neurons["with_homeostasis"].threshold == math.nextafter(32768.0, -inf)


def test_above_needs_more_than_the_threshold() -> None:
    for rung in ("parameters", "range"):
        a = on_target(discretized("generic8"), rung)
        assert a.neurons["with_homeostasis"].threshold == 1.0
    assert on_target(discretized("generic8"), "fixed").neurons["with_homeostasis"].threshold == 32


@pytest.mark.parametrize("rung", ["parameters", "range", "fixed"])
def test_a_target_that_cannot_learn_has_no_rule(rung: Rung) -> None:
    a = on_target(discretized("generic8", ["plasticity.update=none"]), rung)
    assert a.update == "none"
    assert all(s.rule is None for s in a.synapses.values())


def test_a_rounded_gain_acts_on_every_rung() -> None:
    overrides = ["plasticity.weight.lsb=0.01", "synapse.gain.format=fxp-u16/6"]
    d = discretized("generic8", overrides)
    realised = Fraction(20, 64) * Fraction(1, 32)  # 0.01 * 32 * 64 is 20.48
    assert d.synapses["homeostatic"].gain == 20
    for rung in ("parameters", "range"):
        gain = on_target(d, rung).synapses["homeostatic"].gain
        assert gain == pytest.approx(float(realised), rel=1e-12)
