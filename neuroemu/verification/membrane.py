"""Arithmetic laws of the membrane: decay, and codes that deliver nothing."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from neuroemu.engine.run import Run
from neuroemu.feasibility.search import last
from neuroemu.hardware.config import MembraneTable
from neuroemu.models.constants import COARSE
from neuroemu.verification.definition import Ints, codes_between, extremes
from neuroemu.verification.deliveries import Delivery, projections
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.leaks import ANALOG, CONSTANT, MOST_STATES, SAMPLED, is_constant
from neuroemu.verification.small import (
    SYNAPSE,
    at_state,
    at_weight,
    case_of,
    experiment_of,
    unbiased,
)
from neuroemu.verification.step import Nearer, leak_of_registers, membrane_site

STILL = 20
"""Steps that a counterexample of a dead zone shows."""
ENUMERATED = 2**20
"""Most states of which a dead zone is enumerated; beyond, it is bisected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A leak or a decay by definition, and the register that it empties.

    Parameters
    ----------
    decay : Nearer
    lo, hi : int
        Of the register.
    turn : int
        -1 where the distance to the input decays, which without input is the negative membrane.
    """

    decay: Nearer
    lo: int
    hi: int
    turn: int = 1

    def of(self, v: Ints | int, r: int = 0) -> Ints:
        """Return leaked membranes; of a stochastic site those of the random integer `r`."""
        return self.turn * self.decay.of(self.turn * np.asarray(v, np.int64), r)

    def holds_still(self, v: Ints | int) -> Ints:
        """Return where no random word moves the membrane."""
        v = np.asarray(v, np.int64)
        site = self.decay.site
        highest = 2**site.shift - 1 if site.is_stochastic else 0
        return np.asarray((self.of(v) == v) & (self.of(v, highest) == v) & (v != 0))

    def dead_zone(self) -> tuple[int, int, int]:
        """Return the outermost dead states below and above rest (0: none), and how many were tried."""
        if self.hi - self.lo < ENUMERATED:
            v = np.arange(self.lo, self.hi + 1, dtype=np.int64)
            dead = v[self.holds_still(v)]
            return int(min(dead.min(initial=0), 0)), int(max(dead.max(initial=0), 0)), v.size
        return -self._last_dead(-1, -self.lo), self._last_dead(1, self.hi), 0

    def _last_dead(self, sign: int, most: int) -> int:
        return last(lambda v: bool(self.holds_still(sign * v)), most)


def leak_of(setting: Setting, name: str) -> Leak:
    """Return the leak of one population of the experiment, towards its rest or, on a chip, the register's 0."""
    site = membrane_site(setting.plan)
    decay = leak_of_registers(setting.plan.neurons[name], setting.plan)
    table = setting.target.neuron
    drives = table is not None and table.resistance is not None
    return Leak(decay=decay, lo=site.lo, hi=site.hi, turn=-1 if drives else 1)


def in_units(plan_lsb: Fraction | None, raw: int) -> str:
    """Return a raw membrane in the experiment's unit."""
    return f"{float(raw * (plan_lsb or 1)):.4g}"


# membrane-decays


def membrane_decays(setting: Setting) -> Outcome:
    """Look for states up to the threshold that the leak leaves alone."""
    if setting.plan.is_analog:
        return does_not_apply(ANALOG)
    if is_constant(setting.plan):
        return does_not_apply(CONSTANT)
    count, worst = 0, None
    for name, population in setting.populations.items():
        low, high, tried = leak_of(setting, name).dead_zone()
        high = min(high, max(setting.plan.neurons[name].threshold, 0))  # above it a neuron fires
        count += tried
        if worst is None or high - low > worst[3] - worst[2]:
            worst = (name, population, low, high)
    if worst is None or worst[2:] == (0, 0):
        return holds("proof", count)
    name, population, low, high = worst
    text = _zone(setting, name, low, high)
    theta = setting.plan.neurons[name].threshold
    is_small = max(-low, high) < COARSE * theta
    at = low if high == 0 or (low and -low < high) else high
    shown = unbiased(at_state(population, setting.plan, at))
    experiment = experiment_of(setting, shown, steps=STILL)
    case = case_of(setting, experiment, seed=setting.seed)
    numbers = {"population": name, "lowest": low, "highest": high}
    return broken(moves_not, case, text, how="proof", cases=count, is_small=is_small, **numbers)


def _zone(setting: Setting, name: str, low: int, high: int) -> str:
    membrane, lsb = setting.target.membrane, setting.plan.membrane_lsb
    head = f"membrane {membrane.format}, leak {leak_in_words(membrane)}: v = "
    theta = setting.plan.neurons[name].threshold
    part = f"{100 * max(-low, high) / theta:.2g} % of the threshold" if theta > 0 else "of any"
    if (low == -1 and high == 0) or (low == 0 and high == 1):
        v = low or high
        return f"{head}{v} LSB ({in_units(lsb, v)}) decays to {v} LSB for ever; {part}"
    ends = [
        f"{a} to {b} LSB ({in_units(lsb, a)} to {in_units(lsb, b)})"
        for a, b in ((low, -1), (1, high))
        if a <= b
    ]
    return f"{head}{' and '.join(ends)} do not decay; up to {part}"


