"""Constants of experiments in the registers of the shipped targets, against values worked out by hand."""

from collections.abc import Sequence
from fractions import Fraction

import pytest

from neuroemu.errors import ConfigError, Violation
from neuroemu.experiment import Experiment
from neuroemu.hardware.load import load_experiment, load_target, shipped_targets
from neuroemu.models.constants import Constant
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized
from tests.engine.small import SILENT, homeostasis, network, neuron, synapses
from tests.models.test_discretize_chip import CHIPS

REFERENCE = "spike_based_homeostasis"
RULE = "projections.homeostatic.plasticity"


def discretized(
    target: str, overrides: Sequence[str] = (), experiment: Sequence[str] = ()
) -> Discretized:
    return discretize(load_experiment(REFERENCE, experiment), load_target(target, overrides))


def constant(d: Discretized, key: str) -> Constant:
    (found,) = [c for c in d.constants if c.key == key]
    return found


def refused(
    target: str, overrides: Sequence[str] = (), experiment: Sequence[str] = ()
) -> tuple[Violation, ...]:
    with pytest.raises(ConfigError) as caught:
        discretized(target, overrides, experiment)
    return caught.value.violations


def one_synapse(weight: float, *, membrane: str = "a", **more) -> Experiment:
    return network(
        {membrane: neuron()}, {"s": SILENT}, {"p": synapses("s", membrane, weight, **more)}
    )


HAND = {
    # 0.05 of an LSB of 2/15 is 0.375
    "generic4": {"weight": 15, "dw": 0, "w_max": 15, "unit": 1, "leak": None, "thresh": None},
    # 0.05 / (2/63) is 1.575 LSB, times 512 is 806.4
    "brainscales2": {
        "weight": 63,
        "dw": 806,
        "w_max": 63,
        "unit": 512,
        "leak": None,
        "thresh": None,
    },
    # 0.99 * 2^15 is 32440.32; 0.05 * 2^14 is 819.2
    "generic16": {
        "weight": 32768,
        "dw": 819,
        "w_max": 32768,
        "unit": 1,
        "leak": 32440,
        "thresh": 4096,
    },
    # 0.99 * 256 is 253.44; 0.05 * 64 is 3.2
    "generic8": {"weight": 128, "dw": 3, "w_max": 128, "unit": 1, "leak": 253, "thresh": 32},
}


def test_every_shipped_target_is_worked_out() -> None:
    elsewhere = {*CHIPS, "brainscales1", "brainscales2-sign", "spikey"}  # test_discretize_chip.py
    assert {*HAND, *elsewhere} == {*shipped_targets()}


@pytest.mark.parametrize("target", sorted(HAND))
def test_registers_of_the_reference_experiment(target: str) -> None:
    d, hand = discretized(target), HAND[target]
    for name in ("drive", "control_drive"):
        assert d.synapses[name].weight == hand["weight"]
        assert constant(d, f"projections.{name}.weight").raw == hand["weight"]
    learning = d.synapses["homeostatic"]
    assert (learning.dw_plus, learning.dw_minus) == (hand["dw"], hand["dw"])
    assert (learning.weight, learning.w_min, learning.w_max) == (0, 0, hand["w_max"])
    assert learning.unit == hand["unit"]
    for population in ("with_homeostasis", "without_homeostasis"):
        key = f"populations.{population}"
        assert d.neurons[population].refractory_steps == 10
        assert constant(d, f"{key}.tau_refrac_ms").raw == 10
        assert constant(d, f"{key}.leak_multiplier").raw == hand["leak"]
        assert constant(d, f"{key}.v_thresh").raw == hand["thresh"]
        assert constant(d, f"{key}.v_reset").raw == (hand["thresh"] and -hand["thresh"])


def test_the_threshold_register_of_a_chip_that_fires_at_equality() -> None:
    d = discretized("spinnaker1")
    assert constant(d, "populations.with_homeostasis.v_thresh").realised == 1.0
    assert d.neurons["with_homeostasis"].threshold == 32767  # v > 32767 is v >= 32768


def test_an_analog_membrane_keeps_its_numbers() -> None:
    d = discretized("brainscales2")
    assert d.is_analog and d.membrane_lsb is None
    neuron = d.neurons["with_homeostasis"]
    assert neuron.multiplier == Fraction(99, 100)
    assert (neuron.threshold, neuron.reset, neuron.v_init) == (1.0, -1.0, 0.0)
    assert d.synapses["drive"].gain == 2 / 63


