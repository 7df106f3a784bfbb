"""Populations and projections as index arrays: who reaches whom, by row and by column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from neuroemu.engine.bundles import PRE_START, Wiring
from neuroemu.experiment import Experiment, Projection
from neuroemu.models.arithmetic import Arithmetic

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where each stimulus, population and plastic projection lies.

    Parameters
    ----------
    units : dict of str to range
        Stimulus sources first, then neurons.
    neurons : dict of str to range
        Neuron indices.
    slots : dict of str to range
        Plastic synapses of each plastic projection.
    """

    units: dict[str, range]
    neurons: dict[str, range]
    slots: dict[str, range]

    @property
    def n_sources(self) -> int:
        """How many units are stimulus sources."""
        return self.n_units - self.n_neurons

    @property
    def n_units(self) -> int:
        """Sources and neurons."""
        return max((r.stop for r in self.units.values()), default=0)

    @property
    def n_neurons(self) -> int:
        """All neurons of a trial."""
        return max((r.stop for r in self.neurons.values()), default=0)

    @property
    def n_slots(self) -> int:
        """All plastic synapses of a trial."""
        return max((r.stop for r in self.slots.values()), default=0)


def connect(projection: Projection, n_pre: int, n_post: int, seed: int) -> tuple[Indices, Indices]:
    """Return the synapses of a projection.

    Returns
    -------
    pre, post : (synapses,) int64
        Sorted by `pre`, then `post`.
    """
    match projection.connector:
        case "one_to_one":
            pre = post = np.arange(n_pre)
        case "all_to_all":
            pre, post = np.divmod(np.arange(n_pre * n_post), n_post)
        case "fixed_probability":
            rng = np.random.default_rng(seed)
            rows = [
                np.flatnonzero(rng.random(n_post) < (projection.probability or 0.0))
                for _ in range(n_pre)
            ]
            pre = np.repeat(np.arange(n_pre), [r.size for r in rows])
            post = np.concatenate(rows) if rows else np.empty(0, np.int64)
    return pre.astype(np.int64), post.astype(np.int64)


def build(experiment: Experiment, arithmetic: Arithmetic) -> tuple[Layout, Wiring]:
    """Return the layout and the wiring of `experiment` in the numbers of `arithmetic`."""
    units, neurons = _ranges(experiment)
    columns: dict[str, list[Any]] = {name: [] for name in Wiring._fields}
    slots: dict[str, range] = {}
    rows = synapses = n_slots = 0
    for name, projection in experiment.projections.items():
        numbers = arithmetic.synapses[name]
        pre_units, post_neurons = units[projection.pre], neurons[projection.post]
        seed = [experiment.connection_seed, crc32(name.encode())]
        pre, post = connect(projection, len(pre_units), len(post_neurons), seed)  # type: ignore[arg-type]
        counts = np.bincount(pre, minlength=len(pre_units))
        columns["indptr"].append(synapses + np.concatenate(([0], np.cumsum(counts))))
        columns["target"].append(post + post_neurons.start)
        columns["weight"].append(np.full(pre.size, numbers.weight))
        columns["gain"].append(numbers.gain)
        plastic = projection.plasticity is not None
        starts = (rows, synapses, n_slots if plastic else -1)
        columns["projections"].append((pre_units.start, pre_units.stop, *starts))
        if plastic:
            slots[name] = range(n_slots, n_slots + pre.size)
            here = np.full(pre.size, len(columns["gain"]) - 1)
            members = (pre + pre_units.start, post + post_neurons.start, here)
            columns["slots"].append(np.stack(members, axis=1))
            n_slots += pre.size
        rows += counts.size + 1
        synapses += pre.size
    return Layout(units=units, neurons=neurons, slots=slots), _wiring(
        columns, neurons, arithmetic, experiment
    )


def _ranges(experiment: Experiment) -> tuple[dict[str, range], dict[str, range]]:
    units, neurons = {}, {}
    start = 0
    for name, stimulus in experiment.stimuli.items():
        units[name] = range(start, start + stimulus.size)
        start += stimulus.size
    sources = start
    for name, population in experiment.populations.items():
        units[name] = range(start, start + population.size)
        neurons[name] = range(start - sources, start - sources + population.size)
        start += population.size
    return units, neurons


def _wiring(
    columns: dict[str, list[Any]], neurons: dict[str, range], a: Arithmetic, experiment: Experiment
) -> Wiring:
    def joined(name: str, dtype: Any) -> Any:
        parts = columns[name]
        return np.concatenate(parts).astype(dtype) if parts else np.empty(0, dtype)

    n_neurons = max(r.stop for r in neurons.values())
    n_sources = sum(s.size for s in experiment.stimuli.values())
    slots = joined("slots", np.int64).reshape(-1, 3)
    order = np.lexsort((slots[:, 2], slots[:, 1]))
    per_column = np.bincount(slots[:, 1], minlength=n_neurons)
    projections = np.asarray(columns["projections"], np.int64).reshape(-1, 5)
    return Wiring(
        projections=projections,
        gain=np.asarray(columns["gain"], a.weight),
        indptr=joined("indptr", np.int64),
        target=joined("target", np.int32),
        weight=joined("weight", a.weight),
        column_start=np.concatenate(([0], np.cumsum(per_column))).astype(np.int64),
        columns=np.stack((order, slots[order, 2]), axis=1).astype(np.int64),
        slots=slots,
        recurrent=np.flatnonzero(projections[:, PRE_START] >= n_sources),
        sites=a.synapse_sites,
    )
