"""The vector unit of BrainScaleS-2's plasticity processor, one element: docs/spec/ppu.md.

An element is the signed integer of its 8 or 16 bits; an accumulator has twice as many.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroemu.numeric.ops import requantize
from neuroemu.numeric.site import Overflow, Round, Site

WEIGHT_BITS = 6
MOST_SHIFT = 16
"""Largest amount that the shifts of this text take."""


class VectorSites(NamedTuple):
    """Where an element narrows, and the constants of its width."""

    signed: Any
    unsigned: Any
    sum: Any
    product: Any
    wide: Any
    wide_modulo: Any
    fraction: Any
    width: Any
    lo: Any
    one: Any
    most_shift: Any
    most_power: Any
    weight_shift: Any
    weight_max: Any
    cadc_right: Any
    cadc_left: Any


class Correlation(NamedTuple):
    """A value of each of a synapse's two correlation channels."""

    causal: Any
    acausal: Any


def vector_sites(width: int) -> VectorSites:
    """Return the sites of elements of `width` bits.

    Parameters
    ----------
    width : int
        8 (``s0.7``) or 16 (``s0.15``).

    Raises
    ------
    ValueError
        For any other width.

    Source
    ------
    electronicvisions/nux doc/guide/src/fxv.tex; electronicvisions/libnux; docs/spec/ppu.md.

    Examples
    --------
    >>> sites = vector_sites(8)
    >>> add_fs(100, 100, sites), mul_fs(-1, 64, sites), mul_mod(100, 3, sites)
    (127, -1, 44)
    """
    if width not in (8, 16):
        raise ValueError(f"the width is {width}, and must be 8 or 16 bits")
    half, full = 2 ** (width - 1), 2**width

    def fixed(shift: int, overflow: Overflow, lo: int, hi: int) -> Any:
        site = Site(name="ppu", shift=shift, rounding="floor", overflow=overflow, lo=lo, hi=hi)
        return site.as_fixed()

    return VectorSites(
        signed=fixed(0, "wrap", -half, half - 1),
        unsigned=fixed(0, "wrap", 0, full - 1),
        sum=fixed(0, "saturate", -half, half - 1),
        product=fixed(width - 1, "saturate", -half, half - 1),
        wide=fixed(0, "saturate", -half * full, half * full - 1),
        wide_modulo=fixed(0, "wrap", -half * full, half * full - 1),
        fraction=fixed(0, "wrap", 0, half - 1),
        width=width,
        lo=-half,
        one=half,
        most_shift=MOST_SHIFT,
        most_power=2**MOST_SHIFT,
        weight_shift=width - 1 - WEIGHT_BITS,
        weight_max=2**WEIGHT_BITS - 1,
        cadc_right=1 if width == 8 else 0,
        cadc_left=0 if width == 8 else 7,
    )


def _down(x: Any, k: Any) -> Any:
    """Return ``x / 2**k``, rounded down."""
    return requantize(x, Round(k, 0, 0), 0)


def _up(x: Any, k: Any, sites: Any) -> Any:
    """Return ``x * 2**k``, `k` 0 to 16."""
    return x * _down(sites.most_power, sites.most_shift - k)


def signed(x: Any, sites: Any) -> Any:
    """Return the element with the bits of `x`."""
    return requantize(x, sites.signed, 0)


def unsigned(x: Any, sites: Any) -> Any:
    """Return the bits of `x` as a number that is not negative."""
    return requantize(x, sites.unsigned, 0)


def add_fs(a: Any, b: Any, sites: Any) -> Any:
    """Add, saturating."""
    return requantize(a + b, sites.sum, 0)


def sub_fs(a: Any, b: Any, sites: Any) -> Any:
    """Subtract, saturating."""
    return requantize(a - b, sites.sum, 0)


def mul_fs(a: Any, b: Any, sites: Any) -> Any:
    """Multiply fractions, rounding down; -1 times -1 saturates."""
    return requantize(a * b, sites.product, 0)


