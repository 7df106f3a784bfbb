"""The settings of the pair controller: what is refused, the charge that is expected, the rate that is held."""

import math
from itertools import pairwise

import numpy as np
import pytest

from neuroemu.errors import ConfigError
from neuroemu.models.pair_controller import PairSites, Pattern, at_post, at_pre, at_readout, start
from neuroemu.models.pair_homeostasis import (
    ABOVE,
    BELOW,
    expected_acausal_charge,
    homeostatic_controller,
)
from neuroemu.models.pair_settings import PairSettings, decay_table, pair_params, step_table
from neuroemu.numeric.site import Exact

SITES = PairSites(Exact())
PLAIN = {
    "causal_table": step_table(1),
    "acausal_table": step_table(-1),
    "pattern_0": Pattern(0, 0, 1, 0),
    "pattern_1": Pattern(0, 1, 0, 0),
    "threshold_high": 2.0,
    "threshold_low": 1.0,
}
RULE = {"pre_rate_hz": 50.0, "set_point_hz": 50.0, "tau_ms": 2.5, "period_ms": 150.0}


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("causal_table", tuple(range(15)), "16 integers of 0 to 15"),
        ("acausal_table", tuple(range(1, 17)), "16 integers of 0 to 15"),
        ("combined_table", (-1,) * 16, "16 integers of 0 to 15"),
        ("combined_table", (0.5,) * 16, "16 integers of 0 to 15"),
        ("pattern_0", (0, 0, 2, 0), "4 integers of 0 to 1"),
        ("pattern_1", (0, 0, 1), "4 integers of 0 to 1"),
        ("resets", (1, 1), "6 integers of 0 to 1"),
    ],
)
def test_settings_that_no_controller_holds_are_refused(key, value, rule):
    with pytest.raises(ConfigError) as refused:
        PairSettings(**{**PLAIN, key: value})
    assert [v.key for v in refused.value.violations] == [key]
    assert rule in str(refused.value)


def test_all_violations_come_at_once():
    with pytest.raises(ConfigError) as refused:
        PairSettings(**{**PLAIN, "causal_table": (), "resets": ()})
    assert [v.key for v in refused.value.violations] == ["causal_table", "resets"]


def test_constants_hold_the_settings_by_choice():
    resets = (1, 0, 0, 1, 1, 1)
    held = pair_params(
        PairSettings(**PLAIN, combined_table=(9,) * 16, resets=resets),
        dt_ms=0.5,
        tau_causal_ms=1.0,
        tau_acausal_ms=2.0,
    )
    expected = [list(range(16)), list(step_table(1)), list(step_table(-1)), [9] * 16]
    assert held.tables.tolist() == expected
    assert held.keep_causal.tolist() == [1.0, 0.0, 1.0, 0.0]
    assert held.keep_acausal.tolist() == [1.0, 1.0, 0.0, 0.0]
    assert held.causal_decay.tolist() == [math.exp(-n * 0.5 / 1.0) for n in range(80)] + [0.0]
    assert held.acausal_decay.tolist() == [math.exp(-n * 0.5 / 2.0) for n in range(160)] + [0.0]
    assert (held.threshold_high, held.threshold_low) == (2.0, 1.0)
    assert (held.pattern_0, held.pattern_1) == (PLAIN["pattern_0"], PLAIN["pattern_1"])


@pytest.mark.parametrize("times", [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (1.0, math.nan)])
def test_a_decay_needs_times(times):
    with pytest.raises(ConfigError, match="longer than 0"):
        decay_table(*times)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pre_rate_hz", 0.0),
        ("set_point_hz", -1.0),
        ("tau_ms", 0.0),
        ("period_ms", math.nan),
        ("other_rate_hz", -0.1),
        ("refractory_ms", -0.1),
        ("step", 0),
        ("step", 16),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(key, value):
    with pytest.raises(ConfigError) as refused:
        homeostatic_controller(**{**RULE, key: value})
    assert [v.key for v in refused.value.violations] == [key]


def test_a_period_too_short_is_refused_with_one_that_will_do():
    with pytest.raises(ConfigError, match="read every 90 ms"):
        homeostatic_controller(**{**RULE, "period_ms": 15.0})
    homeostatic_controller(**{**RULE, "period_ms": 90.0})


def test_the_tables_are_the_defaults_of_hicann_and_the_patterns_exclude_each_other():
    held = homeostatic_controller(**RULE)
    assert held.causal_table == tuple(min(code + 1, 15) for code in range(16))
    assert held.acausal_table == tuple(max(code - 1, 0) for code in range(16))
    assert held.combined_table == tuple(range(16))
    assert (held.pattern_0, held.pattern_1) == (BELOW, ABOVE)
    params = pair_params(held, dt_ms=0.1, tau_causal_ms=2.5, tau_acausal_ms=2.5)
    for charge in (0.0, held.threshold_low * 0.999, held.threshold_low * 1.001, 50.0):
        state = start(7, params)._replace(acausal=charge, causal=3.0)
        after, choice = at_readout(state, params, SITES)
        assert choice == (1 if charge < held.threshold_low else 2)
        assert after.weight == (8 if charge < held.threshold_low else 6)
        assert (after.causal, after.acausal) == (0.0, 0.0)


