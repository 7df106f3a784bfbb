"""Arithmetic law of the input: whether one that comes in every step brings a neuron over its threshold."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroemu.models.constants import COARSE
from neuroemu.testing.judges import kernel_run
from neuroemu.verification.definition import Ints, narrowed
from neuroemu.verification.deliveries import Delivery, projections
from neuroemu.verification.evidence import Evidence, ended
from neuroemu.verification.law import Law, Outcome, Setting, broken, does_not_apply, holds
from neuroemu.verification.leaks import ANALOG
from neuroemu.verification.membrane import (
    STILL,
    Leak,
    how_of_codes,
    leak_in_words,
    used_codes,
)
from neuroemu.verification.small import (
    NEURON,
    SYNAPSE,
    at_weight,
    case_of,
    experiment_of,
    still,
)
from neuroemu.verification.step import Registers, Step, leak_of_registers

TIME_CONSTANTS = 4
"""In which float passes a threshold that its steady state passes by 5 %: ln 21 is 3.04."""
LONGEST = 4000
"""Steps of the longest counterexample of an input that reaches no threshold."""


def input_reaches_threshold(setting: Setting) -> Outcome:
    """Compare, for each code that comes in every step, whether chip and float fire."""
    if setting.plan.is_analog:
        return does_not_apply(ANALOG)
    if setting.plan.sites["leak"].is_stochastic or setting.plan.sites["drive"].is_stochastic:
        return does_not_apply("the membrane rounds stochastically")
    count = 0
    for delivery in projections(setting):
        codes = used_codes(setting, delivery)
        plan = delivery.plan
        drives = narrowed(codes * plan.synapses[SYNAPSE].gain, plan.sites["drive"])
        excites = codes * plan.synapses[SYNAPSE].gain > 0
        codes, drives = codes[excites], drives[excites]
        count += codes.size
        steps = _steps(setting, delivery)
        fires = (
            _fires(delivery, drives)
            if plan.target.neuron is None
            else _fires_on_chip(delivery, drives, steps)
        )
        wanted, decided = _fires_in_float(setting, delivery, codes)
        wrong = decided & (fires != wanted)
        if wrong.any():
            return _not_reached(setting, delivery, codes[wrong], drives[wrong], fires[wrong], count)
    how = how_of_codes(setting)
    return holds(how, count) if count else does_not_apply("nothing excites")


def _fires(delivery: Delivery, drives: Ints) -> Any:
    """Return which inputs in every step bring the membrane over the threshold from the lowest state."""
    r, site = delivery.plan.neurons[NEURON], delivery.plan.sites["leak"]
    leak = Leak(decay=leak_of_registers(r, delivery.plan), lo=site.lo, hi=site.hi)
    low = np.full(drives.shape, site.lo, np.int64)
    high = np.full(drives.shape, site.hi, np.int64)
    while (low < high).any():  # the least v that climbs no further; what wraps has its own law
        middle = (low + high) // 2
        stays = leak.of(middle) + drives <= middle
        low, high = np.where(stays, low, middle + 1), np.where(stays, middle, high)
    return np.asarray(leak.of(low) > r.threshold, np.bool_)


def _fires_on_chip(delivery: Delivery, drives: Ints, steps: int) -> Any:
    """Return which inputs in every step make a neuron that starts at its reset fire within so many steps."""
    r = delivery.plan.neurons[NEURON]
    step = Step(plan=delivery.plan, r=r)
    table = delivery.plan.target.neuron
    start = r.reset if table is not None and table.reset == "value" else 0
    fires, left = np.zeros(drives.shape, np.bool_), np.arange(drives.size)
    state: Registers = {"v": np.full(drives.shape, start, np.int64)}
    for _ in range(steps):
        after, spikes = step.advance(state)
        after = step.receive(after, drives[left], np.zeros_like(spikes))
        spiked = (spikes > 0) | (after["pending"] > 0)
        fires[left[spiked]] = True
        moves = np.zeros(left.shape, np.bool_)
        for name, values in after.items():
            moves |= values != state.get(name, 0)
        goes_on = moves & ~spiked
        left = left[goes_on]
        state = {name: np.broadcast_to(x, goes_on.shape)[goes_on] for name, x in after.items()}
        if left.size == 0:
            break
    return fires


def _steps(setting: Setting, delivery: Delivery) -> int:
    """Return in how many steps float passes its threshold if it ever does."""
    ratio = float(setting.plan.clock.step_ms) / delivery.population.tau_m_ms
    return min(LONGEST, max(STILL, int(TIME_CONSTANTS / ratio)))


def _fires_in_float(setting: Setting, delivery: Delivery, codes: Ints) -> tuple[Any, Any]:
    """Return which codes fire in float, and for which that is not within `COARSE` of the threshold."""
    p, clock = delivery.population, setting.plan.clock
    step = float(clock.step_ms) / clock.input_steps
    a = 1 - step / p.tau_m_ms
    if setting.target.membrane.integration == "exponential":
        a = float(np.exp(-step / p.tau_m_ms))
    lsb = float(setting.plan.synapses[delivery.name].lsb)
    theta = p.v_thresh - p.v_rest
    kept = a**clock.input_steps
    steady = codes * lsb * a / (1 - kept) if kept < 1 else np.full(codes.shape, np.inf)
    return steady > theta, np.abs(steady / theta - 1) > COARSE


def _not_reached(
    setting: Setting, delivery: Delivery, codes: Ints, drives: Ints, fires: Ints, count: int
) -> Outcome:
    lsb, theta = setting.plan.synapses[delivery.name].lsb, delivery.population.v_thresh
    never = ~fires
    code = int(codes[never][-1] if never.any() else codes[0])
    drive = int(drives[codes == code][0])
    kind = codes[never] if never.any() else codes
    span = f"code {code}" if kind.size == 1 else f"codes {kind.min()} to {kind.max()}"
    what = "never fires; in float it does" if never.any() else "fires; in float it never does"
    membrane = setting.target.membrane
    text = (
        f"membrane {membrane.format}, leak {leak_in_words(membrane)}: an input of {delivery.name} in every step with "
        f"weight {span} (up to {float(int(kind.max()) * lsb):.4g}, {drive} LSB; threshold {theta:g}) {what}"
    )
    steps = _steps(setting, delivery)
    frozen = at_weight(delivery.projection, setting.plan, delivery.name, code)
    frozen = still(frozen, setting.target)
    experiment = experiment_of(setting, delivery.population, frozen, steps=steps)
    case = case_of(setting, experiment, range(steps), seed=setting.seed)
    return broken(fires_otherwise, case, text, how=how_of_codes(setting), cases=count, code=code)


def fires_otherwise(e: Evidence) -> str | None:
    """Return whether chip and float differ in that they fire at all."""
    ideal = ended(lambda: kernel_run(e.case, rung="ideal"))
    if isinstance(e.kernel, str) or isinstance(ideal, str):
        return None
    for name in e.case.experiment.populations:
        spikes = [sum(s.size for s in run.spikes[name].steps) for run in (e.kernel, ideal)]
        if (spikes[0] == 0) != (spikes[1] == 0):
            return f"{name}: {spikes[0]} spikes on the target, {spikes[1]} in float"
    return None


LAWS = (
    Law(
        name="input-reaches-threshold",
        sentence="An input in every step brings the neuron over its threshold exactly if it does in float.",
        kind="arithmetic",
        judge=fires_otherwise,
        test=input_reaches_threshold,
    ),
)
