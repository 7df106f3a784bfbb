"""The leak's dead zone, bias and time constants against enumeration and against runs."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroemu.engine.exact import run_exact
from neuroemu.experiment import Experiment
from neuroemu.feasibility.decay import decay_steps, mean_bias, still
from neuroemu.feasibility.findings import Finding
from neuroemu.feasibility.leak import Leak, leaks
from neuroemu.feasibility.leak_findings import leak_findings
from neuroemu.hardware.config import Target
from neuroemu.models.discretize import discretize
from neuroemu.numeric.ops import requantize
from neuroemu.numeric.site import ROUNDINGS, Site
from tests.engine.small import SILENT, membrane, network, neuron, synapses, target

PLAIN = [r for r in ROUNDINGS if r != "stochastic"]


def leaked(v: int, multiplier: int, site: Site, word: int = 0) -> int:
    """Return the membrane after one step's leak by a multiplier, all in LSB."""
    return int(requantize(multiplier * v, site.as_fixed(), word))


def leak_site(rounding: str, shift: int, bits: int = 8) -> Site:
    lo, hi = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return Site(name="leak", shift=shift, rounding=rounding, overflow="saturate", lo=lo, hi=hi)  # type: ignore[arg-type]


def dead_zone(site: Site, multiplier: int) -> tuple[int, int]:
    found = still(lambda v: leaked(v, multiplier, site), site.lo, site.hi)
    assert found is not None
    return found


def enumerated(site: Site, multiplier: int) -> tuple[int, int]:
    """Every state that stays where it is, whatever the random word."""
    words = (0, 2**32 - 1) if site.is_stochastic else (0,)
    still = [
        v
        for v in range(site.lo, site.hi + 1)
        if v and all(leaked(v, multiplier, site, word) == v for word in words)
    ]
    low, high = min(still, default=0), max(still, default=0)
    below, above = range(min(low, 0), 0), range(1, max(high, 0) + 1)
    assert still == [*below, *above], "the dead zone has no holes"
    return min(low, 0), max(high, 0)


@given(
    rounding=st.sampled_from(PLAIN),
    shift=st.integers(1, 10),
    bits=st.integers(2, 9),
    data=st.data(),
)
def test_the_dead_zone_is_the_enumerated_one(
    rounding: str, shift: int, bits: int, data: st.DataObject
) -> None:
    near_one = st.integers(max(0, 2**shift - 8), 2**shift)
    multiplier = data.draw(st.one_of(near_one, st.integers(0, 2**shift)))
    site = leak_site(rounding, shift, bits)
    assert dead_zone(site, multiplier) == enumerated(site, multiplier)


@pytest.mark.parametrize("multiplier", [0, 1, 127, 200, 250, 253, 255, 256])
@pytest.mark.parametrize("rounding", PLAIN)
def test_the_closed_form_of_the_specification(rounding: str, multiplier: int) -> None:
    low, high = dead_zone(leak_site(rounding, 8, 14), multiplier)
    a = Fraction(multiplier, 256)
    if a == 1:
        assert (low, high) == (-(2**13), 2**13 - 1)
    elif rounding in ("floor", "ceil"):
        most = math.ceil(1 / (1 - a)) - 1  # all |v| < 1/(1-a)
        most = most if a > 0 else 0
        assert (low, high) == ((-most, 0) if rounding == "floor" else (0, most))
    elif rounding in ("around", "half_up"):
        inside = math.ceil(1 / (2 * (1 - a))) - 1  # all |v| < 1/(2(1-a)), a tie may add one
        assert 0 <= -low - inside <= 1 and 0 <= high - inside <= 1
    else:
        assert (low, high) == (0, 0)


