"""The plastic weight as levels, and what an update does to each: docs/spec/prediction.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neuroemu.models.homeostasis import HomeostasisParams, HomeostasisSites, update
from neuroemu.models.synapse import SynapseSites, drive
from neuroemu.numeric.site import Double, Fixed
from neuroemu.prediction.arrivals import OutOfScopeError
from neuroemu.prediction.grid import Floats, spread

MOST_LEVELS = 64
"""A weight of at most so many codes has a level for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synapse:
    """A plastic synapse: its numbers and sites.

    Parameters
    ----------
    weight : int or float
        Where it starts.
    gain : int or float
    rule : HomeostasisParams
    drive : SynapseSites
    sites : HomeostasisSites
    is_integer : bool
        Whether the weight is a code.
    random_bits : int
        Bits of a random word that the site ``store`` sees; 0 if it draws none.
    force : float
        What a drive of 1 adds to the membrane, where it does not go there at once.
    """

    weight: Any
    gain: Any
    rule: HomeostasisParams
    drive: SynapseSites
    sites: HomeostasisSites
    is_integer: bool
    random_bits: int
    force: float = 1.0

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest weight, in units of the weight."""
        return self.rule.w_min / self.rule.unit, self.rule.w_max / self.rule.unit

    @property
    def by_sign(self) -> bool:
        """Whether a period moves the weight by one LSB towards a count, at most."""
        return bool(self.sites.change.hi == 1)

    def updated(self, w: Any, change: Any) -> list[tuple[float, float]]:
        """Return what is stored when `change` is added to `w`: values and their chances."""
        if not self.random_bits:
            return [(float(update(w, change, self.rule, self.sites, 0)[0]), 1.0)]
        low, wide = update(w, change, self.rule, self.sites, 0)
        high, _ = update(w, change, self.rule, self.sites, 2**32 - 1)
        part = wide.store / self.rule.unit
        part -= np.floor(part)
        part = np.floor(part * 2.0**self.random_bits) / 2.0**self.random_bits
        return [(float(low), 1.0 - part), (float(high), part)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a spike does to a stored weight away from its limits, in units of the weight.

    Parameters
    ----------
    plus, minus : float
        Mean change up on a presynaptic, down on a postsynaptic spike.
    plus_square, minus_square : float
        Mean squares.
    """

    plus: float
    minus: float
    plus_square: float
    minus_square: float


def changes(plus: float, minus: float, *, is_stochastic: bool) -> Changes:
    """Return the changes of a rule from their means; stochastic rounding adds to the squares."""

    def square(mean: float) -> float:
        part = mean - np.floor(mean) if is_stochastic else 0.0
        return mean * mean + float(part * (1.0 - part))

    return Changes(plus=plus, minus=minus, plus_square=square(plus), minus_square=square(minus))


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Weights on a grid, and the two changes of the event-driven rule.

    Parameters
    ----------
    values : (levels,) float64, unit of the weight
        Ascending.
    drives : (levels,) float64, unit of the membrane
        What a spike adds to the membrane.
    up, down : (levels, levels) float64
        Chances of level to level on a presynaptic and on a postsynaptic spike.
    start : (levels,) float64
        Distribution at the start.
    is_coarse : bool
        Whether a change is smaller than the distance of two levels.
    """

    values: Floats
    drives: Floats
    up: Floats
    down: Floats
    start: Floats
    is_coarse: bool = False


def deferred_levels(synapse: Synapse, plus: float, minus: float) -> Levels:
    """Return the levels of deferred updates: a presynaptic spike delivers the weight that it has raised.

    Parameters
    ----------
    synapse : Synapse
    plus, minus : float
        Mean change by a presynaptic and by a postsynaptic spike.
    """
    _check_limits(synapse)
    levels = grid_levels(synapse, plus, minus)
    raised = np.minimum(levels.values + plus, synapse.limits[1])
    return replace(levels, drives=level_drives(synapse, raised))


def event_levels(synapse: Synapse, plus: float, minus: float) -> Levels:
    """Return the levels of an event-driven rule.

    Parameters
    ----------
    synapse : Synapse
    plus, minus : float
        Mean change of a stored weight on a presynaptic and a postsynaptic spike, used where codes are too many
        to follow each.
    """
    low, high = synapse.limits
    if not synapse.is_integer or high - low >= MOST_LEVELS:
        _check_limits(synapse)
        return grid_levels(synapse, plus, minus)
    values = _reached(synapse)
    up = _exact_moves(synapse, values, synapse.rule.dw_plus)
    down = _exact_moves(synapse, values, -synapse.rule.dw_minus)
    if np.tril(up, -1).any():
        raise OutOfScopeError("a presynaptic spike can lower the weight: the accumulator wraps")
    return _levels(synapse, values, up, down)


def grid_levels(synapse: Synapse, plus: float, minus: float) -> Levels:
    """Return levels on a grid that depends on `plus`, with moves by mean changes."""
    low, high = synapse.limits
    values, one = _grid(synapse, plus, minus), np.ones(1)
    up = np.array([spread(values, np.array([min(v + plus, high)]), one) for v in values])
    down = np.array([spread(values, np.array([max(v - minus, low)]), one) for v in values])
    return _levels(synapse, values, up, down, is_coarse=_is_coarse(values, plus or minus))


def _levels(
    synapse: Synapse, values: Floats, up: Floats, down: Floats, *, is_coarse: bool = False
) -> Levels:
    return Levels(
        values=values,
        drives=level_drives(synapse, values),
        up=up,
        down=down,
        start=spread(values, np.array([float(synapse.weight)]), np.ones(1)),
        is_coarse=is_coarse,
    )


def _is_coarse(values: Floats, change: float) -> bool:
    return len(values) > 1 and bool(change < (values[1] - values[0]) * (1.0 - 1e-9))


def _check_limits(synapse: Synapse) -> None:
    """Refuse an accumulator that overflows where the rule's limits should have held the weight."""
    rule = synapse.rule
    for limit, change in ((rule.w_max, rule.dw_plus), (rule.w_min, -rule.dw_minus)):
        code = limit / rule.unit
        if any(value != code for value, _ in synapse.updated(type(limit)(code), change)):
            raise OutOfScopeError("the accumulator overflows inside the weight's limits")


