"""A target's neuron and learning as the golden model takes them, read from the target's keys."""

import pytest

from neuroemu.golden.trial import ChipNeuron, Deferred, Network, Periodic
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.discretize import discretize
from neuroemu.testing.as_golden import _odd, golden_network
from tests.golden.networks import FREE, site


def golden(name: str, *overrides: str) -> Network:
    """Return the reference experiment on a shipped target."""
    short = ["time.duration_ms=100.0", "question.settle_ms=0.0"]
    experiment = load_experiment("spike_based_homeostasis", short)
    return golden_network(discretize(experiment, load_target(name, overrides)))


def chip(network: Network) -> ChipNeuron:
    neuron = network.populations["with_homeostasis"][1]
    assert isinstance(neuron, ChipNeuron)
    return neuron


def test_loihi_wraps_its_current_and_lacks_the_lowest_membrane() -> None:
    network = golden("loihi1")
    neuron = chip(network)
    wraps = site(width=24, overflow="wrap")
    assert (neuron.current_site, neuron.force_site) == (wraps, wraps)
    assert neuron.membrane_site == site(width=24, symmetric=True)
    assert neuron.slope_site == FREE
    assert neuron.leak.site == site(12, "fix")
    assert neuron.current.factor == 0
    # the bias joins the current: a hundredth of the unit in LSBs of 2**-18
    assert neuron.bias == 0
    assert 2500 < neuron.bias_in < 2750
    # a weight of u8/7 in a buffer of 2**-18
    assert {p.gain for p in network.projections} == {2**11}


def test_spinnaker_counts_weights_in_two_unsigned_channels() -> None:
    network = golden("spinnaker1")
    neuron = chip(network)
    assert (neuron.input, neuron.channels) == ("buffer", "two")
    assert neuron.input_site == site(width=16, signed=False)
    # a drive has a sign, and the size of what it goes to
    ends = {(p.gain, p.drive_site.lo, p.drive_site.hi) for p in network.projections}
    assert ends == {(1, -65535, 65535)}
    assert neuron.scale > 1
    assert neuron.resistance == 100 * 2**15
    assert neuron.force_site == site(15, width=32, overflow="wrap")
    rule = network.projections[-1].plasticity
    assert isinstance(rule, Deferred)
    assert rule.counter_site == site(width=4, signed=False)


def test_xylo_shifts_subtracts_and_saturates() -> None:
    network = golden("xylo")
    neuron = chip(network)
    s16 = site(width=16)
    assert (neuron.slope_site, neuron.membrane_site, neuron.input_site) == (s16, s16, s16)
    assert (neuron.leak.least, neuron.leak.site) == (1, site(15, "ceil"))
    assert neuron.step == neuron.threshold + 1
    assert neuron.most_spikes == 31
    assert all(p.plasticity is None for p in network.projections)


def test_truenorth_merges_what_comes_in_one_tick() -> None:
    assert golden("truenorth").merges_input
    assert not golden("xylo").merges_input


SMALL = (
    "plasticity.update=periodic",
    "plasticity.update_period_us=1000",
    "plasticity.accumulator.format=fxp-s16/9",
    "plasticity.increment.format=fxp-u16/9",
)


@pytest.mark.parametrize("products", ["saturate", "wrap"])
def test_products_overflow_by_their_own_rule(products: str) -> None:
    network = golden("generic8", *SMALL, f"plasticity.accumulator.products={products}")
    rule = network.projections[-1].plasticity
    assert isinstance(rule, Periodic)
    narrow = site(width=16, overflow=products)
    assert (rule.plus_site, rule.minus_site, rule.change_site) == (narrow, narrow, narrow)
    assert rule.event.accumulate_site == site(width=16)
    assert (rule.read_site, rule.target) == (None, None)


def test_a_signed_reading_has_the_counters_width() -> None:
    network = golden(
        "generic8", *SMALL, "plasticity.counter.width=5", "plasticity.counter.signed=true"
    )
    rule = network.projections[-1].plasticity
    assert isinstance(rule, Periodic)
    assert rule.read_site == site(width=5, overflow="wrap")


def test_the_rule_of_signs_has_the_target_of_a_period() -> None:
    network = golden(
        "generic8",
        *SMALL[:2],
        "plasticity.form=sign",
        "plasticity.increment.format=fxp-u8/0",
        "plasticity.update_period_us=100000",
    )
    rule = network.projections[-1].plasticity
    assert isinstance(rule, Periodic)
    # 50 Hz in 100 ms
    assert rule.target == 5
    assert (rule.change_site.lo, rule.change_site.hi) == (-1, 1)


def test_a_spike_sent_once_too_often_is_odd() -> None:
    assert _odd([(0, 0), (0, 0), (1, 2)], [(0, 0), (1, 2), (0, 0)]) is None
    assert _odd([(0, 0), (1, 2), (1, 2)], [(0, 0), (1, 2)]) == (1, 2)
    assert _odd([(1, 2)], [(0, 0), (1, 2)]) == (0, 0)
    assert _odd([], []) is None
