"""Predicted drift against weights that walk on their grid by the arithmetic of the site itself."""

import math
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.discretize import discretize
from neuroemu.models.drift import Drift, drift, drift_of, presynaptic_rate, stored_change
from neuroemu.numeric.ops import requantize
from neuroemu.numeric.site import ROUNDINGS, Rounding, Site

WIDE = 40_000
STEPS = 64


def store(rounding: Rounding, fraction: int) -> Site:
    return Site(
        name="store", shift=fraction, rounding=rounding, overflow="error", lo=0, hi=2 * WIDE
    )


def walked(change: int, fraction: int, rounding: Rounding) -> Fraction:
    """Mean change per update of a stored weight, in LSBs, over all random words and both parities."""
    site = store(rounding, fraction).as_fixed()
    unit = 2**fraction
    moves = []
    if rounding == "stochastic":
        for random in range(unit):
            word = random << (32 - fraction)
            moves.append(Fraction(requantize(WIDE * unit + change, site, word) - WIDE))
        return sum(moves, Fraction(0)) / len(moves)
    for start in (WIDE, WIDE + 1):
        w = requantize(start * unit + change, site, 0)  # a tie leaves an odd code once
        first = w
        for _ in range(STEPS):
            w = requantize(w * unit + change, site, 0)
        moves.append(Fraction(w - first, STEPS))
    assert moves[0] == moves[1]
    return moves[0]


@given(
    fraction=st.integers(1, 8), change=st.integers(-600, 600), rounding=st.sampled_from(ROUNDINGS)
)
def test_the_stored_change_is_that_of_a_walking_weight(
    fraction: int, change: int, rounding: Rounding
) -> None:
    asked = Fraction(change, 2**fraction)
    assert stored_change(asked, rounding) == walked(change, fraction, rounding)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("twice", [-5, -3, -1, 1, 3, 5])
def test_ties_walk_as_predicted(twice: int, rounding: Rounding) -> None:
    assert stored_change(Fraction(twice, 2), rounding) == walked(twice, 1, rounding)


@pytest.mark.parametrize(
    ("rounding", "fraction"),
    [(r, f) for r in ROUNDINGS for f in (0, 1, 2, 5) if f or r != "stochastic"],
)
def test_the_bias_of_a_period_is_that_of_sums_between_two_codes(
    fraction: int, rounding: Rounding
) -> None:
    unit, site = 2**fraction, store(rounding, fraction).as_fixed()
    words = range(unit) if rounding == "stochastic" else range(1)
    errors = [
        requantize(WIDE * unit + k, site, word << (32 - fraction)) - WIDE - Fraction(k, unit)
        for k in range(2 * unit)
        for word in words
    ]
    weight = ["plasticity.weight.format=fxp-u6/0", f"plasticity.weight.rounding={rounding}"]
    increment = [f"plasticity.increment.format=fxp-s16/{fraction}"]
    accumulator = [f"plasticity.accumulator.format=fxp-s16/{fraction}"]
    table = load_target("brainscales2", [*weight, *increment, *accumulator]).plasticity
    balance = drift_of(table, Fraction(1, 20), Fraction(1, 20), Fraction(2, 63), period_s=0.1)
    assert balance.bias == sum(errors, Fraction(0)) / len(errors)


def balance(bits: int, increment: str, rounding: str) -> Drift:
    overrides = [
        f"plasticity.weight.format=fxp-u{bits}/0",
        f"plasticity.weight.rounding={rounding}",
        f"plasticity.increment.format={increment}",
    ]
    experiment = load_experiment("spike_based_homeostasis")
    found = drift(discretize(experiment, load_target("generic4", overrides)))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("bits", "lsbs"), [(4, "0.375"), (5, "0.775"), (6, "1.575"), (8, "6.375"), (16, "1638.375")]
)
def test_an_increment_in_weight_lsbs(bits: int, lsbs: str) -> None:
    found = balance(bits, "fxp-u16/0", "around")
    assert found.asked_plus == found.asked_minus == Fraction(lsbs)


NEAREST, FINE = "fxp-u16/0", "fxp-u16/8"


@pytest.mark.parametrize(
    ("bits", "increment", "rounding", "plus", "minus", "set_point"),
    [
        (4, NEAREST, "around", 0, 0, None),
        (5, NEAREST, "around", 1, 1, 50.0),
        (6, NEAREST, "around", 2, 2, 50.0),
        (8, NEAREST, "around", 6, 6, 50.0),
        (4, FINE, "floor", 0, 1, None),
        (5, FINE, "floor", 0, 1, None),
        (6, FINE, "floor", 1, 2, 25.0),
        (6, FINE, "fix", 1, 2, 25.0),
        (8, FINE, "floor", 6, 7, 300 / 7),
        (8, FINE, "ceil", 7, 6, 350 / 6),
        (4, FINE, "stochastic", "0.375", "0.375", 50.0),
    ],
)
def test_set_points_of_the_reference_rule(
    bits: int,
    increment: str,
    rounding: str,
    plus: int | str,
    minus: int | str,
    set_point: float | None,
) -> None:
    found = balance(bits, increment, rounding)
    assert (found.plus, found.minus) == (Fraction(plus), Fraction(minus))
    assert found.is_dead == (set_point is None)
    rate = presynaptic_rate(load_experiment("spike_based_homeostasis"))
    assert rate == 50.0
    if set_point is None:
        assert found.set_point_hz(rate) is None
    else:
        assert found.set_point_hz(rate) == pytest.approx(set_point, rel=1e-12)


