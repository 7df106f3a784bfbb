"""Which membranes, currents and buffers can leave their register: docs/spec/feasibility.md, "Range"."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from neuroemu.feasibility.delivery import LARGEST_WORD, charge, place_lsb
from neuroemu.feasibility.findings import WIDEN_MEMBRANE, Finding, Severity
from neuroemu.feasibility.input import excesses, place_of_sums, pushes
from neuroemu.feasibility.ranges import (
    Reach,
    after_leak,
    membrane_site,
    one_step,
    overflows,
    tested,
)
from neuroemu.feasibility.step import FAR, driven, from_rest, takes_at_once
from neuroemu.feasibility.traffic import codes, learns
from neuroemu.hardware.config import Target
from neuroemu.models.registers import Discretized
from neuroemu.numeric.format import Format
from neuroemu.numeric.ops import rounded


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
            yield from _on_the_way(d, reach.population)
    if not d.is_analog:
        for name in d.experiment.projections:
            yield from _one_spike(d, name)


def _membrane(d: Discretized, reach: Reach) -> Iterator[Finding]:
    site, lsb, name = membrane_site(d), d.membrane_lsb or Fraction(1), reach.population
    neuron, zero = d.neurons[name], from_rest(d, name)
    lowest, highest = one_step(d, name)
    is_event_free = d.target.neuron is None and neuron.refractory_steps == 0
    if site.overflow == "error" and is_event_free and reach.is_reachable:
        highest = after_leak(d, name, highest) + pushes(d, name).once[1]  # until the reset
    if site.lo <= lowest and highest <= site.hi:
        yield from _in_many_steps(d, reach)
        return
    if d.target.neuron is not None:
        yield from _in_many_steps(d, reach)
    kind, what = _overflow_kind(site.overflow)
    level: Severity = "problem"
    if site.overflow == "saturate":
        level = "note"
        if lowest >= site.lo and _still_fires(d, name):
            return  # it is cut above the threshold, and fires all the same
    yield Finding(
        kind=kind,
        key="membrane.format",
        sentence=f"in one step the membrane of {name} can go from {float(lowest * lsb + zero):g} to "
        f"{float(highest * lsb + zero):g}, {d.target.membrane.format} holds {float(site.lo * lsb + zero):g} to "
        f"{float(site.hi * lsb + zero):g}: it {what}",
        remedy=WIDEN_MEMBRANE,
        severity=level,
        register="membrane.format",
    )


def _still_fires(d: Discretized, name: str) -> bool:
    """Whether a membrane that was cut fires, pulled down by what comes after the cut in the same step."""
    site, threshold = membrane_site(d), d.neurons[name].threshold
    if not takes_at_once(d):  # it is cut and tested at once
        return bool(site.hi > threshold)
    pushed = pushes(d, name)
    return bool(tested(d, name, pushed, Fraction(site.hi + int(pushed.once[0]))) > threshold)


def _in_many_steps(d: Discretized, reach: Reach) -> Iterator[Finding]:
    """Yield the note that only the leak, or input in step after step, leaves the register."""
    if "register" not in reach.bounded_by:
        return
    for overflow in dict.fromkeys(overflows(d)):
        if overflow == "saturate":
            continue
        kind, what = _overflow_kind(overflow)
        how = (
            "input in step after step"
            if d.target.neuron is None
            else "leak or input, step after step,"
        )
        yield Finding(
            kind=kind,
            key="membrane.format",
            sentence=f"{how} can take the membrane of {reach.population} out of {d.target.membrane.format}: it {what}",
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


def _on_the_way(d: Discretized, population: str) -> Iterator[Finding]:
    """Yield which registers between a spike and the membrane do not hold all that can come."""
    for excess in excesses(d, population):
        site, lsb = d.sites[excess.site], _lsb_of(d, excess.site)
        is_refused = d.target.membrane.overflow == "error" and excess.site != "input"
        overflow = "error" if is_refused else site.overflow  # they are counted together
        kind, what = _overflow_kind(overflow)
        span = [f"{float(x * lsb):.4g}" if abs(x) < FAR else "any value" for x in excess.span]
        when = "in one step" if excess.at_once else "input in step after step:"
        form = _format(d.target, excess.key)
        yield Finding(
            kind=kind,
            key=excess.key,
            sentence=f"{when} {WAYS[excess.site]} of {population} can come to {span[0]} to {span[1]}, {form} holds "
            f"{float(site.lo * lsb):.4g} to {float(site.hi * lsb):.4g}: it {what}",
            remedy=f"widen {excess.key} in front of the point",
            severity="problem" if excess.at_once and overflow != "saturate" else "note",
            register=excess.key,
        )


WAYS = {
    "input": "the sum of inputs",
    "current": "the current",
    "force": "what the current does to the membrane",
    "slope": "the change of the membrane",
}


def _lsb_of(d: Discretized, site: str) -> Fraction:
    if site == "input":
        return place_lsb(d)
    if site == "current":
        return place_lsb(d) / d.buffer_scale
    return d.membrane_lsb or Fraction(1)


def _format(target: Target, key: str) -> Format | None:
    table = target.neuron
    if table is None or key == "membrane.format":
        return target.membrane.format
    if key == "neuron.buffer.format":
        return table.buffer.format
    return None if table.current is None else table.current.format


def _one_spike(d: Discretized, name: str) -> Iterator[Finding]:
    """Yield a finding where the site ``drive`` cuts what a single spike delivers."""
    site, synapse, lsb = d.sites["drive"], d.synapses[name], place_lsb(d)
    ends = [(c * synapse.gain, w) for c in codes(d, name) for w in (0, LARGEST_WORD)]
    wide = [int(rounded(x, site.as_fixed(), w)) for x, w in ends]
    most, least = max(wide), min(wide)
    if site.lo <= least and most <= site.hi:
        return
    post, key = d.experiment.projections[name].post, place_of_sums(d)
    neuron = d.neurons[post]
    kind, what = _overflow_kind(site.overflow)
    highest = driven(d, post)(min(int(neuron.reset), 0), _acts(d, post, site.hi), 0)
    highest = int(after_leak(d, post, Fraction(highest))) if takes_at_once(d) else highest
    harmless = site.overflow == "saturate" and least >= site.lo and highest > neuron.threshold
    worst = most if most > site.hi else least
    weight = "its largest weight" if learns(d, name) else "its weight"
    yield Finding(
        kind=kind,
        key=key,
        sentence=f"a spike through {name} at {weight} delivers {float(worst * lsb):g}, {_format(d.target, key)} "
        f"holds {float(site.lo * lsb):g} to {float(site.hi * lsb):g}: it {what}",
        remedy=f"widen {key} in front of the point",
        severity="note" if harmless else "problem",
        register=key,
    )


def _acts(d: Discretized, population: str, drive: int) -> int:
    """Return what a drive is when it first moves the membrane."""
    if takes_at_once(d):
        return drive
    return int(charge(d, population, Fraction(drive)))