def leak_in_words(membrane: MembraneTable) -> str:
    """Return how the leak rounds, or what it is if it does not multiply."""
    is_multiplied = membrane.leak is None or membrane.leak.kind == "multiply"
    return membrane.rounding if is_multiplied or membrane.leak is None else membrane.leak.kind


def moves_not(e: Evidence) -> str | None:
    """Return a membrane away from rest that stays where it is without input."""
    if (
        e.plan.is_analog
        or not isinstance(e.kernel, Run)
        or any(t.size for trains in e.case.spikes.values() for t in trains)
    ):
        return None
    for name, record in e.kernel.membrane.items():
        v = record.value - e.plan.neurons[name].zero
        if len(v) < 3:
            continue
        still = (v[-1] == v[0]) & (v == v[0]).all(axis=0) & (v[0] != 0)
        if still.any() and not any(s.size for s in e.kernel.spikes[name].steps):
            at = tuple(np.argwhere(still)[0])
            raw = int(Fraction(float(v[0][at])) / (e.plan.membrane_lsb or 1))
            return f"{name}[{at[0]}]: v = {raw} LSB is still {raw} LSB after {len(v) - 1} steps"
    return None


# codes-deliver


def codes_deliver(setting: Setting) -> Outcome:
    """Look for weight codes that never move a membrane."""
    if setting.plan.is_analog:
        return does_not_apply(ANALOG)
    count = 0
    worst: tuple[Delivery, Ints, Fraction] | None = None
    for delivery in projections(setting):
        codes = used_codes(setting, delivery)
        count += codes.size
        silent = codes[_is_silent(delivery, codes) & (codes != 0)]
        if silent.size:
            value = abs(
                int(silent[np.argmax(np.abs(silent))]) * setting.plan.synapses[delivery.name].lsb
            )
            if worst is None or value > worst[2]:
                worst = (delivery, silent, value)
    how = how_of_codes(setting)
    if worst is None:
        return holds(how, count)
    delivery, silent, value = worst
    code = int(silent[np.argmax(np.abs(silent))])
    gain = setting.target.synapse.gain
    form = (
        setting.target.plasticity.weight.format
        if delivery.projection.plasticity
        else (setting.target.synapse.weight.format)
    )
    span = (
        f"code {code} ({float(value):.4g}) delivers"
        if silent.size == 1
        else f"codes {silent.min()} to {silent.max()} (up to {float(value):.4g}) deliver"
    )
    text = (
        f"projection {delivery.name}, weight {form} to membrane {setting.target.membrane.format}, "
        f"drive {gain.drive_rounding}: {span} 0 LSB"
    )
    theta = delivery.population.v_thresh - delivery.population.v_rest
    projection = at_weight(delivery.projection, setting.plan, delivery.name, code)
    experiment = experiment_of(setting, delivery.population, projection, steps=3)
    case = case_of(setting, experiment, (0,), seed=setting.seed)
    is_small = float(value) < COARSE * theta
    return broken(delivers_nothing, case, text, how=how, cases=count, is_small=is_small, code=code)


def used_codes(setting: Setting, delivery: Delivery, name: str = SYNAPSE) -> Ints:
    """Return the codes that a weight of the experiment can have, or many of them; see `how_of_codes`."""
    registers = delivery.plan.synapses[name]
    plastic = delivery.projection.plasticity is not None
    if not plastic or setting.target.plasticity.update == "none":
        return np.asarray([registers.weight], np.int64)
    return codes_between(registers.w_min, registers.w_max, MOST_STATES, SAMPLED)


def how_of_codes(setting: Setting) -> str:
    """Return how a law over all codes in use was tried: a plastic register may have too many."""
    spans = [setting.plan.synapses[name] for name in setting.plastic]
    return "proof" if all(s.w_max - s.w_min < MOST_STATES for s in spans) else "sampled"


def _is_silent(delivery: Delivery, codes: Ints) -> Ints:
    low, high = extremes(codes * delivery.plan.synapses[SYNAPSE].gain, delivery.plan.sites["drive"])
    return np.asarray((low == 0) & (high == 0))


def delivers_nothing(e: Evidence) -> str | None:
    """Return a weight that is not 0 and whose every spike delivered 0."""
    if e.plan.is_analog:
        return None
    drives: dict[int, list[tuple[int, int]]] = {}
    for p in e.trace:
        if p.site == "drive":
            drives.setdefault(p.lane, []).append((p.wide, p.stored))
    for name, s in e.plan.synapses.items():
        if s.gain == 0 and s.weight != 0:
            return f"projection {name}: the gain's register holds 0"
    unit = 2 ** e.plan.sites["drive"].shift
    for synapse, seen in drives.items():
        if all(stored == 0 != wide for wide, stored in seen):
            return f"synapse {synapse}: {seen[0][0]}/{unit} LSB is delivered as 0"
    return None


LAWS = (
    Law(
        name="membrane-decays",
        sentence="Without input every membrane decays to rest.",
        kind="arithmetic",
        judge=moves_not,
        test=membrane_decays,
    ),
    Law(
        name="codes-deliver",
        sentence="Every weight code but 0 moves the membrane.",
        kind="arithmetic",
        judge=delivers_nothing,
        test=codes_deliver,
    ),
)
