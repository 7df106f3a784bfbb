"""Sites that are watched: every wide value is held against the proof, and may be traced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neuroemu.errors import ContainerOverflowError
from neuroemu.models.chip_sites import Interval
from neuroemu.models.containers import LIMITS, OF_NEURON
from neuroemu.models.counter import CounterSites
from neuroemu.models.homeostasis import HomeostasisSites
from neuroemu.models.registers import Discretized
from neuroemu.numeric.ops import OVERFLOWED, REQUANTIZE, overflowed, requantize
from neuroemu.numeric.site import Exact

Trace = Callable[[str, int, int, int, Any, Any], None]
"""Called with site, trial (0 is the run's first), index, step, wide and stored value.

The index counts neurons at ``leak`` and ``input``, synapses at ``drive``, units at ``count``,
plastic synapses elsewhere; all over the whole network."""


@dataclass(slots=True)
class Place:
    """Where the executor is."""

    trial: int = 0
    step: int = 0
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A site that does what `site` does, and looks at what passes.

    Parameters
    ----------
    name : str
        As in docs/spec.
    site : Fixed, Double, Exact
        What is done.
    place : Place
        Kept up to date by the executor.
    proved : tuple of (int, int), optional
        Range of the wide value by the plan's proof.
    container : str
        The plan's container for it, where there is a proof.
    trace : Trace, optional
        Is shown every value.
    """

    name: str
    site: Any
    place: Place = field(default_factory=Place)
    proved: Interval | None = None
    container: str = "int64"
    trace: Trace | None = None

    def check(self, wide: Any) -> None:
        """Hold a wide value against the proof.

        Raises
        ------
        ContainerOverflowError
            If it lies outside the proved range, or outside its container.
        """
        if self.proved is None:
            return
        most = LIMITS[self.container]
        low, high = max(self.proved[0], -most - 1), min(self.proved[1], most)
        if not low <= wide <= high:
            where = f"trial {self.place.trial}, step {self.place.step}, index {self.place.index}"
            raise ContainerOverflowError(
                f"site {self.name} = {wide}: the plan proved {self.proved[0]} to {self.proved[1]}, "
                f"for {self.container}; {where}; this is a fault of neuroemu, please report it"
            )


def _requantize(x: Any, site: Any, bits: Any) -> Any:
    watched: Watched = site
    watched.check(x)
    stored = requantize(x, watched.site, bits)
    if watched.trace is not None:
        place = watched.place
        watched.trace(watched.name, place.trial, place.index, place.step, x, stored)
    return stored


def _overflowed(x: Any, site: Any, bits: Any) -> Any:
    return overflowed(x, site.site, bits)


REQUANTIZE[Watched] = _requantize
OVERFLOWED[Watched] = _overflowed


def watch_plan(plan: Discretized, place: Place, trace: Trace | None) -> dict[str, Watched]:
    """Return the sites of a ``fixed`` run over Python ints: `Site.as_fixed` of every one.

    An analog membrane narrows nothing, nor does a pair controller: their sites are exact and nothing is proved of them.
    """
    sites = {}
    for name in (*OF_NEURON, "drive", *HomeostasisSites._fields, *CounterSites._fields):
        sites[name] = Watched(name=name, site=Exact(), place=place, trace=trace)
    for name, site in plan.sites.items():
        low, high = plan.widest[name]
        on_membrane = name in OF_NEURON or plan.is_analog
        sites[name] = Watched(
            name=name,
            site=site.as_fixed(int),
            place=place,
            # the proof counts the rounding's addend in, which is added inside the site
            proved=(low, high - site.widest_addend),
            container=plan.container if on_membrane else "int64",
            trace=trace,
        )
    return sites


def plain(x: Any) -> Any:
    """Return `x`, a NamedTuple of numbers or one number, in Python's own numbers."""
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(plain(value) for value in x))
    return x.item() if isinstance(x, np.generic) else x
