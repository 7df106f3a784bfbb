"""Properties that the decision has for all rates, by Hypothesis."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from neuroemu.metrics.regulation import realised_set_point
from neuroemu.metrics.verdict import Verdict, decide
from tests.metrics.figures import CONTROL, FLOAT, SET_POINT_HZ

shapes = st.tuples(st.integers(2, 6), st.integers(1, 5))


def counts_as_rates(shape: tuple[int, int]):
    """Rates as whole counts over eight seconds, near zero and near the set point."""
    counts = st.one_of(st.integers(0, 12), st.integers(300, 460))
    return npst.arrays(np.float64, shape, elements=counts.map(float)).map(lambda n: n / 8.0)


triples = shapes.flatmap(lambda shape: st.tuples(*[counts_as_rates(shape)] * 3))


@st.composite
def near_reference(draw):
    """Target a few counts off the reference, so that every verdict is drawn often."""
    shape = draw(shapes)
    reference = draw(counts_as_rates(shape))
    offsets = draw(npst.arrays(np.int64, shape, elements=st.integers(-60, 60)))
    target = np.maximum(reference + offsets / 8.0, 0.0)
    return target, reference, draw(counts_as_rates(shape))


anything = st.one_of(triples, near_reference())


@given(near_reference(), st.floats(0.0, 0.99))
def test_shrinking_the_differences_keeps_a_survivor_alive(rates, factor) -> None:
    target, reference, control = rates
    # Scaled into the margin first, so that survivors are common.
    target = reference + 0.4 * (target - reference)
    assume(decide(*rates_of(target, rates), set_point_hz=50.0).verdict is Verdict.SURVIVES)
    closer = reference + factor * (target - reference)
    decision = decide(closer, reference, control, set_point_hz=50.0)
    assert decision.verdict is Verdict.SURVIVES


def rates_of(target, rates):
    return target, rates[1], rates[2]


@given(anything, st.randoms(use_true_random=False))
def test_order_of_trials_changes_nothing_at_all(rates, random) -> None:
    order = list(range(len(rates[0])))
    random.shuffle(order)
    shuffled = [array[order] for array in rates]
    assert decide(*shuffled, set_point_hz=50.0) == decide(*rates, set_point_hz=50.0)


@given(anything, st.randoms(use_true_random=False))
def test_permuting_phases_permutes_phases(rates, random) -> None:
    order = list(range(rates[0].shape[1]))
    random.shuffle(order)
    shuffled = decide(*[array[:, order] for array in rates], set_point_hz=50.0)
    plain = decide(*rates, set_point_hz=50.0)
    assert shuffled.phases == tuple(plain.phases[phase] for phase in order)
    # Of phases that reach equally far the first is named, so only the reach is comparable.
    assert (
        shuffled.phases[shuffled.worst_phase].difference.value ** 2
        == plain.phases[plain.worst_phase].difference.value ** 2
    )
    same = {"phases": (), "worst_phase": 0}
    assert replace(shuffled, **same) == replace(plain, **same)


@given(anything, st.integers(2, 4))
def test_more_margin_never_kills_a_survivor(rates, factor) -> None:
    strict = decide(*rates, set_point_hz=50.0, margin=0.1)
    lenient = decide(*rates, set_point_hz=50.0, margin=0.1 * factor)
    if strict.verdict is Verdict.SURVIVES:
        assert lenient.verdict is Verdict.SURVIVES


@given(anything)
def test_every_decision_is_consistent_with_its_numbers(rates) -> None:
    decision = decide(*rates, set_point_hz=50.0)
    all_within = all(phase.within_margin for phase in decision.phases)
    assert (decision.verdict is Verdict.SURVIVES) == all_within
    if decision.verdict is Verdict.SHIFTED:
        assert decision.spread_ratio.high <= 2 / 3
    if decision.verdict is Verdict.INCONCLUSIVE:
        assert decision.trials_needed is None or decision.trials_needed > decision.trials
    else:
        assert decision.leaning is None
        assert decision.trials_needed is None
    for phase in decision.phases:
        assert phase.difference.low <= phase.difference.value <= phase.difference.high
        assert phase.difference.value == pytest.approx(phase.target.value - phase.reference.value)
        assert phase.lift.value == pytest.approx(phase.target.value - phase.control.value)


@given(anything)
def test_target_equal_to_the_reference_survives(rates) -> None:
    decision = decide(rates[1], rates[1], rates[2], set_point_hz=50.0)
    assert decision.verdict is Verdict.SURVIVES


@settings(max_examples=50)
@given(anything)
def test_target_equal_to_a_control_that_differs_never_survives_or_shifts(rates) -> None:
    _, reference, control = rates
    assume(np.abs((control - reference).mean(axis=0)).max() > 5.0)
    decision = decide(control, reference, control, set_point_hz=50.0)
    assert decision.verdict is Verdict.DEAD


@given(st.floats(1.0, 60.0))
def test_realised_set_point_of_a_rule_that_lifts_to_a_rate_is_that_rate(rate) -> None:
    control = np.tile(CONTROL, (3, 1))
    estimate = realised_set_point(np.maximum(control, rate), control)
    assert estimate.value == pytest.approx(rate)
    assert (estimate.low, estimate.high) == (estimate.value, estimate.value)


def test_realised_set_point_needs_a_lifted_phase() -> None:
    control = np.tile(CONTROL, (3, 1))
    assert realised_set_point(control, control) is None
    assert realised_set_point(0 * control, control) is None
    assert realised_set_point(np.tile(FLOAT, (3, 1)), control).value == pytest.approx(49.15)


def test_set_point_of_the_experiment_leaves_every_phase_open() -> None:
    assert CONTROL.max() < SET_POINT_HZ