@pytest.mark.parametrize(
    ("target", "gain", "shift"),
    # lsb of the weight over that of the membrane: 2^-14/2^-12, 2^-6/2^-5, 2^-7/2^-18; a buffer of weight LSBs
    [("generic16", 1, 2), ("generic8", 1, 1), ("loihi1", 2048, 0), ("spinnaker1", 1, 0)],
)
def test_gain_and_what_the_drive_drops(target: str, gain: int, shift: int) -> None:
    d = discretized(target)
    assert {s.gain for s in d.synapses.values()} == {gain}
    assert d.sites["drive"].shift == shift


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("generic4", {f"{RULE}.dw_plus": ("zeroed",), f"{RULE}.dw_minus": ("zeroed",)}),
        ("brainscales2", {}),
        ("generic16", {}),
        ("generic8", {f"{RULE}.dw_plus": ("coarse",), f"{RULE}.dw_minus": ("coarse",)}),
        (
            "loihi1",
            {
                "projections.drive.weight": ("saturated",),
                "projections.control_drive.weight": ("saturated",),
                f"{RULE}.dw_plus": ("coarse",),
                f"{RULE}.dw_minus": ("coarse",),
                f"{RULE}.w_max": ("saturated", "clipped_limit"),
            },
        ),
        ("spinnaker1", {}),
    ],
)
def test_flags_of_the_reference_experiment(
    target: str, expected: dict[str, tuple[str, ...]]
) -> None:
    d = discretized(target)
    assert {c.key: c.flags for c in d.constants if c.flags} == expected


def test_what_is_reported_of_a_constant() -> None:
    data = constant(discretized("brainscales2"), f"{RULE}.dw_plus").as_json()
    realised = 806 / 512 * 2 / 63
    assert data == {
        "key": f"{RULE}.dw_plus",
        "asked": 0.05,
        "realised": pytest.approx(realised, rel=1e-15),
        "relative_error": pytest.approx(realised / 0.05 - 1, rel=1e-9),
        "unit": "",
        "register": "fxp-s16/9",
        "raw": 806,
        "flags": [],
    }


@pytest.mark.parametrize(
    ("tau_refrac_ms", "steps", "flags"),
    [
        (0.0, 0, ()),
        (0.05, 0, ("zeroed",)),
        (0.19, 1, ("coarse",)),
        (1.0, 10, ()),
        (0.9999, 10, ()),  # a thousandth of a step forgives rounding, as in Brian2
        (0.9998, 9, ("coarse",)),
        (25.59, 255, ()),
        (30.0, 255, ("saturated", "coarse")),
    ],
)
def test_refractory_steps(tau_refrac_ms: float, steps: int, flags: tuple[str, ...]) -> None:
    key = "populations.with_homeostasis.tau_refrac_ms"
    d = discretized("generic8", experiment=[f"{key}={tau_refrac_ms}"])
    assert d.neurons["with_homeostasis"].refractory_steps == steps
    assert constant(d, key).flags == flags


def test_limits_are_rounded_inwards_and_the_initial_weight_into_them() -> None:
    rule = homeostasis(low=0.1, high=1.0)  # 6.4 and 64 LSB of 1/64
    d = discretize(one_synapse(0.1, plasticity=rule), load_target("generic8"))
    synapse = d.synapses["p"]
    assert (synapse.w_min, synapse.w_max, synapse.weight) == (7, 64, 7)
    assert constant(d, "projections.p.weight").raw == 6
    assert constant(d, "projections.p.plasticity.w_min").flags == ("clipped_limit", "coarse")
    assert constant(d, "projections.p.plasticity.w_max").flags == ()


@pytest.mark.parametrize(
    ("low", "high", "codes"),
    [
        (0.0, 1.01, (0, 64)),
        (-0.51, 0.51, (-32, 32)),
        (-0.5, 0.5, (-32, 32)),
        (-1.1, -0.1, (-70, -7)),
    ],
)
def test_limits_of_either_sign_are_rounded_inwards(
    low: float, high: float, codes: tuple[int, int]
) -> None:
    target = load_target("generic8", ["plasticity.weight.format=fxp-s8/6"])
    experiment = one_synapse(low, plasticity=homeostasis(low=low, high=high))
    synapse = discretize(experiment, target).synapses["p"]
    assert (synapse.w_min, synapse.w_max) == codes


@pytest.mark.parametrize("weight", [-0.5, 0.5])
def test_the_sign_of_an_unsigned_static_weight_is_that_of_its_gain(weight: float) -> None:
    d = discretize(one_synapse(weight), load_target("generic8"))
    synapse = d.synapses["p"]
    assert synapse.weight == 32
    assert synapse.gain == (1 if weight > 0 else -1)
    assert synapse.weight * synapse.lsb == Fraction(weight)
    assert constant(d, "projections.p.weight").raw == 32


