"""The homeostatic synapse: docs/spec/plasticity.md, written once for every arithmetic."""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroemu.numeric.ops import limit, overflowed, requantize


class HomeostasisParams(NamedTuple):
    """Increments in parts of a weight LSB, their unit, the limits in that scale, and the target count of signs."""

    dw_plus: Any
    dw_minus: Any
    unit: Any
    w_min: Any
    w_max: Any
    target_count: Any


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
    total = params.target_count + plus - minus
    change = requantize(total, sites.change, 0)
    return change, ChangeWide(params.dw_plus * n_pre, params.dw_minus * n_post, total)


def update_deferred(w: Any, n_post: Any, params: Any, sites: Any, bits: Any) -> Any:
    """Take the postsynaptic spikes since the last update off the stored weight, and add a presynaptic one.

    Returns
    -------
    w : int or float
        The new weight.
    wide : UpdateWide
        The sum further from the limits of its site, and what was stored.
    """
    down_wide = w * params.unit - params.dw_minus * n_post
    down = max(requantize(down_wide, sites.accumulate, 0), params.w_min)
    up_wide = params.dw_plus + down
    up = limit(requantize(up_wide, sites.accumulate, 0), params.w_min, params.w_max)
    is_down = overflowed(down_wide, sites.accumulate, 0)
    return requantize(up, sites.store, bits), UpdateWide(down_wide if is_down else up_wide, up)
