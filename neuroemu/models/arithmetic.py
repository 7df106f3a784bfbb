"""Everything numeric about one rung, as the executors take it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from neuroemu.hardware.clock import Clock
from neuroemu.hardware.config import RandomTable
from neuroemu.models.counter import CounterSites
from neuroemu.models.cuba import CubaParams, CubaSites
from neuroemu.models.homeostasis import HomeostasisParams, HomeostasisSites
from neuroemu.models.lif import LifParams, LifSites
from neuroemu.models.pair_controller import PairParams
from neuroemu.models.synapse import SynapseSites

Rung = Literal["ideal", "parameters", "range", "fixed"]
RUNGS: tuple[Rung, ...] = get_args(Rung)


@dataclass(frozen=True, slots=True, kw_only=True)
class SynapseNumbers:
    """One projection as the kernel sees it."""

    weight: Any
    gain: Any
    rule: HomeostasisParams | None
    lsb: float
    """Biological value of one unit of the kernel's weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """Everything numeric about one rung: constants, sites, containers, grid.

    Parameters
    ----------
    membrane, weight : numpy dtype
        Containers.
    membrane_lsb : float
        Biological value of one unit of the kernel's membrane.
    update : str
        ``event``, ``periodic``, ``deferred``, ``pairs`` or ``none``.
    zero : dict of str to float
        Biological value of the membrane's 0, by population.
    refused : frozenset of str
        Sites that must not leave their range.
    merges_input : bool
        Whether several spikes of one source in one step are one.
    pairs : dict of str to PairParams
        Of each projection with a pair controller.
    pattern : dict of str to list
        Constants of each neuron, of populations whose neurons differ.
    stochastic : frozenset of str
        Sites that draw random bits.
    """

    rung: Rung
    clock: Clock
    membrane: Any
    weight: Any
    membrane_lsb: float
    neurons: dict[str, LifParams | CubaParams]
    v_init: dict[str, Any]
    zero: dict[str, float]
    synapses: dict[str, SynapseNumbers]
    neuron_sites: LifSites | CubaSites
    synapse_sites: SynapseSites
    rule_sites: HomeostasisSites
    counter_sites: CounterSites
    counter_overflow: int
    update: str
    stochastic: frozenset[str]
    random: RandomTable
    refused: frozenset[str] = frozenset()
    merges_input: bool = False
    pairs: dict[str, PairParams] = field(default_factory=dict)
    pattern: dict[str, list[LifParams]] = field(default_factory=dict)

    def params_of(self, name: str, size: int) -> list[LifParams | CubaParams]:
        """Return the constants of every neuron of a population."""
        return [*self.pattern.get(name, [])] or [self.neurons[name]] * size
