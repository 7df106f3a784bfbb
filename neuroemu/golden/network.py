"""The network of one trial as raw registers: docs/spec/lif.md and its neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass

from neuroemu.golden.checks import require, require_shift_0, require_unit
from neuroemu.golden.chip import ChipNeuron
from neuroemu.golden.narrow import Narrowing
from neuroemu.golden.plasticity import Deferred, Event, Periodic


@dataclass(frozen=True, slots=True, kw_only=True)
class Neuron:
    """Registers and sites of every neuron of a population; voltages in membrane LSBs from rest.

    Attributes
    ----------
    leak : int
        Change per step and unit of v, raw(a) - unit.
    unit : int
        1 in the units of `leak`.
    threshold, reset, v_init : int
        A neuron spikes above `threshold`; `v_init` is its membrane before the first step.
    refractory_steps : int
        Steps, the spiking one included.
    leak_site, input_site : Narrowing
        Sites ``leak`` and ``input``.
    """

    leak: int
    unit: int
    threshold: int
    reset: int
    refractory_steps: int
    leak_site: Narrowing
    input_site: Narrowing
    v_init: int

    def __post_init__(self) -> None:
        require_unit(self.unit, self.leak_site, "leak")
        require_shift_0(self.input_site, "input")
        require(self.refractory_steps >= 0, f"refractory_steps is {self.refractory_steps}")
        for name, v in (("reset", self.reset), ("v_init", self.v_init)):
            require(self.leak_site.holds(v), f"{name} {v} is not in the membrane's range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Synapses from one population or source to a population.

    Attributes
    ----------
    pre, post : str
        Names.
    synapses : tuple of (pre_index, post_index, raw weight)
        In any order; synapse numbers go by (pre_index, post_index), see `ordered`.
    gain : int
        Weight LSB over that of the register that input goes to, raw.
    drive_site : Narrowing
        Site ``drive``.
    plasticity : Event or Periodic or Deferred or None
        None carries only.
    """

    pre: str
    post: str
    synapses: tuple[tuple[int, int, int], ...]
    gain: int
    drive_site: Narrowing
    plasticity: Event | Periodic | Deferred | None

    def __post_init__(self) -> None:
        pairs = {(pre, post) for pre, post, _ in self.synapses}
        require(
            len(pairs) == len(self.synapses), f"{self.pre} -> {self.post} connects a pair twice"
        )
        if self.event is not None:
            for synapse in self.synapses:
                require(
                    self.event.store_site.holds(synapse[2]),
                    f"weight {synapse[2]} of {self.pre} -> {self.post} is not in its range",
                )

    @property
    def ordered(self) -> tuple[tuple[int, int, int], ...]:
        """The synapses by their number."""
        return tuple(sorted(self.synapses))

    @property
    def event(self) -> Event | None:
        """The weight update, whatever starts it."""
        if isinstance(self.plasticity, Periodic | Deferred):
            return self.plasticity.event
        return self.plasticity


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Populations, sources and projections of one trial.

    Attributes
    ----------
    populations : mapping of name to (size, Neuron or ChipNeuron)
    sources : mapping of name to size
        Units that spike as they are told.
    projections : tuple of Projection
        In the order of the experiment, which is the order of their input.
    merges_input : bool
        Whether several spikes of one source in one step are one.
    """

    populations: Mapping[str, tuple[int, Neuron | ChipNeuron]]
    sources: Mapping[str, int]
    projections: tuple[Projection, ...]
    merges_input: bool = False

    def __post_init__(self) -> None:
        twice = self.populations.keys() & self.sources.keys()
        require(not twice, f"both population and source: {sorted(twice)}")
        sizes = {name: size for name, (size, _) in self.populations.items()}
        for projection in self.projections:
            pre, post = projection.pre, projection.post
            require(pre in sizes or pre in self.sources, f"no population or source {pre!r}")
            require(post in sizes, f"no population {post!r}")
            n_pre, n_post = self.size(pre), self.size(post)
            for i, j, _ in projection.synapses:
                require(
                    0 <= i < n_pre and 0 <= j < n_post, f"{pre} -> {post} has no pair ({i}, {j})"
                )

    def size(self, name: str) -> int:
        """Count the units of a population or source."""
        return self.sources[name] if name in self.sources else self.populations[name][0]