def of_reference(target: str, overrides: Sequence[str] = ()) -> Drift | None:
    experiment = load_experiment("spike_based_homeostasis")
    return drift(discretize(experiment, load_target(target, overrides)))


def test_a_periodic_floor_lowers_the_set_point() -> None:
    found = of_reference("brainscales2")
    assert found is not None
    assert (found.plus, found.minus) == (Fraction(806, 512), Fraction(806, 512))
    assert found.bias == Fraction(-511, 1024)
    assert found.period_s == 0.1
    # in equilibrium: plus * 50 - minus * r + bias / 0.1 s = 0
    rate = found.set_point_hz(50.0)
    assert rate is not None
    drift_lsb = float(found.plus) * 50 - float(found.minus) * rate + float(found.bias) / 0.1
    assert drift_lsb == pytest.approx(0.0, abs=1e-9)
    assert rate == pytest.approx(50 - 511 / 1024 / (806 / 512) / 0.1)


def test_a_shorter_period_moves_the_set_point_further() -> None:
    rates = []
    for period_us in (50.0, 100.0, 400.0):
        found = of_reference("brainscales2", [f"plasticity.update_period_us={period_us}"])
        assert found is not None
        rates.append(found.set_point_hz(50.0))
    assert None not in rates
    assert rates[0] < rates[1] < rates[2] < 50.0


def test_without_learning_there_is_no_drift() -> None:
    assert of_reference("generic8", ["plasticity.update=none"]) is None


def test_a_controller_of_pairs_has_no_increments() -> None:
    assert of_reference("brainscales1") is None


def test_a_register_of_few_leading_bits() -> None:
    found = of_reference("loihi1")
    assert found is not None
    # 6.4 LSB is 819.2 / 128: three bits hold 768, four 832, and ten 819
    assert (found.plus, found.minus) == (6, 6)
    for bits, raw in ((4, 832), (10, 819)):
        finer = of_reference("loihi1", [f"plasticity.increment.mantissa_bits={bits}"])
        assert finer is not None
        assert finer.plus == Fraction(raw, 128)


def test_a_period_of_one_step_rounds_every_spike_alone() -> None:
    floors = ["plasticity.weight.rounding=floor", "plasticity.increment.mantissa_bits=10"]
    found = of_reference("loihi1", floors)
    assert found is not None
    assert (found.plus, found.minus, found.bias, found.period_s) == (6, 7, 0, 0.0)


def test_the_rule_of_signs_moves_one_lsb_a_period() -> None:
    found = of_reference("brainscales2-sign", ["plasticity.update_period_us=50"])
    assert found is not None
    assert (found.plus, found.minus, found.bias, found.by_sign) == (1, 1, 0, True)
    assert found.set_point_hz(50.0) == pytest.approx(40.0)  # 2.5 spikes are rounded to 2
    never = of_reference("brainscales2-sign", ["plasticity.update_period_us=10"])
    assert never is not None
    assert (never.is_dead, never.set_point_hz(50.0)) == (True, None)


def deferred(rounding: str, bits: int, count_bits: int = 4) -> Drift:
    overrides = [
        f"plasticity.weight.rounding={rounding}",
        f"plasticity.weight.format=fxp-u{bits}/0",
        f"plasticity.counter.width={count_bits}",
    ]
    found = of_reference("spinnaker1", overrides)
    assert found is not None
    return found


def test_a_deferred_update_loses_what_the_sum_of_its_spikes_loses() -> None:
    # 1.6 LSB is held as 13/8: floored, 1 without a postsynaptic spike, 0 after one, -2 after two, -4, ...
    found = deferred("floor", 9)
    rate = found.set_point_hz(50.0)
    assert rate is not None
    n, chance, total = rate / 50.0, math.exp(-rate / 50.0), 0.0
    for k in range(40):
        total += chance * math.floor(Fraction(13, 8) * (1 - min(k, 15)))
        chance *= n / (k + 1)
    assert total == pytest.approx(0.0, abs=1e-6)
    assert found.minus == pytest.approx(Fraction(13, 8), rel=1e-6)


def test_a_deferred_update_without_loss_balances_as_asked() -> None:
    found = deferred("stochastic", 9)
    assert found.set_point_hz(50.0) == pytest.approx(50.0, rel=1e-5)
    assert found.plus == pytest.approx(Fraction(13, 8), rel=1e-5)


def test_a_deferred_update_is_dead_where_one_spike_adds_nothing() -> None:
    found = deferred("floor", 8)
    assert (found.plus, found.minus, found.is_dead) == (0, Fraction(3, 4), True)


def test_a_short_counter_forgets_spikes() -> None:
    assert deferred("stochastic", 9, count_bits=1).minus < deferred("stochastic", 9).minus


def test_a_rate_that_changes_has_no_set_point() -> None:
    changed = ["stimuli.steady.rates_hz=[20.0, 50.0]", "stimuli.steady.interval_ms=10000.0"]
    changed.append("question.set_point_hz=50.0")
    assert presynaptic_rate(load_experiment("spike_based_homeostasis", changed)) is None
