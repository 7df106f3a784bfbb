"""The steps from rung to rung sum to the whole difference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from neuroemu.metrics.attribution import attribution

RUNGS = ("ideal", "parameters", "range", "fixed")

rates_of_four = st.tuples(st.integers(1, 5), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(*[npst.arrays(np.float64, shape, elements=st.floats(0, 500))] * 4)
)


@given(rates_of_four)
def test_steps_sum_to_the_whole(rates) -> None:
    split = attribution(dict(zip(RUNGS, rates, strict=True)))
    assert [(step.previous, step.rung) for step in split.steps] == [
        ("ideal", "parameters"),
        ("parameters", "range"),
        ("range", "fixed"),
    ]
    assert (split.whole.previous, split.whole.rung) == ("ideal", "fixed")
    for phase, whole in enumerate(split.whole.phases):
        total = sum(step.phases[phase].value for step in split.steps)
        assert total == pytest.approx(whole.value, abs=1e-9)
        assert whole.value == pytest.approx(np.mean(rates[3] - rates[0], axis=0)[phase], abs=1e-9)


def test_a_rung_that_changes_nothing_has_a_step_of_exactly_zero() -> None:
    ideal = np.array([[50.0, 51.0], [49.0, 52.5]])
    split = attribution({"ideal": ideal, "parameters": ideal, "fixed": ideal - 25.0})
    first, second = split.steps
    assert [(e.value, e.low, e.high) for e in first.phases] == [(0.0, 0.0, 0.0)] * 2
    assert [(e.value, e.low, e.high) for e in second.phases] == [(-25.0, -25.0, -25.0)] * 2


def test_one_trial_has_steps_without_intervals() -> None:
    split = attribution({"ideal": [[50.0]], "fixed": [[25.0]]})
    assert split.whole.phases[0].value == -25.0
    assert split.whole.phases[0].low is None


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({"ideal": [[1.0]]}, "two rungs or more"),
        ({"ideal": [[1.0]], "fixed": [[1.0, 2.0]]}, r"rates_by_rung\['fixed'\]"),
        ({"ideal": [1.0], "fixed": [1.0]}, r"rates_by_rung\['ideal'\]"),
    ],
)
def test_bad_input_is_named(rates, message) -> None:
    with pytest.raises(ValueError, match=message):
        attribution(rates)
