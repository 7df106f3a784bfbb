"""Periodic updates from spike counters: what a period does to the weight. docs/spec/prediction.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroemu.numeric.ops import requantize, rounded, rounded_double
from neuroemu.numeric.site import Double, Fixed
from neuroemu.prediction.arrivals import RARE, Arrivals, OutOfScopeError, binomial
from neuroemu.prediction.grid import Floats, between, spread
from neuroemu.prediction.held import Held
from neuroemu.prediction.weight_chain import MOST_LEVELS, Levels, Synapse, level_drives

MOST_COUNTS = 24
"""Points of the lattice on which many counts lie."""

FEW = 3.0
"""Up to so many expected spikes a period is short: one spike more or less is what it sees."""

FOLLOWED = 10.0
"""Up to so many each is followed if its rounding matters; beyond, the number is taken as normal."""

LOSSY_LSB = 4.0
"""An increment of fewer weight LSBs is changed much by a rounding that is not stochastic."""

AT_LIMITS = 0.02
"""A weight that is at a limit for more of the periods than this balances nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the two counters have seen in a period, in every likely combination.

    Parameters
    ----------
    level : (combinations,) int
        Level of the weight.
    pre, post : (combinations,) float64
        Spikes.
    chance : (combinations,) float64
        They sum to 1 at each level.
    """

    level: NDArray[np.intp]
    pre: Floats
    post: Floats
    chance: Floats


def period_levels(synapse: Synapse) -> Levels:
    """Return levels for a weight that moves once a period; nothing moves it in between."""
    low, high = synapse.limits
    if high - low < MOST_LEVELS:
        values = np.arange(low, high + 1.0, dtype=np.float64)
    else:
        values = np.unique(np.round(np.linspace(low, high, MOST_LEVELS))).astype(np.float64)
    still = np.eye(len(values))
    start = spread(values, np.array([float(synapse.weight)]), np.ones(1))
    drives = level_drives(synapse, values)
    return Levels(values=values, drives=drives, up=still, down=still, start=start)


def is_lossy(synapse: Synapse) -> bool:
    """Tell whether the rounding of a single spike's change matters."""
    least = min(synapse.rule.dw_plus, synapse.rule.dw_minus) / synapse.rule.unit
    return least < LOSSY_LSB and not synapse.random_bits


def check_period(synapse: Synapse, period: int, pre: float) -> None:
    """Refuse a rule that only rare coincidences move.

    Raises
    ------
    OutOfScopeError
        If a period holds few spikes and one of them alone is rounded away.
    """
    rule = synapse.rule
    middle = float(np.round((rule.w_min + rule.w_max) / (2 * rule.unit)))
    ones = np.array([float(rule.dw_plus), -float(rule.dw_minus)])
    alone = after_change(synapse, np.full(2, middle), ones)[0][0] != middle
    if period * pre <= FEW and not alone.all() and not synapse.random_bits:
        raise OutOfScopeError(
            "a period holds few spikes and one alone is rounded away: only rare coincidences move the weight"
        )


def counts(period: int, arriving: Arrivals, neuron: Held, *, most: float) -> Counts:
    """Return what a period's counters see.

    Parameters
    ----------
    period : int
        Steps.
    arriving : Arrivals
    neuron : Held
    most : float
        Expected spikes up to which each is followed.
    """
    draws = max(len(arriving.plastic) - 1, 1)
    each = arriving.mean_plastic / draws
    mean = period * arriving.mean_plastic
    if max(mean, float(neuron.rates.max()) * period) <= most:
        # a presynaptic spike of a period's last step releases one in the next period
        in_time = 1.0 - 1.0 / period
        follows = np.minimum(neuron.released * period / max(mean, RARE), 1.0) * in_time
        others = np.maximum(neuron.rates * period - follows * mean, 0.0)
        pre, post, chances = _few(binomial(period * draws, each), follows, others)
    else:
        pre, post, chances = _many(period, mean, each, neuron)
    level, i, j = np.nonzero(chances > RARE * 1e3)
    chance = chances[level, i, j]
    chance /= np.bincount(level, chance)[level]
    shape = chances.shape
    pre, post = np.broadcast_to(pre, shape), np.broadcast_to(post, shape)
    return Counts(level=level, pre=pre[level, i, j], post=post[level, i, j], chance=chance)


