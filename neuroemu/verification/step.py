"""One step of a neuron by definition, on arrays: docs/spec/lif.md and docs/spec/chip-neuron.md once more.

Written apart from the texts of `neuroemu.models`, with the narrowing of `neuroemu.verification.definition`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroemu.hardware.config import NeuronTable
from neuroemu.models.chip import ChipRegisters, Decay, bias_joins_current
from neuroemu.models.registers import Discretized, NeuronRegisters
from neuroemu.numeric.site import Site
from neuroemu.verification.definition import Ints, narrowed

ZERO = np.int64(0)
PLACES = {"membrane": "v", "current": "excitatory", "buffer": "excitatory_buffer"}
"""Where input goes, and the register that holds it."""

Registers = dict[str, Any]
"""Registers of `neuroemu.models.cuba.CubaState` by name, each (lanes,) int64 or one number."""


def membrane_site(plan: Discretized) -> Site:
    """Return the site that has the membrane's range."""
    return plan.sites["leak" if plan.target.neuron is None else "membrane"]


def input_place(plan: Discretized) -> str:
    """Return the register that a spike's input goes to."""
    table = plan.target.neuron
    return PLACES["membrane" if table is None else table.input]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearer:
    """A decay by definition: `factor` of a value is kept, and `least` is taken at least."""

    factor: int
    least: int
    site: Site

    def of(self, x: Ints | int, r: Ints | int = 0) -> Ints:
        """Return decayed values; `r` are random integers of the site."""
        x = np.asarray(x, np.int64)
        kept = narrowed(x * self.factor, self.site, r)
        away = np.sign(x) * np.maximum(np.abs(x) - self.least, 0)
        return np.asarray(np.where(x > 0, np.minimum(kept, away), np.maximum(kept, away)), np.int64)


def nearer(decay: Decay, site: Site) -> Nearer:
    """Return a decay of `neuroemu.models.chip` by definition."""
    return Nearer(factor=decay.unit + decay.leak, least=decay.least, site=site)


