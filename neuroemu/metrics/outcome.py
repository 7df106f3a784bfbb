"""The words of the verdict, apart from the statistics that reach it: docs/spec/verdict.md."""

from enum import StrEnum

REGULATED_RATIO = 2.0 / 3.0
"""A target regulates if its spread over phases is at most this much of the control's."""


class Verdict(StrEnum):
    """What becomes of homeostasis on the target."""

    SURVIVES = "survives"
    SHIFTED = "shifted"
    DEAD = "dead"
    INCONCLUSIVE = "inconclusive"


class Reason(StrEnum):
    """Which line of the decision table gave the verdict."""

    WITHIN_MARGIN = "within_margin"
    ANOTHER_RATE = "another_rate"
    SAME_AS_CONTROL = "same_as_control"
    UNREGULATED = "unregulated"
    SILENT = "silent"
    TOO_FEW_TRIALS = "too_few_trials"
    INTERVALS_TOO_WIDE = "intervals_too_wide"
