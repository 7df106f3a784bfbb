"""Counters, accumulator, period and rows, against runs and enumeration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from neuroemu.engine.exact import run_exact
from neuroemu.engine.simulate import simulate
from neuroemu.errors import ConfigError, FixedPointOverflowError
from neuroemu.experiment import Experiment, Poisson
from neuroemu.feasibility.accumulator import accumulator_findings
from neuroemu.feasibility.findings import Finding
from neuroemu.feasibility.learning import learning
from neuroemu.feasibility.periodic import Periodic, periodic, periodic_findings
from neuroemu.feasibility.traffic import at_least
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.models.discretize import discretize
from neuroemu.numeric.ops import requantize
from tests.engine.small import homeostasis, network, neuron, synapses

REFERENCE = load_experiment("spike_based_homeostasis")


def of(*overrides: str, experiment: Experiment = REFERENCE) -> Periodic:
    d = discretize(experiment, load_target("brainscales2", overrides))
    (found,) = periodic(d, learning(d))
    return found


def found_on(
    overrides: Sequence[str], experiment: Experiment = REFERENCE, gain: float | None = None
) -> list[Finding]:
    d = discretize(experiment, load_target("brainscales2", overrides))
    rules = learning(d)
    periods = periodic(d, rules, gain)
    return [*periodic_findings(d, periods), *accumulator_findings(d, rules, periods)]


def kinds(*overrides: str) -> list[tuple[str, str]]:
    return [(f.kind, f.severity) for f in found_on(overrides)]


def test_the_shipped_target_is_clean() -> None:
    assert kinds() == []
    found = of()
    assert (found.period_us, found.period_ms) == (100.0, 100.0)
    assert (found.rows, found.rows_us) == (1, 0.32)
    assert found.saturates_from == {"plus": 41, "minus": 41}  # 41 x 806 > 32767, 40 x 806 is not


def test_event_driven_learning_has_no_period() -> None:
    d = discretize(REFERENCE, load_target("brainscales2", ["plasticity.update=event"]))
    assert periodic(d, learning(d)) == ()


@pytest.mark.parametrize(("width", "rate"), [(1, 20.0), (2, 30.0), (3, 60.0)])
def test_predicted_overflows_are_counted(width: int, rate: float) -> None:
    """Counters of a silent neuron's sources; the run tallies each period that overflows, once."""
    experiment = network(
        {"n": neuron(threshold=100.0)},
        {"s": Poisson(size=3, rates_hz=(rate, 0.0, 2 * rate), interval_ms=1500.0)},
        {"p": synapses("s", "n", 0.0, plasticity=homeostasis(0.01, 0.01))},
        steps=60_000,
    )
    chip = load_target("brainscales2", [f"plasticity.counter.width={width}"])
    d = discretize(experiment, chip)
    (found,) = periodic(d, learning(d))
    trials = 20
    counted = simulate(experiment, chip, trials=trials, seed=3).sites["count"]["overflowed"]
    expected = found.pre.overflows
    assert expected is not None and expected > 5
    assert abs(counted - trials * expected) < 4 * math.sqrt(trials * expected)


def test_the_worst_case_counts_are_attained() -> None:
    """Input in every step: a source counts every step, a neuron fires as often as it can."""
    experiment = network(
        {"n": neuron(tau=10.0, refractory=0.3)},
        {"s": Poisson(rates_hz=(10_000.0,))},
        {"p": synapses("s", "n", 2.0, plasticity=homeostasis(0.0, 0.0))},
        steps=1000,
    )
    d = discretize(experiment, load_target("brainscales2", ["plasticity.update_period_us=10.0"]))
    (found,) = periodic(d, learning(d))
    assert (found.pre.expected, found.pre.most) == (100.0, 100)
    run = run_exact(experiment, load_target("brainscales2", ["plasticity.update_period_us=10.0"]))
    fired = run.spikes["n"][0]
    most = max(((fired >= k) & (fired < k + 100)).sum() for k in range(0, 1000, 100))
    assert most <= found.post.most == math.ceil(100 / 3)


@pytest.mark.parametrize("rounding", ["floor", "ceil", "fix", "around", "half_up"])
@pytest.mark.parametrize("dw", [0.05, 0.01, 0.002])
def test_the_counts_from_which_the_weight_moves(rounding: str, dw: float) -> None:
    changed = [f"projections.homeostatic.plasticity.dw_{way}={dw}" for way in ("plus", "minus")]
    experiment = load_experiment("spike_based_homeostasis", changed)
    chip = load_target("brainscales2", [f"plasticity.weight.rounding={rounding}"])
    d = discretize(experiment, chip)
    (found,) = periodic(d, learning(d))
    synapse, site = d.synapses["homeostatic"], d.sites["store"].as_fixed()

    def first_that_moves(change: int) -> int | None:
        for n in range(1, 256):
            moves = [requantize(w * synapse.unit + n * change, site, 0) - w for w in (30, 31)]
            if all(m * change > 0 for m in moves):
                return n
        return None

    assert found.up_from == first_that_moves(synapse.dw_plus)
    assert found.down_from == first_that_moves(-synapse.dw_minus)


