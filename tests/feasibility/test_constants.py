"""Constants in rows, and what weights deliver, against the drive's own arithmetic."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroemu.experiment import Poisson
from neuroemu.feasibility.constants import constant_findings, rows, silent_code
from neuroemu.feasibility.delivery import mean_delivered
from neuroemu.feasibility.search import first, last
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from neuroemu.numeric.ops import requantize
from tests.engine.small import homeostasis, network, neuron, synapses, target

REFERENCE = load_experiment("spike_based_homeostasis")
POPULATION = load_experiment("homeostatic_population")


def kinds(d: Discretized) -> list[tuple[str, str]]:
    return sorted((f.kind, f.severity) for f in constant_findings(d))


@pytest.mark.parametrize("name", ["brainscales2", "generic16", "generic8", "spinnaker1"])
@pytest.mark.parametrize("experiment", [REFERENCE, POPULATION], ids=lambda e: e.name)
def test_shipped_targets_lose_nothing_here(name: str, experiment) -> None:
    assert kinds(discretize(experiment, load_target(name))) == []


def test_a_limit_one_lsb_beyond_the_register_is_a_note() -> None:
    assert set(kinds(discretize(REFERENCE, load_target("loihi1")))) == {("saturated", "note")}


def test_every_constant_is_in_one_row_and_equal_ones_share_it() -> None:
    d = discretize(POPULATION, load_target("generic8"))
    shown = rows(d.constants)
    assert sum(len(row.owners) for row in shown) == len(d.constants)
    by_name = {row.name: row.owners for row in shown if row.name != "weight"}
    assert by_name["v_thresh"] == ("regulated", "unregulated")
    assert by_name["dw_plus"] == ("homeostatic",)


@given(
    rounding=st.sampled_from(["floor", "ceil", "fix", "around", "half_up", "stochastic"]),
    weight=st.integers(3, 8),
    membrane=st.integers(1, 5),
    is_signed=st.booleans(),
)
def test_the_silent_codes_are_the_enumerated_ones(
    rounding: str, weight: int, membrane: int, is_signed: bool
) -> None:
    low = -1.0 if is_signed else 0.0
    experiment = network(
        {"n": neuron()},
        {"s": Poisson(rates_hz=(50.0,))},
        {"p": synapses("s", "n", 0.0, plasticity=homeostasis(0.5, 0.5, low=low, high=1.0))},
    )
    chip = target(
        f"membrane.format=fxp-s9/{membrane}",
        f"plasticity.weight.format=fxp-{'s' if is_signed else 'u'}{weight + 2}/{weight}",
        f"synapse.gain.drive_rounding={rounding}",
    )
    d = discretize(experiment, chip)
    site, gain, synapse = d.sites["drive"].as_fixed(), d.synapses["p"].gain, d.synapses["p"]
    silent = [
        code
        for code in range(synapse.w_min, synapse.w_max + 1)
        if code and not any(requantize(code * gain, site, word) for word in (0, 2**32 - 1))
    ]
    assert silent_code(d, "p") == max((abs(c) for c in silent), default=0)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["synapse.weight.format=fxp-u4/1"], []),
        (["membrane.format=fxp-s8/0"], [("silent_codes", "problem")]),
        (["membrane.format=fxp-s8/1"], [("silent_codes", "problem")]),
        (["membrane.format=fxp-s10/6"], [("silent_codes", "note")]),
        (["plasticity.weight.format=fxp-u4/3"], [("saturated", "problem")]),
        (["synapse.weight.format=fxp-u3/2"], [("saturated", "problem")]),
    ],
)
def test_what_is_found(overrides: list[str], expected: list[tuple[str, str]]) -> None:
    chip = target("synapse.gain.drive_rounding=floor", *overrides)
    found = [f for f in kinds(discretize(REFERENCE, chip)) if f[0] != "coarse"]
    assert found == expected


def test_constants_that_the_register_cannot_hold() -> None:
    cells = {"n": neuron(threshold=0.9, reset=-0.1, init=0.3)}
    experiment = network(
        cells,
        {"s": Poisson(rates_hz=(10.0,))},
        {"a": synapses("s", "n", 0.03), "b": synapses("s", "n", 0.3)},
    )
    chip = target("membrane.format=fxp-s8/2", "synapse.weight.format=fxp-u6/3")
    found = {
        f.key: (f.kind, f.severity, f.register)
        for f in constant_findings(discretize(experiment, chip))
    }
    assert found == {
        "populations.n.v_thresh": ("coarse", "problem", "membrane.format"),
        "populations.n.v_reset": ("zeroed", "problem", "membrane.format"),
        "populations.n.v_init": ("coarse", "note", "membrane.format"),
        "projections.a.weight": ("zeroed", "problem", "synapse.weight.format"),
        "projections.b.weight": ("coarse", "problem", "synapse.weight.format"),
    }


@pytest.mark.parametrize(
    ("rounding", "delivers"),
    [("floor", 0.0), ("ceil", 0.25), ("around", 0.0), ("half_up", 0.25), ("stochastic", 0.125)],
)
def test_a_static_weight_between_two_membrane_steps(rounding: str, delivers: float) -> None:
    experiment = network(
        {"n": neuron()}, {"s": Poisson(rates_hz=(10.0,))}, {"a": synapses("s", "n", 0.125)}
    )
    chip = target(
        "membrane.format=fxp-s8/2",
        "synapse.weight.format=fxp-u6/3",
        f"synapse.gain.drive_rounding={rounding}",
    )
    d = discretize(experiment, chip)
    assert mean_delivered(d, "a", d.synapses["a"].weight) == delivers
    expected = [] if delivers == 0.125 else [("coarse_drive", "problem")]
    assert kinds(d) == expected


@given(st.integers(0, 40), st.integers(0, 40))
def test_searches_find_the_edge(edge: int, most: int) -> None:
    assert last(lambda n: n <= edge, most) == min(edge, most)
    assert first(lambda n: n >= edge, most - 40) == max(edge, most - 40)
    assert all(
        b - a == 1 for a, b in pairwise([first(lambda n, e=e: n >= e, -99) for e in range(-50, 50)])
    )


def test_codes_below_the_limits_are_none_that_deliver_nothing() -> None:
    """Codes 1 to 7 would deliver nothing; the rule keeps the weight above them."""
    for low, silent in ((0.0, 7), (0.09375, 7), (0.125, 0)):
        experiment = network(
            {"n": neuron()},
            {"s": Poisson(rates_hz=(50.0,))},
            {"p": synapses("s", "n", 1.0, plasticity=homeostasis(low=low))},
        )
        chip = target(
            "membrane.format=fxp-s8/3",
            "plasticity.weight.format=fxp-u8/6",
            "synapse.gain.drive_rounding=floor",
        )
        assert silent_code(discretize(experiment, chip), "p") == silent
