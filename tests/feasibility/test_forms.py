"""Learning that is deferred, by signs, by pairs, or not there at all."""

from __future__ import annotations

from fractions import Fraction

import pytest

from neuroemu.feasibility.deferred import deferred, deferred_findings
from neuroemu.feasibility.learning import learning
from neuroemu.feasibility.learning_findings import learning_findings
from neuroemu.feasibility.pairs import pairs
from neuroemu.feasibility.signs import sign_findings, signs
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.discretize import discretize
from neuroemu.models.homeostasis import HomeostasisParams, HomeostasisSites, update_deferred

REFERENCE = load_experiment("spike_based_homeostasis")


@pytest.mark.parametrize("rounding", ["floor", "ceil", "fix", "around", "half_up"])
@pytest.mark.parametrize("width", [9, 12])
def test_a_deferred_update_loses_what_the_model_s_own_text_does(rounding: str, width: int) -> None:
    """Between two presynaptic spikes of two Poisson trains of one rate, n others have the probability 2^-(n+1)."""
    chip = load_target(
        "spinnaker1",
        [f"plasticity.weight.format=fxp-u{width}/0", f"plasticity.weight.rounding={rounding}"],
    )
    d = discretize(REFERENCE, chip)
    s = d.synapses["homeostatic"]
    names = HomeostasisSites._fields
    sites = HomeostasisSites(**{name: d.sites[name].as_fixed() for name in names})
    params = HomeostasisParams(s.dw_plus, s.dw_minus, s.unit, -(10**6) * s.unit, 10**6 * s.unit, 0)
    middle, lost = 2 ** (width - 1), Fraction(0)
    for n in range(60):
        after, _ = update_deferred(middle, min(n, 15), params, sites, 0)
        asked = Fraction(s.dw_plus - n * s.dw_minus, s.unit)
        if min(n, 15) * s.dw_minus < middle * s.unit:  # else the register itself cuts
            lost += (Fraction(int(after) - middle) - asked) / 2 ** (n + 1)
    (found,) = deferred(d, learning(d))
    assert float(found.loss) == pytest.approx(float(lost), abs=2e-3)
    assert found.expected == 1.0


def test_what_a_deferred_rule_forgets_and_cannot_do() -> None:
    """Of two bits 3 spikes are kept; 4 or more come with probability 1/16."""
    d = discretize(REFERENCE, load_target("spinnaker1", ["plasticity.counter.width=2"]))
    rules = deferred(d, learning(d))
    assert (rules[0].remembered, rules[0].forgets) == (3, 1 / 16)
    assert [f.kind for f in deferred_findings(d, rules)] == ["counter"]
    # all codes stand for 16: 0.05 in steps of 1/16 is 0.75, which floor never lets rise
    d = discretize(REFERENCE, load_target("spinnaker1", ["plasticity.weight.format=fxp-u8/0"]))
    rules = deferred(d, learning(d))
    assert rules[0].rises == 0
    assert [f.kind for f in deferred_findings(d, rules)] == ["dead_update"]


def test_an_increment_of_few_leading_bits() -> None:
    """0.05 is 6.4 steps of 1/128, 819.2/128; three bits hold multiples of 128/128 there: 6."""
    d = discretize(REFERENCE, load_target("loihi1"))
    (rule,) = learning(d)
    assert (rule.asked_plus, rule.used.plus, rule.used.minus) == (Fraction("6.4"), 6, 6)
    assert rule.used.set_point == 1.0
    (found,) = learning_findings(d, (rule,))
    assert (found.kind, found.severity) == ("slow", "note")
    assert "6.4 LSB down become 6 in 3 leading bits" in found.sentence


def test_the_rule_of_signs_counts_to_its_target() -> None:
    """50 Hz is 5 spikes in 100 ms; the weight goes from 0 to 63 in as many periods."""
    d = discretize(REFERENCE, load_target("brainscales2-sign"))
    (found,) = signs(d)
    assert (found.target, found.asked, found.set_point_hz) == (5, 5.0, 50.0)
    assert (found.periods, found.period_ms, found.lsb) == (63, 100.0, pytest.approx(2 / 63))
    assert found.speed == pytest.approx((2 / 63) / (50 * 0.05 * 0.1))
    # 10 ms refractory steps: 100 counts at most, which stay below 128
    assert (found.negative_from, found.post.most) == (128, 100)
    assert [(f.kind, f.severity) for f in sign_findings(d, (found,))] == [("slow", "note")]


@pytest.mark.parametrize(
    ("period_us", "severity"),
    [
        (1000.0, "note"),  # 50 are expected, 1000 possible
        (2500.0, "problem"),  # 125 are expected: every other period has 128
    ],
)
def test_counts_that_are_read_as_negative(period_us: float, severity: str) -> None:
    chip = load_target("brainscales2-sign", [f"plasticity.update_period_us={period_us}"])
    d = discretize(REFERENCE, chip)
    found = [f for f in sign_findings(d, signs(d)) if f.kind == "counter"]
    assert [f.severity for f in found] == [severity]
    assert "from 128 spikes in a period" in found[0].sentence


def test_a_rule_that_is_too_slow_for_a_phase_is_a_finding() -> None:
    """63 periods of 200 ms are 12.6 s, and a phase is 10."""
    chip = load_target("brainscales2-sign", ["plasticity.update_period_us=200.0"])
    d = discretize(REFERENCE, chip)
    found = [f.severity for f in sign_findings(d, signs(d)) if f.kind == "slow"]
    assert found == ["problem"]


def test_a_target_of_no_spike() -> None:
    """At 50 Hz a period of 5 ms has a quarter of a spike."""
    chip = load_target("brainscales2-sign", ["plasticity.update_period_us=5.0"])
    d = discretize(REFERENCE, chip)
    assert "dead_update" in [f.kind for f in sign_findings(d, signs(d))]


def test_a_pair_controller_moves_by_codes() -> None:
    """Fifteen readouts of 240 ms from end to end."""
    d = discretize(REFERENCE, load_target("brainscales1"))
    (found,) = pairs(d)
    assert (found.step, found.periods, found.period_ms) == (1, 15, 240.0)
    assert learning(d) == () and signs(d) == ()


@pytest.mark.parametrize("name", ["xylo", "truenorth"])
def test_a_target_that_cannot_learn_says_so_once(name: str) -> None:
    d = discretize(REFERENCE, load_target(name))
    (found,) = learning_findings(d, learning(d))
    assert found.sentence == (
        "no on-chip plasticity for this rule: homeostatic keeps its initial weight"
    )
