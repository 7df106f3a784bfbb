"""What an update does under every rounding, against the store's own arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroemu.experiment import Experiment, Poisson
from neuroemu.feasibility.findings import Finding
from neuroemu.feasibility.learning import Learning, learning
from neuroemu.feasibility.learning_findings import learning_findings
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.discretize import discretize
from neuroemu.numeric.bits import lfsr_word
from neuroemu.numeric.ops import requantize
from tests.engine.small import homeostasis, network, neuron, synapses, target

REFERENCE = load_experiment("spike_based_homeostasis")
MIDDLE = 1000


def of(name: str, *overrides: str, experiment: Experiment = REFERENCE) -> Learning:
    (found,) = learning(discretize(experiment, load_target(name, overrides)))
    return found


def found_on(name: str, *overrides: str, experiment: Experiment = REFERENCE) -> list[Finding]:
    d = discretize(experiment, load_target(name, overrides))
    return list(learning_findings(d, learning(d)))


@given(
    dw=st.integers(1, 999).map(lambda n: n / 1000),
    rounding=st.sampled_from(["floor", "ceil", "fix", "around", "half_up"]),
    fraction=st.integers(1, 9),
)
def test_an_effect_is_what_the_store_does(dw: float, rounding: str, fraction: int) -> None:
    """A weight walks on its grid by the site itself, from an even and from an odd code."""
    rule = homeostasis(dw, dw)
    experiment = network(
        {"n": neuron()},
        {"s": Poisson(rates_hz=(50.0,))},
        {"p": synapses("s", "n", 0.0, plasticity=rule)},
    )
    chip = target(
        "plasticity.weight.format=fxp-u12/6",
        f"plasticity.weight.rounding={rounding}",
        f"plasticity.increment.format=fxp-u20/{fraction}",
    )
    d = discretize(experiment, chip)
    (found,) = learning(d)
    site, synapse = d.sites["store"].as_fixed(), d.synapses["p"]
    for change, effective in (
        (synapse.dw_plus, found.used.plus),
        (-synapse.dw_minus, found.used.minus),
    ):
        for start in (MIDDLE, MIDDLE + 1):
            w = requantize(start * synapse.unit + change, site, 0)  # a tie leaves an odd code once
            again = requantize(w * synapse.unit + change, site, 0)
            assert abs(again - w) == effective


@pytest.mark.parametrize("output_bits", [1, 3, 6, 8])
@pytest.mark.parametrize("dw", [0.05, 0.013, 0.6])
def test_an_lfsr_of_few_bits_cuts_the_increments(output_bits: int, dw: float) -> None:
    """The mean over all words that such a register can give."""
    rule = homeostasis(dw, dw)
    experiment = network(
        {"n": neuron()},
        {"s": Poisson(rates_hz=(50.0,))},
        {"p": synapses("s", "n", 0.0, plasticity=rule)},
    )
    chip = target(
        "plasticity.weight.format=fxp-u12/6",
        "plasticity.weight.rounding=stochastic",
        "plasticity.increment.format=fxp-u20/6",
        "plasticity.random.source=lfsr",
        f"plasticity.random.output_bits={output_bits}",
    )
    d = discretize(experiment, chip)
    (found,) = learning(d)
    site, synapse = d.sites["store"].as_fixed(), d.synapses["p"]
    words = [lfsr_word(s, output_bits) for s in range(2**output_bits)]
    for change, effective in (
        (synapse.dw_plus, found.used.plus),
        (-synapse.dw_minus, -found.used.minus),
    ):
        moves = [requantize(MIDDLE * synapse.unit + change, site, w) - MIDDLE for w in words]
        assert Fraction(sum(moves), len(moves)) == effective


@pytest.mark.parametrize("output_bits", [2, 5])
def test_an_lfsr_of_few_bits_biases_a_period(output_bits: int) -> None:
    chip = load_target(
        "brainscales2",
        [
            "plasticity.weight.rounding=stochastic",
            "plasticity.random.source=lfsr",
            f"plasticity.random.output_bits={output_bits}",
        ],
    )
    d = discretize(REFERENCE, chip)
    (found,) = learning(d)
    site, unit = d.sites["store"].as_fixed(), d.synapses["homeostatic"].unit
    words = [lfsr_word(s, output_bits) for s in range(2**output_bits)]
    errors = [
        requantize(9 * unit + k, site, w) - Fraction(9 * unit + k, unit)
        for k in range(unit)
        for w in words
    ]
    assert found.used.bias == sum(errors, Fraction(0)) / len(errors)


def test_every_rounding_is_shown_and_one_is_the_target_s() -> None:
    shown = of("spinnaker1")
    assert shown.varied == "plasticity.weight.rounding"
    assert [e.rounding for e in shown.effects] == [
        *("floor", "ceil", "fix", "around", "half_up", "stochastic")
    ]
    assert shown.used.rounding == "floor"
    whole = of("generic8")  # without fraction bits the increment's own rounding acts, once
    assert whole.varied == "plasticity.increment.rounding"
    assert "stochastic" not in [e.rounding for e in whole.effects]
    assert of("generic8", "plasticity.increment.rounding=trunc").used.rounding == "fix"


def test_another_rounding_does_what_the_table_says() -> None:
    shown = of("loihi1")
    for effect in shown.effects:
        used = of("loihi1", f"plasticity.weight.rounding={effect.rounding}").used
        assert (used.plus, used.minus, used.set_point_hz) == (
            *(effect.plus, effect.minus, effect.set_point_hz),
        )


@pytest.mark.parametrize(
    ("name", "overrides", "expected"),
    [
        ("generic4", [], [("dead_update", "problem")]),
        ("brainscales2", [], [("lopsided", "note")]),
        ("generic16", [], []),
        ("generic8", [], [("slow", "note")]),
        ("loihi1", [], [("slow", "note")]),  # 6.4 steps are held as 6 in three bits
        ("spinnaker1", [], []),
        ("brainscales2", ["plasticity.update=event"], [("lopsided", "problem"), ("slow", "note")]),
        ("brainscales2", ["plasticity.update_period_us=10.0"], [("lopsided", "problem")]),
        ("brainscales2", ["plasticity.update=none"], [("no_learning", "problem")]),
        ("generic8", ["plasticity.increment.rounding=ceil"], [("slow", "note")]),
        ("generic8", ["plasticity.weight.format=fxp-u4/3"], [("dead_update", "problem")]),
        (
            "generic4",
            ["plasticity.increment.rounding=ceil"],
            [("slow", "problem")],
        ),
    ],
)
def test_what_is_found(name: str, overrides: list[str], expected: list[tuple[str, str]]) -> None:
    assert [(f.kind, f.severity) for f in found_on(name, *overrides)] == expected


def test_a_finding_says_the_numbers_and_what_to_do() -> None:
    (found, _) = found_on("brainscales2", "plasticity.update=event")
    assert found.sentence == (
        "1.575 LSB up and 1.575 LSB down become 1 and 2 (weight.rounding floor): the rule balances at 25.0 Hz "
        "instead of 50 Hz (-50 %)"
    )
    assert found.remedy == (
        "set plasticity.weight.rounding = around or half_up or stochastic or add bits to plasticity.weight.format"
    )
    dead = found_on("brainscales2", "plasticity.update=event", "plasticity.weight.format=fxp-u5/0")[
        0
    ]
    assert dead.sentence == (
        "dw_plus of 0.775 LSB moves the stored weight by 0 (weight.rounding floor): the weight only falls"
    )


def test_the_limit_is_the_question_s_own_margin() -> None:
    wide = load_experiment("spike_based_homeostasis", ["question.margin=0.6"])
    (found, _) = found_on("brainscales2", "plasticity.update=event", experiment=wide)
    assert found.severity == "note"


def test_words_of_few_bits_are_a_note() -> None:
    lfsr = ["plasticity.random.source=lfsr", "plasticity.random.output_bits=3"]
    found = found_on("loihi1", *lfsr)
    assert [f.key for f in found if f.kind == "lfsr"] == [
        "plasticity.random.output_bits",
        "plasticity.random.bits_per_draw",
    ]
    enough = [lfsr[0], "plasticity.random.output_bits=7", "plasticity.random.bits_per_draw=7"]
    assert [f.kind for f in found_on("loihi1", *enough)] == ["slow"]


def test_projections_with_the_same_rule_stand_together_and_others_apart() -> None:
    experiment = network(
        {"n": neuron(), "m": neuron()},
        {"s": Poisson(rates_hz=(50.0,)), "t": Poisson(rates_hz=(20.0,))},
        {
            "a": synapses("s", "n", 0.0, plasticity=homeostasis()),
            "b": synapses("s", "m", 0.5, plasticity=homeostasis()),
            "c": synapses("t", "n", 0.0, plasticity=homeostasis()),
            "d": synapses("n", "m", 0.0, plasticity=homeostasis()),
        },
    )
    found = learning(discretize(experiment, target()))
    assert [rule.projections for rule in found] == [("a", "b"), ("c",), ("d",)]
    assert [rule.used.set_point_hz for rule in found] == [50.0, 20.0, None]
    assert found[2].used.set_point == 1.0  # relative to a rate that is not known


def test_a_rule_that_asks_for_one_direction_only_is_not_dead() -> None:
    experiment = network(
        {"n": neuron()},
        {"s": Poisson(rates_hz=(50.0,))},
        {"a": synapses("s", "n", 0.0, plasticity=homeostasis(0.25, 0.0))},
    )
    d = discretize(experiment, target())
    assert list(learning_findings(d, learning(d))) == []


@pytest.mark.parametrize(("low", "lossy"), [(-2.0, True), (0.0, True), (-2.0, False)])
def test_fix_draws_weights_of_both_signs_towards_0(low: float, lossy: bool) -> None:
    """Above 0 a weight rises by 0 and falls by 1, below 0 the reverse: by the store itself."""
    dw = 0.05 if lossy else 0.0625
    experiment = network(
        {"n": neuron()},
        {"s": Poisson(rates_hz=(50.0,))},
        {"p": synapses("s", "n", 0.0, plasticity=homeostasis(dw, dw, low=low))},
    )
    chip = target("plasticity.weight.format=fxp-s8/4", "plasticity.weight.rounding=fix",
                  "plasticity.increment.format=fxp-u12/4")  # fmt: skip
    d = discretize(experiment, chip)
    synapse, site = d.synapses["p"], d.sites["store"].as_fixed()

    def moved(w: int, change: int) -> int:
        return int(requantize(w * synapse.unit + change, site, 0)) - w

    steps = [[moved(w, c) for c in (synapse.dw_plus, -synapse.dw_minus)] for w in (10, -10)]
    assert steps == ([[0, -1], [1, 0]] if lossy else [[1, -1], [1, -1]])
    found = list(learning_findings(d, learning(d)))
    drawn = [f for f in found if "towards 0" in f.sentence]
    assert [f.kind for f in drawn] == (["lopsided"] if lossy and low < 0 else [])
