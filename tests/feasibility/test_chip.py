"""Chips that step in their own way: leaks, rests, resets and inputs, against runs and published facts."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from neuroemu.engine.exact import run_exact
from neuroemu.experiment import Experiment, Poisson
from neuroemu.feasibility.check import check
from neuroemu.feasibility.decay import steps_to
from neuroemu.feasibility.delivery import delivered
from neuroemu.feasibility.findings import Finding
from neuroemu.feasibility.leak import leaks
from neuroemu.feasibility.leak_findings import leak_findings
from neuroemu.feasibility.network_lsb import network_lsb, network_lsb_findings
from neuroemu.feasibility.range_findings import range_findings
from neuroemu.feasibility.ranges import reaches
from neuroemu.feasibility.step import alone
from neuroemu.hardware.config import Target
from neuroemu.hardware.load import experiment_from, load_experiment, load_target, target_from
from neuroemu.models.discretize import discretize
from tests.engine.small import SILENT, homeostasis, membrane, network, neuron, synapses

REFERENCE = load_experiment("spike_based_homeostasis")


def quiet(init: float, steps: int = 40, dt_ms: float = 0.1) -> Experiment:
    """A neuron without input that starts where it is told."""
    cell = neuron(tau=10.0, threshold=1.0, reset=-1.0, init=init)
    return network({"n": cell}, {"s": SILENT}, steps=steps, dt_ms=dt_ms, membrane=["n"])


def leak_kinds(experiment: Experiment, chip: Target) -> list[tuple[str, str]]:
    d = discretize(experiment, chip)
    return [(f.kind, f.severity) for f in leak_findings(d, leaks(d))]


def ranges_of(experiment: Experiment, chip: Target) -> list[Finding]:
    d = discretize(experiment, chip)
    return list(range_findings(d, reaches(d)))


@pytest.mark.parametrize(("start", "steps"), [(100, 52), (-100, 39)])
def test_a_shift_takes_the_published_steps_to_rest(start: int, steps: int) -> None:
    """Xylo's documentation: with a dash of 4, +100 is at 0 after 52 steps and -100 after 39."""
    cell = neuron(tau=16.0, reset=-1.0)
    chip = load_target("xylo", ["neuron.rest=zero"])
    step = alone(discretize(network({"n": cell}, {"s": SILENT}, dt_ms=1.0), chip), "n")
    assert steps_to(start, lambda v: step(v, 0), 100) == steps


def test_a_linear_leak_counts_down() -> None:
    """At 1 ms 0.1 of the threshold of 32 is 3 steps: 31, 28, ... 1, and what is below the floor is 0."""
    chip = load_target("truenorth")
    d = discretize(REFERENCE, chip)
    (found,) = leaks(d)
    assert (found.kind, found.amount, found.register_tau_ms) == ("constant", 3, None)
    assert (found.dead_zone, found.rests_after_ms) == ((0, 0), 11.0)
    goal = 31 / np.e  # passed between 13 and 10, which is after 6 to 7 steps
    assert 13 > goal > 10 and 6.0 < (found.decay_ms["threshold"] or 0.0) < 7.0
    assert ("time_constant", "problem") in leak_kinds(REFERENCE, chip)


def test_a_constant_leak_without_a_floor_has_no_rest() -> None:
    data = load_target("truenorth")
    assert data.neuron is not None
    table = data.neuron.model_copy(update={"floor": None})
    chip = data.model_copy(update={"neuron": table})
    assert ("no_rest", "problem") in leak_kinds(REFERENCE, chip)
    (found,) = leaks(discretize(REFERENCE, chip))
    assert (found.has_rest, found.rests_after_ms) == (False, None)


