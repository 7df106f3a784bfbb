"""What a study asks, and the number that answers it: for lines, cells, labels and captions."""

from __future__ import annotations

from typing import NamedTuple

from neuroemu.metrics.intervals import Estimate
from neuroemu.metrics.per_trial import METRICS
from neuroemu.study.results import Row, StudyResults


def asks_verdict(results: StudyResults) -> bool:
    """Tell whether the verdict is asked, not a metric."""
    return results.study.question.metric == "verdict"


def metric_name(results: StudyResults) -> str:
    """Return the metric in words."""
    return results.study.question.metric.replace("_", " ")


def bound_text(results: StudyResults) -> str:
    """Return the metric with its bound: ``weight rms at most 20 LSB``."""
    asked = results.study.question
    ends = (("at least", asked.at_least), ("at most", asked.at_most))
    bounds = " and ".join(f"{word} {b:g}" for word, b in ends if b is not None)
    return f"{metric_name(results)} {bounds} {METRICS[asked.metric].unit}".strip()


def quantity_label(results: StudyResults) -> str:
    """Return what `quantity` is, with its unit."""
    if asks_verdict(results):
        return "largest difference (Hz)"
    unit = METRICS[results.study.question.metric].unit
    return metric_name(results) + (f" ({unit})" if unit else "")


def quantity_words(results: StudyResults) -> str:
    """Return `quantity_label` as a caption explains it."""
    if asks_verdict(results):
        return "largest difference of a phase's mean rate from the float reference (Hz)"
    return f"mean {quantity_label(results)}"


def quantity(row: Row) -> Estimate | None:
    """Return the number that a row's answer rests on: the metric, else the magnitude of the largest difference."""
    if row.answer is None:
        return None
    if row.answer.metric is not None:
        return row.answer.metric
    phases = row.answer.decision.phases
    return magnitude(max((p.difference for p in phases), key=lambda e: abs(e.value)))


def magnitude(estimate: Estimate) -> Estimate:
    """Return how large a value is whatever its sign, with its interval.

    Examples
    --------
    >>> magnitude(Estimate(value=-3.0, low=-4.0, high=1.0))
    Estimate(value=3.0, low=0.0, high=4.0)
    """
    low, high = estimate.low, estimate.high
    if low is None or high is None:
        return Estimate(value=abs(estimate.value))
    nearest = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
    return Estimate(value=abs(estimate.value), low=nearest, high=max(abs(low), abs(high)))


class Bounds(NamedTuple):
    """Between which values a point passes; None where there is no end."""

    low: float | None
    high: float | None


def bounds(row: Row, results: StudyResults) -> Bounds:
    """Return the bounds of `quantity`: the question's, or the verdict's margin."""
    asked = results.study.question
    if row.answer is not None and asks_verdict(results):
        return Bounds(None, row.answer.decision.margin_hz)
    return Bounds(asked.at_least, asked.at_most)
