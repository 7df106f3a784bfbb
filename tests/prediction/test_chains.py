"""The chains behind the prediction: chances sum to 1, known limits are met, the rule is the rule's own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from neuroemu.experiment import Experiment
from neuroemu.metrics.outcome import Verdict
from neuroemu.models.drift import drift
from neuroemu.models.homeostasis import HomeostasisSites, update_deferred
from neuroemu.models.lif import LifParams
from neuroemu.models.registers import Discretized
from neuroemu.models.rungs import on_target
from neuroemu.models.synapse import SynapseSites
from neuroemu.numeric.site import Exact, Site, unlimited
from neuroemu.prediction.arrivals import Afferents, Arrivals, arrivals, binomial
from neuroemu.prediction.count_chain import counts_of_one
from neuroemu.prediction.course import renewal_flow
from neuroemu.prediction.deferred_chain import stored_changes
from neuroemu.prediction.grid import spread
from neuroemu.prediction.held import Held, held, static_input, static_rate
from neuroemu.prediction.membrane_chain import MembraneChain, membrane_chain
from neuroemu.prediction.neuron import LifNeuron
from neuroemu.prediction.outlook import outlook
from neuroemu.prediction.passage import renewal
from neuroemu.prediction.period_chain import (
    Reading,
    after_change,
    counts,
    period_levels,
    period_moves,
)
from neuroemu.prediction.slow_chain import slow_flow
from neuroemu.prediction.weight_chain import Synapse, event_levels, grid_levels
from tests.prediction.drawn_learning import ROUNDINGS, plans

few = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def float_neuron(*, leak: float = -0.01, reset: float = -1.0, refractory: int = 10) -> LifNeuron:
    params = LifParams(leak=leak, unit=1.0, threshold=1.0, reset=reset, refractory_steps=refractory)
    return LifNeuron(
        params=params, leak=Exact(), input=unlimited(), is_integer=False, is_stochastic=False
    )


def integer_neuron(rounding: str, *, fraction: int = 5, multiplier: int = 253) -> LifNeuron:
    unit = 2**fraction
    params = LifParams(
        leak=multiplier - 256, unit=256, threshold=unit, reset=-unit, refractory_steps=10
    )
    lo, hi = -4 * unit, 4 * unit - 1
    common = {"overflow": "saturate", "lo": lo, "hi": hi}
    leak = Site(name="leak", shift=8, rounding=rounding, **common)  # type: ignore[arg-type]
    given_input = Site(name="input", shift=0, rounding="floor", **common)  # type: ignore[arg-type]
    return LifNeuron(
        params=params,
        leak=leak.as_fixed(),
        input=given_input.as_fixed(),
        is_integer=True,
        is_stochastic=rounding == "stochastic",
    )


neurons = st.one_of(
    st.builds(
        float_neuron,
        leak=st.sampled_from([-0.2, -0.02, -0.005]),
        reset=st.sampled_from([-1.0, -0.3, 0.0]),
        refractory=st.integers(0, 30),
    ),
    st.builds(
        integer_neuron,
        st.sampled_from(ROUNDINGS),
        fraction=st.integers(3, 10),
        multiplier=st.sampled_from([200, 250, 255]),
    ),
)


def arriving(static_hz: float, plastic_hz: float, *, drive: float, draws: int = 1) -> Arrivals:
    return arrivals(
        Afferents(static={"fixed": 1}, plastic="learning"),
        {"fixed": drive},
        {"fixed": static_hz * 1e-4, "learning": plastic_hz * 1e-4},
        draws,
    )


def chain_of(neuron: LifNeuron) -> tuple[MembraneChain, float]:
    """Return the chain, and how much of the membrane's unit a biological 1 is."""
    return membrane_chain(neuron, 0.0), float(neuron.params.threshold)


# Probability is neither made nor lost


@given(n=st.integers(0, 200), p=st.floats(0.0, 1.0))
def test_a_binomial_sums_to_1_and_has_its_mean(n: int, p: float) -> None:
    chances = binomial(n, p)
    assert chances.sum() == pytest.approx(1.0)
    assert chances @ np.arange(len(chances)) == pytest.approx(n * p, rel=1e-5, abs=1e-6)


@few
@given(neuron=neurons, q=st.floats(1e-4, 0.9))
def test_waiting_leads_somewhere_and_takes_as_long_as_input_does(
    neuron: LifNeuron, q: float
) -> None:
    chances, steps = chain_of(neuron)[0].waiting(q)
    assert (chances >= -1e-12).all()
    assert chances.sum(axis=1) == pytest.approx(1.0)
    assert steps.sum(axis=1) == pytest.approx(1.0 / q)


