"""What the sampled laws are tried on."""

from __future__ import annotations

from hypothesis import strategies as st

from neuroemu.engine.warm import combination
from neuroemu.models.registers import Discretized
from neuroemu.models.rungs import on_target
from neuroemu.testing.case import Case
from neuroemu.testing.strategies import cases


def cases_around(plan: Discretized) -> st.SearchStrategy[Case]:
    """Draw cases on the target of `plan`, and on neighbours that run on the same compiled kernel."""
    kernel = combination(on_target(plan, "fixed"))
    drawn = cases(plan.target, around=True)
    return drawn.filter(lambda case: combination(on_target(case.plan, "fixed")) == kernel)
