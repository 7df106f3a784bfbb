"""How far a membrane can go, by interval analysis: docs/spec/feasibility.md, "Range"."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from neuroemu.feasibility.delivery import LARGEST_WORD, charge
from neuroemu.feasibility.input import Push, excesses, pushes, together
from neuroemu.feasibility.search import first
from neuroemu.feasibility.step import (
    FAR,
    Driven,
    driven,
    from_rest,
    lands_at,
    rest_of,
    takes_at_once,
)
from neuroemu.feasibility.traffic import fan_in, onto
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.site import Site

Bounds = tuple[Fraction | None, Fraction | None]
"""In membrane LSB; None where nothing bounds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where the membrane of a population can be, in biological units from rest.

    Parameters
    ----------
    population : str
        Whose.
    excitation, inhibition : float
        What all synapses on one neuron deliver together in one step, the second 0 or below.
    one_step : (float, float)
        After one step's input, for a membrane that no inhibition has touched before.
    experiment : (float, float)
        At any time, whatever the input; infinite where nothing bounds it.
    bounded_by : (str, str)
        What bounds it below and above: ``start``, ``leak``, ``threshold``, ``floor`` or ``register``.
    threshold : float
        As the register has it.
    register : (float, float) or None
        Range of the format; None on an analog membrane.
    is_reachable, is_reachable_in_float : bool
        Whether some input brings the membrane over the threshold.
    """

    population: str
    excitation: float
    inhibition: float
    one_step: tuple[float, float]
    experiment: tuple[float, float]
    bounded_by: tuple[str, str]
    threshold: float
    register: tuple[float, float] | None
    is_reachable: bool
    is_reachable_in_float: bool


def membrane_site(d: Discretized) -> Site:
    """Return the site that cuts the membrane to its register when input comes."""
    return d.sites["input" if takes_at_once(d) else "membrane"]


def overflows(d: Discretized) -> tuple[str, ...]:
    """Return what happens to a membrane beyond its register: when input comes, and in a step of a chip's own."""
    sites = ["input"] if takes_at_once(d) else []
    sites += ["membrane"] if d.target.neuron is not None else []
    return tuple(d.sites[name].overflow for name in sites)


def starts(d: Discretized, name: str) -> tuple[Fraction, Fraction]:
    """Return the lowest and the highest membrane at which a neuron can begin, raw."""
    neuron, table = d.neurons[name], d.target.neuron
    rest = 0 if d.is_analog else rest_of(d, name)
    lands = 0 if table is not None and table.reset == "subtract" else neuron.reset
    found = [Fraction(x) for x in (rest, lands, neuron.v_init)]
    return min(found), max(found)


def highest_before_input(d: Discretized, name: str) -> int:
    """Return the highest membrane that has not fired: the threshold, or where a spike leaves it."""
    neuron = d.neurons[name]
    return max(int(neuron.threshold), lands_at(d, name))


def one_step(d: Discretized, name: str) -> tuple[Fraction, Fraction]:
    """Return where one step's input can take a membrane between its lowest start and its threshold, raw."""
    push, (lowest, _) = pushes(d, name), starts(d, name)
    if d.is_analog:
        return lowest + push.once[0], Fraction(d.neurons[name].threshold) + push.once[1]
    if takes_at_once(d):
        return lowest + push.once[0], highest_before_input(d, name) + push.once[1]
    low = driven(d, name)(int(lowest), int(push.once[0]), 0)
    return Fraction(min(low, int(lowest))), _from_threshold(d, name, push.once[1])


def _from_threshold(d: Discretized, name: str, current: Fraction) -> Fraction:
    """Return the highest membrane of a step with a current; one more where the membrane before it is tested."""
    step, table, v = driven(d, name), d.target.neuron, highest_before_input(d, name)
    for _ in range(2 if table is not None and table.tests == "unleaked" else 1):
        v = max(v, step(v, int(current), LARGEST_WORD))
    return Fraction(v)


def reaches(d: Discretized) -> tuple[Reach, ...]:
    """Return how far each population's membrane can go."""
    return tuple(_reach(d, name) for name in d.experiment.populations)