@pytest.mark.parametrize("rounding", ["floor", "ceil", "fix", "around", "half_up"])
def test_the_dead_zone_is_what_a_run_never_moves(rounding: str) -> None:
    """Every state of a small membrane is left alone for 300 steps."""
    chip = target(
        "membrane.format=fxp-s6/3", f"membrane.rounding={rounding}", "membrane.leak.format=fxp-u6/6"
    )
    still, zone = [], (0, 0)
    for raw in range(-32, 24):
        start = neuron(tau=1.6, threshold=3.0, reset=-4.0, init=raw / 8)
        experiment = network({"n": start}, {"s": SILENT}, steps=300, membrane=["n"])
        values = membrane(run_exact(experiment, chip, trials=1), "n")
        if raw and (values == values[0]).all():
            still.append(raw)
        (found,) = leaks(discretize(experiment, chip))
        zone = found.dead_zone
        assert found.smallest_decaying == (zone[0] - 1, zone[1] + 1)
    assert still == [*range(zone[0], 0), *range(1, zone[1] + 1)]
    assert bool(still) == (rounding != "fix")


@given(rounding=st.sampled_from(ROUNDINGS), shift=st.integers(1, 7), data=st.data())
def test_the_bias_is_the_mean_over_all_remainders(
    rounding: str, shift: int, data: st.DataObject
) -> None:
    multiplier = data.draw(st.integers(0, 2**shift))
    site = leak_site(rounding, shift, 20)
    words = [r << (32 - shift) for r in range(2**shift)] if site.is_stochastic else [0]
    start = 2 ** (shift + 1)  # above rest; two periods, so that ties meet both parities
    errors = [
        requantize(multiplier * v, site.as_fixed(), word) - Fraction(multiplier * v, 2**shift)
        for v in range(start, start + 2 ** (shift + 1))
        for word in words
    ]
    mean = sum(errors, Fraction(0)) / len(errors)
    if rounding == "around":  # ties go to even codes: their mean is 0 where both parities are met
        assert abs(mean - mean_bias(site, multiplier)) <= Fraction(1, 2 ** (shift + 1))
    else:
        assert mean == mean_bias(site, multiplier)


def decaying(chip: Target, start: float, tau: float = 10.0) -> tuple[np.ndarray, Leak, float]:
    # two runs in one: the start is the threshold's own value, approached from below it
    cell = neuron(tau=tau, threshold=abs(start), reset=-abs(start), init=start)
    experiment = network({"n": cell}, {"s": SILENT}, steps=1500, membrane=["n"])
    (found,) = leaks(discretize(experiment, chip))
    values = membrane(run_exact(experiment, chip, trials=1), "n").astype(float)
    return values, found, float(discretize(experiment, chip).clock.step_ms)


@pytest.mark.parametrize("rounding", ["floor", "fix", "ceil", "around", "half_up"])
@pytest.mark.parametrize(("form", "leak"), [("fxp-s8/5", "fxp-u8/8"), ("fxp-s16/12", "fxp-u16/15")])
def test_the_decay_time_is_that_of_a_run(rounding: str, form: str, leak: str) -> None:
    chip = target(
        f"membrane.format={form}", f"membrane.rounding={rounding}", f"membrane.leak.format={leak}"
    )
    for start, name in ((1.0, "threshold"), (-1.0, "reset")):
        values, found, step = decaying(chip, start)
        time = found.decay_ms[name]
        goal = abs(values[0]) / math.e
        below = np.flatnonzero(np.abs(values) <= goal)
        if time is None:
            assert below.size == 0
            continue
        k = below[0]
        before, after = abs(values[k - 1]), abs(values[k])
        part = math.log(before / goal) / math.log(before / after)
        assert time == pytest.approx((k - 1 + part) * step)


def test_a_fine_membrane_decays_with_the_register_s_time_constant() -> None:
    """The fitted decay of a run of the wide target."""
    chip = target("membrane.format=fxp-s40/30", "membrane.leak.format=fxp-u20/20")
    values, found, step = decaying(chip, 1.0)
    slope = np.polyfit(np.arange(1000) * step, np.log(values[:1000]), 1)[0]
    assert -1 / slope == pytest.approx(found.register_tau_ms, rel=1e-4)
    assert found.decay_ms["threshold"] == pytest.approx(found.register_tau_ms, rel=1e-3)


def test_a_decay_that_is_too_slow_says_so() -> None:
    assert decay_steps(100, lambda v: leaked(v, 65535, leak_site("fix", 16, 12)), 10) == math.inf


