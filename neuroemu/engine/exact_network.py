"""A network in Python's own containers, for `neuroemu.engine.exact`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

from neuroemu.engine.network import Layout, connect
from neuroemu.engine.watched import plain
from neuroemu.experiment import Experiment
from neuroemu.models.arithmetic import Arithmetic
from neuroemu.models.cuba import CubaParams
from neuroemu.models.homeostasis import HomeostasisParams
from neuroemu.models.lif import LifParams
from neuroemu.models.pair_controller import PairParams


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactProjection:
    """One projection: for each presynaptic unit its synapses (synapse, postsynaptic neuron, slot).

    The slot is None for a static synapse.
    """

    rows: dict[int, list[tuple[int, int, int | None]]]
    weight: Any
    gain: Any
    rule: HomeostasisParams | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactNetwork:
    """Everything that does not change, in Python's own containers."""

    n_sources: int
    neurons: list[LifParams | CubaParams]
    v_init: list[Any]
    projections: list[ExactProjection]
    slots: list[tuple[int, int, int]]  # presynaptic unit, postsynaptic neuron, projection
    pairs: dict[int, PairParams]  # by projection
    recorded: frozenset[int]  # slots


def flat_network(experiment: Experiment, a: Arithmetic, layout: Layout) -> ExactNetwork:
    """Return the network with neurons, synapses and plastic synapses numbered through."""
    params: list[LifParams | CubaParams] = []
    v_init: list[Any] = []
    for name, members in layout.neurons.items():
        params += [plain(one) for one in a.params_of(name, len(members))]
        v_init += [plain(a.v_init[name])] * len(members)
    projections: list[ExactProjection] = []
    slots: list[tuple[int, int, int]] = []
    n_synapses = 0
    for name, projection in experiment.projections.items():
        pre_units, post_neurons = layout.units[projection.pre], layout.neurons[projection.post]
        seed: Any = [experiment.connection_seed, crc32(name.encode())]
        pre, post = connect(projection, len(pre_units), len(post_neurons), seed)
        rows: dict[int, list[tuple[int, int, int | None]]] = {}
        for i, j in zip(pre.tolist(), post.tolist(), strict=True):
            unit, neuron, slot = pre_units[i], post_neurons[j], None
            if projection.plasticity is not None:
                slot = len(slots)
                slots.append((unit, neuron, len(projections)))
            rows.setdefault(unit, []).append((n_synapses, neuron, slot))
            n_synapses += 1
        numbers = a.synapses[name]
        projections.append(
            ExactProjection(
                rows=rows,
                weight=plain(numbers.weight),
                gain=plain(numbers.gain),
                rule=plain(numbers.rule),
            )
        )
    recorded = (slot for name in experiment.record.weights for slot in layout.slots[name])
    return ExactNetwork(
        n_sources=layout.n_sources,
        neurons=params,
        v_init=v_init,
        projections=projections,
        slots=slots,
        pairs={list(experiment.projections).index(name): p for name, p in a.pairs.items()},
        recorded=frozenset(recorded),
    )
