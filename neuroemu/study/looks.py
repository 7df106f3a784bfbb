"""When a point is decided: looks at a growing number of trials, each at its part of the level.

See docs/spec/study.md, "Trials".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.experiment import Question
from neuroemu.metrics.intervals import Estimate, mean_estimate
from neuroemu.metrics.outcome import Verdict
from neuroemu.metrics.verdict import Decision, decide
from neuroemu.study.config import Asked, Trials

WITHIN, BEYOND, UNDECIDED = "within", "beyond", "undecided"
"""Answers of a metric with a bound."""

PASSES = (str(Verdict.SURVIVES), WITHIN)
OPEN = (str(Verdict.INCONCLUSIVE), UNDECIDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is known of a configuration's trials so far.

    Parameters
    ----------
    target, reference, control : (trials, phases) float64, Hz
    metric : (trials,) float64
        Of the question's metric; empty for the verdict.
    """

    target: NDArray[np.float64]
    reference: NDArray[np.float64]
    control: NDArray[np.float64]
    metric: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a look gives.

    Parameters
    ----------
    word : str
        A verdict, or ``within``, ``beyond``, ``undecided``.
    decision : Decision
        Rates with intervals, at the level of the look; of a metric too.
    metric : Estimate or None
        Mean of the metric with its interval.
    """

    word: str
    decision: Decision
    metric: Estimate | None = None

    @property
    def is_open(self) -> bool:
        """Whether more trials could still answer."""
        return self.word in OPEN

    @property
    def passes(self) -> bool:
        """Whether the point is as the question wants it."""
        return self.word in PASSES

    @property
    def worst_difference_hz(self) -> float:
        """Largest magnitude of the phases' mean differences from the reference."""
        return max(abs(p.difference.value) for p in self.decision.phases)


def look_sizes(trials: Trials) -> tuple[int, ...]:
    """Return the number of trials at each look.

    Examples
    --------
    >>> look_sizes(Trials(first=16, most=100))
    (16, 32, 64, 100)
    """
    sizes = [trials.first]
    while sizes[-1] < trials.most:
        sizes.append(min(2 * sizes[-1], trials.most))
    return tuple(sizes)


def batches(trials: Trials) -> tuple[tuple[int, int], ...]:
    """Return what each look adds: first trial, number of trials.

    Examples
    --------
    >>> batches(Trials(first=16, most=100))
    ((0, 16), (16, 16), (32, 32), (64, 36))
    """
    return tuple((a, b - a) for a, b in pairwise((0, *look_sizes(trials))))


def answer(
    measured: Measured, question: Question, asked: Asked, set_point_hz: float, looks: int
) -> Answer:
    """Ask a point's question of the trials at hand.

    Parameters
    ----------
    measured : Measured
    question : Question
        Of the experiment: margin and level.
    asked : Asked
        Of the study.
    set_point_hz : float
    looks : int
        Times that the study may ask; each has an equal part of the level.
    """
    alpha = (question.alpha if asked.alpha is None else asked.alpha) / looks
    decision = decide(
        measured.target,
        measured.reference,
        measured.control,
        set_point_hz=set_point_hz,
        margin=question.margin,
        alpha=alpha,
    )
    if asked.metric == "verdict":
        return Answer(word=str(decision.verdict), decision=decision)
    estimate = mean_estimate(measured.metric, alpha)
    return Answer(word=_bounded(estimate, asked), decision=decision, metric=estimate)


def _bounded(estimate: Estimate, asked: Asked) -> str:
    low, high = estimate.low, estimate.high
    if low is None or high is None:
        return UNDECIDED
    floor = -np.inf if asked.at_least is None else asked.at_least
    ceiling = np.inf if asked.at_most is None else asked.at_most
    if floor <= low and high <= ceiling:
        return WITHIN
    return BEYOND if high < floor or low > ceiling else UNDECIDED


def joined(parts: list[dict[str, Any]], reference: list[dict[str, Any]]) -> Measured:
    """Return the trials of consecutive batches, as the store keeps them, beside their reference."""
    return Measured(
        target=np.concatenate([p["rates"] for p in parts]),
        control=np.concatenate([p["control"] for p in parts]),
        metric=np.concatenate([p["metric"] for p in parts]),
        reference=np.concatenate([p["rates"] for p in reference]),
    )
