"""Proposed formats hold what was observed, keep the precision, and are the narrowest that do."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuroemu.engine.simulate import simulate
from neuroemu.experiment import Experiment
from neuroemu.fitting import Fit, fit
from neuroemu.fitting.neuron import possible
from neuroemu.fitting.observe import observe
from neuroemu.fitting.propose import propose
from neuroemu.fitting.register import Register, Request
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.hardware.rules import target_violations
from neuroemu.models.discretize import discretize
from neuroemu.numeric.constants import decimal
from neuroemu.testing import Case
from tests.fitting.drawn import fittable
from tests.fitting.test_fit import FITTED

SITES = {
    "membrane.format": ("leak", "drive", "input"),
    "plasticity.accumulator.format": ("accumulate", "plus", "minus", "change"),
    "plasticity.counter.width": ("count",),
}

some = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
kernels = st.sampled_from(["int32, addends", "analog"])


def shortened(name: str, duration_ms: float) -> Experiment:
    experiment = load_experiment(name)
    time = experiment.time.model_copy(update={"duration_ms": duration_ms})
    return experiment.model_copy(update={"time": time, "question": None})


def fitted(case: Case, margin: Fraction, precision: Fraction) -> Fit:
    request = Request(
        experiment=case.experiment,
        target=case.target,
        observation=observe(case.experiment, case.target, spikes=case.spikes),
        margin=margin,
        precision=precision,
    )
    proposal = propose(request)
    return Fit(
        request=request,
        proposal=proposal,
        discretized=discretize(case.experiment, proposal.target),
        comparison=None,
        overflowed={},
        judged_seed=0,
    )


def busy(case: Case) -> Experiment:
    """The case's experiment with nearly as much input as there can be."""
    rates = {
        name: s.model_copy(update={"rates_hz": (900 / case.experiment.time.dt_ms,)})
        for name, s in case.experiment.stimuli.items()
    }
    return case.experiment.model_copy(update={"stimuli": rates})


def holds(register: Register, low: float, high: float) -> bool:
    below, above = register.holds
    return below <= low and high <= above


@some
@given(kernels.flatmap(lambda kernel: fittable(kernel=kernel)), st.sampled_from([0, 0.25, 1]))
def test_drawn_cases_hold_what_was_observed_with_the_margin(case: Case, margin: float) -> None:
    found = fitted(case, Fraction(margin), Fraction(1, 50))
    least, most = (float(x) for x in possible(found.request))
    for register in found.registers:
        seen = register.observed
        if register.key == "membrane.format" and seen is not None:
            low, high = seen.low - margin * abs(seen.low), seen.high + margin * abs(seen.high)
            assert holds(register, max(low, least), min(high, most))
        elif register.key == "plasticity.counter.width" and seen is not None:
            assert holds(register, 0, seen.high * (1 + margin)) or register.is_proved
        elif register.key in SITES and seen is not None:
            # float weights are not rounded: they may differ from the register's by the precision
            slack = 0.02 * max(abs(x) for x in register.holds)
            assert holds(register, seen.low + slack, seen.high - slack)


@some
@given(kernels.flatmap(lambda kernel: fittable(kernel=kernel)), st.integers(0, 2**32))
def test_no_membrane_goes_where_analysis_says_it_cannot(case: Case, other: int) -> None:
    found = fitted(case, Fraction(0), Fraction(1, 50))
    seen = observe(busy(case), case.target, trials=2, seed=other).registers["membrane.format"]
    least, most = possible(found.request)
    assert least <= Fraction(seen.low) and Fraction(seen.high) <= most


@some
@given(kernels.flatmap(lambda kernel: fittable(kernel=kernel)))
def test_no_site_of_drawn_cases_leaves_its_range(case: Case) -> None:
    found = fitted(case, Fraction(1), Fraction(1, 50))
    run = simulate(case.experiment, found.target, **case.input)
    assert {name: did["overflowed"] for name, did in run.sites.items() if did["overflowed"]} == {}


