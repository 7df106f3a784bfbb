"""The learning engine of Loihi 1: docs/spec/loihi-learning.md, scalar and pure.

The parameters and sites of a trace, a term and a weight come from
`neuroemu.models.loihi_registers`. Every text runs on Python ints and compiled alike; those that draw
take their random word as `bits`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroemu.numeric.ops import requantize


class TraceParams(NamedTuple):
    """Factor per step and impulse, each in the scale that its site drops; one trace LSB in the latter."""

    decay: Any
    unit: Any
    impulse: Any


class TraceSites(NamedTuple):
    """Where a trace narrows."""

    decay: Any
    impulse: Any


class Variables(NamedTuple):
    """What the three factors of a term look at; 0 for a constant alone or no factor."""

    first: Any
    second: Any
    third: Any


class Term(NamedTuple):
    """One term of a rule: mantissa, power of two of its exponent, constants of the factors."""

    mantissa: Any
    scale: Any
    first: Any
    second: Any
    third: Any


class TermSites(NamedTuple):
    """Where a term narrows: its factors, their product, its value, the accumulator."""

    first: Any
    second: Any
    third: Any
    product: Any
    term: Any
    accumulate: Any


class WeightParams(NamedTuple):
    """Units of a weight: in the accumulator, of its grid, of its exponent, of what it delivers."""

    unit: Any
    step: Any
    gain: Any
    delivered: Any


class WeightSites(NamedTuple):
    """Where a weight narrows."""

    load: Any
    accumulate: Any
    store: Any
    scaled: Any


def decay_trace(x: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Return a trace after one step without a spike.

    Parameters
    ----------
    x : int
        The trace, 0 to 127.
    params : TraceParams
    sites : TraceSites
    bits : int
        Random word of 32 bits.
    """
    return requantize(x * params.decay, sites.decay, bits)


def add_impulse(x: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Return a trace after its neuron's spike; parameters as for `decay_trace`."""
    return requantize(x * params.unit + params.impulse, sites.impulse, bits)


def open_total(w: Any, params: Any) -> Any:
    """Return the accumulator as it starts: the weight, in parts of its LSB."""
    return w * params.unit


def add_term(total: Any, gate: Any, variables: Any, term: Any, sites: Any) -> Any:
    """Add one term of the rule to the accumulator.

    Parameters
    ----------
    total : int
        The accumulator.
    gate : int
        The term's dependency, 0 or 1.
    variables : Variables
    term : Term
    sites : TermSites

    Returns
    -------
    int
        The accumulator.
    """
    first = requantize(variables.first + term.first, sites.first, 0)
    second = requantize(variables.second + term.second, sites.second, 0)
    third = requantize(variables.third + term.third, sites.third, 0)
    product = requantize(gate * term.mantissa * first * second * third, sites.product, 0)
    value = requantize(product * term.scale, sites.term, 0)
    return requantize(total + value, sites.accumulate, 0)


def store_total(total: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Return the weight that is kept of an accumulator.

    Parameters
    ----------
    total : int
    params : WeightParams
    sites : WeightSites
    bits : int
        Random word of 32 bits.
    """
    return requantize(total, sites.store, bits) * params.step


def apply(w: Any, change: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Return the weight after a ready change, in parts of its LSB; parameters as for `store_total`."""
    total = requantize(open_total(w, params) + change, sites.accumulate, 0)
    return store_total(total, params, sites, bits)


def load_weight(w: Any, params: Any, sites: Any) -> Any:
    """Return the weight that the synapse keeps of a mantissa written by the host."""
    return requantize(w, sites.load, 0) * params.step


def delivered(w: Any, params: Any, sites: Any) -> Any:
    """Return what a spike adds to the current, in LSBs of the membrane."""
    return requantize(w * params.gain, sites.scaled, 0) * params.delivered