def test_a_period_too_short_to_raise_the_weight() -> None:
    """A tenth of a step a spike, and half a spike a period: floor never lets it rise."""
    changed = [f"projections.homeostatic.plasticity.dw_{way}=0.003" for way in ("plus", "minus")]
    experiment = load_experiment("spike_based_homeostasis", changed)
    found = found_on(["plasticity.update_period_us=10.0"], experiment)
    assert [(f.kind, f.severity) for f in found] == [("dead_update", "problem")]
    assert "rises only from 11 presynaptic spikes" in found[0].sentence


def test_the_accumulator_saturates_from_the_count_that_is_said() -> None:
    d = discretize(REFERENCE, load_target("brainscales2"))
    start = of().saturates_from["plus"]
    assert start is not None
    site, dw = d.sites["plus"], d.synapses["homeostatic"].dw_plus
    assert (start - 1) * dw <= site.hi < start * dw


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["plasticity.update_period_us=1000.0"], {("unstable", "problem")}),
        (
            ["plasticity.update_period_us=1000.0", "plasticity.accumulator.products=saturate"],
            {("accumulator", "problem"), ("unstable", "problem")},
        ),
        (
            ["plasticity.update_period_us=5000.0"],  # 250 and 250 are expected, and 41 is 1.8 sigma
            {("accumulator", "problem"), ("counter", "problem"), ("unstable", "problem")},
        ),
        (["plasticity.update_period_us=500.0"], {("unstable", "note")}),
        (["plasticity.counter.width=3"], {("counter", "problem")}),
        (["plasticity.counter.width=4"], set()),
        (
            ["plasticity.counter.width=4", "plasticity.update_period_us=160.0"],
            {("counter", "note")},
        ),
        (["plasticity.row_time_us=100.0"], set()),
        (["plasticity.accumulator.format=fxp-u16/9"], {("accumulator", "problem")}),
        (["plasticity.accumulator.format=fxp-s15/9"], {("accumulator", "problem")}),
    ],
)
def test_what_is_found(overrides: list[str], expected: set[tuple[str, str]]) -> None:
    assert set(kinds(*overrides)) == expected


def test_a_better_gain_takes_the_place_of_the_estimate() -> None:
    assert [f.kind for f in found_on([], gain=2.5)] == ["unstable"]
    assert found_on(["plasticity.update_period_us=500.0"], gain=0.5) == []


def test_rows_are_the_presynaptic_units() -> None:
    population = load_experiment("homeostatic_population")
    found = of("plasticity.row_time_us=2.0", experiment=population)
    assert (found.rows, found.rows_us) == (16, 32.0)


@pytest.mark.parametrize("overflow", ["wrap", "saturate"])
def test_an_accumulator_narrower_than_the_weights(overflow: str) -> None:
    """Event-driven: what the accumulator does to a weight at its limit, by its own site."""
    overrides = [
        "plasticity.update=event",
        "plasticity.accumulator.format=fxp-s16/9",
        f"plasticity.accumulator.overflow={overflow}",
    ]
    d = discretize(REFERENCE, load_target("brainscales2", overrides))
    synapse, site = d.synapses["homeostatic"], d.sites["accumulate"]
    total = synapse.w_max * synapse.unit + synapse.dw_plus
    kept = requantize(total, site.as_fixed(), 0) >= synapse.w_max * synapse.unit
    found = {f.kind for f in found_on(overrides)}
    assert kept == (overflow == "saturate")
    assert found == (set() if kept else {"accumulator"})


def test_the_loop_gain_is_the_one_of_the_page() -> None:
    found = of("plasticity.update_period_us=400.0")
    assert found.loop_gain == pytest.approx(50 * 0.4 * 0.05 / 1.0, rel=1e-3)
    recurrent = network(
        {"n": neuron(2)},
        {},
        {"p": synapses("n", "n", 0.0, plasticity=homeostasis())},
        steps=1000,
    )
    assert of(experiment=recurrent).loop_gain is None


@pytest.mark.parametrize(("k", "n", "p"), [(3, 10, 0.2), (1, 60, 0.02), (30, 40, 0.9), (5, 5, 0.5)])
def test_the_binomial_tail_is_that_of_exact_fractions(k: int, n: int, p: float) -> None:
    q = Fraction(p)
    exact = sum(math.comb(n, i) * q**i * (1 - q) ** (n - i) for i in range(k, n + 1))
    assert at_least(k, n, p) == pytest.approx(float(exact), rel=1e-9)