@some
@given(
    kernels.flatmap(lambda kernel: fittable(kernel=kernel)), st.sampled_from(["0.02", "0.1", "0.5"])
)
def test_constants_of_drawn_cases_keep_the_precision(case: Case, precision: str) -> None:
    found = fitted(case, Fraction(1, 4), Fraction(precision))
    assert target_violations(found.target, "drawn") == []
    if not found.proposal.shortfalls:
        assert found.off == ()


@some
@given(kernels.flatmap(lambda kernel: fittable(kernel=kernel)), st.integers(0, 2**32))
def test_what_is_proved_holds_for_any_input(case: Case, other: int) -> None:
    found = fitted(case, Fraction(0), Fraction(1, 50))
    run = simulate(busy(case), found.target, trials=2, seed=other)
    for register in found.registers:
        if register.is_proved:
            for site in SITES.get(register.key, ()):
                assert run.sites[site]["overflowed"] == 0, (register.key, site)


# What a step costs, written down from docs/spec/fitting.md for the shipped experiments: increments of 0.05, a decay of
# 0.01 per step (0.00995 where it is exponential), a threshold of 1.
INCREMENT = Fraction(1, 20)
SMALLEST = {"spike_based_homeostasis": Fraction(2), "homeostatic_population": Fraction(1, 8)}
DELTA = {"around": Fraction(1, 2), "half_up": Fraction(1, 2), "stochastic": Fraction(1, 2)}


def cost(found: Fit, register: Register, lsb: Fraction) -> Fraction | None:
    """What a step of `lsb` costs by the tightest rule, in units of what is allowed; None if nothing is asked."""
    target, p = found.request.target, found.request.precision
    decay = 1 - decimal(found.observation.registers["membrane.leak.format"].high)
    plasticity = target.plasticity
    inc = DELTA.get(plasticity.increment.rounding, Fraction(1))
    match register.key:
        case "membrane.leak.format":
            return DELTA["around"] * lsb / decay / p
        case "membrane.format":
            return DELTA.get(target.membrane.rounding, Fraction(1)) * lsb / decay / p
        case "synapse.weight.format":
            full = target.synapse.weight.lsb == "full_scale"
            smallest = SMALLEST[found.request.experiment.name]
            return lsb / 2 / (Fraction(2) if full else smallest) / p
        case "plasticity.increment.format":
            return inc * lsb / INCREMENT / p if register.format.fraction else None
        case "plasticity.weight.format":
            limit = lsb / 2 / p
            if plasticity.update == "none":
                return limit
            if plasticity.weight.rounding == "stochastic":
                return max(limit, lsb / INCREMENT)
            if plasticity.update == "event":
                return max(limit, inc * lsb / INCREMENT / p)
            pre = Fraction(found.observation.presynaptic["homeostatic"])
            return max(limit, lsb / INCREMENT, lsb / 2 / (INCREMENT * pre) / p)
    return None