def leak_of_registers(r: NeuronRegisters, plan: Discretized) -> Nearer:
    """Return the leak of a population by definition, without its bias."""
    site = plan.sites["leak"]
    if r.chip is not None:
        return nearer(r.chip.leak, site)
    return Nearer(factor=int(r.multiplier * r.unit), least=0, site=site)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The step of one population.

    Parameters
    ----------
    plan : Discretized
    r : NeuronRegisters
        Of the population.
    """

    plan: Discretized
    r: NeuronRegisters

    def advance(self, state: Registers, words: Ints | int = 0) -> tuple[Registers, Ints]:
        """Return the registers after a step of live neurons without input, and the spikes that they make."""
        if self.r.chip is None or self.plan.target.neuron is None:
            leaked = leak_of_registers(self.r, self.plan).of(state["v"], words)
            spikes = np.asarray(leaked > self.r.threshold, np.int64)
            return {"v": np.where(spikes > 0, self.r.reset, leaked)}, spikes
        return _Chip(self.plan, self.r, self.plan.target.neuron, self.r.chip).advance(state, words)

    def unfired(self, state: Registers, words: Ints | int = 0) -> Ints:
        """Return the membranes of a chip after line 3: leaked, and nothing taken by spikes."""
        if self.r.chip is None or self.plan.target.neuron is None:
            return leak_of_registers(self.r, self.plan).of(state["v"], words)
        chip = _Chip(self.plan, self.r, self.plan.target.neuron, self.r.chip)
        up, down = (chip.current(state, side) for side in ("excitatory", "inhibitory"))
        return chip.membrane(np.asarray(state["v"], np.int64), chip.force(up - down), words)

    def receive(self, state: Registers, drive: Any, spikes: Ints) -> Registers:
        """Return the registers after the input of one spike; who has made `spikes` in this step may be refractory."""
        site, place = self.plan.sites["input"], input_place(self.plan)
        table = self.plan.target.neuron
        met = state.get(place, ZERO)
        if table is None:
            return state | {"v": np.where(spikes > 0, met, narrowed(met + drive, site))}
        if table.channels == "two":
            other = place.replace("excitatory", "inhibitory")
            below = state.get(other, ZERO) - np.minimum(drive, 0)
            state = state | {other: narrowed(below, site)}
            drive = np.maximum(drive, 0)
        after = narrowed(met + drive, site)
        if place != "v":
            return state | {place: after}
        live = (spikes == 0) | (self.r.refractory_steps == 0)
        state = state | {"v": np.where(live, after, met)}
        return self._judged(state, live) if table.evaluation == "event" else state

    def _judged(self, state: Registers, live: Any) -> Registers:
        """Return the registers after the threshold was tested at an event."""
        fires = live & (state["v"] > self.r.threshold)
        reset: Any = np.int64(self.r.reset)
        if self.plan.target.neuron is not None and self.plan.target.neuron.reset == "subtract":
            reset = narrowed(state["v"] - self.r.reset, self.plan.sites["membrane"])
        pending = state.get("pending", ZERO) + fires
        return state | {"v": np.where(fires, reset, state["v"]), "pending": pending}


class _Chip:
    """Lines 2 to 5 of docs/spec/chip-neuron.md for neurons that do not wait."""

    def __init__(
        self, plan: Discretized, r: NeuronRegisters, table: NeuronTable, chip: ChipRegisters
    ) -> None:
        self.sites, self.scale = plan.sites, plan.buffer_scale
        self.r, self.table, self.chip = r, table, chip
        self.least_held = plan.sites["membrane"].lo

    def narrow(self, name: str, x: Any) -> Ints:
        return narrowed(x, self.sites[name])

    def advance(self, state: Registers, words: Ints | int) -> tuple[Registers, Ints]:
        v = np.asarray(state["v"], np.int64)
        up, down = (self.current(state, side) for side in ("excitatory", "inhibitory"))
        u = self.membrane(v, self.force(up - down), words)
        spikes = self.spikes(v if self.table.tests == "unleaked" else u)
        total = state.get("pending", ZERO) + spikes
        sent = np.minimum(total, self.table.most_spikes)
        after = {"v": self.settled(u, spikes), "excitatory": up, "inhibitory": down}
        return after | {"pending": total - sent}, sent

    def current(self, state: Registers, side: str) -> Ints:
        """Line 2, one of the two currents."""
        kept = nearer(self.chip.current, self.sites["decay"]).of(state.get(side, ZERO))
        return self.narrow("current", kept + self.scale * state.get(f"{side}_buffer", ZERO))

    def force(self, current: Ints) -> Ints:
        """Line 2, what the currents do to the membrane."""
        joins = bias_joins_current(self.table)
        factor = self.chip.resistance if self.table.resistance is not None else 1
        return self.narrow("force", current * factor + (self.chip.bias if joins else 0))

    def membrane(self, v: Ints, force: Ints, words: Ints | int) -> Ints:
        """Line 3."""
        leak = nearer(self.chip.leak, self.sites["leak"])
        if self.table.resistance is None:
            slope = leak.of(v, words) - v + force
        else:
            slope = (force - v) - leak.of(force - v, words)
        bias = 0 if bias_joins_current(self.table) else self.chip.bias
        return self.narrow("membrane", v + self.narrow("slope", self.narrow("slope", slope) + bias))

    def spikes(self, t: Ints) -> Ints:
        """Line 4."""
        count = np.asarray(t > self.r.threshold, np.int64)
        if self.table.reset != "subtract":
            return count
        for n in range(1, self.table.most_spikes):
            count = np.where((count == n) & (t - n * self.r.reset > self.r.threshold), n + 1, count)
        return count

    def settled(self, u: Ints, spikes: Ints) -> Ints:
        """Line 5."""
        floor = self.least_held if self.chip.floor is None else self.chip.floor
        if self.table.reset == "subtract":
            fired = self.narrow("membrane", u - spikes * self.r.reset)
            sunk = self.narrow("membrane", u - floor)
        else:
            fired, sunk = np.full_like(u, self.r.reset), np.zeros_like(u)
        return np.where(spikes > 0, fired, np.where(u < floor, sunk, u))
