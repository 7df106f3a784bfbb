"""The fixed pattern of an analog chip: each neuron has constants of its own."""

from __future__ import annotations

from zlib import crc32

import numpy as np

from neuroemu.hardware.config import MismatchTable
from neuroemu.models.lif import LifParams


def mismatched(
    params: LifParams, table: MismatchTable, population: str, size: int
) -> list[LifParams]:
    """Return the constants of every neuron of a population, in membrane units from rest.

    The pattern depends on the seed, the population's name and the neuron's index alone: a larger population begins
    with the neurons of a smaller one. Time constants are at least a tenth of what is asked.

    Examples
    --------
    >>> params = LifParams(leak=-0.01, unit=1.0, threshold=1.0, reset=-1.0, refractory_steps=10)
    >>> two = mismatched(params, MismatchTable(threshold=0.1), "neurons", 2)
    >>> [round(p.threshold, 3) for p in two], two[0].leak
    ([1.123, 1.248], -0.01)
    """
    spread = np.array([table.threshold, table.reset, table.tau_m])
    rng = np.random.default_rng([table.seed, crc32(population.encode())])
    factors = 1.0 + spread * rng.standard_normal((size, 3))
    return [
        params._replace(
            threshold=params.threshold * max(float(threshold), 0.1),
            reset=params.reset * float(reset),
            leak=params.leak / max(float(tau), 0.1),
        )
        for threshold, reset, tau in factors
    ]
