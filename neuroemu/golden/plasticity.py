"""The learning rules of one projection as raw registers: docs/spec/plasticity.md."""

from dataclasses import dataclass, replace

from neuroemu.golden.checks import require, require_shift_0, require_unit
from neuroemu.golden.narrow import Narrowing


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
        require_unit(self.unit, self.store_site, "store")
        require_shift_0(self.accumulate_site, "accumulate")
        require(self.w_min <= self.w_max, f"w_min {self.w_min} is above w_max {self.w_max}")
        for name, w in (("w_min", self.w_min), ("w_max", self.w_max)):
            require(self.store_site.holds(w), f"{name} {w} is not in the weight's range")


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
    read_site : Narrowing or None
        The signed number that a program takes a count for; None where it reads what is there.
    target : int or None
        The postsynaptic count that the rule of signs holds; None where increments act.
    """

    event: Event
    period_steps: int
    plus_site: Narrowing
    minus_site: Narrowing
    change_site: Narrowing
    counter_site: Narrowing
    read_site: Narrowing | None = None
    target: int | None = None

    def __post_init__(self) -> None:
        require(self.period_steps >= 1, f"period_steps is {self.period_steps}")
        require_shift_0(self.plus_site, "plus")
        require_shift_0(self.minus_site, "minus")
        require_shift_0(self.change_site, "change")
        _require_counter(self.counter_site)
        if self.read_site is not None:
            signed = replace(self.counter_site, signed=True, overflow="wrap")
            require(self.read_site == signed, "a signed reading has the counter's width and wraps")
        if self.target is not None:
            require(self.counter_site.holds(self.target), f"no count reaches {self.target}")
            require(self.event.unit == 1, "the rule of signs moves whole weight LSBs")
            site = self.change_site
            ends = (site.lo, site.hi, site.overflow)
            require(ends == (-1, 1, "saturate"), "a sign saturates at -1 and 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """The deferred update: postsynaptic spikes wait for the next presynaptic one.

    Attributes
    ----------
    event : Event
        Increments, limits and sites.
    counter_site : Narrowing
        Site ``count`` of the postsynaptic spikes that wait at each synapse.
    """

    event: Event
    counter_site: Narrowing

    def __post_init__(self) -> None:
        _require_counter(self.counter_site)
        require(self.counter_site.overflow == "saturate", "spikes that wait saturate")


def _require_counter(site: Narrowing) -> None:
    require_shift_0(site, "count")
    require(not site.signed, "a spike counter is unsigned")
