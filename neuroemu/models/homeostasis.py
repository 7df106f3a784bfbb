"""The homeostatic synapse: docs/spec/plasticity.md, written once for every arithmetic."""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroemu.numeric.ops import limit, requantize


class HomeostasisParams(NamedTuple):
    """Increments in parts of a weight LSB, their unit, and the limits in that scale."""

    dw_plus: Any
    dw_minus: Any
    unit: Any
    w_min: Any
    w_max: Any


class HomeostasisSites(NamedTuple):
    """Where the rule narrows; the last three are the periodic form's."""

    accumulate: Any
    store: Any
    plus: Any
    minus: Any
    change: Any


class UpdateWide(NamedTuple):
    """What met the sites ``accumulate`` and ``store``."""

    accumulate: Any
    store: Any


class ChangeWide(NamedTuple):
    """What met the sites of the periodic form."""

    plus: Any
    minus: Any
    change: Any


def update(w: Any, change: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Add `change` to the stored weight.

    Returns
    -------
    w : int or float
        The new weight.
    wide : UpdateWide
    """
    total = change + w * params.unit
    limited = limit(requantize(total, sites.accumulate, 0), params.w_min, params.w_max)
    return requantize(limited, sites.store, bits), UpdateWide(total, limited)


def change_from_counts(n_pre: Any, n_post: Any, params: Any, sites: Any) -> Any:
    """Return the change that a period's spike counts ask for.

    Returns
    -------
    change : int or float
    wide : ChangeWide
    """
    plus = requantize(params.dw_plus * n_pre, sites.plus, 0)
    minus = requantize(params.dw_minus * n_post, sites.minus, 0)
    change = requantize(plus - minus, sites.change, 0)
    wide = ChangeWide(params.dw_plus * n_pre, params.dw_minus * n_post, plus - minus)
    return change, wide
