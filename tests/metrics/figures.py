"""Synthetic trials around the known figures of the reference experiment.

Mean rates in the phases of 25, 50, 0 and 35 Hz of stimulus, by an independent loop over six seeds.
"""

import numpy as np
from numpy.typing import NDArray

SET_POINT_HZ = 50.0
PHASE_S = 8.0

CONTROL = np.array([24.8, 46.6, 0.0, 33.4])
FLOAT = np.array([50.5, 51.2, 45.1, 49.8])
U4_STOCHASTIC = np.array([49.5, 53.2, 40.1, 46.6])
U6_FLOOR = np.array([27.0, 46.7, 24.2, 33.5])
U8_FLOOR = np.array([43.4, 47.8, 41.4, 42.6])
U8_NEAREST = np.array([50.7, 51.0, 45.3, 49.9])

Rates = NDArray[np.float64]


def trials_around(
    rng: np.random.Generator, *means: Rates, trials: int, shared: float = 0.4
) -> list[Rates]:
    """Poisson-like counts, as rates of shape (trials, phases), one array for each row of means.

    The arrays share the input of each trial: `shared` of the counts' variance is common to them.
    """
    common = rng.standard_normal((trials, len(means[0])))
    drawn = []
    for mean in means:
        own = rng.standard_normal(common.shape)
        noise = np.sqrt(shared) * common + np.sqrt(1.0 - shared) * own
        counts = np.rint(mean * PHASE_S + np.sqrt(mean * PHASE_S) * noise)
        drawn.append(np.maximum(counts, 0.0) / PHASE_S)
    return drawn
