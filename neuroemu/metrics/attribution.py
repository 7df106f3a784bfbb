"""Which effect costs how much: the differences of rates from rung to rung."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroemu.metrics.intervals import Estimate, mean_estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class RungStep:
    """Rate of a rung minus that of the one before, paired by trial: one estimate per phase, Hz."""

    rung: str
    previous: str
    phases: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The steps in the order of the rungs, and the whole difference that they sum to."""

    steps: tuple[RungStep, ...]
    whole: RungStep


def attribution(rates_by_rung: Mapping[str, ArrayLike], *, alpha: float = 0.05) -> Attribution:
    """Split the difference between the first and the last rung into the steps between them.

    Parameters
    ----------
    rates_by_rung : mapping of str to (trials, phases) float, Hz
        In the order ideal, parameters, range, fixed; every rung on the same input spikes.
    alpha : float
        One-sided level of the intervals.

    Returns
    -------
    Attribution

    Raises
    ------
    ValueError
        If there are fewer than two rungs or the shapes differ.

    Source
    ------
    docs/spec/verdict.md, "Attribution".

    Examples
    --------
    >>> split = attribution({"ideal": [[50.0]], "parameters": [[48.0]], "fixed": [[25.0]]})
    >>> [step.phases[0].value for step in split.steps], split.whole.phases[0].value
    ([-2.0, -23.0], -25.0)
    """
    rates = {rung: np.asarray(array, dtype=np.float64) for rung, array in rates_by_rung.items()}
    rungs = list(rates)
    if len(rungs) < 2:
        raise ValueError(f"rates_by_rung = {rungs}: must hold two rungs or more")
    shape = rates[rungs[0]].shape
    for rung, array in rates.items():
        if array.ndim != 2 or array.size == 0 or array.shape != shape:
            raise ValueError(
                f"rates_by_rung[{rung!r}]: must be (trials, phases), the same for all; "
                f"got {array.shape}, {rungs[0]} {shape}"
            )
    return Attribution(
        steps=tuple(_step(rates, before, after, alpha) for before, after in pairwise(rungs)),
        whole=_step(rates, rungs[0], rungs[-1], alpha),
    )


def _step(
    rates: Mapping[str, NDArray[np.float64]], before: str, after: str, alpha: float
) -> RungStep:
    differences = rates[after] - rates[before]
    return RungStep(
        rung=after,
        previous=before,
        phases=tuple(mean_estimate(phase, alpha) for phase in differences.T),
    )