def load_fs(x: Any, sites: Any) -> Any:
    """Return an accumulator that holds `x` in its upper half."""
    return _up(x, sites.width, sites)


def accumulate_fs(acc: Any, a: Any, b: Any, sites: Any) -> Any:
    """Return the accumulator after a fractional product was added, saturating."""
    product = requantize(a * b + a * b, sites.wide, 0)
    return requantize(acc + product, sites.wide, 0)


def mac_fs(acc: Any, a: Any, b: Any, sites: Any) -> Any:
    """Return the upper half of what `accumulate_fs` gives."""
    return _down(accumulate_fs(acc, a, b, sites), sites.width)


def add_mod(a: Any, b: Any, sites: Any) -> Any:
    """Add, wrapping."""
    return requantize(a + b, sites.signed, 0)


def sub_mod(a: Any, b: Any, sites: Any) -> Any:
    """Subtract, wrapping."""
    return requantize(a - b, sites.signed, 0)


def mul_mod(a: Any, b: Any, sites: Any) -> Any:
    """Multiply and keep the lower half."""
    return requantize(a * b, sites.signed, 0)


def accumulate_mod(acc: Any, a: Any, b: Any, sites: Any) -> Any:
    """Return the accumulator after a product was added, wrapping."""
    return requantize(acc + a * b, sites.wide_modulo, 0)


def mac_mod(acc: Any, a: Any, b: Any, sites: Any) -> Any:
    """Return the lower half of what `accumulate_mod` gives."""
    return requantize(acc + a * b, sites.signed, 0)


def shift_left(x: Any, k: Any, sites: Any) -> Any:
    """Move the bits up by `k`, 0 to 16, and fill with zeros."""
    return requantize(_up(x, k, sites), sites.signed, 0)


def shift_right(x: Any, k: Any, sites: Any) -> Any:
    """Move the bits down by `k`, 0 to 16, and fill with zeros, the sign's place included."""
    return signed(_down(unsigned(x, sites), k), sites)


def shift_left_fs(x: Any, k: Any, sites: Any) -> Any:
    """Move the bits below the sign up by `k`, 0 to 16; the sign stays and nothing saturates."""
    moved = requantize(_up(x, k, sites), sites.fraction, 0)
    return moved + sites.lo * (x < 0) if k < sites.width else 0 * x


def shift_right_fs(x: Any, k: Any, sites: Any) -> Any:
    """Multiply by the fraction ``2**-k``, `k` 0 to 16, rounding down."""
    return mul_fs(x, _down(sites.one, k), sites) if k > 0 else x


def select_gt(mask: Any, if_true: Any, if_false: Any) -> Any:
    """Return `if_true` where `mask` is positive."""
    return if_true if mask > 0 else if_false


def select_lt(mask: Any, if_true: Any, if_false: Any) -> Any:
    """Return `if_true` where `mask` is negative."""
    return if_true if mask < 0 else if_false


def select_eq(mask: Any, if_true: Any, if_false: Any) -> Any:
    """Return `if_true` where `mask` is 0."""
    return if_true if mask == 0 else if_false


def add_if_negative(x: Any, one: Any, sites: Any) -> Any:
    """Return `x`, with `one` added if it is negative."""
    return select_lt(x, add_fs(x, one, sites), x)


def _cleared(x: Any, k: Any, sites: Any) -> Any:
    return shift_left(shift_right(x, k, sites), k, sites)


def round_stochastic(x: Any, k: Any, word: Any, sites: Any) -> Any:
    """Round the `k` lowest bits away by random bits; the sum saturates before they are cleared.

    Parameters
    ----------
    x : int
        Element.
    k : int
        0 to the width.
    word : int
        Random bits, as many as the element has; the highest are used.
    """
    return _cleared(add_fs(x, shift_right(word, sites.width - k, sites), sites), k, sites)


def round_stochastic_mod(x: Any, k: Any, word: Any, sites: Any) -> Any:
    """Round as `round_stochastic` does, with a sum that wraps."""
    return _cleared(add_mod(x, shift_right(word, sites.width - k, sites), sites), k, sites)


