"""What all synapses on a neuron bring together, in one step and in step after step."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from neuroemu.feasibility.delivery import drive_range
from neuroemu.feasibility.search import first
from neuroemu.feasibility.step import FAR, current_after, takes_at_once
from neuroemu.feasibility.traffic import fan_in, onto, spikes_at_once
from neuroemu.models.chip import ChipRegisters, bias_joins_current
from neuroemu.models.registers import Discretized


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What moves a membrane in a step: input, or the current that it has become.

    Parameters
    ----------
    once : (Fraction, Fraction)
        Of one step's input alone: inhibition, 0 or below, and excitation; LSB of membrane or current.
    ever : (Fraction or None, Fraction or None)
        Of the same input in every step; None where a current grows without end.
    """

    once: tuple[Fraction, Fraction]
    ever: tuple[Fraction | None, Fraction | None]


def together(d: Discretized, population: str) -> tuple[Fraction, Fraction]:
    """Return the sums of inhibition and of excitation that can meet one neuron in one step.

    In LSB of the register that they go to; on an analog membrane in biological units.
    """
    low = high = Fraction(0)
    for name, projection in onto(d.experiment, population):
        spikes = fan_in(d.experiment, projection) * spikes_at_once(d, projection.pre)
        least, most = drive_range(d, name)
        low += min(least, Fraction(0)) * spikes
        high += max(most, Fraction(0)) * spikes
    return low, high


def place_of_sums(d: Discretized) -> str:
    """Return the key of the register in which the input of a step is summed."""
    table = d.target.neuron
    place = "membrane" if table is None else table.input
    return {"membrane": "membrane.format", "current": "neuron.current.format"}.get(
        place, "neuron.buffer.format"
    )


def pushes(d: Discretized, population: str) -> Push:
    """Return what moves the membrane of a population, at worst."""
    low, high = together(d, population)
    if takes_at_once(d):
        return Push(once=(low, high), ever=(low, high))
    site = d.sites["input"]
    if site.overflow == "saturate":
        low, high = max(low, -_most(d)), min(high, Fraction(site.hi))
    before, after = _course(d, population, high)
    negative = _course(d, population, -low)
    return Push(
        once=(-negative[0], before),
        ever=(None if negative[1] is None else -negative[1], after),
    )


def _most(d: Discretized) -> Fraction:
    """Return the most inhibition that fits: in a register of its own, or below 0."""
    table, site = d.target.neuron, d.sites["input"]
    is_split = table is not None and table.channels == "two"
    return Fraction(site.hi if is_split else -site.lo)


def _course(d: Discretized, population: str, total: Fraction) -> tuple[Fraction, Fraction | None]:
    """Return the current that acts after one step's input, and after the same input in every step."""
    after, table, chip = current_after(d, population), d.target.neuron, d.neurons[population].chip
    if table is None or chip is None:
        raise ValueError("only a chip's own step collects its input")
    amount = int(total * (d.buffer_scale if table.input == "buffer" else 1))
    before_use = table.input == "current"
    once = after(amount) if before_use else amount
    if chip.current.multiplier == 1 and chip.current.least == 0:
        return Fraction(once), None if amount else Fraction(0)
    most = first(lambda x: after(x) + amount <= x, 0)
    return Fraction(once), Fraction(after(most) if before_use else most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """A register on the way to the membrane that input can leave.

    Parameters
    ----------
    site : str
        ``input``, ``current``, ``force`` or ``slope``.
    key : str
        Of the register's format.
    span : (Fraction, Fraction)
        What can meet it, raw.
    at_once : bool
        Whether the input of one step does it; else only that of many.
    """

    site: str
    key: str
    span: tuple[Fraction, Fraction]
    at_once: bool


def excesses(d: Discretized, population: str) -> tuple[Excess, ...]:
    """Return the registers between a spike and the membrane that do not hold all that can come."""
    table, chip = d.target.neuron, d.neurons[population].chip
    if table is None or chip is None or takes_at_once(d):
        return ()
    push, found = pushes(d, population), []
    low, high = together(d, population)
    if not _fits(d, "input", (low, high)):
        excess = Excess(site="input", key=place_of_sums(d), span=(low, high), at_once=True)
        found.append(excess)
    keys = {
        "current": "neuron.current.format",
        "force": "membrane.format",
        "slope": "membrane.format",
    }
    if bias_joins_current(table):
        keys["force"] = "neuron.current.format"
    for site, key in keys.items():
        if d.sites[site].never_overflows:
            continue
        for pair in (push.once, push.ever):
            span = _meets(d, pair, chip, site)
            if not _fits(d, site, span):
                is_once = pair is push.once
                found.append(Excess(site=site, key=key, span=span, at_once=is_once))
                break
    return tuple(found)


def _meets(
    d: Discretized,
    pair: tuple[Fraction | None, Fraction | None],
    chip: ChipRegisters,
    site: str,
) -> tuple[Fraction, Fraction]:
    """Return what meets a site for currents of a range; endless ones are further than any register."""
    low = Fraction(-FAR) if pair[0] is None else pair[0]
    high = Fraction(FAR) if pair[1] is None else pair[1]
    table = d.target.neuron
    if site == "current" or table is None:
        return low, high
    factor = Fraction(chip.resistance, chip.resistance_unit)
    joins = bias_joins_current(table)
    if site == "force":
        bias = chip.bias if joins else 0
        return low * factor + bias, high * factor + bias
    ends = [Fraction(e) for e in (d.sites["membrane"].lo, d.sites["membrane"].hi)]
    if table.resistance is not None:  # the distance to the input decays
        ends = [ends[0] - high * factor, ends[1] - low * factor]
        low = high = Fraction(0)
    taken = [(1 - chip.leak.multiplier) * e for e in ends]
    least = chip.leak.least + 1  # and what the rounding takes
    return low - max(taken[1], Fraction(0)) - least + min(chip.bias, 0), (
        high - min(taken[0], Fraction(0)) + least + max(chip.bias, 0)
    )


def _fits(d: Discretized, site: str, span: tuple[Fraction, Fraction]) -> bool:
    table, s = d.target.neuron, d.sites[site]
    is_split = site in ("input", "current") and table is not None and table.channels == "two"
    lowest = -s.hi if is_split else s.lo
    return lowest <= span[0] and span[1] <= s.hi
