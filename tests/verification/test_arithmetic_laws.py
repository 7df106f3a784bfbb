"""What is known of an arithmetic is found, and the case kept beside it shows it."""

import pytest

from neuroemu.experiment import Experiment
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.verification.certificate import Certificate, verify
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Outcome
from neuroemu.verification.laws import LAWS, law_named

LAWS_OF_CHIPS = [law.name for law in LAWS if law.kind == "arithmetic"]
EVENT_6_BITS = ("plasticity.update=event",)


def certificate(target: str, *overrides: str, experiment: Experiment | None = None) -> Certificate:
    chip = load_target(target, overrides)
    return verify(chip, laws=LAWS_OF_CHIPS, experiment=experiment)


def broken(law: str, target: str, *overrides: str, experiment: Experiment | None = None) -> Outcome:
    """The outcome of a law that is broken, and that its case shows to be so."""
    chip = load_target(target, overrides)
    found = verify(chip, laws=[law], experiment=experiment)[law]
    assert found.status == "broken" and found.case is not None
    assert "does not show" not in found.text
    return found


def holds(law: str, target: str, *overrides: str) -> Outcome:
    found = verify(load_target(target, overrides), laws=[law])[law]
    assert found.status == "holds"
    return found


FINDINGS = {
    "brainscales1": set(),
    "brainscales2": {"counts-keep-their-sign", "periods-are-unbiased", "experiment-in-range"},
    "brainscales2-sign": {"counts-keep-their-sign"},
    "generic16": {"membrane-decays", "codes-deliver"},
    "generic4": {"updates-move", "updates-keep-their-size"},
    "generic8": {"input-reaches-threshold", "updates-keep-their-size"},
    "loihi1": {"experiment-in-range"},
    "reckon": {"membrane-decays"},
    "spinnaker1": {"membrane-decays"},
    "tinyodin": set(),
    "truenorth": set(),
    "xylo": set(),
}
SMALL = {"experiment-in-range", "membrane-decays", "codes-deliver"}


@pytest.mark.parametrize("target", FINDINGS)
def test_findings_of_shipped_targets(target: str) -> None:
    found = certificate(target)
    assert {r.law.name for r in found.findings} == FINDINGS[target]
    assert {r.law.name for r in found.findings if r.outcome.is_small} == FINDINGS[target] & SMALL
    assert all("does not show" not in r.outcome.text for r in found.findings)
    assert not found.faults


# Membrane


def test_a_floor_leak_keeps_minus_1_lsb_for_ever() -> None:
    found = broken(
        "membrane-decays", "generic8", "membrane.rounding=floor", "membrane.leak.format=fxp-u1/1",
        experiment=load_experiment(
            "spike_based_homeostasis",
            ["populations.with_homeostasis.tau_m_ms=0.2",
             "populations.without_homeostasis.tau_m_ms=0.2"],
        ),
    )  # fmt: skip
    assert found.text == (
        "membrane fxp-s8/5, leak floor: v = -1 LSB (-0.03125) decays to -1 LSB for ever; "
        "3.1 % of the threshold"
    )
    assert (found.how, found.cases, found.is_small) == ("proof", 256, True)


@pytest.mark.parametrize(
    ("rounding", "low", "high"),
    [("floor", -85, 0), ("ceil", 0, 32), ("around", -42, 32), ("half_up", -42, 32)],
)
def test_dead_zones_are_those_of_the_specification(rounding: str, low: int, high: int) -> None:
    """docs/spec/lif.md: a is 253/256, so 1/(1-a) is 85.3; a neuron above 32 LSB fires."""
    found = broken("membrane-decays", "generic8", f"membrane.rounding={rounding}")
    assert (found.numbers["lowest"], found.numbers["highest"]) == (low, high)
    assert not found.is_small


def test_fix_and_stochastic_have_no_dead_zone() -> None:
    assert holds("membrane-decays", "generic8").cases == 256
    holds("membrane-decays", "generic8", "membrane.rounding=stochastic")


def test_wide_membranes_are_bisected() -> None:
    """A floored distance from the input stays where it is below a membrane of 1/(1-a) LSB."""
    found = broken("membrane-decays", "spinnaker1")
    assert (found.how, found.cases) == ("proof", 0)
    assert (found.numbers["lowest"], found.numbers["highest"]) == (0, 100)


def test_codes_that_deliver_nothing() -> None:
    found = broken("codes-deliver", "generic8", "synapse.gain.drive_rounding=floor")
    assert found.text.endswith("drive floor: code 1 (0.01562) delivers 0 LSB")
    holds("codes-deliver", "generic8")
    coarse = broken("codes-deliver", "generic8", "membrane.format=fxp-s8/2",
                    "synapse.gain.drive_rounding=floor")  # fmt: skip
    assert coarse.numbers["code"] == 15
    assert not coarse.is_small