def _few(pre: Floats, follows: Floats, others: Floats) -> tuple[Floats, Floats, Floats]:
    """Return counts before and after, and the chances (levels, pre, post) of each pair."""
    n, levels = len(pre), len(follows)
    triggered = np.zeros((levels, n, n))
    triggered[:, 0, 0] = 1.0
    for k in range(1, n):
        triggered[:, k] = (1.0 - follows)[:, None] * triggered[:, k - 1]
        triggered[:, k, 1:] += follows[:, None] * triggered[:, k - 1, :-1]
    rest = _poisson(others)
    most = n + rest.shape[1] - 1
    shifted = np.zeros((levels, n, most))
    for k in range(n):
        shifted[:, k, k : k + rest.shape[1]] = rest
    chances = pre[:, None] * (triggered @ shifted)
    after = np.arange(most, dtype=np.float64)
    return np.arange(n, dtype=np.float64)[:, None], after, np.asarray(chances)


def _poisson(means: Floats) -> Floats:
    """Return the Poisson probabilities (means, counts)."""
    most = int(means.max() + 8.0 * means.max() ** 0.5) + 6
    k = np.arange(1, most)
    rows = np.exp(-means)[:, None] * np.cumprod(
        np.concatenate((np.ones((len(means), 1)), means[:, None] / k), axis=1), axis=1
    )
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _many(period: int, mean: float, pre_each: float, neuron: Held) -> tuple[Floats, Floats, Floats]:
    """Return the same by a normal distribution with the variances of a long time."""
    pre = _lattice(np.array([mean]), np.array([mean * (1.0 - pre_each)]))[0]
    pre_chance = _normal(pre[None], np.array([mean]), np.array([mean * (1.0 - pre_each)]))[0]
    slope = neuron.covariance * period / max(mean * (1.0 - pre_each), RARE)
    left = np.maximum(neuron.variance * period - slope**2 * mean * (1.0 - pre_each), 0.05)
    middle = ((neuron.rates * period)[:, None] + slope[:, None] * (pre - mean)).ravel()
    left = np.repeat(left, len(pre))
    post = _lattice(middle, left)
    # what the cut at 0 adds to the mean is taken from where it started
    excess = (post * _normal(post, middle, left)).sum(axis=1) - np.maximum(middle, 0.0)
    chance = _normal(post, middle - excess, left)
    shape = (len(slope), len(pre), -1)
    return pre[:, None], post.reshape(shape), pre_chance[:, None] * chance.reshape(shape)