def test_a_signed_register_holds_an_inhibitory_weight_itself() -> None:
    target = load_target("generic8", ["synapse.weight.format=fxp-s9/6"])
    synapse = discretize(one_synapse(-0.5), target).synapses["p"]
    assert (synapse.weight, synapse.gain) == (-32, 1)


def test_an_inhibitory_weight_with_a_rounded_gain() -> None:
    overrides = ["synapse.weight.lsb=0.01", "synapse.gain.format=fxp-u16/8"]
    overrides += ["plasticity.weight.lsb=0.01"]
    d = discretize(one_synapse(-0.5), load_target("generic8", overrides))
    synapse = d.synapses["p"]
    assert (synapse.weight, synapse.gain) == (50, -82)  # 0.01 * 32 * 256 is 81.92
    assert synapse.gain_value == pytest.approx(82 / 81.92, rel=1e-12)
    assert d.sites["drive"].shift == 8


@pytest.mark.parametrize(
    ("rounding", "raw"),
    [("floor", 253), ("ceil", 254), ("fix", 253), ("around", 254), ("half_up", 254)],
)
@pytest.mark.parametrize("tau", [10.24, 11.1])
def test_the_leak_multiplier_is_rounded_as_its_register_says(
    rounding: str, raw: int, tau: float
) -> None:
    """1 - 0.1 / 10.24 is 253.5 of 256, and 1 - 0.1 / 11.1 is 253.69."""
    target = load_target("generic8", [f"membrane.leak.rounding={rounding}"])
    d = discretize(network({"a": neuron(tau=tau)}), target)
    assert constant(d, "populations.a.leak_multiplier").raw == raw
    assert d.neurons["a"].multiplier == Fraction(raw, 256)


@pytest.mark.parametrize(
    ("value", "raw"), [(1.02, 33), (1.01, 32), (1.015625, 32), (1.046875, 34), (0.984375, 32)]
)
@pytest.mark.parametrize("rounding", ["floor", "ceil", "half_up"])
def test_threshold_reset_and_start_are_rounded_to_nearest_whatever_the_membrane_does(
    value: float, raw: int, rounding: str
) -> None:
    """The membrane's LSB is 1/32; ties are 32.5, 33.5 and 31.5 of them."""
    population = neuron(threshold=value, reset=-value, init=-value)
    target = load_target("generic8", [f"membrane.rounding={rounding}"])
    registers = discretize(network({"a": population}), target).neurons["a"]
    assert (registers.threshold, registers.reset, registers.v_init) == (raw, -raw, -raw)


@pytest.mark.parametrize(
    ("rounding", "raw"),
    [
        ("floor", -26),
        ("ceil", -25),
        ("fix", -25),
        ("trunc", -25),
        ("around", -26),
        ("half_up", -25),
    ],
)
def test_a_static_weight_of_either_sign_is_rounded_as_its_register_says(
    rounding: str, raw: int
) -> None:
    """0.3984375 is 25.5 LSB of 1/64; an unsigned register rounds the magnitude."""
    overrides = ["synapse.weight.format=fxp-s9/6", f"synapse.weight.rounding={rounding}"]
    d = discretize(one_synapse(-0.3984375), load_target("generic8", overrides))
    assert d.synapses["p"].weight == raw
    unsigned = discretize(one_synapse(-0.3984375), load_target("generic8", overrides[1:]))
    up = {"ceil": 26, "around": 26, "half_up": 26}
    assert unsigned.synapses["p"].weight == up.get(rounding, 25)
    assert unsigned.synapses["p"].gain == -1


def test_rest_is_taken_off_before_anything_is_rounded() -> None:
    population = neuron(threshold=-50.0, reset=-65.0, rest=-60.0, init=-59.0)
    target = load_target("generic16", ["membrane.format=fxp-s16/8"])
    registers = discretize(network({"a": population}), target).neurons["a"]
    assert (registers.threshold, registers.reset, registers.v_init) == (2560, -1280, 256)


# what is refused


def test_a_weight_range_beyond_its_register_by_one_lsb_is_clipped() -> None:
    d = discretized("generic8", ["plasticity.weight.format=fxp-u4/3"])
    assert d.synapses["homeostatic"].w_max == 15
    assert constant(d, f"{RULE}.w_max").flags == ("saturated", "clipped_limit", "coarse")


