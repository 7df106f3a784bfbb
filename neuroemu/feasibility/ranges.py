"""How far a membrane can go, by interval analysis: docs/spec/feasibility.md, "Range"."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from neuroemu.feasibility.findings import WIDEN_MEMBRANE, Finding, Severity
from neuroemu.feasibility.leak import raw_multiplier
from neuroemu.feasibility.search import first
from neuroemu.feasibility.traffic import (
    LARGEST_WORD,
    codes,
    drive_range,
    fan_in,
    learns,
    onto,
    spikes_at_once,
)
from neuroemu.models.registers import Discretized
from neuroemu.numeric.constants import decimal
from neuroemu.numeric.ops import requantize

FAR = 2**200
"""Further than any membrane gets: Python ints have no width."""

Bounds = tuple[Fraction | None, Fraction]
"""In membrane LSB; None where nothing bounds it below."""


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
        What bounds it below and above: ``start``, ``leak``, ``threshold`` or ``register``.
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


def reaches(d: Discretized) -> tuple[Reach, ...]:
    """Return how far each population's membrane can go."""
    return tuple(_reach(d, name) for name in d.experiment.populations)


def together(d: Discretized, population: str) -> tuple[Fraction, Fraction]:
    """Return the sums of inhibition and of excitation that can meet one neuron in one step."""
    low = high = Fraction(0)
    for name, projection in onto(d.experiment, population):
        spikes = fan_in(d.experiment, projection) * spikes_at_once(d, projection.pre)
        least, most = drive_range(d, name)
        low += min(least, Fraction(0)) * spikes
        high += max(most, Fraction(0)) * spikes
    return low, high


def _reach(d: Discretized, name: str) -> Reach:
    neuron = d.neurons[name]
    lsb = d.membrane_lsb or Fraction(1)
    low, high = (total / lsb for total in together(d, name))
    threshold, reset = Fraction(neuron.threshold), Fraction(neuron.reset)
    starts = (Fraction(0), reset, Fraction(neuron.v_init))
    climb = _climb(d, name, high, max(starts))
    top = threshold + high
    upper, above = (climb, "leak") if climb is not None and climb <= top else (top, "threshold")
    if upper <= max(starts):
        upper, above = max(starts), "start"
    is_reachable = _crosses(d, name, climb, max(starts))
    if is_reachable and neuron.refractory_steps == 0:
        upper, above = _after_leak(d, name, upper) + high, "threshold"  # until the reset
    lower, below = _sink(d, name, low, min(starts)), "leak"
    if lower == min(starts):
        below = "start"
    one_step: Bounds = (min(starts) + low, top)
    experiment: Bounds = (lower, upper)
    held: tuple[float, float] | None = None
    if not d.is_analog:
        site = d.sites["input"]
        held = (float(site.lo * lsb), float(site.hi * lsb))
        one_step, _ = _cut(d, one_step, ("", ""))
        experiment, (below, above) = _cut(d, experiment, (below, above))
        if site.overflow == "wrap" and above == below == "register":  # from below, too
            is_reachable = _crosses(d, name, Fraction(site.hi), Fraction(site.hi))
    return Reach(
        population=name,
        excitation=float(high * lsb),
        inhibition=float(low * lsb),
        one_step=(_scaled(one_step[0], lsb), _scaled(one_step[1], lsb)),
        experiment=(_scaled(experiment[0], lsb), _scaled(experiment[1], lsb)),
        bounded_by=(below, above),
        threshold=float(threshold * lsb),
        register=held,
        is_reachable=is_reachable,
        is_reachable_in_float=_crosses_in_float(d, name),
    )


def _scaled(value: Fraction | None, lsb: Fraction) -> float:
    return -math.inf if value is None else float(value * lsb)


def _cut(d: Discretized, interval: Bounds, by: tuple[str, str]) -> tuple[Bounds, tuple[str, str]]:
    """Return what the register leaves of an interval, and what bounds it then."""
    site = d.sites["input"]
    low, high = interval
    leaves = (low is None or low < site.lo, high > site.hi)
    if site.overflow == "wrap" and any(leaves):
        return (Fraction(site.lo), Fraction(site.hi)), ("register", "register")
    cut = (Fraction(site.lo) if leaves[0] else low, Fraction(site.hi) if leaves[1] else high)
    return cut, ("register" if leaves[0] else by[0], "register" if leaves[1] else by[1])


def _leaking(d: Discretized, name: str) -> Callable[[int, int], int]:
    """Return the leak of a population without a range: bounds are cut at the end, once."""
    multiplier = raw_multiplier(d, name)
    site = replace(d.sites["leak"], lo=-FAR, hi=FAR, overflow="saturate").as_fixed()
    return lambda v, word: int(requantize(multiplier * v, site, word))


def _climb(d: Discretized, name: str, high: Fraction, start: Fraction) -> Fraction | None:
    """Return where the membrane stops climbing if all excitation comes in every step; None if nowhere."""
    multiplier = d.neurons[name].multiplier
    if high == 0:
        return start
    if multiplier == 1:
        return None
    if d.is_analog:
        return max(start, high / (1 - multiplier))
    leaked = _leaking(d, name)
    return Fraction(first(lambda x: leaked(x, LARGEST_WORD) + int(high) <= x, int(start)))