def test_a_wrapping_membrane_turns_input_around() -> None:
    found = broken("input-keeps-its-sign", "generic8", "membrane.overflow=wrap")
    assert "takes a membrane from 96 to -96 LSB" in found.text
    holds("input-keeps-its-sign", "generic8")
    inhibited = load_experiment("spike_based_homeostasis", ["projections.drive.weight=-2.0"])
    found = broken(
        "input-keeps-its-sign", "generic8", "membrane.overflow=wrap", experiment=inhibited
    )
    assert "-64 LSB, takes a membrane from -128 to 64 LSB" in found.text


def test_a_weak_input_that_8_bits_swallow() -> None:
    found = broken("input-reaches-threshold", "generic8")
    assert "weight codes 1 to 2 (up to 0.03125, 1 LSB; threshold 1) never fires" in found.text
    holds("input-reaches-threshold", "generic16")


def test_a_dead_zone_that_lets_a_weak_input_fire() -> None:
    """A leak rounded up holds a membrane that float lets go."""
    weak = load_experiment("spike_based_homeostasis", ["populations.with_homeostasis.tau_m_ms=5.0"])
    found = broken("input-reaches-threshold", "generic8", "membrane.rounding=ceil",
                   experiment=weak)  # fmt: skip
    assert "fires; in float it never does" in found.text


# Learning


def test_4_bits_to_nearest_are_dead() -> None:
    found = broken("updates-move", "generic4")
    assert "asks for +0.375 LSB and moves 16 of 16 weights by 0" in found.text
    ratio = verify(load_target("generic4"), laws=["updates-keep-their-ratio"])
    assert ratio["updates-keep-their-ratio"].status == "does not apply"


def test_6_bits_rounded_down_halve_the_set_point() -> None:
    found = broken("updates-keep-their-ratio", "brainscales2", *EVENT_6_BITS)
    assert found.text.endswith(
        "1 LSB up and 2 down for 1.575 and 1.575: the set point is 0.5 times the rule's"
    )
    size = broken("updates-keep-their-size", "brainscales2", *EVENT_6_BITS)
    assert "asks for +1.575 LSB and gives +1 (-36.5 %)" in size.text
    assert "asks for -1.575 LSB and gives -2 (+27 %)" in size.text


@pytest.mark.parametrize("source", ["counter", "lfsr"])
def test_stochastic_weights_keep_the_rule(source: str) -> None:
    overrides = (*EVENT_6_BITS, "plasticity.weight.rounding=stochastic",
                 f"plasticity.random.source={source}")  # fmt: skip
    for law in ("updates-move", "updates-keep-their-size", "updates-keep-their-ratio"):
        holds(law, "brainscales2", *overrides)


def test_an_lfsr_of_1_bit_bends_the_rule() -> None:
    overrides = (*EVENT_6_BITS, "plasticity.weight.rounding=stochastic",
                 "plasticity.random.source=lfsr", "plasticity.random.output_bits=1")  # fmt: skip
    found = broken("updates-keep-their-ratio", "brainscales2", *overrides)
    assert "1.5 LSB up and 2 down" in found.text


def test_an_accumulator_that_wraps_lowers_on_pre() -> None:
    wraps = ("plasticity.accumulator.format=fxp-s8/0", "plasticity.accumulator.overflow=wrap")
    found = broken("pre-never-lowers", "generic8", *wraps)
    assert found.text.endswith("takes weight code 125 to 0; 4 of 129 codes")
    holds("post-never-raises", "generic8", *wraps)
    found = broken("pre-never-lowers", "generic8", wraps[0])
    assert found.text.endswith(
        "saturate: a presynaptic spike takes weight code 128 to 127; 1 of 129 codes"
    )
    below = ("plasticity.accumulator.format=fxp-u8/0", "plasticity.accumulator.overflow=wrap")
    found = broken("post-never-raises", "generic8", *below)
    assert "takes weight code 0 to 128" in found.text


def test_periods_whose_counts_wrap_the_accumulator() -> None:
    found = broken("counts-keep-their-sign", "brainscales2", "plasticity.accumulator.overflow=wrap")
    assert "39 presynaptic and 0 postsynaptic spikes ask for +61.39 LSB" in found.text
    found = broken("counts-keep-their-sign", "brainscales2")  # products wrap, the sum saturates
    assert "41 presynaptic and 0 postsynaptic spikes ask for +64.54 LSB" in found.text
    saturates = "plasticity.accumulator.products=saturate"
    assert holds("counts-keep-their-sign", "brainscales2", saturates).cases == 64 * 256 * 256


def test_the_bias_of_a_period() -> None:
    found = broken("periods-are-unbiased", "brainscales2")
    assert "off by -0.498 LSB in the mean, 32 % of what one spike asks for" in found.text
    for rounding in ("around", "half_up", "stochastic"):
        holds("periods-are-unbiased", "brainscales2", f"plasticity.weight.rounding={rounding}")


# The experiment


def test_a_counter_too_small_for_a_period() -> None:
    found = broken("counters-hold", "brainscales2", "plasticity.counter.width=2")
    assert found.text.startswith("site count (0 to 3, wrap) overflows ")
    holds("counters-hold", "brainscales2")


