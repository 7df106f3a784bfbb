"""Sequential decisions: what looking again and again costs, by simulation of known cases."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from neuroemu.experiment import Question
from neuroemu.study.config import Asked, Trials
from neuroemu.study.looks import Answer, Measured, answer, look_sizes

QUESTION = Question(
    population="a", control="b", projection="c", stimulus="d", margin=0.1, alpha=0.05
)
SET_POINT_HZ = 50.0
CONTROL_HZ = np.array([25.0, 48.0, 0.0, 35.0])
LOOKS = look_sizes(Trials(first=6, most=48))


def _measured(
    differences_hz: NDArray[np.float64], deviation_hz: float, trials: int, seed: int
) -> Measured:
    """Rates whose differences from the reference have known means and spread."""
    random = np.random.default_rng(seed)
    shape = (trials, CONTROL_HZ.size)
    reference = np.full(shape, SET_POINT_HZ) + random.normal(0.0, 1.0, shape)
    target = reference + differences_hz + random.normal(0.0, deviation_hz, shape)
    control = np.maximum(CONTROL_HZ + random.normal(0.0, 1.0, shape), 0.0)
    return Measured(
        target=np.maximum(target, 0.0), reference=reference, control=control, metric=np.empty(0)
    )


def _first_answer(measured: Measured, asked: Asked, looks: int) -> Answer:
    """Look at more and more trials until the question is answered, each time at alpha / `looks`."""
    for size in LOOKS:
        part = Measured(
            **{
                name: getattr(measured, name)[:size]
                for name in ("target", "reference", "control", "metric")
            }
        )
        found = answer(part, QUESTION, asked, SET_POINT_HZ, looks)
        if not found.is_open:
            break
    return found


def _share(word: str, differences_hz: list[float], looks: int, repeats: int) -> float:
    found = [
        _first_answer(
            _measured(np.array(differences_hz), 4.0, LOOKS[-1], seed), Asked(), looks
        ).word
        for seed in range(repeats)
    ]
    return found.count(word) / repeats


def _limit(level: float, repeats: int) -> float:
    """Three standard errors above a share of `level`."""
    return float(level + 3 * np.sqrt(level * (1 - level) / repeats))


def test_a_phase_exactly_at_the_margin_is_called_surviving_at_most_as_often_as_stated() -> None:
    repeats, at_margin = 400, [0.0, 0.0, 5.0, 0.0]
    assert _share("survives", at_margin, len(LOOKS), repeats) <= _limit(0.05, repeats)


def test_without_the_correction_looking_again_would_exceed_the_level() -> None:
    repeats, at_margin = 400, [0.0, 0.0, 5.0, 0.0]
    assert _share("survives", at_margin, 1, repeats) > _limit(0.05, repeats)


def test_clear_cases_are_answered_right() -> None:
    far_hz = [0.0, 0.0, 12.0, 0.0]
    assert _share("survives", [0.0, 0.0, 0.5, 0.0], len(LOOKS), 50) >= 0.95
    assert _share("shifted", far_hz, len(LOOKS), 50) >= 0.95
    assert _share("dead", list(CONTROL_HZ - SET_POINT_HZ), len(LOOKS), 50) >= 0.95


def _metric_shares(mean: float, looks: int, repeats: int) -> dict[str, float]:
    """How often a bound of 1 is answered how, for a metric of known mean and standard deviation 1."""
    rates = np.full((LOOKS[-1], 2), SET_POINT_HZ)
    asked = Asked(metric="rate", at_most=1.0)
    words = []
    for seed in range(repeats):
        metric = np.random.default_rng(seed).normal(mean, 1.0, LOOKS[-1])
        measured = Measured(target=rates, reference=rates, control=rates, metric=metric)
        words.append(_first_answer(measured, asked, looks).word)
    return {word: words.count(word) / repeats for word in ("within", "beyond", "undecided")}


def test_a_metric_at_its_bound_is_answered_wrongly_at_most_as_often_as_stated() -> None:
    repeats = 400
    shares = _metric_shares(1.0, len(LOOKS), repeats)
    assert shares["within"] <= _limit(0.05, repeats)
    assert shares["beyond"] <= _limit(0.05, repeats)
    naive = _metric_shares(1.0, 1, repeats)
    assert max(naive["within"], naive["beyond"]) > _limit(0.05, repeats)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked(metric="rate", at_most=4.0), "within"),
        (Asked(metric="rate", at_least=4.0), "beyond"),
        (Asked(metric="rate", at_most=2.0), "beyond"),
        (Asked(metric="rate", at_least=2.0, at_most=4.0), "within"),
        (Asked(metric="rate", at_most=3.0), "undecided"),
    ],
)
def test_bounds_on_either_side(asked: Asked, expected: str) -> None:
    rates = np.full((8, 2), SET_POINT_HZ)
    metric = np.array([2.9, 3.1, 3.0, 3.05, 2.95, 3.0, 3.1, 2.9])
    measured = Measured(target=rates, reference=rates, control=rates, metric=metric)
    assert answer(measured, QUESTION, asked, SET_POINT_HZ, 4).word == expected


def test_more_looks_widen_the_interval() -> None:
    measured = _measured(np.zeros(4), 4.0, 24, 1)
    one, five = (
        answer(measured, QUESTION, Asked(), SET_POINT_HZ, looks).decision.phases[0].difference
        for looks in (1, 5)
    )
    assert one.low is not None and five.low is not None
    assert five.low < one.low < one.value == five.value


def test_the_study_may_ask_for_another_level() -> None:
    measured = _measured(np.zeros(4), 4.0, 24, 1)
    strict = answer(measured, QUESTION, Asked(alpha=0.001), SET_POINT_HZ, 2)
    assert strict.decision.alpha == 0.0005
