"""The executor over Python's own numbers: equal to the kernels, and a judge of the plan's proof."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuroemu.engine import exact
from neuroemu.engine.exact import run_exact
from neuroemu.engine.setup import resolve_with_plan
from neuroemu.engine.simulate import simulate
from neuroemu.engine.watched import Place, Watched, watch_plan
from neuroemu.errors import ConfigError, ContainerOverflowError, FixedPointOverflowError
from neuroemu.experiment import Poisson
from neuroemu.golden.narrow import Narrowing, narrow_fraction
from neuroemu.hardware.load import load_experiment, load_target, shipped_targets
from neuroemu.models.discretize import discretize
from neuroemu.numeric.ops import overflowed, requantize
from neuroemu.numeric.site import Site
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

BUSY = [
    "time.duration_ms=300.0",
    "question.settle_ms=0.0",
    "stimuli.varying.rates_hz=[200.0]",
    "stimuli.steady.rates_hz=[300.0]",
    "projections.homeostatic.weight=0.5",
]


def busy(*overrides: str) -> Any:
    return load_experiment("spike_based_homeostasis", [*BUSY, *overrides])


def learning(steps: int = 40) -> Any:
    """Two sources that spike often, a plastic synapse each, one neuron."""
    return network(
        {"n": neuron(refractory=0.2)},
        {"s": Poisson(size=2, rates_hz=(5000.0,))},
        {"p": synapses("s", "n", 0.5, plasticity=homeostasis())},
        steps=steps,
        membrane=("n",),
    )


@pytest.mark.parametrize("name", shipped_targets())
def test_shipped_targets_equal_the_kernels(name: str) -> None:
    chip = load_target(name)
    run = simulate(busy(), chip, trials=2, seed=1)
    assert_equal(run_exact(busy(), chip, trials=2, seed=1), run)
    assert all(run.spikes["with_homeostasis"].counts([0, run.n_steps])[:, 0] > 10)
    # 4 bits to nearest never move; pair sensors are read twice in the run at most
    moves = chip.plasticity.update not in ("none", "pairs") and name != "generic4"
    assert all(raw.size > 1 for raw in run.weights["homeostatic"].raw) == moves


@pytest.mark.parametrize("rung", ["ideal", "parameters", "range"])
def test_float_rungs_equal_the_kernels(rung: Any) -> None:
    for chip in (load_target("generic8"), load_target("brainscales2")):
        run = simulate(busy(), chip, rung=rung, seed=2)
        assert_equal(run_exact(busy(), chip, rung=rung, seed=2), run)


def test_no_target_is_the_float_reference() -> None:
    assert_equal(run_exact(busy(), seed=3, first_trial=4), simulate(busy(), seed=3, first_trial=4))


def test_subnormal_membranes_are_flushed() -> None:
    experiment = network({"n": neuron(init=0.8)}, steps=7200, membrane=("n",))
    run = run_exact(experiment)
    assert 0 < membrane(run, "n")[7167] < 1e-290 and membrane(run, "n")[7168] == 0
    assert_equal(run, simulate(experiment))


def test_a_dead_zone_is_counted_in_every_1024th_step_also_where_nothing_else_happens() -> None:
    experiment = network({"n": neuron(init=-0.75)}, steps=5000)
    run = run_exact(experiment, target())
    # floor: the membrane decays at first, and then stays below rest for good
    assert (run.sites["leak"]["lost"], run.sites["leak"]["lost_step"]) == (4, 1024)
    assert_equal(run, simulate(experiment, target()))


def test_a_shorter_run_is_the_beginning() -> None:
    whole, part = run_exact(busy(), seed=1), run_exact(busy(), seed=1, n_steps=1500)
    assert part.n_steps == 1500
    steps = whole.spikes["with_homeostasis"][0]
    assert part.spikes["with_homeostasis"][0].tolist() == steps[steps < 1500].tolist()
    changes = whole.weights["homeostatic"][0]
    assert part.weights["homeostatic"][0].raw.tolist() == changes.raw[changes.step < 1500].tolist()
    whole_v = membrane(whole, "with_homeostasis")
    assert np.array_equal(membrane(part, "with_homeostasis"), whole_v[:1500])
    assert_equal(run_exact(busy(), seed=1, n_steps=3000), whole)


@pytest.mark.parametrize("n_steps", [0, 1])
def test_a_run_may_be_empty(n_steps: int) -> None:
    run = run_exact(learning(), target(), n_steps=n_steps, seed=1)
    assert membrane(run, "n").shape == (n_steps,)


@pytest.mark.parametrize("n_steps", [-1, 41])
def test_steps_out_of_range_are_refused(n_steps: int) -> None:
    with pytest.raises(ConfigError, match="a run has 0 to 40 steps"):
        run_exact(learning(), target(), n_steps=n_steps)


def test_trace_shows_every_narrowing() -> None:
    experiment = learning()
    chip = target("plasticity.weight.rounding=floor", "plasticity.increment.format=fxp-u20/3")
    shown: list[tuple[Any, ...]] = []
    run = run_exact(experiment, chip, trials=2, seed=1, trace=lambda *what: shown.append(what))
    assert_equal(run, simulate(experiment, chip, trials=2, seed=1))
    number = Counter((site, trial) for site, trial, *_ in shown)
    assert number["leak", 0] == number["leak", 1] == 40
    assert {index for site, _, index, *_ in shown if site == "leak"} == {0}
    for site in ("drive", "store"):
        assert {index for name, _, index, *_ in shown if name == site} == {0, 1}
    # the last value that a step stores is what is recorded
    for trial in range(2):
        last = {
            (step, slot): y for name, t, slot, step, _, y in shown if (name, t) == ("store", trial)
        }
        changes = run.weights["p"][trial]
        assert changes.raw.size > 20
        for step, slot, raw in zip(changes.step, changes.synapse, changes.raw, strict=True):
            assert last[step, slot] == raw
    # and each of them is what the definition says
    plan = discretize(experiment, chip)
    for name in ("leak", "drive", "store"):
        site = plan.sites[name]
        spec = Narrowing(
            shift=site.shift,
            rounding=site.rounding,
            overflow=site.overflow,
            signed=site.lo < 0,
            width=16,
        )
        for one, _, _, _, wide, stored in shown:
            if one == name:
                assert type(wide) is type(stored) is int
                assert stored == narrow_fraction(wide, spec)


def test_overflow_error_is_raised_as_by_the_kernels() -> None:
    chip = target("membrane.overflow=error", "membrane.format=fxp-s13/11")
    experiment = network(
        {"n": neuron(threshold=0.9)},
        {"s": Poisson(rates_hz=(9000.0,))},
        {"p": synapses("s", "n", 1.5)},
    )
    messages = []
    for executor in (simulate, run_exact):
        with pytest.raises(FixedPointOverflowError, match="site input left its range") as caught:
            executor(experiment, chip, seed=1)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


# The proof of the containers


def watched(**more: Any) -> Watched:
    site = Site(name="s", shift=2, rounding="floor", overflow="saturate", lo=-8, hi=7)
    return Watched(name="s", site=site.as_fixed(int), **more)


def test_a_watched_site_does_what_the_site_does() -> None:
    shown: list[tuple[Any, ...]] = []
    site = watched(
        proved=(-40, 40),
        trace=lambda *what: shown.append(what),
        place=Place(trial=1, step=3, index=2),
    )
    assert [requantize(x, site, 0) for x in (-40, -5, 31, 40)] == [-8, -2, 7, 7]
    assert [overflowed(x, site, 0) for x in (-40, -5, 31, 40)] == [True, False, False, True]
    assert shown[1] == ("s", 1, 2, 3, -5, -2) and len(shown) == 4


@pytest.mark.parametrize("wide", [-41, 41])
def test_a_value_outside_the_proof_is_a_fault(wide: int) -> None:
    site = watched(proved=(-40, 40), place=Place(trial=1, step=3, index=2))
    with pytest.raises(ContainerOverflowError, match=rf"site s = {wide}.*trial 1, step 3, index 2"):
        requantize(wide, site, 0)


@pytest.mark.parametrize(
    ("container", "most"), [("int32", 2**31 - 1), ("int64", 2**63 - 1), ("double", 2**53 - 1)]
)
def test_a_value_outside_its_container_is_a_fault(container: str, most: int) -> None:
    site = watched(proved=(-(2**70), 2**70), container=container)
    assert requantize(most, site, 0) == 7
    with pytest.raises(ContainerOverflowError, match=container):
        requantize(most + 1, site, 0)


def test_a_wrong_proof_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*args: Any) -> Any:
        arithmetic, plan = resolve_with_plan(*args)
        assert plan is not None
        low, high = plan.widest["accumulate"]
        widest = plan.widest | {"accumulate": (low, min(high, 10_000))}
        return arithmetic, replace(plan, widest=widest)

    run_exact(learning(), target(), seed=1)
    monkeypatch.setattr(exact, "resolve_with_plan", wrong)
    with pytest.raises(ContainerOverflowError, match="site accumulate"):
        run_exact(learning(), target(), seed=1)


def test_the_leak_is_held_against_its_32_bits() -> None:
    plan = discretize(learning(), target())
    assert plan.container == "int32"
    sites = watch_plan(plan, Place(), None)
    assert {name for name, s in sites.items() if s.container == "int32"} == {"leak", "input"}
    assert sites["leak"].proved == (-(2**15) * 2**15, (2**15 - 1) * 2**15)


# An update whose accumulator is narrower than what meets it once left the proof


@pytest.mark.parametrize("overflow", ["saturate", "wrap"])
@pytest.mark.parametrize("accumulator", ["fxp-s5/2", "fxp-u4/2", "fxp-s9/2"])
@pytest.mark.parametrize("update", ["event", "periodic"])
def test_the_proof_holds_for_narrow_accumulators(
    update: str, accumulator: str, overflow: str
) -> None:
    chip = target(
        f"plasticity.update={update}",
        "plasticity.update_period_us=400",
        "plasticity.weight.format=fxp-u6/5",
        "plasticity.increment.format=fxp-u12/2",
        f"plasticity.accumulator.format={accumulator}",
        f"plasticity.accumulator.overflow={overflow}",
    )
    rule = homeostasis(0.7, 0.9, low=0.3, high=1.5)
    experiment = network(
        {"n": neuron(refractory=0.2)},
        {"s": Poisson(rates_hz=(7000.0,))},
        {"p": synapses("s", "n", 1.0, plasticity=rule)},
    )
    run = run_exact(experiment, chip, seed=1)
    assert run.weights["p"].raw[0].size > 0
    assert_equal(run, simulate(experiment, chip, seed=1))


@pytest.mark.parametrize("fraction", [40, 63, 64])
def test_no_shift_is_as_long_as_its_container(fraction: int) -> None:
    """A narrow gain register with a long fraction: the product is small, the shift is not."""
    chip = target(f"synapse.gain.format=fxp-u8/{fraction}", "synapse.gain.drive_rounding=floor")
    experiment = network(
        {"n": neuron()}, {"s": Poisson(rates_hz=(5000.0,))}, {"p": synapses("s", "n", 0.7)}
    )
    if fraction == 64:
        with pytest.raises(ConfigError, match="weight times gain takes 64"):
            discretize(experiment, chip)
    else:
        assert_equal(run_exact(experiment, chip, seed=1), simulate(experiment, chip, seed=1))


def test_input_that_is_silent_may_be_given() -> None:
    experiment = network({"n": neuron()}, {"s": SILENT}, {"p": synapses("s", "n", 0.75)})
    run = run_exact(experiment, target(), spikes={"s": [[3, 4, 9], []]})
    assert run.trials == 2
    assert_equal(run, simulate(experiment, target(), spikes={"s": [[3, 4, 9], []]}))
    assert [t.tolist() for t in run.spikes["n"]] == [[5], []]


def test_it_does_without_numba() -> None:
    code = "import sys, neuroemu.engine.exact; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_slope_that_nothing_narrows_may_be_negative() -> None:
    """An unsigned membrane falls, though the change of a step is below its range."""
    chip = load_target("reckon", ["membrane.format=fxp-u16/10"])
    cell = neuron(tau=5.0, threshold=30.0, init=10.0)
    run = run_exact(network({"n": cell}, steps=100, membrane=("n",)), chip)
    v = run.membrane["n"].value[:, 0, 0]
    assert v[0] == 10.0 and np.all(np.diff(v) < 0)


def test_the_strongest_inhibition_fits_what_is_proved_of_two_channels() -> None:
    """The lowest drive of a signed current is one more than its highest, turned around."""
    chip = load_target("xylo", ["neuron.channels=two", "neuron.current.format=fxp-s9/10"])
    inhibited = network(
        {"n": neuron(threshold=1.5)},
        {"s": Poisson(size=1, rates_hz=(0.0,))},
        {"w": synapses("s", "n", -2.0)},
    )
    run = run_exact(inhibited, chip, spikes={"s": [np.asarray([[0, 0], [1, 0], [5, 0]])]})
    assert run.sites["input"]["overflowed"] == 3


def test_a_membrane_may_start_in_the_code_that_its_register_does_not_use() -> None:
    chip = load_target("loihi1", ["neuron.rest=zero"])
    lowest = -(2.0**23) / 2**18
    cell = neuron(tau=1.0, threshold=1.0, init=lowest)
    run = run_exact(network({"n": cell}, steps=20, membrane=("n",)), chip)
    v = run.membrane["n"].value[:, 0, 0]
    assert v[0] == lowest and np.all(np.diff(v) > 0)


def test_many_neurons_that_send_several_spikes_in_a_step_are_recorded_one_by_one() -> None:
    experiment = network(
        {"many": neuron(11, tau=2.0), "few": neuron(2)},
        {"all": Poisson(rates_hz=(2000.0,)), "each": Poisson(size=11, rates_hz=(2000.0,))},
        {
            "together": synapses("all", "many", 2.0),
            "apart": synapses("each", "many", 1.5, connector="one_to_one"),
        },
        steps=60,
    )
    chip = load_target("xylo")
    run = simulate(experiment, chip, trials=3, seed=1)
    fired = np.stack((run.spikes["many"].steps[0], run.spikes["many"].neurons[0]), axis=1)
    assert len(np.unique(fired, axis=0)) < len(fired)
    assert_equal(run, run_exact(experiment, chip, trials=3, seed=1))