def _reach(d: Discretized, name: str) -> Reach:
    lsb, zero = d.membrane_lsb or Fraction(1), from_rest(d, name)
    push, once = pushes(d, name), one_step(d, name)
    upper, above = _upper(d, name, push, once[1])
    lower, below = _lower(d, name, push, upper)
    is_reachable = crosses(d, name, push)
    if d.target.neuron is None and is_reachable and d.neurons[name].refractory_steps == 0:
        upper, above = after_leak(d, name, upper or once[1]) + push.once[1], "threshold"
    held: tuple[float, float] | None = None
    one: Bounds = once
    experiment: Bounds = (lower, upper)
    if not d.is_analog:
        site = membrane_site(d)
        held = (float(site.lo * lsb + zero), float(site.hi * lsb + zero))
        if any(d.sites[e.site].overflow == "wrap" for e in excesses(d, name)):
            experiment = (None, None)  # what wraps on its way may push anywhere
        one, _ = _cut(d, one, ("", ""))
        experiment, (below, above) = _cut(d, experiment, (below, above))
        if "wrap" in overflows(d) and above == below == "register":  # from below, too
            is_reachable = crosses(d, name, push, peak=Fraction(site.hi))
    low, high = (charge(d, name, total) for total in together(d, name))

    def biological(bounds: Bounds) -> tuple[float, float]:
        ends = zip(bounds, (-math.inf, math.inf), strict=True)
        low, high = (end if x is None else float(x * lsb + zero) for x, end in ends)
        return low, high

    return Reach(
        population=name,
        excitation=float(high * lsb),
        inhibition=float(low * lsb),
        one_step=biological(one),
        experiment=biological(experiment),
        bounded_by=(below, above),
        threshold=float((Fraction(d.neurons[name].threshold) + _at_equality(d)) * lsb + zero),
        register=held,
        is_reachable=is_reachable,
        is_reachable_in_float=_crosses_in_float(d, name),
    )


def _at_equality(d: Discretized) -> int:
    """Return what the raw threshold is short of, where a neuron fires at it."""
    return int(d.target.membrane.fires == "at_or_above" and not d.is_analog)


def _cut(d: Discretized, interval: Bounds, by: tuple[str, str]) -> tuple[Bounds, tuple[str, str]]:
    """Return what the register leaves of an interval, and what bounds it then."""
    site = membrane_site(d)
    low, high = interval
    leaves = (low is None or low < site.lo, high is None or high > site.hi)
    if "wrap" in overflows(d) and any(leaves):
        return (Fraction(site.lo), Fraction(site.hi)), ("register", "register")
    cut = (Fraction(site.lo) if leaves[0] else low, Fraction(site.hi) if leaves[1] else high)
    return cut, ("register" if leaves[0] else by[0], "register" if leaves[1] else by[1])


# Bounds of a whole run


def _upper(d: Discretized, name: str, push: Push, top: Fraction) -> tuple[Fraction | None, str]:
    """Return the upper bound, None if there is none, and what it is."""
    _, start = starts(d, name)
    climb = _climb(d, name, push, start)
    if not takes_at_once(d) and push.ever[1] is not None:
        top = _from_threshold(d, name, push.ever[1])
    if _is_left_above(d, name, top) or (not takes_at_once(d) and push.ever[1] is None):
        return climb, "leak"
    if climb is not None and climb <= top:
        return (start, "start") if climb <= start else (climb, "leak")
    return (start, "start") if top <= start else (top, "threshold")


def _is_left_above(d: Discretized, name: str, top: Fraction) -> bool:
    """Whether so many spikes as one step can make do not bring a membrane back under its threshold."""
    table, neuron = d.target.neuron, d.neurons[name]
    if table is None or table.reset != "subtract":
        return False
    return bool(top - table.most_spikes * int(neuron.reset) > neuron.threshold)


def _lands_lowest(d: Discretized, name: str, push: Push, upper: Fraction | None) -> int:
    """Return the lowest membrane that a subtracted threshold leaves, where the membrane before the leak is tested."""
    neuron, hi = d.neurons[name], d.sites["membrane"].hi
    highest = hi if upper is None else min(int(upper), hi)
    after = driven(d, name)(highest, int(push.ever[0] or 0), 0)
    return int(neuron.threshold) + 1 - int(neuron.reset) - max(highest - after, 0)


