"""Metrics of one trial: each against numbers worked out by hand."""

import numpy as np
import pytest

from neuroemu.metrics.per_trial import METRICS, Pair, Side


def _side(rates: list[float], spikes: list[int], weight: list[tuple[int, float]]) -> Side:
    steps, values = [s for s, _ in weight], [w for _, w in weight]
    return Side(
        rates=np.array(rates),
        spikes=np.array(spikes, np.int64),
        weights=[(np.array(steps, np.int64), np.array(values), 0.0)],
    )


PAIR = Pair(
    target=_side([50.0, 44.0, 47.0], [100, 200, 400], [(199, 0.5)]),
    reference=_side([50.0, 50.0, 50.0], [100, 240, 900], [(99, 0.5)]),
    step_ms=0.1,
    n_steps=400,
    lsb=0.25,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rate", 47.0),
        ("difference", -3.0),
        ("rms_difference", np.sqrt((36 + 9) / 3)),
        ("spread", 3.0),
        # a quarter of the time the weights are 0.5 apart: two LSBs
        ("weight_rms", np.sqrt(0.25 * 2.0**2)),
        # 5 ms are 50 steps: two of three spikes have a partner
        ("coincidence", 4 / 6),
        # one spike moves by 4 ms at 0.1 per ms, one is deleted and one inserted
        ("victor_purpura", 0.4 + 2.0),
    ],
)
def test_metric(name: str, expected: float) -> None:
    assert METRICS[name].of(PAIR) == pytest.approx(expected, rel=1e-12)


def test_van_rossum_uses_the_stated_time_constant() -> None:
    alone = Pair(
        target=_side([0.0], [10], []),
        reference=_side([0.0], [], []),
        step_ms=0.1,
        n_steps=400,
        lsb=1.0,
    )
    apart = Pair(
        target=_side([0.0], [0], []),
        reference=_side([0.0], [200], []),
        step_ms=0.1,
        n_steps=400,
        lsb=1.0,
    )
    assert METRICS["van_rossum"].of(alone) ** 2 == pytest.approx(0.5)
    # spikes one time constant apart: 1 - exp(-1)
    assert METRICS["van_rossum"].of(apart) ** 2 == pytest.approx(1 - np.exp(-1))


def test_a_single_phase_has_no_spread() -> None:
    one = Pair(
        target=_side([10.0], [], []),
        reference=_side([10.0], [], []),
        step_ms=0.1,
        n_steps=1,
        lsb=1.0,
    )
    assert METRICS["spread"].of(one) == 0.0