@pytest.mark.parametrize("tau", [0.11, 0.15, 0.5])
def test_a_decay_of_a_step_or_two_is_no_finding(tau: float) -> None:
    cell = neuron(tau=tau, reset=-1.0)
    chip = target("membrane.format=fxp-s24/18", "membrane.leak.format=fxp-u24/24")
    assert found_on(network({"n": cell}, {"s": SILENT}, steps=100), chip) == []


def test_a_membrane_that_float_clears_in_every_step() -> None:
    """The time constant is the step: an Euler multiplier of 0, and half of one in the register."""
    cell = neuron(tau=0.1)
    experiment = network({"n": cell}, {"s": SILENT}, steps=100)
    assert found_on(experiment, target()) == []
    exponential = found_on(experiment, target("membrane.integration=exponential"))
    assert [f.kind for f in exponential] == ["time_constant"]


def kinds(found: list[Finding]) -> set[str]:
    return {f.kind for f in found if f.is_problem}


def found_on(experiment: Experiment, chip: Target) -> list[Finding]:
    d = discretize(experiment, chip)
    return list(leak_findings(d, leaks(d)))


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], set()),
        (["membrane.leak.format=fxp-u5/4"], {"no_leak"}),
        (["membrane.format=fxp-s8/5", "membrane.rounding=floor"], {"dead_zone", "time_constant"}),
        (["membrane.format=fxp-s8/5", "membrane.rounding=stochastic"], set()),
        (["membrane.leak.format=fxp-u8/7"], {"time_constant"}),
        (["refractory.format=fxp-u3/0"], {"refractory"}),
        (["time.tick_us=2000.0", "membrane.integration=exponential"], {"refractory"}),
    ],
)
def test_what_is_found(overrides: list[str], expected: set[str]) -> None:
    cell = neuron(tau=10.0, refractory=1.0, reset=-1.0)
    experiment = network({"n": cell}, {"s": SILENT}, steps=100)
    assert kinds(found_on(experiment, target(*overrides))) == expected


def test_an_analog_membrane_has_no_arithmetic_to_judge() -> None:
    cell = neuron(tau=10.0, refractory=1.0)
    experiment = network({"n": cell}, {"s": SILENT}, steps=100)
    chip = target("membrane.arithmetic=analog")
    assert found_on(experiment, chip) == []
    (found,) = leaks(discretize(experiment, chip))
    assert found.dead_zone == (0, 0)
    assert found.register_tau_ms == found.float_tau_ms


@pytest.mark.parametrize("tick_us", [100.0, 500.0])
@pytest.mark.parametrize("refractory", [0.0, 0.5, 1.0, 1.7])
def test_the_refractory_time_is_that_of_a_run(refractory: float, tick_us: float) -> None:
    """With more than enough input a neuron spikes again two steps after it is live: input, then threshold."""
    every = network(
        {"n": neuron(tau=10.0, refractory=refractory)},
        {"s": SILENT},
        {"in": synapses("s", "n", 2.0)},
        steps=400,
    )
    chip = target(f"time.tick_us={tick_us}")
    spikes = {"s": [np.stack((np.arange(400), np.zeros(400, int)), axis=1)]}
    d = discretize(every, chip)
    (found,) = leaks(d)
    run = run_exact(every, chip, spikes=spikes)
    step = float(d.clock.step_ms)
    waits = np.diff(run.spikes["n"][0]) * step - step
    assert set(np.round(waits, 9)) == {round(found.refractory_ms, 9)}


def test_populations_with_the_same_constants_stand_together() -> None:
    cells = {"a": neuron(), "b": neuron(), "c": neuron(tau=2.0)}
    found = leaks(discretize(network(cells, {"s": SILENT}), target()))
    assert [leak.populations for leak in found] == [("a", "b"), ("c",)]


def test_a_dead_zone_to_the_end_of_the_register_has_nothing_beside_it() -> None:
    """1/(1-a) is above 128: with floor every membrane below rest stays, and each one above it decays."""
    chip = target("membrane.format=fxp-s8/5", "membrane.rounding=floor",
                  "membrane.leak.format=fxp-u16/16")  # fmt: skip
    experiment = network({"n": neuron(tau=100.0)}, {"s": SILENT})
    (found,) = leaks(discretize(experiment, chip))
    assert found.dead_zone == (-128, 0)
    assert found.smallest_decaying == (None, 1)