def load_weight(w: Any, sites: Any) -> Any:
    """Return the weight's 6 bits just below the sign."""
    return shift_left(w, sites.weight_shift, sites)


def store_weight(x: Any, sites: Any) -> Any:
    """Return the 6 bits below the sign of an element that is not negative."""
    return shift_right(x, sites.weight_shift, sites)


def load_cadc(c: Any, sites: Any) -> Any:
    """Return a byte of the parallel converter as a fraction of 256; in 8 bits its last bit is lost."""
    return shift_left(shift_right(c, sites.cadc_right, sites), sites.cadc_left, sites)


def load_count(m: Any, sites: Any) -> Any:
    """Return a spike counter's byte as an element: in 8 bits, negative from 128 on."""
    return signed(m, sites)


def demo_homeostasis(w: Any, count: Any, target: Any, sites: Any) -> Any:
    """Return the weight after one period of the demo's rule: one step toward `target` spikes.

    Parameters
    ----------
    w : int
        0 to 63.
    count, target : int
        Spikes in a period, as bytes.
    sites : VectorSites
        Of width 8 on the chip.

    Source
    ------
    electronicvisions/brainscales2-demos ts_11-plasticity_homeostasis.rst.

    Examples
    --------
    >>> sites = vector_sites(8)
    >>> [demo_homeostasis(30, count, 60, sites) for count in (59, 60, 61, 127, 128, 255)]
    [31, 30, 29, 29, 31, 31]
    """
    gap = sub_fs(signed(target, sites), load_count(count, sites), sites)
    step = select_eq(gap, 0, select_lt(gap, -1, 1))
    x = add_fs(w, step, sites)
    x = select_gt(x, x, 0)
    return select_gt(sub_fs(x, sites.weight_max, sites), sites.weight_max, x)


def correlation_update(
    w: Any, causal: Any, acausal: Any, offset: Any, factor: Any, sites: Any
) -> Any:
    """Return the weight after one update from the two correlation channels.

    Parameters
    ----------
    w : int
        0 to 63.
    causal, acausal : int
        Bytes of the converter.
    offset : Correlation
        What the channels read at rest, as `load_cadc` gives it.
    factor : int
        Element.
    sites : VectorSites
        Of width 8 on the chip.

    Source
    ------
    electronicvisions/libnux examples/stdp.cpp.

    Examples
    --------
    >>> update = lambda c: correlation_update(30, c, 100, Correlation(0, 0), 127, vector_sites(8))
    >>> [update(c) for c in (96, 98, 100, 102, 104, 106)]
    [29, 29, 30, 30, 30, 31]
    """
    c = sub_fs(load_cadc(causal, sites), offset.causal, sites)
    a = sub_fs(load_cadc(acausal, sites), offset.acausal, sites)
    d = mul_fs(sub_fs(c, a, sites), factor, sites)
    x = add_fs(load_weight(w, sites), d, sites)
    return store_weight(select_lt(x, 0, x), sites)


def reference_update(
    w: Any, n_pre: Any, n_post: Any, dw_plus: Any, dw_minus: Any, sites: Any
) -> Any:
    """Return the weight after one period of the homeostatic rule, as a program writes it.

    Parameters
    ----------
    w : int
        0 to 63.
    n_pre, n_post : int
        Spikes in a period, as bytes.
    dw_plus, dw_minus : int
        Increments for a spike; one LSB of the weight is 512 of them in 16 bits.
    sites : VectorSites
        Of width 16.

    Examples
    --------
    >>> sites = vector_sites(16)
    >>> [reference_update(30, n, 5, 806, 806, sites) for n in (4, 5, 6, 45, 46)]
    [28, 30, 31, 63, 0]
    """
    plus = mul_mod(dw_plus, load_count(n_pre, sites), sites)
    minus = mul_mod(dw_minus, load_count(n_post, sites), sites)
    x = add_fs(load_weight(w, sites), sub_mod(plus, minus, sites), sites)
    return store_weight(select_lt(x, 0, x), sites)