@pytest.mark.parametrize("name", ["loihi1", "spinnaker1", "xylo", "reckon"])
def test_the_dead_zone_is_what_a_run_never_moves(name: str) -> None:
    """Starts inside and outside the zone, at its edges and far from it, left alone."""
    chip = load_target(name)
    dt_ms = chip.time.tick_us / 1000
    d = discretize(quiet(0.0, dt_ms=dt_ms), chip)
    (found,) = leaks(d)
    low, high = found.dead_zone
    lsb = float(d.membrane_lsb or 1)
    assert -200 < low <= high < 200
    for raw in (low - 9, low - 1, low, (low + high) // 2, high, high + 1, high + 9):
        run = run_exact(quiet(raw * lsb, dt_ms=dt_ms), chip, trials=1)
        values = membrane(run, "n")
        assert values[0] == pytest.approx(raw * lsb, abs=1e-12)
        assert (values == values[0]).all() == (low <= raw <= high), raw


@pytest.mark.parametrize("name", ["loihi1", "spinnaker1"])
def test_a_spike_delivers_what_the_next_step_shows(name: str) -> None:
    chip = load_target(name)
    cell = neuron(tau=10.0, threshold=3.0, reset=-1.0)
    weights = {"p": synapses("s", "n", 1.5)}
    experiment = network({"n": cell}, {"s": SILENT}, weights, steps=4, membrane=["n"])
    values = membrane(run_exact(experiment, chip, spikes={"s": [np.array([[0, 0]])]}), "n")
    d = discretize(experiment, chip)
    lsb = float(d.membrane_lsb or 1)
    gets = float(delivered(d, "p", d.synapses["p"].weight))
    assert abs(values[2] - values[0] - gets) <= lsb
    # 1.5 arrives whole, or through tau/dt = 100 times 1 - exp(-0.01): half a percent short
    assert gets == pytest.approx(1.5 if name == "loihi1" else 150 * (1 - np.exp(-0.01)), rel=1e-3)


def test_a_current_that_decays_before_it_is_used_delivers_all_in_all() -> None:
    """Half of it is left after a step: 1/2 + 1/4 + ... of 1.5."""
    experiment = network(
        {"n": neuron(tau=8.0)}, {"s": SILENT}, {"p": synapses("s", "n", 1.5)}, dt_ms=1.0
    )
    d = discretize(experiment, load_target("xylo"))
    assert float(delivered(d, "p", d.synapses["p"].weight)) == pytest.approx(1.5, abs=2 / 1024)


@pytest.mark.parametrize(("name", "steps"), [("loihi1", 10), ("spinnaker1", 11)])
def test_the_refractory_time_is_that_of_a_run(name: str, steps: int) -> None:
    """Input is collected while a neuron waits, so that it spikes in the first step in which it is live.

    The timer of SpiNNaker does not count the step of the spike.
    """
    cell = neuron(tau=10.0, reset=-1.0, refractory=1.0)
    weights = {"p": synapses("s", "n", 1.9)}
    experiment = network({"n": cell}, {"s": Poisson(size=2, rates_hz=(10.0,))}, weights, steps=120)
    always = np.array([(k, i) for k in range(120) for i in (0, 1)])
    chip = load_target(name)
    fired = run_exact(experiment, chip, spikes={"s": [always]}).spikes["n"][0]
    assert {b - a for a, b in pairwise(fired)} == {steps}
    (found,) = leaks(discretize(experiment, chip))
    assert found.refractory_ms == pytest.approx(steps * 0.1)


@pytest.mark.parametrize(
    ("name", "lands"), [("reckon", 0.0), ("truenorth", 0.0), ("loihi1", None), ("xylo", None)]
)
def test_a_reset_that_the_chip_decides(name: str, lands: float | None) -> None:
    """Asked is -1 from rest. Where a bias holds the rest, the register's 0 is the reset."""
    d = discretize(REFERENCE, load_target(name))
    found = [f for f in leak_findings(d, leaks(d)) if f.kind == "reset"]
    assert len(found) == (lands is not None)
    if found:
        assert f"lands at {lands:g} from rest, where -1 is asked (+100 %" in found[0].sentence


def test_a_chip_without_a_counter_is_never_refractory() -> None:
    """At 0.1 ms a tick it spikes ten times as often as it should."""
    chip = load_target("xylo", ["time.tick_us=100.0"])
    d = discretize(REFERENCE, chip)
    (found,) = [f for f in leak_findings(d, leaks(d)) if f.kind == "refractory"]
    assert "no refractory counter" in found.sentence and "every 0.1 ms" in found.sentence


def test_inputs_that_wrap_where_they_are_collected() -> None:
    """Two weights of 1.99 meet in a buffer that ends at 2, and in one that ends at 4."""
    (found,) = ranges_of(REFERENCE, load_target("loihi1", ["neuron.buffer.format=fxp-s20/18"]))
    assert (found.kind, found.register) == ("wraps", "neuron.buffer.format")
    assert "0 to 3.984" in found.sentence
    assert ranges_of(REFERENCE, load_target("loihi1", ["neuron.buffer.format=fxp-s21/18"])) == []


def test_a_current_that_piles_up_wraps_in_step_after_step() -> None:
    """With 100 ms a thousandth decays in 0.1 ms: 3.98 in each step comes to 3984, and 32 fit."""
    long = ["neuron.current.tau_ms=100.0"]
    found = [f for f in ranges_of(REFERENCE, load_target("loihi1", long)) if "current" in f.key]
    assert {(f.kind, f.severity) for f in found} == {("wraps", "note")}


@pytest.mark.parametrize(("width", "expected"), [(16, []), (9, ["note"]), (8, ["problem"])])
def test_a_step_that_the_network_makes_coarse(width: int, expected: list[str]) -> None:
    """Two projections of at most 2 meet: 4, so all codes stand for 16. Of 512 codes 0.05 is 1.6, of 256 it is 0.8."""
    chip = load_target("spinnaker1", [f"plasticity.weight.format=fxp-u{width}/0"])
    found = network_lsb(discretize(REFERENCE, chip))
    plastic = next(one for one in found if one.key == "plasticity.weight.format")
    assert (plastic.load, plastic.lsb, plastic.smallest) == (4.0, 16 / 2**width, 0.05)
    kinds = [f for f in network_lsb_findings(found) if f.register.startswith("plasticity")]
    assert [f.severity for f in kinds] == expected


def test_the_threshold_is_measured_from_the_register_s_zero_and_told_from_rest() -> None:
    """Loihi's 0 stands for the reset at -1: the register holds 32 around it, and the threshold 2."""
    d = discretize(REFERENCE, load_target("loihi1"))
    assert d.neurons["with_homeostasis"].threshold == 2 * 2**18
    reach = reaches(d)[0]
    assert reach.threshold == 1.0
    assert reach.register == pytest.approx((-33.0, 31.0))


def test_several_spikes_of_a_source_are_one() -> None:
    """At 1 ms ten steps of the experiment fall into a tick."""
    experiment = network(
        {"n": neuron(tau=10.0)},
        {"s": Poisson(rates_hz=(10.0,))},
        {"p": synapses("s", "n", 0.5, plasticity=homeostasis())},
    )
    merged, each = (
        reaches(discretize(experiment, load_target("truenorth", [f"neuron.merges_input={flag}"])))
        for flag in ("true", "false")
    )
    assert (merged[0].excitation, each[0].excitation) == (0.5, 5.0)


def test_a_slope_of_two_currents_may_fall_below_an_unsigned_membrane() -> None:
    """Two currents are split by sign, their difference is not: the leak alone leaves the range."""
    path = Path(__file__).with_name("cases") / "unsigned_slope.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    target = target_from(data["target"], path.name)
    found = check(experiment_from(data["experiment"], path.name), target)
    assert target.membrane.overflow == "error"
    assert "refused" in {f.kind for f in found.all_findings}
