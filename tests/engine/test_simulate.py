"""`simulate`: neurons whose answer is known in closed form, cases done by hand, and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuroemu.engine.simulate import simulate
from neuroemu.errors import ConfigError, FixedPointOverflowError
from neuroemu.experiment import MembraneRecord
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.numeric.site import ROUNDINGS
from tests.engine.small import (
    SILENT,
    assert_equal,
    homeostasis,
    membrane,
    network,
    neuron,
    synapses,
    target,
)

LEFT = 0.9
"""Part of the membrane that a step of the default neuron leaves: 1 - 0.1 ms / 1 ms."""


def one_input(steps=100, weight=2.0, record=True, **changes):
    """One source, one static synapse, one neuron."""
    return network(
        {"n": neuron(**changes)},
        {"s": SILENT},
        {"p": synapses("s", "n", weight)},
        steps=steps,
        membrane=("n",) if record else (),
    )


# Neurons


def test_a_membrane_left_alone_decays_geometrically():
    run = simulate(network({"n": neuron(init=0.8)}, steps=200, membrane=("n",)))
    np.testing.assert_allclose(membrane(run, "n"), 0.8 * LEFT ** np.arange(200.0), rtol=1e-13)


def test_decay_is_towards_rest_and_records_are_not_from_rest():
    population = neuron(rest=-65.0, threshold=-50.0, reset=-70.0, init=-55.0, tau=20.0)
    run = simulate(network({"n": population}, steps=200, membrane=("n",)))
    known = -65.0 + 10.0 * (1 - 0.1 / 20.0) ** np.arange(200.0)
    np.testing.assert_allclose(membrane(run, "n"), known, rtol=1e-14)


def test_exponential_integration_decays_by_the_exponential():
    experiment = network({"n": neuron(init=0.8)}, steps=200, membrane=("n",))
    chip = load_target("brainscales2", ["membrane.integration=exponential"])
    known = 0.8 * np.exp(-0.1 * np.arange(200.0))
    np.testing.assert_allclose(membrane(simulate(experiment, chip), "n"), known, rtol=1e-12)


@pytest.mark.parametrize("init", [0.75, -0.75])
@pytest.mark.parametrize("rounding", [r for r in ROUNDINGS if r != "stochastic"])
def test_a_fixed_point_membrane_decays_as_the_spec_has_it(rounding, init):
    experiment = network({"n": neuron(init=init)}, steps=150, membrane=("n",))
    chip = target(f"membrane.rounding={rounding}", "membrane.leak.format=fxp-u16/10")
    v, known = round(init * 4096), []
    for _ in range(150):
        known.append(v / 4096)
        exact = v * round(LEFT * 1024) / 1024  # at most 23 bits: exact in a double
        v = {
            "floor": math.floor,
            "ceil": math.ceil,
            "fix": math.trunc,
            "trunc": math.trunc,
            "around": round,
            "half_up": lambda x: math.floor(x + 0.5),
        }[rounding](exact)
    np.testing.assert_array_equal(membrane(simulate(experiment, chip), "n"), known)


@pytest.mark.parametrize("chip", [None, target()], ids=["float", "fixed"])
def test_regular_input_fires_when_the_geometric_sum_says(chip):
    every, weight, threshold = 10, 0.4, 0.5
    inputs = np.arange(0, 300, every)
    q = LEFT**every
    n = 1
    while LEFT * weight * (1 - q**n) / (1 - q) <= threshold:
        n += 1
    assert n == 3
    # An input is felt by the threshold of the step after it.
    known = np.arange((n - 1) * every, 300, n * every) + 1
    experiment = one_input(300, weight, threshold=threshold)
    run = simulate(experiment, chip, spikes={"s": [inputs]})
    np.testing.assert_array_equal(run.spikes["n"][0], known, strict=True)


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 10])
@pytest.mark.parametrize("chip", [None, target()], ids=["float", "fixed"])
def test_spikes_are_spaced_by_the_refractory_period(chip, steps):
    experiment = one_input(100, refractory=steps * 0.1)
    run = simulate(experiment, chip, spikes={"s": [np.arange(100)]})
    # Live again after `steps`; that step's input is the first to count, and fires in the next.
    known = np.arange(1, 100, max(steps, 1) + 1)
    np.testing.assert_array_equal(run.spikes["n"][0], known)
    at_reset = membrane(run, "n")[known[:-1] + 1]
    np.testing.assert_array_equal(at_reset, 0.0)


def test_a_membrane_waits_at_the_reset():
    experiment = one_input(30, refractory=0.5, reset=-0.5)
    run = simulate(experiment, spikes={"s": [[0]]})
    v = membrane(run, "n")
    np.testing.assert_array_equal(v[2:7], -0.5)  # after steps 1 to 5, of which 1 is the spike
    np.testing.assert_allclose(v[6:], -0.5 * LEFT ** np.arange(24.0))


def test_the_threshold_must_be_passed_not_reached():
    # Leak multiplier 1/2 is exact in both arithmetics.
    experiment = one_input(4, 2.0, tau=0.2)
    assert simulate(experiment, spikes={"s": [[0]]}).spikes["n"][0].size == 0
    assert simulate(experiment, target(), spikes={"s": [[0]]}).spikes["n"][0].size == 0
    reached = simulate(experiment, target("membrane.fires=at_or_above"), spikes={"s": [[0]]})
    np.testing.assert_array_equal(reached.spikes["n"][0], [1])


@pytest.mark.parametrize("steps", [1, 2, 3, 10])
def test_a_reset_that_is_rounded_onto_the_threshold_fires_as_soon_as_it_may(steps):
    """Not while the neuron waits, although its membrane is at the threshold all the time."""
    experiment = one_input(50, tau=1e6, reset=0.9999, refractory=steps * 0.1)
    chip = target("membrane.fires=at_or_above")  # 0.9999 is 4095.6 LSB, and nothing leaks
    run = simulate(experiment, chip, spikes={"s": [[4]]})
    assert membrane(run, "n")[10] == 1.0
    np.testing.assert_array_equal(run.spikes["n"][0], np.arange(5, 50, steps))


def test_spikes_travel_one_neuron_a_step():
    names = [f"n{i}" for i in range(6)]
    chain = {f"p{i}": synapses(names[i], names[i + 1], 2.0) for i in range(5)}
    first = {"first": synapses("s", "n0", 2.0)}
    experiment = network(dict.fromkeys(names, neuron()), {"s": SILENT}, chain | first, steps=20)
    for chip in (None, target()):
        run = simulate(experiment, chip, spikes={"s": [[3]]})
        assert [run.spikes[name][0].tolist() for name in names] == [[4 + i] for i in range(6)]


def test_excitation_and_inhibition_of_one_step_cancel():
    projections = {"up": synapses("a", "n", 1.75), "down": synapses("b", "n", -1.5)}
    experiment = network(
        {"n": neuron()}, {"a": SILENT, "b": SILENT}, projections, steps=5, membrane=("n",)
    )
    for chip in (None, target()):
        run = simulate(experiment, chip, spikes={"a": [[0]], "b": [[0]]})
        assert membrane(run, "n")[1] == 0.25
        assert run.spikes["n"][0].size == 0


def test_the_membrane_record_keeps_to_its_window_and_its_pace():
    whole = network({"n": neuron(2, init=0.8)}, steps=50, membrane=("n",))
    window = MembraneRecord(populations=("n",), start_ms=1.0, stop_ms=3.1, every_ms=0.4)
    record = whole.record.model_copy(update={"membrane": window})
    part = simulate(whole.model_copy(update={"record": record})).membrane["n"]
    np.testing.assert_array_equal(part.step, np.arange(10, 31, 4), strict=True)
    assert part.value.shape == (6, 2, 1)
    np.testing.assert_array_equal(part.value, simulate(whole).membrane["n"].value[10:31:4])


# Plasticity


def plastic(steps=100, rule=None, weight=0.0, **changes):
    """`pre` learns, `kick` makes the neuron fire a step later."""
    projections = {
        "kick": synapses("kick", "n", 2.0),
        "learn": synapses("pre", "n", weight, plasticity=rule or homeostasis()),
    }
    population = {"n": neuron(**({"threshold": 1.5} | changes))}
    return network(population, {"pre": SILENT, "kick": SILENT}, projections, steps=steps)


def changes(run, trial=0):
    record = run.weights["learn"][trial]
    return list(zip(record.step.tolist(), record.value.tolist(), strict=True))


def test_event_driven_plasticity_by_hand():
    rule = homeostasis(0.5, 0.75, low=-0.5, high=1.25)
    spikes = {"pre": [[2, 20, 40, 61, 80]], "kick": [[10, 30, 60, 70]]}
    experiment = plastic(rule=rule, tau=0.2, threshold=0.9)
    for chip in (None, target("plasticity.weight.format=fxp-s8/4")):
        run = simulate(experiment, chip, spikes=spikes)
        assert run.spikes["n"][0].tolist() == [11, 31, 61, 71]
        assert changes(run) == [
            (2, 0.5),
            (11, -0.25),
            (20, 0.25),
            (31, -0.5),
            (40, 0.0),
            (61, -0.25),  # up by the input, then down by the spike of the same step
            (71, -0.5),  # no lower than the limit
            (80, 0.0),
        ]


@pytest.mark.parametrize(
    ("rounding", "raw"),
    [
        ("floor", [1, 2, 3, 1, 2]),
        ("ceil", [2, 4, 6, 5, 7]),
        ("fix", [1, 2, 3, 1, 2]),
        ("around", [2, 4, 6, 4, 6]),
        ("half_up", [2, 4, 6, 5, 7]),
    ],
)
def test_a_weight_of_four_bits_rounds_an_update_of_one_and_a_half(rounding, raw):
    chip = target(
        "plasticity.weight.format=fxp-u4/3",
        "plasticity.increment.format=fxp-u8/1",
        f"plasticity.weight.rounding={rounding}",
    )
    spikes = {"pre": [[1, 2, 3, 20]], "kick": [[9]]}
    run = simulate(plastic(rule=homeostasis(0.1875, 0.1875)), chip, spikes=spikes)
    record = run.weights["learn"]
    assert record.lsb == 0.125
    assert record.step[0].tolist() == [1, 2, 3, 10, 20]
    assert record.raw[0].tolist() == raw
    assert record.raw[0].dtype == np.int64
    np.testing.assert_array_equal(record.value[0], np.array(raw) / 8)


PERIODIC = (
    "plasticity.update=periodic",
    "plasticity.update_period_us=1000",
    "plasticity.weight.format=fxp-s8/4",
    "plasticity.increment.format=fxp-s16/2",
    "plasticity.counter.width=3",
)


def test_periodic_plasticity_by_hand():
    # Increments of 1.25 and 0.75 LSB of 1/16; ten steps a period; updates after steps 9, 19, ...
    rule = homeostasis(1.25 / 16, 0.75 / 16, low=-1.0, high=6 / 16)
    spikes = {"pre": [[0, 3, 9, 10, 35, 36, 37, 50, 51, 52, 53]], "kick": [[1, 12, 18, 22, 41]]}
    run = simulate(plastic(60, rule, tau=0.2, threshold=0.9), target(*PERIODIC), spikes=spikes)
    assert run.spikes["n"][0].tolist() == [2, 13, 19, 23, 42]
    record = run.weights["learn"]
    # 3 * 1.25 - 0.75 is 3. Then 1.25 - 2 * 0.75 = -0.25: 2.75 is stored as 3, and the change is
    # lost. Then -0.75: 2. 3 * 1.25 = 3.75: 5.75, stored as 6. Then -0.75: 5.25, stored as 5.
    # 4 * 1.25 = 5 would be 10, above the limit of 6.
    assert record.step[0].tolist() == [9, 29, 39, 49, 59]
    assert record.raw[0].tolist() == [3, 2, 6, 5, 6]
    assert run.sites["store"]["lost"] == 1
    assert run.sites["store"]["lost_step"] == 19


@pytest.mark.parametrize(("overflow", "counted"), [("wrap", 7), ("saturate", 7)])
def test_an_overflowed_counter_reads_its_largest_value(overflow, counted):
    chip = target(*PERIODIC, f"plasticity.counter.overflow={overflow}")
    rule = homeostasis(1 / 16, 1 / 16)
    run = simulate(plastic(30, rule), chip, spikes={"pre": [np.arange(9)], "kick": [[]]})
    assert run.weights["learn"].raw[0].tolist() == [counted]
    assert run.sites["count"]["overflowed"] == 1
    assert run.sites["count"]["overflow_step"] == 7


def test_a_count_that_just_fits_is_itself():
    rule = homeostasis(1 / 16, 1 / 16)
    run = simulate(
        plastic(30, rule), target(*PERIODIC), spikes={"pre": [np.arange(7)], "kick": [[]]}
    )
    assert run.weights["learn"].raw[0].tolist() == [7]
    assert run.sites["count"]["overflowed"] == 0


def test_a_target_that_cannot_learn_keeps_the_initial_weight():
    spikes = {"pre": [np.arange(0, 90, 3)], "kick": [[9, 40]]}
    run = simulate(plastic(weight=1.0), target("plasticity.update=none"), spikes=spikes)
    assert run.weights["learn"].step[0].size == 0
    assert run.weights["learn"].initial == 1.0
    assert run.spikes["n"][0].size > 2


# Time


def test_a_coarse_tick_bins_the_input_and_counts_what_coincides():
    experiment = one_input(100, 1.0, threshold=1.5, tau=10.0)
    coarse = target("time.tick_us=500")
    spikes = {"s": [[0, 6, 7, 23, 50, 52, 54]]}
    run = simulate(experiment, coarse, spikes=spikes)
    assert (run.n_steps, run.step_ms, run.input_coincidences) == (20, 0.5, 3)
    # Ticks 0, 1, 1, 4, 10, 10, 10, each with weight 1, of which 19/20 is left a tick later.
    assert run.spikes["n"][0].tolist() == [2, 11]
    v = membrane(run, "n")
    assert v[1] == 1.0
    assert v[2] == pytest.approx(0.95 + 2.0, abs=2 / 4096)
    assert v[5] == 1.0


def test_a_tick_finer_than_the_experiments_step_changes_nothing():
    experiment = plastic()
    spikes = {"pre": [np.arange(0, 90, 3)], "kick": [[9, 40]]}
    fine = simulate(experiment, target("time.tick_us=20"), spikes=spikes)
    assert fine.n_steps == 100
    assert_equal(fine, simulate(experiment, target(), spikes=spikes))


def test_accelerated_hardware_does_the_same_in_less_time():
    experiment = plastic()
    spikes = {"pre": [np.arange(0, 90, 3)], "kick": [[9, 40]]}
    fast = target("time.tick_us=0.1", "time.acceleration=1000")
    assert_equal(
        simulate(experiment, fast, spikes=spikes), simulate(experiment, target(), spikes=spikes)
    )


def test_progress_is_told_chunk_by_chunk_and_ends_at_one():
    told = []
    simulate(one_input(100), chunk_ms=3.0, progress=told.append, spikes={"s": [[1]]})
    np.testing.assert_allclose(told, [0.3, 0.6, 0.9, 1.0])
    told.clear()
    simulate(one_input(3), chunk_ms=0.01, progress=told.append, spikes={"s": [[1]]})
    np.testing.assert_allclose(told, [1 / 3, 2 / 3, 1.0])


# Overflow

NARROW = ("membrane.format=fxp-s8/4", "synapse.weight.format=fxp-u8/4")


def overflowing(site):
    """An experiment, a target and input spikes that overflow at one site first in step 7."""
    spikes = {"pre": [[]], "kick": [[7]]}
    if site == "drive":
        experiment = plastic()
        drive = experiment.projections["kick"].model_copy(update={"weight": 9.0})
        both = experiment.projections | {"kick": drive}
        return experiment.model_copy(update={"projections": both}), NARROW, spikes
    if site == "input":
        spikes["pre"] = [[7]]
        experiment = plastic(weight=7.0, rule=homeostasis(0, 0, high=7.5))
        return experiment, (*NARROW, "plasticity.weight.format=fxp-u8/4"), spikes
    spikes = {"pre": [[1, 3, 7, 8, 9]], "kick": [[]]}
    if site == "accumulate":
        accumulator = ("plasticity.accumulator.format=fxp-s16/0",)
        return plastic(weight=1.25, threshold=7.5), accumulator, spikes
    if site == "plus":
        rule, extra = homeostasis(0.5, 0.5), ("plasticity.accumulator.format=fxp-s6/2",)
        return plastic(rule=rule), (*PERIODIC, *extra), {"pre": [[1, 2]], "kick": [[]]}
    assert site == "count"
    return plastic(), (*PERIODIC, "plasticity.counter.width=1"), {"pre": [[3, 7]], "kick": [[]]}


@pytest.mark.parametrize(
    ("site", "key", "step"),
    [
        ("drive", "membrane.overflow", 7),
        ("input", "membrane.overflow", 7),
        ("accumulate", "plasticity.accumulator.overflow", 7),
        ("plus", "plasticity.accumulator.overflow", 9),
        ("count", "plasticity.counter.overflow", 7),
    ],
)
def test_an_overflow_that_is_an_error_names_site_and_step(site, key, step):
    experiment, overrides, spikes = overflowing(site)
    run = simulate(experiment, target(*overrides, f"{key}=saturate"), spikes=spikes)
    assert run.sites[site]["overflow_step"] == step
    with pytest.raises(FixedPointOverflowError, match=rf"site {site} .* first in step {step}; "):
        simulate(experiment, target(*overrides, f"{key}=error"), spikes=spikes)


def test_the_site_that_overflowed_first_is_named():
    # Where `plus` saturates in step 9, the weight is one that `accumulate` cannot hold in step 19.
    experiment, overrides, spikes = overflowing("plus")
    run = simulate(experiment, target(*overrides), spikes=spikes)
    assert list(run.sites).index("accumulate") < list(run.sites).index("plus")
    assert run.sites["accumulate"]["overflow_step"] == 19
    strict = target(*overrides, "plasticity.accumulator.overflow=error")
    with pytest.raises(FixedPointOverflowError, match=r"^generic16: site plus left"):
        simulate(experiment, strict, spikes=spikes)


def test_without_an_overflow_error_is_saturate():
    spikes = {"pre": [np.arange(0, 90, 3)], "kick": [[9, 40]]}
    strict = target("membrane.overflow=error", "plasticity.weight.overflow=error")
    assert_equal(
        simulate(plastic(), strict, spikes=spikes), simulate(plastic(), target(), spikes=spikes)
    )


def test_a_membrane_that_wraps_comes_back_from_below():
    experiment = network(
        {"n": neuron(threshold=7.5, tau=10.0)},
        {"s": SILENT},
        {"p": synapses("s", "n", 5.0)},
        steps=10,
        membrane=("n",),
    )
    wraps = target(*NARROW, "membrane.overflow=wrap")
    run = simulate(experiment, wraps, spikes={"s": [[3, 4]]})
    leaked = round(5 * 16 * (1 - 0.01))  # 79.2
    assert membrane(run, "n")[5] == (leaked + 80 - 256) / 16
    saturates = simulate(experiment, target(*NARROW), spikes={"s": [[3, 4]]})
    assert membrane(saturates, "n")[5] == 127 / 16


# Arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"trials": 0}, "trials = 0: trials is a whole number from 1; use 1"),
        ({"trials": -3}, "trials = -3: "),
        ({"trials": True}, "trials = True: trials is a whole number from 1"),
        ({"trials": 2.0}, r"trials = 2\.0: "),
        ({"seed": -1}, "seed = -1: seed is a whole number from 0"),
        ({"seed": True}, "seed = True: "),
        ({"seed": 1.5}, r"seed = 1\.5: "),
        ({"seed": 2**64}, "seed = 18446744073709551616: at most 64 bits"),
        ({"first_trial": -1}, "first_trial = -1: first_trial is a whole number from 0"),
        ({"first_trial": False}, "first_trial = False: "),
        ({"chunk_ms": 0.0}, r"chunk_ms = 0\.0: a chunk has a length"),
        ({"chunk_ms": -1.0}, r"chunk_ms = -1\.0: "),
        ({"chunk_ms": math.nan}, "chunk_ms = nan: "),
        ({"chunk_ms": math.inf}, "chunk_ms = inf: "),
        ({"rung": "exact"}, "rung = exact: no such rung; use one of ideal, parameters, range, fix"),
        ({"rung": "fixed"}, "rung = fixed: this rung needs a target"),
        ({"target": target(), "exact_sites": ["stoer"]}, "exact_sites = stoer: the target has no"),
    ],
)
def test_refused_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        simulate(one_input(10), **arguments)


def test_numpy_integers_are_whole_numbers():
    experiment = load_experiment("spike_based_homeostasis", ["time.duration_ms=10000"])
    numbers = {"trials": 2, "seed": 2**64 - 1, "first_trial": 1}
    as_numpy = {name: np.uint64(value) for name, value in numbers.items()}
    run = simulate(experiment, **as_numpy)
    assert (run.trials, run.seed, run.first_trial) == (2, 2**64 - 1, 1)
    assert_equal(run.spikes, simulate(experiment, **numbers).spikes)