def _reached(synapse: Synapse) -> Floats:
    """Return the codes between the lowest and highest that the weight can come to."""
    changes = (synapse.rule.dw_plus, -synapse.rule.dw_minus)
    seen, ahead = {int(synapse.weight)}, [int(synapse.weight)]
    while ahead:
        w = ahead.pop()
        for change in changes:
            for value, chance in synapse.updated(w, change):
                if chance > 0.0 and int(value) not in seen:
                    seen.add(int(value))
                    ahead.append(int(value))
    return np.array(sorted(seen), np.float64)


def _exact_moves(synapse: Synapse, values: Floats, change: Any) -> Floats:
    rows = []
    for value in values:
        results = np.array(synapse.updated(int(value), change))
        rows.append(spread(values, results[:, 0], results[:, 1]))
    return np.array(rows)


def _grid(synapse: Synapse, plus: float, minus: float) -> Floats:
    """Return levels whose spacing divides the larger change, if it is not too small."""
    low, high = synapse.limits
    if plus == minus == 0.0 or high == low:
        return np.array([float(synapse.weight)])
    finest = (high - low) / MOST_LEVELS
    step = plus or minus
    spacing = step / max(int(step / finest), 1)
    if spacing < finest:
        spacing = finest
    values = low + spacing * np.arange(int((high - low) / spacing + 1e-9) + 1)
    if high - values[-1] > 1e-6 * spacing:
        values = np.append(values, high)
    else:
        values[-1] = high
    return np.asarray(values, np.float64)


def level_drives(synapse: Synapse, values: Floats) -> Floats:
    """Return what a spike adds to the membrane at each level, the mean over the codes near it."""
    if not synapse.is_integer:
        drives: Floats = values * float(synapse.gain) * synapse.force
        return drives
    spacing = float(np.min(np.diff(values))) if len(values) > 1 else 1.0
    low, high = synapse.limits
    near = np.unique(np.round(np.linspace(-0.5, 0.5, 9)[1:-1] * spacing)) if spacing > 1.0 else [0]
    means = []
    for value in values:
        codes = {int(min(max(round(value) + n, low), high)) for n in near}
        means.append(np.mean([mean_drive(c, synapse.gain, synapse.drive) for c in codes]))
    return np.asarray(means, np.float64) * synapse.force


def mean_drive(weight: Any, gain: Any, sites: SynapseSites) -> float:
    """Return what a spike adds to the membrane, the mean if the site draws random bits."""
    site = sites.drive
    draws = isinstance(site, (Fixed, Double)) and _is_stochastic(site)
    if draws:
        scale = site.scale if isinstance(site, Double) else 2.0**-site.shift
        return float(weight * gain * scale)
    return float(drive(weight, gain, sites, 0))


def _is_stochastic(site: Fixed | Double) -> bool:
    """Whether the random word reaches the sum: a draw of 32 drops all of its bits."""
    return bool(site.draw > 2.0**-32 if isinstance(site, Double) else site.draw < 32)
