"""Kernel, Python-int executor and golden model do the same in every bit."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neuroemu.engine.exact import run_exact
from neuroemu.engine.run import Run
from neuroemu.engine.simulate import run_trains, simulate
from neuroemu.errors import FixedPointOverflowError
from neuroemu.golden.trial import SiteOverflowError, Trace
from neuroemu.golden.trial import run as run_golden
from neuroemu.models.rungs import on_target
from tests.engine.as_golden import assert_run_is_trace, golden_network, golden_words
from tests.engine.drawn import KERNELS, Case, cases
from tests.engine.small import assert_equal

DIGITAL = [kernel for kernel in KERNELS if kernel != "analog"]


def kernel_run(case: Case, **more: Any) -> Run:
    return simulate(
        case.experiment,
        case.target,
        trials=case.trials,
        seed=case.seed,
        first_trial=case.first_trial,
        spikes=case.spikes,
        **more,
    )


def exact_run(case: Case, **more: Any) -> Run:
    return run_exact(
        case.experiment,
        case.target,
        trials=case.trials,
        seed=case.seed,
        first_trial=case.first_trial,
        spikes=case.spikes,
        **more,
    )


def golden_trace(case: Case, trial: int) -> Trace:
    clock = case.plan.clock
    binned = {
        name: [(step // clock.input_steps, index) for step, index in trains[trial].tolist()]
        for name, trains in case.spikes.items()
    }
    words = golden_words(case.plan, case.seed, case.first_trial + trial)
    return run_golden(golden_network(case.plan), binned, clock.n_steps, words=words)


@pytest.mark.parametrize("kernel", DIGITAL)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_kernel_and_python_ints_and_golden_model_agree(kernel: str, data: st.DataObject) -> None:
    case = data.draw(cases(kernel))
    assert case.plan.container == kernel.partition(",")[0]
    compiled = kernel_run(case)
    assert_equal(compiled, exact_run(case))
    for trial in range(case.trials):
        assert_run_is_trace(compiled, trial, golden_trace(case, trial), case.plan)


@given(case=cases("analog"))
@settings(max_examples=25, deadline=None)
def test_beside_an_analog_membrane_kernel_and_python_ints_agree(case: Case) -> None:
    assert case.plan.container == "double"
    assert_equal(kernel_run(case), exact_run(case))


@pytest.mark.parametrize("rung", ["ideal", "parameters", "range"])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_float_rungs_of_kernel_and_python_agree(rung: Any, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(["int32, addends", "analog"]).flatmap(cases))
    assert_equal(kernel_run(case, rung=rung), exact_run(case, rung=rung))


@given(case=cases("int32, addends", unique=False))
@settings(max_examples=20, deadline=None)
def test_input_spikes_that_meet_in_a_coarse_tick(case: Case) -> None:
    assert_equal(kernel_run(case), exact_run(case))


def outcome(executor: Any, case: Case) -> Any:
    try:
        return executor(case)
    except FixedPointOverflowError as error:
        return str(error)


@given(case=cases("int32, addends", overflow=st.sampled_from(["error", "error", "saturate"])))
@settings(max_examples=30, deadline=None)
def test_all_three_stop_at_the_same_overflows(case: Case) -> None:
    compiled = outcome(kernel_run, case)
    assert_equal(compiled, outcome(exact_run, case))
    raised = False
    for trial in range(case.trials):
        try:
            trace = golden_trace(case, trial)
        except SiteOverflowError:
            raised = True
            continue
        if isinstance(compiled, Run):
            assert_run_is_trace(compiled, trial, trace, case.plan)
    assert raised == isinstance(compiled, str)


IN_DOUBLES = frozenset({"no site of this name"})
"""Makes no site exact, and has the registers held in doubles all the same."""


@pytest.mark.parametrize("kernel", DIGITAL)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_doubles_hold_integers_as_integers_do(kernel: str, data: st.DataObject) -> None:
    case = data.draw(cases(kernel))
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
    assert_equal(run, kernel_run(case))