def _lattice(means: Floats, variances: Floats) -> Floats:
    """Return whole numbers (means, counts) that cover a normal distribution."""
    deviates = np.arange(-MOST_COUNTS // 2, MOST_COUNTS // 2 + 1)
    stride = np.maximum(np.ceil(8.0 * variances**0.5 / MOST_COUNTS), 1.0)
    return np.asarray(np.round(means)[:, None] + stride[:, None] * deviates)


def _normal(values: Floats, means: Floats, variances: Floats) -> Floats:
    """Return the chances of `values`, those below 0 none."""
    spread = np.maximum(variances, 0.05)[:, None]
    chances = np.exp(-((values - means[:, None]) ** 2) / (2.0 * spread)) * (values >= 0.0)
    empty = chances.sum(axis=1) == 0.0
    chances[empty, len(values[0]) // 2] = 1.0
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a program sees a counter.

    Parameters
    ----------
    full : int
        What it holds once it has overflowed.
    site : site
        Which may take it for a signed number.
    """

    full: int
    site: Any

    def of(self, count: Floats) -> Floats:
        """Return what is read where so many spikes came."""
        return narrowed(np.minimum(count, self.full), self.site)


def period_moves(synapse: Synapse, values: Floats, seen: Counts, reading: Reading) -> Floats:
    """Return the chances of level to level in one period.

    Parameters
    ----------
    synapse : Synapse
    values : (levels,) float64
    seen : Counts
    reading : Reading
    """
    sites, rule, size = synapse.sites, synapse.rule, len(values)
    plus = narrowed(reading.of(seen.pre) * rule.dw_plus, sites.plus)
    minus = narrowed(reading.of(seen.post) * rule.dw_minus, sites.minus)
    change = narrowed(float(rule.target_count) + plus - minus, sites.change)
    moves = np.zeros(size * size)
    for stored, chance in after_change(synapse, values[seen.level], change):
        below, part = between(values, stored)
        cell, chances = seen.level * size + below, chance * seen.chance
        moves += np.bincount(cell, chances * (1.0 - part), minlength=size * size)
        last = np.minimum(cell + 1, size * size - 1)
        moves += np.bincount(last, chances * part, minlength=size * size)
    return moves.reshape(size, size)


def narrowed(wide: Floats, site: Fixed | Double) -> Floats:
    """Return `wide`, whole numbers, at a site that drops no bits."""
    wraps = site.mask != -1 if isinstance(site, Fixed) else site.span > 0.0
    if not wraps:
        return np.asarray(np.minimum(np.maximum(wide, float(site.lo)), float(site.hi)))
    out = (wide < site.lo) | (wide > site.hi)
    if out.any():
        number = int if isinstance(site, Fixed) else float
        wide = wide.copy()
        beyond, where = np.unique(wide[out], return_inverse=True)
        wide[out] = np.asarray([requantize(number(x), site, 0) for x in beyond], float)[where]
    return wide


def after_change(synapse: Synapse, w: Floats, change: Floats) -> list[tuple[Floats, Floats]]:
    """Return what is stored and how probably: `Synapse.updated` for many weights and changes."""
    rule, site = synapse.rule, synapse.sites.store
    total = narrowed(w * float(rule.unit) + change, synapse.sites.accumulate)
    limited = np.minimum(np.maximum(total, float(rule.w_min)), float(rule.w_max))
    if isinstance(site, Fixed):
        low = rounded(limited.astype(np.int64), site, 0).astype(np.float64)
    else:
        low = rounded_double(limited, site, 0)
    if not synapse.random_bits:
        return [(low, np.ones(len(change)))]
    part = limited / float(rule.unit) - low
    part = np.floor(part * 2.0**synapse.random_bits) / 2.0**synapse.random_bits
    return [(low, 1.0 - part), (low + 1.0, part)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Where periodic updates leave the weight on average.

    Parameters
    ----------
    rate : float or None
        Postsynaptic spikes per step, or Hz; None if the weight is at a limit.
    gain : float
        Part of a deviation that one update takes back: above 1 it overshoots, above 2 it never settles.
        Without a rate, where it is most.
    """

    rate: float | None
    gain: float


def balance(synapse: Synapse, values: Floats, moves: Floats, rates: Floats, period: int) -> Balance:
    """Return where the mean change crosses zero inside the limits.

    Parameters
    ----------
    synapse : Synapse
    values, rates : (levels,) float64
        Weights, and postsynaptic spikes per step.
    moves : (levels, levels) float64
    period : int
        Steps.
    """
    drift = moves @ values - values
    gains = _gains(synapse, values, drift, rates, period)
    crossing = np.flatnonzero((drift[:-1] > 0.0) & (drift[1:] <= 0.0))
    if crossing.size == 0 or _at_limits(moves) > AT_LIMITS:
        return Balance(rate=None, gain=float(gains.max()))
    at = int(crossing[0])
    part = drift[at] / (drift[at] - drift[at + 1])
    return Balance(
        rate=float(rates[at] + part * (rates[at + 1] - rates[at])),
        gain=float(gains[max(at - 1, 0) : at + 3].mean()),
    )


def _gains(synapse: Synapse, values: Floats, drift: Floats, rates: Floats, period: int) -> Floats:
    """Return the part of a deviation that one update takes back, at each level."""
    if len(values) == 1:
        return np.zeros(1)
    if synapse.by_sign:  # one LSB at most, however large the deviation
        return np.asarray(-np.gradient(drift, values))
    force = period * float(synapse.rule.dw_minus) / float(synapse.rule.unit)
    return np.asarray(force * np.gradient(rates, values))


def _at_limits(moves: Floats) -> float:
    """Return the part of the periods after which the weight is at a limit, in the long run."""
    for _ in range(12):
        moves = moves @ moves
    return float(moves[0, 0] + moves[0, -1])