def test_the_threshold_by_hand():
    # r = nu = 50 Hz, T = 1 s, tau = 10 ms, q = 50 Hz: kappa_n = 2500/(100 + 100 n) = 12.5, 25/3, 6.25
    held = homeostatic_controller(
        pre_rate_hz=50.0, set_point_hz=50.0, tau_ms=10.0, period_ms=1000.0, other_rate_hz=50.0
    )
    assert held.threshold_high == pytest.approx(12.5 - 6.25 / (6 * 25 / 3), rel=1e-12)


@pytest.mark.parametrize("power", [1, 2, 3])
def test_the_expected_charge_is_the_integral_it_stands_for(power):
    given = {"pre_rate_hz": 40.0, "post_rate_hz": 30.0, "tau_ms": 4.0, "period_ms": 200.0}
    t = np.linspace(0.0, 0.4, 4_000_001)
    silent = np.where(t < 2e-3, 1.0, np.exp(-25.0 * (t - 2e-3)))
    density = np.exp(-40.0 * t) * silent * np.exp(-power * t / 4e-3)
    integral = 0.2 * 40.0 * 30.0 * np.trapezoid(density, t)
    closed = expected_acausal_charge(**given, other_rate_hz=25.0, refractory_ms=2.0, power=power)
    assert closed == pytest.approx(integral, rel=1e-6)


def run_neuron(params, *, weight, other_hz, n_steps, period_steps, seed):
    """A leaky neuron with a Poisson source of 50 Hz and another that always makes it spike.

    Returns (rate in Hz, mean acausal charge before a readout, codes after each readout), of the
    second half of the run.
    """
    rng = np.random.default_rng(seed)
    own = (rng.random(n_steps) < 50.0 * 1e-4).tolist()
    other = (rng.random(n_steps) < other_hz * 1e-4).tolist()
    state, v, waiting = start(weight, params), 0.0, 0
    spikes, charges, codes = 0, [], []
    for k in range(n_steps):
        waiting = max(waiting - 1, 0)
        if waiting == 0:
            v *= 0.99
            if v > 1.0:
                waiting = 10
                spikes += 2 * k >= n_steps
                state = at_post(state, k, params, SITES)
                v = -1.0
            else:
                v += 2.0 * other[k] + state.weight * 2.0 / 15.0 * own[k]
        if own[k]:
            state = at_pre(state, k, params, SITES)
        if (k + 1) % period_steps == 0:
            if 2 * k >= n_steps:
                charges.append(state.acausal)
            state, _ = at_readout(state, params, SITES)
            codes.append(int(state.weight))
    return spikes / (n_steps * 0.5e-4), float(np.mean(charges)), codes[len(codes) // 2 :]


@pytest.mark.parametrize(("weight", "other_hz", "tau_ms"), [(8, 0.0, 20.0), (10, 30.0, 5.0)])
def test_a_neuron_charges_the_acausal_sensor_as_expected(weight, other_hz, tau_ms):
    fixed = PairSettings(
        causal_table=(weight,) * 16,
        acausal_table=(weight,) * 16,
        pattern_0=BELOW,
        pattern_1=ABOVE,
        threshold_high=1.0,
        threshold_low=1.0,
    )
    params = pair_params(fixed, dt_ms=0.1, tau_causal_ms=tau_ms, tau_acausal_ms=tau_ms)
    rate, charge, _ = run_neuron(
        params, weight=weight, other_hz=other_hz, n_steps=400_000, period_steps=1500, seed=5
    )
    expected = expected_acausal_charge(
        pre_rate_hz=50.0,
        post_rate_hz=rate,
        tau_ms=tau_ms,
        period_ms=150.0,
        other_rate_hz=other_hz,
        refractory_ms=1.0,
    )
    assert charge == pytest.approx(expected, rel=0.12)  # some 500 pairs: three standard errors


@pytest.mark.parametrize("set_point_hz", [35.0, 50.0])
def test_the_controller_holds_the_rate_and_never_rests(set_point_hz):
    held = homeostatic_controller(
        pre_rate_hz=50.0,
        set_point_hz=set_point_hz,
        tau_ms=2.5,
        period_ms=300.0,
        other_rate_hz=20.0,
        refractory_ms=1.0,
    )
    params = pair_params(held, dt_ms=0.1, tau_causal_ms=2.5, tau_acausal_ms=2.5)
    rate, _, codes = run_neuron(
        params, weight=0, other_hz=20.0, n_steps=400_000, period_steps=3000, seed=7
    )
    assert rate == pytest.approx(set_point_hz, abs=7.0)  # 20 s: two standard deviations
    assert all(abs(a - b) == 1 or a == b in (0, 15) for a, b in pairwise(codes))
