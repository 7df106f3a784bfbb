"""Kernel, Python-int executor and golden model do the same in every bit."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neuroemu.engine.simulate import run_trains
from neuroemu.models.rungs import on_target
from neuroemu.testing import Case, cases, golden_difference, kernel_difference
from neuroemu.testing.judges import difference, executor_run, kernel_run
from neuroemu.testing.targets import KERNELS

DIGITAL = [k for k in KERNELS if k != "analog" and not k.startswith("int32, chip, ")]
"""Those of a chip whose leak rounds to even or draws do what others do with other kernels: the executor judges them."""
CHIPS = [kernel for kernel in KERNELS if "chip" in kernel]


@pytest.mark.parametrize("kernel", DIGITAL)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_kernel_and_python_ints_and_golden_model_agree(kernel: str, data: st.DataObject) -> None:
    case = data.draw(cases(kernel=kernel, max_trials=2))
    assert case.plan.container == kernel.partition(",")[0]
    assert kernel_difference(case) is None
    assert golden_difference(case) is None


@pytest.mark.parametrize("kernel", CHIPS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_python_ints_and_golden_model_agree_on_every_choice_of_a_chip(
    kernel: str, data: st.DataObject
) -> None:
    case = data.draw(cases(kernel=kernel, unique=data.draw(st.booleans()), max_trials=2))
    assert golden_difference(case, executor_run) is None


@given(case=cases(kernel="analog"))
@settings(max_examples=25, deadline=None)
def test_beside_an_analog_membrane_all_three_agree_on_what_is_learnt(case: Case) -> None:
    assert case.plan.container == "double"
    assert kernel_difference(case) is None
    assert golden_difference(case) is None


@pytest.mark.parametrize("rung", ["ideal", "parameters", "range"])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_float_rungs_of_kernel_and_python_agree(rung: Any, data: st.DataObject) -> None:
    kernels = st.sampled_from(["int32, addends", "int32, chip", "analog"])
    case = data.draw(cases(kernel=data.draw(kernels)))
    assert kernel_difference(case, rung) is None


@given(case=cases(kernel="int32, addends", unique=False))
@settings(max_examples=20, deadline=None)
def test_input_spikes_that_meet_in_a_coarse_tick(case: Case) -> None:
    assert kernel_difference(case) is None


@given(
    case=cases(kernel="int32, addends", overflow=st.sampled_from(["error", "error", "saturate"]))
)
@settings(max_examples=30, deadline=None)
def test_all_three_stop_at_the_same_overflows(case: Case) -> None:
    assert kernel_difference(case) is None
    assert golden_difference(case) is None


IN_DOUBLES = frozenset({"no site of this name"})
"""Makes no site exact, and has the registers held in doubles all the same."""


@pytest.mark.parametrize("kernel", [k for k in DIGITAL if k != "int64, chip"])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_doubles_hold_integers_as_integers_do(kernel: str, data: st.DataObject) -> None:
    case = data.draw(cases(kernel=kernel))
    widest = max(abs(end) for interval in case.plan.widest.values() for end in interval)
    assume(widest < 2**53)
    trains = [
        {name: trains[trial] for name, trains in case.spikes.items()}
        for trial in range(case.trials)
    ]
    run = run_trains(
        case.experiment,
        case.target,
        on_target(case.plan, "fixed", IN_DOUBLES),
        trains,
        seed=case.seed,
        first_trial=case.first_trial,
    )
    assert difference(run, kernel_run(case)) is None
