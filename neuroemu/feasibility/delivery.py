"""What one spike delivers to the membrane, by whatever way the chip takes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from neuroemu.feasibility.step import current_after, takes_at_once
from neuroemu.feasibility.traffic import codes, learns
from neuroemu.models.discretize_synapse import place_of_input
from neuroemu.models.registers import Discretized
from neuroemu.numeric.ops import requantize, rounded
from neuroemu.numeric.site import WORD_BITS

LARGEST_WORD = 2**WORD_BITS - 1

MOST_STEPS = 2000
"""A current is followed no further; what is left then decays as its multiplier says."""


def place_lsb(d: Discretized) -> Fraction:
    """Return the LSB of the register that a spike's input goes to; 1 on an analog membrane."""
    lsb = place_of_input(d.target, d.synapses, d.membrane_lsb)
    return Fraction(1) if lsb is None else lsb


def drive_of(d: Discretized, name: str, code: int, word: int = 0) -> int:
    """Return what the site ``drive`` makes of a weight's code, in LSB of the place that it goes to."""
    return int(requantize(code * d.synapses[name].gain, d.sites["drive"].as_fixed(), word))


def charge(d: Discretized, population: str, drive: Fraction) -> Fraction:
    """Return what an input adds to a membrane in all, in membrane LSB, if nothing leaks meanwhile.

    Between a membrane and a current with a resistance only the part that the membrane takes in a step counts.
    """
    if takes_at_once(d):
        return drive
    neuron, table = d.neurons[population], d.target.neuron
    if neuron.chip is None or table is None:
        return drive
    after = current_after(d, population)
    if table.input == "buffer":
        start = drive * d.buffer_scale
        total = start + _collected(after, start, neuron.chip.current.multiplier)
    else:  # it decays before it is used
        total = _collected(after, drive, neuron.chip.current.multiplier)
    if table.resistance is None:
        return total
    c = neuron.chip
    return total * Fraction(c.resistance, c.resistance_unit) * (1 - neuron.multiplier)


def _collected(after: Callable[[int], int], start: Fraction, multiplier: Fraction) -> Fraction:
    """Return the sum of what a current is in all steps to come."""
    x, total = int(start), Fraction(0)
    for _ in range(MOST_STEPS):
        left = after(x)
        if left == 0:
            return total
        if left == x:
            break
        x, total = left, total + left
    return total + (x * multiplier / (1 - multiplier) if multiplier < 1 else 0)


def delivered(d: Discretized, name: str, code: int, word: int = 0) -> Fraction:
    """Return what a spike adds to the membrane, in biological units, for one random word."""
    if d.membrane_lsb is None:
        return code * d.synapses[name].lsb
    post = d.experiment.projections[name].post
    return charge(d, post, Fraction(drive_of(d, name, code, word))) * d.membrane_lsb


def mean_delivered(d: Discretized, name: str, code: int) -> Fraction:
    """Return what a spike adds on average; differs from one word only where the drive is stochastic."""
    if d.membrane_lsb is None or not d.sites["drive"].is_stochastic:
        return delivered(d, name, code)
    site, post = d.sites["drive"], d.experiment.projections[name].post
    exact = Fraction(code * d.synapses[name].gain, 2**site.shift)
    mean = min(max(exact, Fraction(site.lo)), Fraction(site.hi))
    return charge(d, post, mean) * d.membrane_lsb


def drive_range(d: Discretized, name: str) -> tuple[Fraction, Fraction]:
    """Return the least and the most that one spike brings, over all codes and words, in LSB of where it goes.

    Where a code in between may wrap at the site ``drive`` it is the whole register. On an analog membrane: biological
    units.
    """
    if d.membrane_lsb is None:
        values = [c * d.synapses[name].lsb for c in codes(d, name)]
        return min(values), max(values)
    site, gain = d.sites["drive"], d.synapses[name].gain
    ends = [(c, w) for c in codes(d, name) for w in (0, LARGEST_WORD)]
    if site.overflow == "wrap" and learns(d, name):
        wide = [rounded(c * gain, site.as_fixed(), w) for c, w in ends]
        if not site.lo <= min(wide) <= max(wide) <= site.hi:
            return Fraction(site.lo), Fraction(site.hi)
    drives = [Fraction(drive_of(d, name, c, w)) for c, w in ends]
    return min(drives), max(drives)


def excites(d: Discretized, name: str) -> bool:
    """Whether a spike of a projection can raise the membrane."""
    return drive_range(d, name)[1] > 0