@pytest.mark.parametrize("update", ["event", "periodic"])
@pytest.mark.parametrize("overflow", ["wrap", "error"])
def test_sums_beyond_the_limits_count_where_they_do_not_saturate(
    update: str, overflow: str
) -> None:
    """A weight at its limit: one more increment, or those of a usual period, leaves the accumulator."""
    tight = [f"plasticity.update={update}", f"plasticity.accumulator.overflow={overflow}"]
    d = discretize(REFERENCE, load_target("brainscales2", tight))
    synapse, site = d.synapses["homeostatic"], d.sites["accumulate"]
    assert synapse.w_max * synapse.unit <= site.hi < synapse.w_max * synapse.unit + synapse.dw_plus
    (found,) = found_on(tight)
    assert (found.kind, found.severity) == ("accumulator", "problem")
    assert ("refused" in found.sentence) == (overflow == "error")
    assert found_on([*tight, "plasticity.accumulator.format=fxp-s17/9"]) == []


def test_a_run_that_an_unsigned_accumulator_refuses() -> None:
    """The weight is at 0, and a postsynaptic spike takes it below."""
    overrides = ["plasticity.accumulator.format=fxp-u8/0", "plasticity.accumulator.overflow=error"]
    chip = load_target("generic8", overrides)
    d = discretize(REFERENCE, chip)
    (found,) = accumulator_findings(d, learning(d))
    assert "the sums take -3 to 131" in found.sentence
    with pytest.raises(FixedPointOverflowError, match="accumulate"):
        simulate(REFERENCE, chip, trials=1)


def test_weights_that_stand_still_are_cut_once() -> None:
    """Increments of 0 move nothing; the accumulator cuts the weight that it starts with, or does not."""
    for start, expected in ((2.0, ["accumulator"]), (1.0, [])):
        experiment = network(
            {"n": neuron()},
            {"s": Poisson(rates_hz=(50.0,))},
            {"p": synapses("s", "n", start, plasticity=homeostasis(0.0, 0.0))},
        )
        d = discretize(
            experiment, load_target("generic8", ["plasticity.accumulator.format=fxp-s8/0"])
        )
        assert [f.kind for f in accumulator_findings(d, learning(d))] == expected


def test_an_overflow_that_refuses_the_run_has_to_be_rare_in_a_trial() -> None:
    """Width 4: 0.007 % of the periods, 0.026 in a trial."""
    overrides = ["plasticity.counter.width=4", "plasticity.counter.overflow=error"]
    assert {f.kind for f in found_on(overrides)} == {"counter"}
    assert found_on(["plasticity.counter.width=8", "plasticity.counter.overflow=error"]) == []


@pytest.mark.parametrize(("dw", "common"), [(2 / 63, 512), (1 / 63, 256), (0.05, 2)])
def test_the_bias_of_a_period_is_over_the_sums_that_increments_make(dw: float, common: int) -> None:
    """Whole steps lose nothing by the rounding; increments with a factor in common lose less."""
    keys = [f"projections.homeostatic.plasticity.{n}={dw}" for n in ("dw_plus", "dw_minus")]
    experiment = load_experiment("spike_based_homeostasis", keys)
    d = discretize(experiment, load_target("brainscales2"))
    (rule,) = learning(d)
    synapse, site = d.synapses["homeostatic"], d.sites["store"].as_fixed()
    sums = [synapse.dw_plus * i - synapse.dw_minus * j for i in range(256) for j in range(256)]
    rests = sorted({s % synapse.unit for s in sums})
    assert rests == list(range(0, synapse.unit, common))
    lost = [
        requantize(30 * synapse.unit + r, site, 0) - Fraction(r, synapse.unit) - 30 for r in rests
    ]
    assert rule.used.bias == sum(lost, Fraction(0)) / len(lost)


def test_a_period_too_short_for_the_rows_is_refused() -> None:
    """Sixteen rows of 0.32 us take 5.12 us."""
    population = load_experiment("homeostatic_population")
    short = load_target("brainscales2", ["plasticity.update_period_us=5.0"])
    with pytest.raises(ConfigError, match=r"16 rows .* take 5.12 us; lengthen it to at least 5.12"):
        simulate(population, short, trials=1)
    discretize(population, load_target("brainscales2", ["plasticity.update_period_us=5.2"]))


@pytest.mark.parametrize("period_ms", [4000, 5000])
def test_the_difference_of_two_products_wraps_as_often_as_said(period_ms: int) -> None:
    """Two Poisson counts of 50 Hz; each product has long wrapped by itself, and wraps back in the difference."""
    chip = [f"plasticity.update_period_us={period_ms}.0"]
    (found,) = [f for f in found_on(chip) if f.kind == "accumulator"]
    mean = 0.05 * period_ms
    n = np.arange(2000)
    pmf = np.exp(n * math.log(mean) - mean - np.array([math.lgamma(k + 1) for k in n]))
    difference = np.convolve(pmf, pmf[::-1])
    outside = difference[np.abs(np.arange(-1999, 2000)) > 40].sum()
    said = float(found.sentence.split(" expected (")[1].split(" %")[0]) / 100
    balanced = of(*chip).post.expected
    assert balanced is not None and said == pytest.approx(outside, rel=0.1)


def test_the_second_spike_of_a_period_is_lost_in_one_bit() -> None:
    found = found_on(["plasticity.counter.width=1", "plasticity.counter.overflow=saturate"])
    assert any("the second spike of a period is lost" in f.sentence for f in found)