@pytest.mark.parametrize("experiment", ["spike_based_homeostasis", "homeostatic_population"])
@pytest.mark.parametrize("name", FITTED)
def test_one_bit_less_breaks_a_rule(name: str, experiment: str) -> None:
    found = fit(shortened(experiment, 2000.0), load_target(name), trials=2)
    assert {r.key for r in found.registers} >= {"refractory.format", "plasticity.weight.format"}
    for register in found.registers:
        lsb, form = Fraction(register.lsb), register.format
        now = cost(found, register, lsb)
        place = register.key.partition(".")[0]
        is_full_scale = (
            register.key.endswith("weight.format")
            and getattr(found.request.target, place).weight.lsb == "full_scale"
        )
        coarser = lsb * form.hi / (form.hi // 2) if is_full_scale else 2 * lsb
        assert now is None or now <= 1 < (cost(found, register, coarser) or 0), register.key
        if is_full_scale or register.key == "membrane.leak.format":
            continue  # its width is its resolution
        half = form.hi // 2 * lsb  # the highest value with one bit less, at the same step
        low, high = register.needs
        keep = 1 - found.request.precision if register.key.endswith("weight.format") else 1
        assert half < decimal(high) * keep or -half - lsb > decimal(low), register.key


def test_whole_steps_take_the_bias_from_a_floor() -> None:
    floored = ["plasticity.weight.rounding=floor", "plasticity.increment.format=fxp-u32/8"]
    target = load_target("generic16", floored)
    found = fit(shortened("spike_based_homeostasis", 500.0), target, trials=1)
    assert found.target.plasticity.weight.rounding == "floor"
    assert found.target.plasticity.increment.format.fraction == 0
    constants = {c.key.rpartition(".")[2]: c.raw for c in found.discretized.constants}
    assert (
        constants["dw_plus"] == constants["dw_minus"] == 26
    )  # steps of 2^-9, as half of one is at most 0.02 of 0.05


def test_everything_that_is_no_format_stays() -> None:
    target = load_target("brainscales2")
    found = fit(shortened("spike_based_homeostasis", 500.0), target, trials=1)
    old, new = (t.model_dump(mode="json") for t in (target, found.target))
    for data in (old, new):
        for key in ("name", "title", "summary", "exactness", "sources"):
            del data[key]
        for table in (data["refractory"], data["synapse"]["weight"]):
            del table["format"]
        plasticity = data["plasticity"]
        for name in ("weight", "increment", "accumulator"):
            del plasticity[name]["format"]
        del plasticity["counter"]["width"]
    assert old == new


def test_sources_say_what_was_fitted_and_keep_the_rest() -> None:
    target = load_target("brainscales2")
    found = fit(shortened("spike_based_homeostasis", 500.0), target, trials=1, seed=7)
    sources = found.target.sources
    fitted_keys = {r.key for r in found.registers}
    assert all(
        sources[k].startswith(
            "assumed: fitted to spike_based_homeostasis, margin 25 %, precision 2 %, seed 7"
        )
        for k in fitted_keys
    )
    assert {k: v for k, v in sources.items() if k not in fitted_keys} == {
        k: v for k, v in target.sources.items() if k not in fitted_keys
    }


def test_a_fixed_weight_step_that_is_too_coarse_is_a_shortfall() -> None:
    target = load_target(
        "generic16", ["plasticity.weight.lsb=0.23", "synapse.gain.format=fxp-u24/12"]
    )
    found = fit(shortened("spike_based_homeostasis", 500.0), target, trials=1)
    text = " ".join(found.proposal.shortfalls)
    assert "plasticity.weight.lsb = 0.23 is the target's" in text
    assert "homeostatic: an increment of 0.05 is 0.217 weight steps" in text
    assert {c.key.rpartition(".")[2] for c in found.off} >= {"dw_plus", "dw_minus"}
    assert found.target.plasticity.weight.lsb == 0.23
    gain = next(r for r in found.registers if r.key == "synapse.gain.format")
    assert gain.lsb / 2 <= 0.02 * gain.needs[1] / (0.23 / 0.0625)


def test_a_target_that_cannot_hold_the_experiment_gets_formats_that_can() -> None:
    target = load_target(
        "generic8", ["membrane.format=fxp-s4/3", "plasticity.weight.format=fxp-u4/6"]
    )
    found = fit(shortened("spike_based_homeostasis", 500.0), target, trials=1)
    assert found.off == () and not any(found.overflowed.values())


def test_registers_that_the_experiment_does_not_use_stay() -> None:
    experiment = shortened("spike_based_homeostasis", 500.0)
    static = {n: p for n, p in experiment.projections.items() if p.plasticity is None}
    target = load_target("brainscales2")
    record = experiment.record.model_copy(update={"weights": ()})
    alone = experiment.model_copy(update={"projections": static, "record": record})
    found = fit(alone, target, trials=1)
    assert {r.key for r in found.registers} == {"refractory.format", "synapse.weight.format"}
    assert found.target.plasticity == target.plasticity


def test_a_weight_whose_step_the_network_decides_gets_its_width_from_the_load() -> None:
    """Two projections of at most 2 meet: 4, so all codes stand for 16.

    Whole steps hold 0.05 within 2 %: half a step is 0.001 at most, so 16/2^w <= 0.002 and w = 13.
    """
    target = load_target("generic16", ["plasticity.weight.lsb=network"])
    found = fit(shortened("spike_based_homeostasis", 500.0), target, trials=1)
    assert found.target.plasticity.weight.format.width == 13
    assert found.target.plasticity.weight.lsb == "network"
    assert found.off == () and found.proposal.shortfalls == ()