def _lower(
    d: Discretized, name: str, push: Push, upper: Fraction | None
) -> tuple[Fraction | None, str]:
    """Return the lower bound, None if there is none, and what it is."""
    start, _ = starts(d, name)
    low, table = push.ever[0], d.target.neuron
    if table is not None and (table.reset, table.tests) == ("subtract", "unleaked"):
        start = min(start, Fraction(_lands_lowest(d, name, push, upper)))
    if low == 0 and _stays_above(d, name, start):
        return start, "start"
    if low is None:
        return None, "leak"
    if d.is_analog:
        multiplier = d.neurons[name].multiplier
        return (None, "leak") if multiplier == 1 else (min(start, low / (1 - multiplier)), "leak")
    step = driven(d, name)
    far = -4 * int(d.sites["leak"].hi) + min(int(start), 0)
    if step(far, int(low), 0) <= far:
        return None, "leak"
    found = -Fraction(first(lambda x: step(-x, int(low), 0) >= -x, -int(start)))
    if table is not None and takes_at_once(d):  # input may meet a membrane that was just reset
        found = min(found, lands_at(d, name) + low)
    by_floor = table is not None and table.floor is not None
    return min(found, start), "floor" if by_floor else "leak"


def _stays_above(d: Discretized, name: str, start: Fraction) -> bool:
    """Whether a step without input takes no membrane below where it starts."""
    return d.is_analog or driven(d, name)(int(start), 0, 0) >= start


def _climb(d: Discretized, name: str, push: Push, start: Fraction) -> Fraction | None:
    """Return where the membrane stops climbing if all excitation comes in every step; None if nowhere."""
    high, multiplier = push.ever[1], d.neurons[name].multiplier
    if high is None:
        return None
    if high == 0 and d.target.neuron is None:
        return start
    if d.is_analog:
        return None if multiplier == 1 else max(start, high / (1 - multiplier))
    step = driven(d, name)
    far = 4 * int(d.sites["leak"].hi) + max(int(start), 0)
    if step(far, int(high), LARGEST_WORD) > far:
        return None
    return Fraction(first(lambda x: step(x, int(high), LARGEST_WORD) <= x, int(start)))


def after_leak(d: Discretized, name: str, v: Fraction) -> Fraction:
    """Return the highest membrane that a step without input can leave of `v`."""
    if d.is_analog:
        return v * d.neurons[name].multiplier
    return Fraction(driven(d, name)(int(v), 0, LARGEST_WORD))


def tested(d: Discretized, name: str, push: Push, peak: Fraction) -> Fraction:
    """Return the highest membrane that meets the threshold after `peak`."""
    table = d.target.neuron
    if table is not None and (table.tests == "unleaked" or table.evaluation == "event"):
        return peak
    step: Driven | None = None if d.is_analog else driven(d, name)
    if step is None or takes_at_once(d):
        return after_leak(d, name, peak)
    return Fraction(step(int(peak), int(push.ever[1] or 0), LARGEST_WORD))


def crosses(d: Discretized, name: str, push: Push, peak: Fraction | None = None) -> bool:
    """Return whether the membrane passes its threshold; saturated at the end of its register it may not."""
    if peak is None:
        climb = _climb(d, name, push, starts(d, name)[1])
        if climb is None and d.is_analog:
            return True
        peak = Fraction(FAR) if climb is None else climb
    if not d.is_analog:
        peak = min(peak, Fraction(membrane_site(d).hi))
    return bool(tested(d, name, push, peak) > d.neurons[name].threshold)


def _crosses_in_float(d: Discretized, name: str) -> bool:
    population, dt = d.experiment.populations[name], decimal(d.experiment.time.dt_ms)
    total = Fraction(0)
    for _, projection in onto(d.experiment, name):
        rule = projection.plasticity
        largest = decimal(projection.weight if rule is None else rule.w_max)
        total += max(largest, Fraction(0)) * fan_in(d.experiment, projection)
    ratio = dt / decimal(population.tau_m_ms)
    peak = max(total / ratio, decimal(population.v_init) - decimal(population.v_rest))
    return peak * (1 - ratio) > decimal(population.v_thresh) - decimal(population.v_rest)
