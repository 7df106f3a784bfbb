"""The sites of Loihi 1's learning engine: docs/spec/loihi-learning.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from neuroemu.models.loihi import TermSites, TraceSites, WeightSites
from neuroemu.models.loihi_registers import (
    ACCUMULATOR,
    DELIVERED_HI,
    FACTORS,
    IMPULSE_BITS,
    SCALE_MANTISSA,
    TRACE_BITS,
    TRACE_HI,
    Factor,
    SignMode,
    Variable,
    code_range,
    grid_step,
)
from neuroemu.numeric.site import Fixed, Rounding, Site

WIDTHS: Mapping[Variable, int] = MappingProxyType(
    {"trace": 7, "weight": 9, "spike": 1, "constant": 8}
)
"""Bits of a factor by what it looks at."""

Limits = tuple[int, int]


def trace_sites(container: type = int) -> TraceSites:
    """Return where a trace narrows; `container` is ``int`` or a numpy integer type."""
    limits = (0, TRACE_HI)
    return TraceSites(
        decay=_fixed("decay", TRACE_BITS, "stochastic", limits, container),
        impulse=_fixed("impulse", IMPULSE_BITS, "stochastic", limits, container),
    )


def weight_sites(
    mode: SignMode = "excitatory", bits: int = 8, exponent: int = 0, *, container: type = int
) -> WeightSites:
    """Return where a weight of `bits` bits with weight exponent `exponent` narrows."""
    codes, dropped = code_range(mode, bits), grid_step(mode, bits).bit_length() - 1
    below, limits = ACCUMULATOR.fraction + dropped, (-DELIVERED_HI, DELIVERED_HI)
    return WeightSites(
        load=_fixed("load", dropped, "fix", codes, container),
        accumulate=_accumulator("accumulate", container),
        store=_fixed("store", below, "stochastic", codes, container),
        scaled=_fixed("scaled", max(-exponent, 0), "floor", limits, container),
    )


def term_sites(factors: Sequence[Factor] = (), *, container: type = int) -> TermSites:
    """Return where a term with these factors narrows; a factor that is not used is 1."""
    widths = [WIDTHS[variable] for variable, _ in factors]
    limits = [(-(2**w), 2**w - 1) for w in widths] + [(1, 1)] * (FACTORS - len(widths))
    first, second, third = (_fixed("factor", 0, "floor", x, container) for x in limits)
    product = Site(
        name="product",
        shift=max(sum(widths) + SCALE_MANTISSA.width - (ACCUMULATOR.width - 1), 0),
        rounding="floor",
        overflow="saturate",
        lo=0,
        hi=0,
        never_overflows=True,
    )
    return TermSites(
        first=first,
        second=second,
        third=third,
        product=product.as_narrowest(container),
        term=_accumulator("term", container),
        accumulate=_accumulator("accumulate", container),
    )


def _accumulator(name: str, container: type) -> Fixed:
    return _fixed(name, 0, "floor", (ACCUMULATOR.lo, ACCUMULATOR.hi), container)


def _fixed(name: str, shift: int, rounding: Rounding, limits: Limits, container: type) -> Fixed:
    lo, hi = limits
    site = Site(name=name, shift=shift, rounding=rounding, overflow="saturate", lo=lo, hi=hi)
    return site.as_fixed(container)
