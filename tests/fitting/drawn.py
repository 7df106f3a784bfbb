"""Drawn cases whose targets learn in a way that can be fitted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from neuroemu.fitting.supported import check_supported
from neuroemu.testing import Case, cases


def fittable(**how: Any) -> st.SearchStrategy[Case]:
    """Draw cases as `cases` does, with deferred updates, signs, signed counters and leading bits taken out."""
    return cases(**how).map(_plainly_learning)


def _plainly_learning(case: Case) -> Case:
    table = case.target.plasticity
    plain: dict[str, Any] = {
        "form": "counts",
        "update": "event" if table.update in ("deferred", "pairs") else table.update,
        "counter": table.counter.model_copy(update={"signed": False}),
        "increment": table.increment.model_copy(update={"mantissa_bits": None}),
    }
    learning = table.model_copy(update=plain)
    target = case.target.model_copy(update={"plasticity": learning})
    check_supported(target)
    return replace(case, target=target)