@few
@given(neuron=neurons, drives=st.lists(st.floats(-2.0, 4.0), min_size=1, max_size=4))
def test_input_moves_the_membrane_or_makes_it_spike(neuron: LifNeuron, drives: list[float]) -> None:
    chain, one = chain_of(neuron)
    moved, spikes = chain.jumps(np.array(drives) * one)
    assert moved.sum(axis=2) + spikes == pytest.approx(1.0)


@few
@given(d=plans(st.just("event")))
def test_every_start_ends_in_a_spike_or_another_start(d: Discretized) -> None:
    chain, synapse = drawn(d)
    balance = drift(d)
    assert balance is not None
    levels = event_levels(synapse, float(balance.plus), float(balance.minus))
    assert levels.up.sum(axis=1) == pytest.approx(1.0)
    assert levels.down.sum(axis=1) == pytest.approx(1.0)
    given_input = arriving(30.0, 50.0, drive=chain.neuron.params.threshold * 1.5)
    found = renewal(chain, given_input, levels)
    assert found.moves.sum(axis=1) == pytest.approx(1.0, abs=1e-3)
    assert (found.steps > 0.0).all()
    state, _ = renewal_flow(found).advance(np.eye(len(found.steps))[0], 0, 50_000)
    assert state.sum() == pytest.approx(1.0, abs=1e-2)


@few
@given(d=plans(st.just("periodic")), pre_hz=st.sampled_from([0.0, 20.0, 200.0]))
def test_a_period_leads_to_some_level(d: Discretized, pre_hz: float) -> None:
    chain, synapse = drawn(d)
    levels = period_levels(synapse)
    given_input = arriving(30.0, pre_hz, drive=chain.neuron.params.threshold * 1.5)
    neuron = held(chain, given_input, levels.drives)
    for most in (0.0, 10.0):
        seen = counts(d.clock.period_steps, given_input, neuron, most=most)
        moves = period_moves(synapse, levels.values, seen, Reading(full=255, site=unlimited()))
        assert moves.sum(axis=1) == pytest.approx(1.0)


@given(drift_=st.floats(-0.1, 0.1), variance=st.floats(0.0, 0.1), start=st.integers(0, 19))
def test_a_walk_keeps_probability_and_its_mean(drift_: float, variance: float, start: int) -> None:
    values = np.linspace(0.0, 100.0, 20)
    flow = slow_flow(values, np.full(20, drift_), np.full(20, variance), np.ones(20))
    state, spikes = flow.advance(np.eye(20)[start], 0, 10)
    assert state.sum() == pytest.approx(1.0)
    assert spikes == pytest.approx(10.0)
    if 0 < start < 19:
        after_one = flow.powers[0][start, :-1] @ values - values[start]
        # on a grid coarser than mean and spread the walk is a drift against the wind
        assert after_one == pytest.approx(drift_ * flow.step, rel=1e-3, abs=1e-6 * flow.step)


@given(
    rate=st.floats(1e-5, 5e-3),
    irregularity=st.floats(0.05, 1.5),
    period=st.sampled_from([10, 200, 3000]),
)
def test_a_period_holds_some_count_with_the_mean_of_its_rate(
    rate: float, irregularity: float, period: int
) -> None:
    seen = counts_of_one(period, one_level(rate, irregularity * rate))
    assert (seen.chance >= 0.0).all()
    assert seen.chance.sum() == pytest.approx(1.0)
    assert seen.chance @ seen.post == pytest.approx(rate * period, rel=1e-4, abs=1e-6)


def test_counts_of_irregular_intervals_are_those_of_poisson() -> None:
    seen = counts_of_one(1000, one_level(5e-3, 5e-3))
    expected = np.exp(-5.0) * np.cumprod([1.0, *(5.0 / np.arange(1, 12))])
    assert seen.chance[:12] == pytest.approx(expected, abs=1e-8)


def one_level(rate: float, variance: float) -> Held:
    values = (np.array([x]) for x in (rate, 0.0, variance, 0.0))
    return Held(**dict(zip(("rates", "released", "variance", "covariance"), values, strict=True)))


@few
@given(d=plans(st.just("deferred")), n=st.integers(0, 6))
def test_a_deferred_sum_is_that_of_the_rule(d: Discretized, n: int) -> None:
    _, synapse = drawn(d)
    rule = synapse.rule
    middle = round((rule.w_min + rule.w_max) / (2 * rule.unit))
    assume(n * rule.dw_minus < middle * rule.unit)
    assume(rule.dw_plus < middle * rule.unit)
    words = (0, 2**31, 2**32 - 1) if synapse.random_bits else (0,)
    stored = [update_deferred(middle, n, rule, synapse.sites, word)[0] for word in words]
    mean = stored_changes(synapse, 15)[n]
    assert min(stored) - middle <= mean <= max(stored) - middle