@pytest.mark.parametrize(
    ("w_max", "fits"), [(3.984375, True), (4.0, True), (4.000001, False), (5.0, False)]
)
def test_a_weight_range_beyond_its_register_by_more_is_refused(w_max: float, fits: bool) -> None:
    experiment = [f"{RULE}.w_max={w_max}"]  # fxp-u8/6 holds up to 3.984375
    if fits:
        assert discretized("generic8", experiment=experiment).synapses["homeostatic"].w_max == 255
        return
    (violation,) = refused("generic8", experiment=experiment)
    assert violation.key == f"{RULE}.w_max"
    assert violation.rule == "the weight range fits its register"
    assert "0 to 3.98438" in violation.detail and "plasticity.weight" in violation.detail


def test_a_range_below_its_register_is_refused() -> None:
    rule = homeostasis(low=-0.5, high=1.0)
    with pytest.raises(ConfigError, match="the weight range fits its register"):
        discretize(one_synapse(0.5, plasticity=rule), load_target("generic8"))


def test_all_violations_come_at_once() -> None:
    formats = ["synapse.weight.format=fxp-u8/8", "plasticity.weight.format=fxp-u8/8"]
    increments = ["plasticity.increment.format=fxp-u2/0"]
    violations = refused("generic8", [*formats, *increments, "membrane.format=fxp-s8/7"])
    assert [v.key for v in violations] == [
        "populations.with_homeostasis.v_thresh",
        "populations.without_homeostasis.v_thresh",
        "projections.drive.weight",
        "projections.control_drive.weight",
        f"{RULE}.w_max",
        f"{RULE}.dw_plus",
        f"{RULE}.dw_minus",
    ]
    assert {v.source for v in violations} == {f"{REFERENCE} on generic8"}
    assert all(v.rule and v.detail and v.remedy and v.value for v in violations)


@pytest.mark.parametrize(("dw_lsb", "fits"), [(3.0, True), (3.96875, True), (4.0, False)])
def test_an_increment_one_lsb_too_wide_is_refused(dw_lsb: float, fits: bool) -> None:
    target = ["plasticity.increment.format=fxp-u2/0"]
    experiment = [f"{RULE}.dw_plus={dw_lsb / 64}"]
    if fits:
        d = discretized("generic8", target, experiment)
        assert d.synapses["homeostatic"].dw_plus == 3
        assert ("saturated" in constant(d, f"{RULE}.dw_plus").flags) == (dw_lsb > 3.5)
        return
    (violation,) = refused("generic8", target, experiment)
    assert violation.key == f"{RULE}.dw_plus"
    assert "4 weight LSBs" in violation.detail and "at most 3" in violation.detail
    assert violation.remedy == "widen plasticity.increment.format"


@pytest.mark.parametrize(("threshold", "fits"), [(3.9375, True), (3.96875, False), (5.0, False)])
def test_a_threshold_that_no_membrane_can_pass_is_refused(threshold: float, fits: bool) -> None:
    experiment = [f"populations.with_homeostasis.v_thresh={threshold}"]
    if fits:
        d = discretized("generic8", experiment=experiment)
        assert d.neurons["with_homeostasis"].threshold == 126
        return
    (violation,) = refused("generic8", experiment=experiment)
    assert violation.key == "populations.with_homeostasis.v_thresh"
    assert violation.rule == "it lies inside the membrane's range"
    assert "-4 to 3.96875" in violation.detail


def test_a_reset_below_the_membrane_is_refused() -> None:
    (violation,) = refused("generic8", experiment=["populations.with_homeostasis.v_reset=-4.5"])
    assert violation.key == "populations.with_homeostasis.v_reset"


def test_an_euler_step_longer_than_the_time_constant_is_refused() -> None:
    coarse, experiment = ["time.tick_us=1000.0"], ["populations.with_homeostasis.tau_m_ms=0.5"]
    (violation,) = refused("generic8", coarse, experiment)
    assert violation.key == "populations.with_homeostasis.tau_m_ms"
    assert "integration" in violation.remedy
    d = discretized("spinnaker1", coarse, experiment)  # an exponential step never overshoots
    assert d.neurons["with_homeostasis"].multiplier == Fraction(4435, 2**15)  # exp(-2) is 0.13534


