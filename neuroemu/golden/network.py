"""The network of one trial as raw registers: docs/spec/lif.md and docs/spec/plasticity.md."""

from collections.abc import Mapping
from dataclasses import dataclass

from neuroemu.golden.narrow import Narrowing


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _require_shift_0(site: Narrowing, name: str) -> None:
    _require(site.shift == 0, f"the site {name} drops no bits, but its shift is {site.shift}")


def _require_unit(unit: int, site: Narrowing, name: str) -> None:
    _require(
        unit == 2**site.shift,
        f"unit {unit} at the site {name} is not 1 in the scale of its shift {site.shift}",
    )


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
        _require_unit(self.unit, self.leak_site, "leak")
        _require_shift_0(self.input_site, "input")
        _require(self.refractory_steps >= 0, f"refractory_steps is {self.refractory_steps}")
        for name, v in (("reset", self.reset), ("v_init", self.v_init)):
            _require(self.leak_site.holds(v), f"{name} {v} is not in the membrane's range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The event-driven update; increments are counted in 1 / `unit` of a weight LSB.

    Attributes
    ----------
    dw_plus, dw_minus : int
        Added at a presynaptic, taken away at a postsynaptic spike.
    unit : int
        One weight LSB in the scale of the increments.
    w_min, w_max : int
        Limits in weight LSBs.
    accumulate_site, store_site : Narrowing
        Sites ``accumulate`` and ``store``.
    """

    dw_plus: int
    dw_minus: int
    unit: int
    w_min: int
    w_max: int
    accumulate_site: Narrowing
    store_site: Narrowing

    def __post_init__(self) -> None:
        _require_unit(self.unit, self.store_site, "store")
        _require_shift_0(self.accumulate_site, "accumulate")
        _require(self.w_min <= self.w_max, f"w_min {self.w_min} is above w_max {self.w_max}")
        for name, w in (("w_min", self.w_min), ("w_max", self.w_max)):
            _require(self.store_site.holds(w), f"{name} {w} is not in the weight's range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """The periodic update: spikes are counted, every `period_steps` steps the counts act.

    Attributes
    ----------
    event : Event
        The update that a period ends with.
    period_steps : int
        Steps, at least 1.
    plus_site, minus_site, change_site, counter_site : Narrowing
        Sites ``plus``, ``minus``, ``change`` and ``count``.
    """

    event: Event
    period_steps: int
    plus_site: Narrowing
    minus_site: Narrowing
    change_site: Narrowing
    counter_site: Narrowing

    def __post_init__(self) -> None:
        _require(self.period_steps >= 1, f"period_steps is {self.period_steps}")
        _require_shift_0(self.plus_site, "plus")
        _require_shift_0(self.minus_site, "minus")
        _require_shift_0(self.change_site, "change")
        _require_shift_0(self.counter_site, "count")
        _require(not self.counter_site.signed, "a spike counter is unsigned")


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
        Weight LSB over membrane LSB, raw.
    drive_site : Narrowing
        Site ``drive``.
    plasticity : Event or Periodic or None
        None carries only.
    """

    pre: str
    post: str
    synapses: tuple[tuple[int, int, int], ...]
    gain: int
    drive_site: Narrowing
    plasticity: Event | Periodic | None

    def __post_init__(self) -> None:
        pairs = {(pre, post) for pre, post, _ in self.synapses}
        _require(
            len(pairs) == len(self.synapses), f"{self.pre} -> {self.post} connects a pair twice"
        )
        if self.event is not None:
            for synapse in self.synapses:
                _require(
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
        if isinstance(self.plasticity, Periodic):
            return self.plasticity.event
        return self.plasticity


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Populations, sources and projections of one trial.

    Attributes
    ----------
    populations : mapping of name to (size, Neuron)
    sources : mapping of name to size
        Units that spike as they are told.
    projections : tuple of Projection
        In the order of the experiment, which is the order of their input.
    """

    populations: Mapping[str, tuple[int, Neuron]]
    sources: Mapping[str, int]
    projections: tuple[Projection, ...]

    def __post_init__(self) -> None:
        twice = self.populations.keys() & self.sources.keys()
        _require(not twice, f"both population and source: {sorted(twice)}")
        sizes = {name: size for name, (size, _) in self.populations.items()}
        for projection in self.projections:
            pre, post = projection.pre, projection.post
            _require(pre in sizes or pre in self.sources, f"no population or source {pre!r}")
            _require(post in sizes, f"no population {post!r}")
            n_pre, n_post = self.size(pre), self.size(post)
            for i, j, _ in projection.synapses:
                _require(
                    0 <= i < n_pre and 0 <= j < n_post, f"{pre} -> {post} has no pair ({i}, {j})"
                )

    def size(self, name: str) -> int:
        """Count the units of a population or source."""
        return self.sources[name] if name in self.sources else self.populations[name][0]