@few
@given(d=plans(st.just("sign")))
def test_signs_move_a_weight_by_one_level_at_most(d: Discretized) -> None:
    chain, synapse = drawn(d)
    assume(synapse.limits[1] - synapse.limits[0] < 64)
    levels = period_levels(synapse)
    neuron = held(
        chain, arriving(30.0, 50.0, drive=chain.neuron.params.threshold * 1.5), levels.drives
    )
    seen = counts_of_one(d.clock.period_steps, neuron)
    moves = period_moves(synapse, levels.values, seen, Reading(full=255, site=unlimited()))
    assert moves.sum(axis=1) == pytest.approx(1.0)
    assert np.triu(moves, 2).sum() == np.tril(moves, -2).sum() == 0.0


def drawn(d: Discretized) -> tuple[MembraneChain, Synapse]:
    """Return the parts of the regulated neuron on the target, sites over Python's integers."""
    a = on_target(d, "fixed")
    digital = not d.is_analog
    neuron = LifNeuron(
        params=a.neurons["regulated"],
        leak=d.sites["leak"].as_fixed() if digital else Exact(),
        input=d.sites["input"].as_fixed() if digital else unlimited(),
        is_integer=digital,
        is_stochastic="leak" in a.stochastic,
    )
    numbers = a.synapses["homeostatic"]
    form = Site.as_fixed if digital else Site.as_double
    drive = form(d.sites["drive"]) if "drive" in d.sites else unlimited()
    assert numbers.rule is not None
    synapse = Synapse(
        weight=numbers.weight,
        gain=numbers.gain,
        rule=numbers.rule,
        drive=SynapseSites(drive=drive),
        sites=HomeostasisSites(*(form(d.sites[n]) for n in HomeostasisSites._fields)),
        is_integer=True,
        random_bits=32 if "store" in a.stochastic else 0,
    )
    return membrane_chain(neuron, 0.0), synapse


# The rule is the rule's own


@few
@given(
    d=plans(st.sampled_from(["event", "periodic"])),
    changes=st.lists(st.integers(-3000, 3000), min_size=1, max_size=20),
    part=st.floats(0.0, 1.0),
)
def test_many_changes_at_once_are_those_of_the_rule(
    d: Discretized, changes: list[int], part: float
) -> None:
    _, synapse = drawn(d)
    low, high = synapse.limits
    w = round(low + part * (high - low))
    together = after_change(synapse, np.full(len(changes), float(w)), np.array(changes, float))
    for i, change in enumerate(changes):
        alone = synapse.updated(w, change)
        for (value, chance), (values, chances) in zip(alone, together, strict=True):
            assert chances[i] == chance
            if chance > 0.0:
                assert values[i] == value


@given(w=st.floats(0.0, 3.0))
def test_a_number_between_two_levels_keeps_its_mean(w: float) -> None:
    values = np.array([0.0, 0.5, 2.0, 3.0])
    row = spread(values, np.array([w]), np.ones(1))
    assert row @ values == pytest.approx(w)
    assert (row >= 0.0).all()


# Known limits


def test_no_input_no_spike() -> None:
    chain, _ = chain_of(float_neuron())
    silent = arriving(0.0, 0.0, drive=2.0)
    assert static_rate(chain, silent) == 0.0
    assert held(chain, silent, np.array([2.0])).rates == pytest.approx(0.0)


@pytest.mark.parametrize("refractory", [0, 1, 10, 40])
@pytest.mark.parametrize("neuron", [float_neuron, None])
def test_input_that_always_releases_a_spike_gives_a_rate_with_dead_time(
    neuron: object, refractory: int
) -> None:
    made = float_neuron() if neuron else integer_neuron("fix")
    params = made.params._replace(refractory_steps=refractory)
    chain, one = chain_of(dataclasses.replace(made, params=params))
    p = 0.004
    rate = static_rate(chain, arriving(p * 1e4, 0.0, drive=4.0 * one))
    assert rate == pytest.approx(1.0 / (1.0 / p + max(refractory, 1)), rel=1e-6)


def test_a_membrane_that_does_not_leak_counts_its_inputs() -> None:
    chain, _ = chain_of(float_neuron(leak=0.0, reset=0.0))
    p = 0.01
    # 0.3 + 0.3 + 0.3 + 0.3 is the first sum above 1
    rate = static_rate(chain, arriving(p * 1e4, 0.0, drive=0.3))
    assert rate == pytest.approx(1.0 / (4.0 / p + 10.0), rel=0.1)