@pytest.mark.parametrize(
    ("target", "overrides", "key", "detail"),
    [
        # -2^7 * 2^60 is -2^67, which takes 68 bits beside its sign
        (
            "generic8",
            ["membrane.leak.format=fxp-u60/60"],
            "membrane.format",
            "membrane times leak multiplier takes 68",
        ),
        # the distance of membrane and input is 2^32 at most, and the multiplier's change 2^32
        (
            "spinnaker1",
            ["membrane.leak.format=fxp-u33/33"],
            "membrane.format",
            "membrane times leak multiplier takes 65",
        ),
        # 0.5 in gain units of 2^-50, times 255
        (
            "generic8",
            ["synapse.gain.format=fxp-u60/56"],
            "synapse.gain.format",
            "weight times gain takes 64",
        ),
        # 63 weight LSBs of 2^32 parts fit, 2^53 parts in doubles do not with 24-bit weights
        (
            "generic4",
            ["plasticity.weight.format=fxp-u24/0", "plasticity.increment.format=fxp-u60/32"],
            "plasticity.increment.format",
            "weight plus change takes 56",
        ),
    ],
)
def test_a_product_that_is_too_wide_is_named(
    target: str, overrides: list[str], key: str, detail: str
) -> None:
    violations = refused(target, overrides)
    assert key in [v.key for v in violations]
    assert detail in [v.detail for v in violations]
    bits = "53" if target == "generic4" else "63"
    assert {v.rule for v in violations} == {f"every product fits {bits} bits"}


def test_a_gain_that_is_no_power_of_two_needs_a_format() -> None:
    overrides = ["plasticity.weight.lsb=0.001"]
    (violation,) = refused("generic16", overrides)
    assert violation.key == "synapse.gain.format"
    assert violation.detail == "homeostatic: 4.096"
    d = discretized("generic16", [*overrides, "synapse.gain.format=fxp-u24/12"])
    assert {n: s.gain for n, s in d.synapses.items()} == {
        "drive": 1024,
        "control_drive": 1024,
        "homeostatic": 16777,  # 4.096 * 4096 is 16777.216
    }


def test_stochastic_drive_that_drops_more_than_a_word_is_refused() -> None:
    overrides = ["synapse.weight.format=fxp-u63/40", "synapse.gain.drive_rounding=stochastic"]
    keys = [v.key for v in refused("generic8", overrides)]
    assert keys == ["synapse.gain.drive_rounding"]


# time


@pytest.mark.parametrize(
    ("target", "step_ms", "hardware_us", "period"),
    [
        ("generic4", Fraction(1, 10), 4000.0, 0),
        ("brainscales2", Fraction(1, 10), 40000.0, 1000),
        ("generic8", Fraction(1, 10), 4.0e7, 0),
        ("spinnaker1", Fraction(1, 10), 4.0e7, 0),
    ],
)
def test_clocks_of_the_shipped_targets(
    target: str, step_ms: Fraction, hardware_us: float, period: int
) -> None:
    clock = discretized(target).clock
    assert (clock.step_ms, clock.n_steps, clock.input_steps) == (step_ms, 400_000, 1)
    assert clock.hardware_us(40_000.0) == pytest.approx(hardware_us, rel=1e-12)
    assert clock.period_steps == period


def test_a_coarse_tick_bins_input_and_rescales_every_constant() -> None:
    d = discretized("generic8", ["time.tick_us=1000.0"])
    assert (d.clock.step_ms, d.clock.n_steps, d.clock.input_steps) == (1, 40_000, 10)
    assert constant(d, "populations.with_homeostasis.leak_multiplier").raw == 230  # 0.9 * 256
    assert d.neurons["with_homeostasis"].refractory_steps == 1


def test_a_tick_finer_than_the_grid_of_the_input_changes_nothing() -> None:
    assert discretized("generic8", ["time.tick_us=20.0"]).clock == discretized("generic8").clock


@pytest.mark.parametrize(
    ("target", "overrides", "experiment", "key"),
    [
        ("generic8", ["time.tick_us=70.0"], [], "time.tick_us"),
        ("generic8", ["time.tick_us=250.0"], [], "time.tick_us"),
        ("generic8", ["time.tick_us=1000.0"], ["time.duration_ms=39999.5"], "time.duration_ms"),
        (
            "brainscales2",
            ["time.tick_us=0.05", "plasticity.update_period_us=100.05"],
            [],
            "plasticity.update_period_us",
        ),
    ],
)
def test_times_that_are_no_multiples_are_refused(
    target: str, overrides: list[str], experiment: list[str], key: str
) -> None:
    (violation,) = refused(target, overrides, experiment)
    assert violation.key == key
    assert "multiple" in violation.rule
    assert violation.remedy.startswith("use ")


def test_the_proposed_period_is_accepted() -> None:
    (violation,) = refused(
        "brainscales2", ["time.tick_us=0.05", "plasticity.update_period_us=100.05"]
    )
    proposed = violation.remedy.removeprefix("use ")
    d = discretized("brainscales2", [f"plasticity.update_period_us={float(proposed)}"])
    assert d.clock.period_steps == 1000