def _sink(d: Discretized, name: str, low: Fraction, start: Fraction) -> Fraction | None:
    """Return where the membrane stops falling if all inhibition comes in every step; None if nowhere."""
    multiplier = d.neurons[name].multiplier
    if low == 0:
        return start
    if multiplier == 1:
        return None
    if d.is_analog:
        return min(start, low / (1 - multiplier))
    leaked = _leaking(d, name)
    return -Fraction(first(lambda x: leaked(-x, 0) + int(low) >= -x, -int(start)))


def _after_leak(d: Discretized, name: str, v: Fraction) -> Fraction:
    """Return the highest membrane that a leak can leave of `v`."""
    if d.is_analog:
        return v * d.neurons[name].multiplier
    return Fraction(_leaking(d, name)(int(v), LARGEST_WORD))


def _crosses(d: Discretized, name: str, climb: Fraction | None, start: Fraction) -> bool:
    """Return whether the membrane passes its threshold; saturated at the end of its register it may not."""
    if climb is None:
        return True
    peak = max(climb, start)
    if not d.is_analog:
        peak = min(peak, Fraction(d.sites["input"].hi))
    return bool(_after_leak(d, name, peak) > d.neurons[name].threshold)


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


def range_findings(d: Discretized, found: tuple[Reach, ...]) -> Iterator[Finding]:
    """Yield which membranes can leave their register, or never reach their threshold."""
    for reach in found:
        if reach.is_reachable_in_float and not reach.is_reachable:
            yield Finding(
                kind="unreachable",
                key=f"populations.{reach.population}.v_thresh",
                sentence=f"no input brings {reach.population} over its threshold of {reach.threshold:g}: with all "
                f"inputs in every step it reaches {reach.experiment[1]:.4g}",
                remedy=WIDEN_MEMBRANE
                if reach.bounded_by[1] == "register"
                else "add fraction bits to membrane.format, or to membrane.leak.format",
                register="" if d.is_analog else "membrane.format",
            )
        if not d.is_analog:
            yield from _membrane(d, reach)
    if not d.is_analog:
        for name in d.experiment.projections:
            yield from _one_spike(d, name)


def _membrane(d: Discretized, reach: Reach) -> Iterator[Finding]:
    site, lsb = d.sites["input"], d.membrane_lsb or Fraction(1)
    neuron = d.neurons[reach.population]
    low, high = (x / lsb for x in together(d, reach.population))
    lowest = min(Fraction(0), Fraction(neuron.reset), Fraction(neuron.v_init)) + low
    highest = neuron.threshold + high
    if site.overflow == "error" and neuron.refractory_steps == 0 and reach.is_reachable:
        highest = _after_leak(d, reach.population, highest) + high  # until the reset
    if site.lo <= lowest and highest <= site.hi:
        if site.overflow != "saturate" and "register" in reach.bounded_by:
            yield _in_many_steps(d, reach)
        return
    pulled_down = site.hi + int(low)  # by what comes after the cut, in the same step
    still_fires = _leaking(d, reach.population)(pulled_down, 0) > neuron.threshold
    kind, what = _overflow_kind(site.overflow)
    level: Severity = "problem"
    if site.overflow == "saturate":
        level = "note"
        if lowest >= site.lo and still_fires:
            return  # it is cut above the threshold, and fires all the same
    yield Finding(
        kind=kind,
        key="membrane.format",
        sentence=f"in one step the membrane of {reach.population} can go from {float(lowest * lsb):g} to "
        f"{float(highest * lsb):g}, {d.target.membrane.format} holds {float(site.lo * lsb):g} to "
        f"{float(site.hi * lsb):g}: it {what}",
        remedy=WIDEN_MEMBRANE,
        severity=level,
        register="membrane.format",
    )


def _in_many_steps(d: Discretized, reach: Reach) -> Finding:
    """Return the note that only input in step after step leaves the register."""
    kind, what = _overflow_kind(d.sites["input"].overflow)
    return Finding(
        kind=kind,
        key="membrane.format",
        sentence=f"input in step after step can take the membrane of {reach.population} out of "
        f"{d.target.membrane.format}: it {what}",
        remedy=WIDEN_MEMBRANE,
        severity="note",
        register="membrane.format",
    )


def _overflow_kind(overflow: str) -> tuple[str, str]:
    return {
        "wrap": ("wraps", "wraps to the other sign"),
        "error": ("refused", "overflows, and the run would be refused"),
        "saturate": ("clips", "saturates"),
    }[overflow]


def _one_spike(d: Discretized, name: str) -> Iterator[Finding]:
    """Yield a finding where the site ``drive`` cuts what a single spike delivers."""
    site, synapse = d.sites["drive"], d.synapses[name]
    wide = [Fraction(c * synapse.gain, 2**site.shift) for c in codes(d, name)]
    most, least = max(wide), min(wide)
    if site.lo <= least and most <= site.hi:
        return
    post = d.experiment.projections[name].post
    neuron, lsb = d.neurons[post], float(d.membrane_lsb or 1)
    kind, what = _overflow_kind(site.overflow)
    fires = _leaking(d, post)(min(neuron.reset, 0) + site.hi, 0) > neuron.threshold
    harmless = site.overflow == "saturate" and least >= site.lo and fires
    worst = most if most > site.hi else least
    weight = "its largest weight" if learns(d, name) else "its weight"
    yield Finding(
        kind=kind,
        key="membrane.format",
        sentence=f"a spike through {name} at {weight} delivers {float(worst) * lsb:g}, {d.target.membrane.format} "
        f"holds {site.lo * lsb:g} to {site.hi * lsb:g}: it {what}",
        remedy=WIDEN_MEMBRANE,
        severity="note" if harmless else "problem",
        register="membrane.format",
    )
