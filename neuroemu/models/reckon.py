"""ReckOn's decay, events and stochastic weight update: docs/spec/reckon.md."""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroemu.numeric.ops import limit, requantize


class DecayParams(NamedTuple):
    """Multiplier, the multiplier that stands for 1, and whether the rest is rounded at random."""

    factor: Any
    unity: Any
    stochastic: Any


class DecaySites(NamedTuple):
    """Where a decay narrows: `whole` drops the fraction, `store` is the register."""

    whole: Any
    store: Any


class NeuronParams(NamedTuple):
    """Constants of a neuron; `lowest` and `highest` are the ends of its register."""

    threshold: Any
    reset_to_zero: Any
    unit_rec: Any
    unit_inp: Any
    lowest: Any
    highest: Any


class NoiseSites(NamedTuple):
    """Where noise narrows."""

    word: Any
    noise: Any


class TraceSites(NamedTuple):
    """Where a trace narrows: its register, and what e-prop sees of it."""

    trace: Any
    shifted: Any


class RegularParams(NamedTuple):
    """Constants of regularisation, by addition and by multiplication."""

    gain: Any
    adds: Any
    multiplies: Any
    full: Any


class RegularSites(NamedTuple):
    """Where regularisation narrows."""

    bits: Any
    regular: Any
    ratio: Any


class ChangeParams(NamedTuple):
    """The multiplier without regularisation, and the change that is always due."""

    full: Any
    certain: Any


class ChangeSites(NamedTuple):
    """Where the change of a weight narrows."""

    sixteenth: Any
    change: Any
    guard: Any


class UpdateParams(NamedTuple):
    """Gain of the probability, and the change that is always due."""

    gain: Any
    certain: Any


class UpdateSites(NamedTuple):
    """Where the stochastic update narrows."""

    gain: Any
    rate: Any
    weight: Any


def decay(x: Any, params: Any, sites: Any, word: Any) -> Any:
    """Multiply a membrane or a trace by its factor.

    Parameters
    ----------
    x : int
    params : DecayParams
    sites : DecaySites
    word : int
        Random, 0 to ``unity - 1``.
    """
    product = params.factor * x
    whole = requantize(product, sites.whole, 0)
    part = product - params.unity * whole
    kept = requantize(whole, sites.store, 0)
    random = (params.stochastic != 0) & (params.factor != params.unity)
    up = random & (part >= word) & (kept != 0)
    return requantize(kept + (1 if up else 0), sites.store, 0)


def tick(v: Any, neuron: Any, params: Any, sites: Any, word: Any) -> Any:
    """Decay a membrane, and fire where it was at the threshold before.

    Parameters
    ----------
    v : int
    neuron : NeuronParams
    params : DecayParams
    sites : DecaySites
    word : int
        As for `decay`.

    Returns
    -------
    v : int
    spike : bool
    """
    leaked = decay(v, params, sites, word)
    spike = v >= neuron.threshold
    less = requantize(leaked - neuron.threshold, sites.store, 0)
    after = 0 if neuron.reset_to_zero != 0 else less
    return after if spike else leaked, spike


def noise_from(word: Any, sites: Any) -> Any:
    """Return the noise of one event, from a random word of 16 bits."""
    return requantize(requantize(word, sites.word, 0), sites.noise, 0)


def event_weight(w_rec: Any, w_inp: Any, neuron: Any) -> Any:
    """Return what an event adds: a weight is 0 where its side did not spike."""
    return neuron.unit_rec * w_rec + neuron.unit_inp * w_inp


def integrate(v: Any, weight: Any, addend: Any, neuron: Any, sites: Any) -> Any:
    """Add an event to a membrane; the limits look at the signs of `v` and `weight` alone.

    Parameters
    ----------
    v, weight, addend : int
        Membrane, `event_weight`, and the noise or 0.
    neuron : NeuronParams
    sites : DecaySites
        The register is ``store``.
    """
    total = requantize(v + weight + addend, sites.store, 0)
    over = (v >= 0) & (weight >= 0) & (total < 0)
    under = (v < 0) & (weight < 0) & (total >= 0)
    held = neuron.lowest if under else total
    return neuron.highest if over else held


def strike(trace: Any, amount: Any, sites: Any) -> Any:
    """Return a trace after a spike."""
    return requantize(trace + amount, sites.trace, 0)


def shifted(trace: Any, sites: Any) -> Any:
    """Return what e-prop sees of a trace."""
    return requantize(trace, sites.shifted, 0)


def excess(seen: Any, target: Any) -> Any:
    """Return how far a neuron's own trace, as e-prop sees it, exceeds its target."""
    return seen - target if seen > target else 0


def regularisation(above: Any, params: Any, sites: Any) -> Any:
    """Return what is taken from a change, and by what a change upwards is multiplied.

    Parameters
    ----------
    above : int
        As `excess` returns it.
    params : RegularParams
    sites : RegularSites

    Returns
    -------
    regular, multiplier : int
    """
    wide = requantize(params.gain * above, sites.bits, 0)
    regular = requantize(wide, sites.regular, 0)
    rest = params.full - requantize(above, sites.ratio, 0)
    multiplier = limit(rest, 0, params.full)
    return (
        regular if params.adds != 0 else 0,
        multiplier if params.multiplies != 0 else params.full,
    )


def change(eligible: Any, regular: Any, multiplier: Any, params: Any, sites: Any) -> Any:
    """Return the change of an input or a recurrent weight, with the chip's guard.

    Parameters
    ----------
    eligible : int
        Learning signal times trace times pseudo-derivative.
    regular, multiplier : int
        As `regularisation` returns them.
    params : ChangeParams
    sites : ChangeSites
    """
    product = (params.full if eligible < 0 else multiplier) * eligible
    sixteenth = requantize(product, sites.sixteenth, 0)
    scaled = requantize(sixteenth - regular, sites.change, 0)
    guard = requantize(product, sites.guard, 0)
    return params.certain if (guard != 0) & (scaled >= 0) else scaled


def update(w: Any, d: Any, params: Any, sites: Any, word: Any) -> Any:
    """Move a weight by one LSB, with the probability that the change gives.

    Parameters
    ----------
    w, d : int
        Stored weight, and the change that is asked for.
    params : UpdateParams
    sites : UpdateSites
    word : int
        Random, as wide as the site ``gain``.

    Returns
    -------
    w : int
    wide : int
        What met the site ``weight``.
    """
    size = d if d >= 0 else -d
    p = requantize(requantize(params.gain * size, sites.gain, 0), sites.rate, 0)
    due = (d != 0) & ((d == params.certain) | (p >= word))
    step = 1 if d > 0 else -1
    wide = w + (step if due else 0)
    return requantize(wide, sites.weight, 0), wide
