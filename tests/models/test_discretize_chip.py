"""Registers of chips that step in their own way, worked out by hand: docs/spec/chip-neuron.md."""

from fractions import Fraction

import pytest

from neuroemu.errors import ConfigError
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.chip import Decay
from neuroemu.models.discretize import discretize
from neuroemu.models.registers import Discretized

CHIPS = {
    # 0.99 * 4096 is 4055.04; the reset is 0, so rest is 2^18 and the threshold 2 * 2^18; the bias
    # 2^18 * 41/4096 holds the rest; 2.0 is one more than 8 bits hold; 0.05 is 6.4 LSB, of which the
    # three leading bits say 6
    "loihi1": {
        "leak": Decay(leak=-41, unit=4096),
        "bias": 2624,
        "threshold": 2 * 2**18,
        "reset": 0,
        "refractory": 10,
        "weight": 255,
        "dw": 6 * 128,
        "scale": 1,
        "container": "int64",
    },
    # exp(-0.01) * 2^15 is 32441.95; both weights together are 4, so p = 3 and an LSB is 2^-12, eight of s16.15;
    # 0.05 * 2^12 * 8 is 1638.4; the refractory period does not count the spike's own step
    "spinnaker1": {
        "leak": Decay(leak=32442 - 2**15, unit=2**15),
        "bias": 0,
        "threshold": 32767,
        "reset": -32768,
        "refractory": 11,
        "weight": 8192,
        "dw": 1638,
        "scale": 8,
        "container": "int64",
    },
    # tau is 10 steps, log2(10) is 3.32; rest is 1024, its bias 1024/8; 2.0 is one more than 8 bits hold
    "xylo": {
        "leak": Decay(leak=-(2**12), unit=2**15, least=1),
        "bias": 128,
        "threshold": 2047,
        "reset": 2048,
        "refractory": 0,
        "weight": 127,
        "dw": 0,
        "scale": 1,
        "container": "int32",
    },
    # 32 for 1.0; a tenth of the threshold is 3.2 a tick
    "truenorth": {
        "leak": Decay(leak=0, unit=1),
        "bias": -3,
        "threshold": 31,
        "reset": 0,
        "refractory": 0,
        "weight": 64,
        "dw": 0,
        "scale": 1,
        "container": "int32",
    },
    # 4 for 1.0; a quarter of it in 2.5 ms of 10 ms
    "tinyodin": {
        "leak": Decay(leak=0, unit=1, least=1),
        "bias": 0,
        "threshold": 3,
        "reset": 0,
        "refractory": 0,
        "weight": 7,
        "dw": 0,
        "scale": 1,
        "container": "int32",
    },
    "odin": {
        "leak": Decay(leak=0, unit=1, least=1),
        "bias": 0,
        "threshold": 3,
        "reset": 0,
        "refractory": 0,
        "weight": 7,
        "dw": 0,
        "scale": 1,
        "container": "int32",
    },
    # exp(-0.1) * 2^15 is 29649.7
    "reckon": {
        "leak": Decay(leak=29650 - 2**15, unit=2**15),
        "bias": 0,
        "threshold": 1023,
        "reset": 0,
        "refractory": 0,
        "weight": 127,
        "dw": 0,
        "scale": 1,
        "container": "int32",
    },
}


def discretized(name: str, *overrides: str, experiment: tuple[str, ...] = ()) -> Discretized:
    loaded = load_experiment("spike_based_homeostasis", experiment)
    return discretize(loaded, load_target(name, overrides))


@pytest.mark.parametrize("name", sorted(CHIPS))
def test_registers_of_the_reference_experiment(name: str) -> None:
    d, hand = discretized(name), CHIPS[name]
    r = d.neurons["with_homeostasis"]
    assert r.chip is not None
    found = {
        "leak": r.chip.leak,
        "bias": r.chip.bias,
        "threshold": r.threshold,
        "reset": r.reset,
        "refractory": r.refractory_steps,
        "weight": d.synapses["drive"].weight,
        "dw": d.synapses["homeostatic"].dw_plus,
        "scale": d.buffer_scale,
        "container": d.container,
    }
    assert found == hand


def test_a_bias_holds_the_rest_where_the_experiment_has_it() -> None:
    r = discretized("loihi1").neurons["with_homeostasis"]
    assert r.chip is not None
    rest = Fraction(r.chip.bias) / (1 - r.chip.leak.multiplier)
    assert r.zero + float(rest) * 2**-18 == 0.0


def test_the_ring_buffers_step_follows_from_the_network() -> None:
    d = discretized("spinnaker1", experiment=("projections.drive.weight=20.0",))
    # 20 and 2: less than 32, so p = 5
    assert d.synapses["drive"].lsb == Fraction(1, 2**10)


def test_the_pair_controllers_threshold() -> None:
    d = discretized("brainscales1")
    pairs = d.synapses["homeostatic"].pairs
    assert pairs is not None and pairs.threshold_high == pairs.threshold_low
    assert (
        1.0 < pairs.threshold_high < 1.3
    )  # 240 ms at 50 Hz and 50 Hz, 2.5 ms: 1.33 pairs, less what others close
    assert (d.clock.period_steps, d.clock.row_steps) == (2400, 150)


def test_the_target_of_the_rule_of_signs() -> None:
    d = discretized("brainscales2-sign")
    s = d.synapses["homeostatic"]
    assert (s.dw_plus, s.dw_minus, s.target_count) == (0, 1, 5)  # 50 Hz for 0.1 s
    assert (d.sites["read"].lo, d.sites["read"].hi) == (-128, 127)
    assert (d.sites["change"].lo, d.sites["change"].hi) == (-1, 1)


@pytest.mark.parametrize("name", ["brainscales1", "brainscales2-sign"])
def test_a_source_without_a_steady_rate_has_no_target(name: str) -> None:
    with pytest.raises(ConfigError, match="steady"):
        discretized(
            name,
            experiment=("projections.homeostatic.pre=varying", "question.set_point_hz=50.0"),
        )


def test_a_pair_controller_that_reads_too_often_is_refused() -> None:
    with pytest.raises(ConfigError, match="enough charge"):
        discretized("brainscales1", "plasticity.update_period_us=1.5")


def test_a_subtracting_reset_needs_a_threshold_above_the_registers_zero() -> None:
    just_below = ("populations.with_homeostasis.v_reset=0.9999",)
    with pytest.raises(ConfigError, match="a spike takes the threshold away"):
        discretized("xylo", experiment=just_below)


def test_a_time_constant_between_two_powers_takes_the_nearer_one() -> None:
    # 12 steps: log2(12) is 3.58, so 16
    d = discretized("xylo", experiment=("populations.with_homeostasis.tau_m_ms=12.0",))
    chip = d.neurons["with_homeostasis"].chip
    assert chip is not None and chip.leak == Decay(leak=-(2**11), unit=2**15, least=1)


def test_the_network_load_counts_synapses_and_keeps_signs_apart() -> None:
    several = discretized("spinnaker1", experiment=("stimuli.varying.size=5",))
    # 5 times 2 and 2 are 12: p = 4
    assert several.synapses["drive"].lsb == Fraction(1, 2**11)
    inhibited = discretized("spinnaker1", experiment=("projections.drive.weight=-2.0",))
    # 2 on either side: 2^1 is not more than 2, so p = 2
    assert abs(inhibited.synapses["drive"].lsb) == Fraction(1, 2**13)


def test_no_refractory_period_is_none() -> None:
    d = discretized("spinnaker1", experiment=("populations.with_homeostasis.tau_refrac_ms=0.0",))
    assert d.neurons["with_homeostasis"].refractory_steps == 0
