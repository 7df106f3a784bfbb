"""Kernel, Python-int executor and golden model do the same in every bit."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroemu.engine.exact import run_exact
from neuroemu.engine.run import Run
from neuroemu.engine.simulate import simulate
from neuroemu.errors import FixedPointOverflowError
from neuroemu.golden.trial import SiteOverflowError, Trace
from neuroemu.golden.trial import run as run_golden
from tests.engine.as_golden import assert_run_is_trace, golden_network, golden_words
from tests.engine.drawn import KERNELS, Case, cases
from tests.engine.same import assert_same_run

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
    assert_same_run(compiled, exact_run(case))
    for trial in range(case.trials):
        assert_run_is_trace(compiled, trial, golden_trace(case, trial), case.plan)
