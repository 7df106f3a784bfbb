"""The verdict of rates that are known to a tolerance: docs/spec/prediction.md, "Verdict"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from neuroemu.metrics.outcome import REGULATED_RATIO, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What verdict the mean rates lead to.

    Parameters
    ----------
    leaning : Verdict
        Of the rates as they stand.
    possible : frozenset of Verdict
        Of all rates within the tolerance.
    worst_phase : int
        Where target and float differ most.
    """

    leaning: Verdict
    possible: frozenset[Verdict]
    worst_phase: int

    @property
    def verdict(self) -> Verdict | None:
        """The verdict, None on the edge between two."""
        return self.leaning if len(self.possible) == 1 else None


def outlook(
    rates: Sequence[float],
    reference: Sequence[float],
    control: Sequence[float],
    *,
    set_point_hz: float,
    margin_hz: float,
    tolerance_hz: Sequence[float],
) -> Outlook:
    """Return the verdict of mean rates by the decision table of docs/spec/verdict.md.

    Parameters
    ----------
    rates, reference, control : (phases,) float, Hz
        On the target, on float, and without homeostasis.
    set_point_hz, margin_hz : float
    tolerance_hz : (phases,) float
        How far the difference of two rates may be off.

    Examples
    --------
    >>> near = {"set_point_hz": 50.0, "margin_hz": 5.0, "tolerance_hz": [1.0, 1.0]}
    >>> str(outlook([49.0, 46.5], [50.0, 50.0], [20.0, 0.0], **near).verdict)
    'survives'
    >>> print(outlook([49.0, 45.5], [50.0, 50.0], [20.0, 0.0], **near).verdict)
    None
    """
    differences = [abs(t - r) for t, r in zip(rates, reference, strict=True)]
    lifts = [abs(t - c) for t, c in zip(rates, control, strict=True)]
    opened = [p for p, c in enumerate(control) if c < set_point_hz]
    ratio, error = _spread_ratio(rates, control, opened, tolerance_hz)

    def is_near(distances: Sequence[float], slack: float) -> bool:
        limits = (margin_hz + slack * t for t in tolerance_hz)
        return all(x < limit for x, limit in zip(distances, limits, strict=True))

    def beyond(slack: float) -> Verdict:
        """Return the verdict outside the margin, for rates that are nearer to regulated ones by `slack`."""
        if not any(rates):
            return Verdict.DEAD
        if ratio is not None:
            return Verdict.SHIFTED if ratio - slack * error <= REGULATED_RATIO else Verdict.DEAD
        return Verdict.DEAD if is_near(lifts, slack) else Verdict.INCONCLUSIVE

    possible = {Verdict.SURVIVES} if is_near(differences, 1.0) else set()
    if not is_near(differences, -1.0):
        possible |= {beyond(-1.0), beyond(1.0)}
    return Outlook(
        leaning=Verdict.SURVIVES if is_near(differences, 0.0) else beyond(0.0),
        possible=frozenset(possible),
        worst_phase=differences.index(max(differences)),
    )


def _spread_ratio(
    rates: Sequence[float],
    control: Sequence[float],
    opened: Sequence[int],
    tolerance_hz: Sequence[float],
) -> tuple[float | None, float]:
    """Return the ratio of spreads over the open phases, and how far it may be off."""
    if len(opened) < 2:
        return None, 0.0
    unregulated = _deviation([control[p] for p in opened])
    if unregulated == 0.0:
        return None, 0.0
    error = max(tolerance_hz[p] for p in opened) / unregulated
    return _deviation([rates[p] for p in opened]) / unregulated, error


def _deviation(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))
