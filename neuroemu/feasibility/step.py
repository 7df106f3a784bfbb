"""One step of a population over Python ints, as functions: the model's own text, without threshold and reset.

What saturates is left as it is; a range that wraps or is refused is left out, and the membrane's own range always:
these functions rise with each argument, and bounds are cut to a register at the end, once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from neuroemu.hardware.config import NeuronTable
from neuroemu.models.chip import on_chip, register_zero
from neuroemu.models.crossings import Once
from neuroemu.models.cuba import CubaParams, CubaSites, CubaState, advance, decayed
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import round_fraction
from neuroemu.numeric.ops import requantize
from neuroemu.numeric.site import Fixed, Site, wait_site

FAR = 2**200
"""Further than any membrane gets: Python ints have no width."""

Alone = Callable[[int, int], int]
"""From a membrane and a random word to the membrane after a step without input."""

Driven = Callable[[int, int, int], int]
"""The same with what drives it: an input, or a current."""


def from_rest(d: Discretized, population: str) -> Fraction:
    """Return what the membrane register's 0 stands for, from rest, in the experiment's unit."""
    return register_zero(d.target, d.experiment.populations[population])


def rest_of(d: Discretized, population: str) -> int:
    """Return the code next to the experiment's rest."""
    lsb = d.membrane_lsb or Fraction(1)
    return round_fraction(-from_rest(d, population) / lsb, "around")


def lands_at(d: Discretized, population: str) -> int:
    """Return where a spike from the threshold leaves the membrane, in LSB from the register's 0."""
    table = d.target.neuron
    taken_away = table is not None and table.reset == "subtract"
    return 0 if taken_away else int(d.neurons[population].reset)


def takes_at_once(d: Discretized) -> bool:
    """Whether input reaches the membrane in the step in which it comes, after the threshold."""
    return d.target.neuron is None or d.target.neuron.input == "membrane"


def raw_multiplier(d: Discretized, population: str) -> int:
    """Return what is left of a membrane after a step, in the scale of the leak's register."""
    neuron = d.neurons[population]
    return int(neuron.multiplier * neuron.unit)


def alone(d: Discretized, population: str) -> Alone:
    """Return what a step without input makes of a membrane."""
    step = driven(d, population)
    return lambda v, word: step(v, 0, word)


def driven(d: Discretized, population: str) -> Driven:
    """Return what a step makes of a membrane and of what drives it.

    That is an input, taken after the leak; or, where a chip collects its input, the current that it has come to.
    """
    table = d.target.neuron
    if table is None:
        multiplier, site = raw_multiplier(d, population), _free(d.sites["leak"])
        return lambda v, x, word: int(requantize(multiplier * v, site, word)) + x
    params, sites = _text(d, table, population)
    at_once = takes_at_once(d)

    def step(v: int, x: int, word: int) -> int:
        up, down = (max(x, 0), max(-x, 0)) if table.channels == "two" else (x, 0)
        state = CubaState(v, 0, *((0, 0) if at_once else (up, down)), 0, 0, 0, 0)
        after, _ = advance(state, params, sites, word)
        return int(after.v) + (x if at_once else 0)

    return step


def current_after(d: Discretized, population: str) -> Callable[[int], int]:
    """Return what a step leaves of a current."""
    chip, table = d.neurons[population].chip, d.target.neuron
    if chip is None or table is None:
        return lambda x: 0 * x
    c, site = chip.current, _free(d.sites["decay"])
    return lambda x: int(decayed(x, c.leak, c.unit, c.least, site, 0))


def _text(d: Discretized, table: NeuronTable, population: str) -> tuple[CubaParams, CubaSites]:
    """Return constants and sites of a step whose currents are given as they act."""
    params = on_chip(table, d.neurons[population], d.buffer_scale, FAR, -FAR)
    still = params._replace(decay=0, decay_unit=1, decay_least=0)
    nothing = _free(replace(d.sites["decay"], shift=0))
    free = {name: _free(d.sites[name]) for name in ("leak", "membrane", "input")}
    kept = {name: _rising(d.sites[name]) for name in ("current", "force", "slope")}
    return still, CubaSites(decay=nothing, wait=wait_site(), fire=Once(), **free, **kept)


def _free(site: Site) -> Fixed:
    return replace(site, lo=-FAR, hi=FAR, overflow="saturate").as_fixed()


def _rising(site: Site) -> Fixed:
    """Return a site that saturates as it is, another without its range."""
    is_kept = site.overflow == "saturate" and not site.never_overflows
    return site.as_fixed() if is_kept else _free(site)