def test_spikes_of_a_neuron_that_follows_its_input_are_as_irregular_as_that() -> None:
    chain, _ = chain_of(float_neuron(refractory=1))
    p = 0.002
    found = held(chain, arriving(0.0, p * 1e4, drive=1.0), np.array([4.0]))
    rate = 1.0 / (1.0 / p + 1.0)
    assert found.rates[0] == pytest.approx(rate)
    assert found.released[0] == pytest.approx(rate)
    assert found.variance[0] == pytest.approx(p, rel=0.02)
    assert found.covariance[0] == pytest.approx(p, rel=0.02)


@few
@given(neuron=neurons, static_hz=st.sampled_from([0.0, 20.0, 100.0]))
def test_more_weight_never_means_fewer_spikes(neuron: LifNeuron, static_hz: float) -> None:
    chain, one = chain_of(neuron)
    drives = np.linspace(0.0, 2.5, 12) * one
    drives = np.round(drives) if neuron.is_integer else drives
    rates = held(chain, arriving(static_hz, 60.0, drive=1.5 * one), drives).rates
    assert (np.diff(rates) >= -1e-3 * rates.max()).all()


@few
@given(neuron=neurons)
def test_a_plastic_synapse_of_no_weight_leaves_the_static_rate(neuron: LifNeuron) -> None:
    chain, one = chain_of(neuron)
    both = arriving(50.0, 60.0, drive=1.5 * one)
    alone = arriving(50.0, 0.0, drive=1.5 * one)
    rate = held(chain, both, np.zeros(1)).rates[0]
    # input is looked at more often, so the grid's mixture is made more often
    assert rate == pytest.approx(static_rate(chain, alone), rel=0.06, abs=1e-6)


def test_held_and_swept_rates_agree_where_the_weight_stays() -> None:
    chain, _ = chain_of(float_neuron())
    given_input = arriving(30.0, 50.0, drive=2.0)
    _, synapse = drawn_reference()
    levels = grid_levels(synapse, 0.0, 0.0)
    found = renewal(chain, given_input, levels)
    assert found.spikes[0] / found.steps[0] == pytest.approx(
        held(chain, given_input, levels.drives).rates[0], rel=1e-6
    )


def drawn_reference() -> tuple[Experiment, Synapse]:
    from neuroemu.hardware.load import load_experiment
    from neuroemu.models.rungs import ideal

    experiment = load_experiment("spike_based_homeostasis")
    a = ideal(experiment)
    numbers = a.synapses["homeostatic"]
    assert numbers.rule is not None
    synapse = Synapse(
        weight=0.8,
        gain=1.0,
        rule=numbers.rule,
        drive=a.synapse_sites,
        sites=a.rule_sites,
        is_integer=False,
        random_bits=0,
    )
    return experiment, synapse


def test_a_wide_regulated_range_settles_where_the_increments_balance() -> None:
    chain, _ = chain_of(float_neuron())
    _, synapse = drawn_reference()
    levels = event_levels(synapse, 0.05, 0.1)
    flow = renewal_flow(renewal(chain, arriving(10.0, 50.0, drive=2.0), levels))
    state = np.concatenate((levels.start, np.zeros(len(levels.start))))
    state, _ = flow.advance(state, 0, 100_000)
    _, spikes = flow.advance(state, 0, 100_000)
    assert spikes / 10.0 == pytest.approx(25.0, rel=1e-3)


def test_a_float_input_has_no_event_without_a_spike() -> None:
    chain, _ = chain_of(float_neuron())
    given_input = static_input(chain, arriving(30.0, 0.0, drive=2.0))
    assert given_input.q == pytest.approx(0.003)
    assert (given_input.static_moved.sum(axis=1) + given_input.static_spikes) == pytest.approx(1.0)


# The verdict of means


def test_the_decision_table_of_means() -> None:
    near = {"set_point_hz": 50.0, "margin_hz": 5.0, "tolerance_hz": [1.0, 1.0]}
    control = [20.0, 0.0]
    reference = [50.0, 50.0]
    assert outlook([49.0, 48.0], reference, control, **near).verdict is Verdict.SURVIVES
    assert outlook([30.0, 30.0], reference, control, **near).verdict is Verdict.SHIFTED
    assert outlook(control, reference, control, **near).verdict is Verdict.DEAD
    assert outlook([0.0, 0.0], reference, control, **near).verdict is Verdict.DEAD
    edge = outlook([45.5, 48.0], reference, control, **near)
    assert (edge.verdict, edge.leaning, edge.worst_phase) == (None, Verdict.SURVIVES, 0)
    assert edge.possible == {Verdict.SURVIVES, Verdict.SHIFTED}
