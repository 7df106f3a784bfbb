"""Laws of a chip's synaptic currents: through the compiled kernel, and whether they decay to 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neuroemu.experiment import Population
from neuroemu.models.constants import COARSE
from neuroemu.testing.case import Case
from neuroemu.verification.agreement import golden_differs
from neuroemu.verification.bench import LANES, Bench, pieces
from neuroemu.verification.definition import Ints, aimed
from neuroemu.verification.evidence import Evidence
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.leaks import MOST_STATES, SAMPLED, bench_step
from neuroemu.verification.membrane import Leak, in_units
from neuroemu.verification.small import case_of, experiment_of, quiet
from neuroemu.verification.step import Nearer, Step, nearer

NO_CURRENT = "the target has no synaptic current"
SIDES = ("excitatory", "inhibitory")
SHOWN = 20
"""Spikes, and steps after them, of a counterexample."""
LONGEST = 4000
"""Steps in which a current is followed down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decayed:
    """What the kernel made of some currents."""

    step: Step
    x: Ints
    after: dict[str, Ints]


def has_current(setting: Setting) -> bool:
    """Return whether the neuron has a current that stays from step to step."""
    table = setting.target.neuron
    return table is not None and table.current is not None


def decays(setting: Setting) -> dict[str, Nearer]:
    """Return the decay of each population's current by definition."""
    found = {}
    for name in setting.populations:
        chip = setting.plan.neurons[name].chip
        if chip is not None:
            found[name] = nearer(chip.current, setting.plan.sites["decay"])
    return found


def currents(setting: Setting) -> tuple[Ints, str]:
    """Return the currents that a law is tried on, and how that counts."""
    site = setting.plan.sites["current"]
    if site.hi - site.lo < MOST_STATES:
        return np.arange(site.lo, site.hi + 1, dtype=np.int64), "proof"
    edges = [sign * 2**bit for bit in range(site.hi.bit_length()) for sign in (-1, 1)]
    return np.sort(aimed(site.lo, site.hi, edges, SAMPLED, setting.rng("currents"))), "sampled"


def decayed(setting: Setting) -> Iterator[Decayed]:
    """Yield every current of every population after one step of the kernel without input."""
    x, _ = currents(setting)
    lanes = min(LANES, x.size)
    for population in _populations(setting):
        experiment = experiment_of(setting, population, steps=1, lanes=lanes)
        bench = Bench(setting.pinned, experiment, spikes=0, seed=setting.seed)
        step = bench_step(setting, experiment)
        for (some,) in pieces((x,), lanes):
            bench.do(registers=dict.fromkeys(SIDES, some))
            yield Decayed(step=step, x=some, after={side: bench.register(side) for side in SIDES})


def _populations(setting: Setting) -> list[Population]:
    """Return quiet neurons: the decay of a current is the same for all."""
    return [quiet(setting.plan, fires=False)]


def current_as_defined(setting: Setting) -> Outcome:
    """Compare the kernel with the definition, and look whether a current grows or turns its sign."""
    if not has_current(setting):
        return does_not_apply(NO_CURRENT)
    count, how = 0, currents(setting)[1]
    for piece in decayed(setting):
        count += piece.x.size
        wanted, _ = piece.step.advance(
            {"v": np.zeros_like(piece.x)} | dict.fromkeys(SIDES, piece.x)
        )
        for side in SIDES:
            after = piece.after[side]
            beyond = (after < np.minimum(piece.x, 0)) | (after > np.maximum(piece.x, 0))
            wrong = np.flatnonzero((after != wanted[side]) | beyond)
            if wrong.size:
                at = int(wrong[np.argmin(np.abs(piece.x[wrong]))])
                text = (
                    f"the {side} current decays from {piece.x[at]} LSB to {after[at]} in the kernel, and to "
                    f"{wanted[side][at]} by definition"
                )
                return broken(golden_differs, _case(setting), text, how=how, cases=count)
    return holds(how, count)


def _case(setting: Setting, *, spikes: int = SHOWN, sign: int = 1, steps: int = SHOWN) -> Case:
    """Return so many input spikes of one sign onto a quiet neuron, and then none for so many steps."""
    neuron = quiet(setting.plan, fires=False)
    projections = [p for p in setting.experiment.projections.values() if p.plasticity is None]
    if not projections:
        return case_of(setting, experiment_of(setting, neuron, steps=SHOWN), seed=setting.seed)
    strongest = max(projections, key=lambda p: abs(p.weight))
    input_ = strongest.model_copy(update={"weight": sign * abs(strongest.weight)})
    experiment = experiment_of(setting, neuron, input_, steps=spikes + steps)
    return case_of(setting, experiment, range(spikes), seed=setting.seed)


def _steps_down(decay: Nearer, x: int) -> int:
    """Return the steps in which a current of `x` decays as far as it does."""
    for n in range(LONGEST):
        after = int(decay.of(x))
        if after == x:
            return n + 1
        x = after
    return LONGEST


# currents-decay


def currents_decay(setting: Setting) -> Outcome:
    """Look for currents that stay where they are without input."""
    if not has_current(setting):
        return does_not_apply(NO_CURRENT)
    site, count, worst = setting.plan.sites["current"], 0, ("", 0, 0)
    for name, decay in decays(setting).items():
        low, high, tried = Leak(decay=decay, lo=site.lo, hi=site.hi).dead_zone()
        count += tried
        if high - low > worst[2] - worst[1]:
            worst = (name, low, high)
    name, low, high = worst
    if not name:
        return holds("proof", count)
    r, lsb = setting.plan.neurons[name], setting.plan.membrane_lsb
    table = setting.target.neuron
    kept = 1 - float(r.multiplier)
    steady = max(-low, high) / kept if kept else float("inf")
    form = table.current.format if table is not None and table.current is not None else ""
    text = (
        f"current {form}: {low} to {high} LSB ({in_units(lsb, low)} to {in_units(lsb, high)}) do not decay, and "
        f"hold a membrane at up to {steady:.4g} LSB; the threshold is {r.threshold}"
    )
    is_small = steady < COARSE * r.threshold
    sign = 1 if high > -low else -1
    steps = _steps_down(decays(setting)[name], site.hi if sign > 0 else site.lo)
    case = _case(setting, spikes=1, sign=sign, steps=steps + SHOWN)
    numbers = {"lowest": low, "highest": high}
    return broken(stays, case, text, how="proof", cases=count, is_small=is_small, **numbers)


def stays(e: Evidence) -> str | None:
    """Return a current that is not 0 and does not decay any more."""
    for p in e.trace:
        if p.site == "decay" and p.wide != 0 and e.plan.target.neuron is not None:
            unit = 2 ** e.plan.sites["decay"].shift
            chips = [r.chip for r in e.plan.neurons.values() if r.chip is not None]
            for chip in chips:
                x, rest = divmod(p.wide, chip.current.unit + chip.current.leak)
                found = nearer(chip.current, e.plan.sites["decay"])
                if rest == 0 and abs(x) * unit >= abs(p.wide) and int(found.of(x)) == x:
                    return f"step {p.step}, neuron {p.lane}: a current of {x} LSB decays to {x} LSB"
    return None


LAWS = (
    Law(
        name="current-as-defined",
        sentence="The kernel decays every synaptic current as defined, towards 0 and never past it.",
        kind="emulator",
        judge=golden_differs,
        test=current_as_defined,
    ),
)

DECAY_LAWS = (
    Law(
        name="currents-decay",
        sentence="Without input every synaptic current decays to 0.",
        kind="arithmetic",
        judge=stays,
        test=currents_decay,
    ),
)