def test_an_overflow_that_matters_is_no_small_finding() -> None:
    found = broken("experiment-in-range", "generic8", "membrane.format=fxp-s7/5",
                   "membrane.overflow=wrap")  # fmt: skip
    assert "site drive (-64 to 63, wrap)" in found.text
    assert found.text.endswith("with effect on spikes and weights")
    assert not found.is_small
    small = broken("experiment-in-range", "brainscales2")
    assert small.is_small and small.text.endswith("without effect on spikes and weights")


def test_an_experiment_that_overflow_error_refuses_is_a_finding() -> None:
    found = broken("experiment-in-range", "generic8", "membrane.format=fxp-s7/5",
                   "membrane.overflow=error")  # fmt: skip
    assert "site drive (-64 to 63, error) overflows" in found.text


def test_a_target_that_does_not_learn() -> None:
    found = certificate("generic8", "plasticity.update=none")
    learning = {"pre-never-lowers", "updates-move", "updates-keep-their-size",
                "updates-keep-their-ratio", "periods-are-unbiased", "counters-hold"}  # fmt: skip
    assert {found[law].status for law in learning} == {"does not apply"}


def test_laws_of_the_membrane_do_not_apply_to_an_analog_one() -> None:
    found = certificate("brainscales1")
    for law in ("membrane-decays", "codes-deliver", "input-keeps-its-sign",
                "input-reaches-threshold"):  # fmt: skip
        assert (found[law].status, found[law].text) == ("does not apply", "the membrane is analog")


def test_judges_find_nothing_where_there_is_nothing() -> None:
    """The case of a finding on one target is no counterexample on another."""
    case = broken("membrane-decays", "generic8", "membrane.rounding=floor").case
    assert case is not None
    other = type(case)(target=load_target("generic8"), experiment=case.experiment)
    law = law_named("membrane-decays")
    assert law is not None and law.judge(Evidence(other)) is None


# What the enumeration must not miss


def test_an_accumulator_that_cuts_weights_before_stochastic_rounding() -> None:
    """The store is unbiased; the accumulator before it cuts every code above 31 to 31."""
    small = (
        "plasticity.weight.rounding=stochastic",
        "plasticity.increment.format=fxp-u12/4",
        "plasticity.accumulator.format=fxp-s10/4",
    )
    found = broken("updates-keep-their-size", "generic8", *small)
    assert "a presynaptic spike asks for +3.2 LSB and gives -" in found.text
    wide = (*small[:2], "plasticity.accumulator.format=fxp-s14/4")
    holds("updates-keep-their-size", "generic8", *wide)


def test_a_mean_change_the_wrong_way_is_not_one_the_right_way() -> None:
    """Codes above 63 fall by what the accumulator cuts: in the mean a presynaptic spike lowers the weight."""
    found = broken("updates-keep-their-size", "generic8", "plasticity.accumulator.format=fxp-s7/0")
    assert "asks for +3.2 LSB and gives -" in found.text


@pytest.mark.parametrize(
    "law", ["updates-move", "updates-keep-their-size", "updates-keep-their-ratio"]
)
def test_increments_longer_than_the_range_leave_nothing_to_try(law: str) -> None:
    keys = [f"projections.homeostatic.plasticity.{n}=2.5" for n in ("dw_plus", "dw_minus")]
    experiment = load_experiment("spike_based_homeostasis", keys)
    found = verify(load_target("generic8"), laws=[law], experiment=experiment)[law]
    assert (found.status, found.cases) == ("does not apply", 0)


def test_a_code_that_the_drive_itself_turns_around() -> None:
    """A weight step is 70 membrane steps: one adds 70 and stays in the register, two make -116."""
    coarse = load_experiment(
        "spike_based_homeostasis",
        ["projections.drive.weight=0.0", "projections.control_drive.weight=0.0",
         "projections.homeostatic.plasticity.w_max=6.5625",
         "populations.with_homeostasis.v_thresh=0.5", "populations.without_homeostasis.v_thresh=0.5"],
    )  # fmt: skip
    found = broken(
        "input-keeps-its-sign", "generic8", "membrane.overflow=wrap", "synapse.gain.format=fxp-u16/4",
        "plasticity.weight.lsb=2.1875", "plasticity.weight.format=fxp-u2/0", experiment=coarse,
    )  # fmt: skip
    assert "weight code 2, -116 LSB, takes a membrane from " in found.text


def test_plastic_registers_of_many_codes_are_not_proved() -> None:
    wide = ("plasticity.weight.format=fxp-u28/26", "plasticity.increment.format=fxp-u28/0",
            "membrane.format=fxp-s32/26", "synapse.weight.format=fxp-u28/26")  # fmt: skip
    found = certificate("generic16", *wide)
    assert found["codes-deliver"].how == "sampled"
    assert found["input-keeps-its-sign"].how == "sampled"


def test_whole_steps_leave_no_random_word_to_test() -> None:
    keys = [f"projections.homeostatic.plasticity.{n}=0.0625" for n in ("dw_plus", "dw_minus")]
    experiment = load_experiment("spike_based_homeostasis", keys)
    found = verify(load_target("loihi1"), laws=["words-unbiased"], experiment=experiment)
    assert found["words-unbiased"].text == "no spike leaves a remainder to round"
