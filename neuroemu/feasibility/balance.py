"""What the updates of a rule do to a stored weight on average: docs/spec/feasibility.md, "Learning"."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from neuroemu.experiment import Homeostasis
from neuroemu.hardware.config import PlasticityTable
from neuroemu.models.drift import Drift, held, mean_rounding, stored_change
from neuroemu.numeric.constants import decimal

RARE = 1e-9
"""Counts that are less probable are left out; a mean loss below it is none."""


def balance(
    table: PlasticityTable, rule: Homeostasis, lsb: Fraction, period_s: float, rate: float | None
) -> Drift:
    """Return the mean changes of a weight inside its limits.

    Parameters
    ----------
    table : PlasticityTable
        Formats and roundings.
    rule : Homeostasis
    lsb : Fraction
        Of the weight, in the experiment's unit.
    period_s : float
        Biological time between periodic updates, 0 without.
    rate : float or None
        Of the presynaptic side, Hz, where it has one.

    Returns
    -------
    Drift
        Of a deferred rule the bias is that of a presynaptic spike, and the period the mean time between two.
    """
    asked = (decimal(rule.dw_plus) / lsb, decimal(rule.dw_minus) / lsb)
    plus, minus = (held(table, a) for a in asked)
    rounding, bias = table.weight.rounding, Fraction(0)
    if table.update == "periodic":
        bias = mean_rounding(_common(plus, minus), rounding)
    elif table.update == "deferred":
        bias, period_s = deferred_loss(table, plus, minus, asked), 1 / rate if rate else 0.0
    else:
        plus, minus = stored_change(plus, rounding), -stored_change(-minus, rounding)
    found = Drift(
        plus=plus,
        minus=minus,
        asked_plus=asked[0],
        asked_minus=asked[1],
        bias=bias,
        period_s=period_s,
    )
    return with_lfsr(table, found)


def _common(plus: Fraction, minus: Fraction) -> Fraction:
    """Return the largest part of an LSB of which both increments and 1 are multiples."""
    scale = math.lcm(plus.denominator, minus.denominator)
    return Fraction(math.gcd(int(plus * scale), int(minus * scale), scale), scale)


def waiting(mean: Fraction, n: int) -> float:
    """Return the probability of `n` postsynaptic spikes or more between two presynaptic ones.

    Both are taken as Poisson, with `mean` postsynaptic spikes for each presynaptic one.

    Examples
    --------
    >>> waiting(Fraction(1), 0), waiting(Fraction(1), 3)
    (1.0, 0.125)
    """
    return float(mean / (1 + mean)) ** n


def deferred_loss(
    table: PlasticityTable, plus: Fraction, minus: Fraction, asked: tuple[Fraction, Fraction]
) -> Fraction:
    """Return the mean change by rounding and by forgotten spikes of a deferred update, weight LSB.

    At the rates at which the rule as asked balances.
    """
    mean = asked[0] / asked[1] if asked[1] else Fraction(0)
    most = 2**table.counter.width - 1
    total, n = 0.0, 0
    while (left := waiting(mean, n)) > RARE:
        here = left - waiting(mean, n + 1)
        done = stored_change(plus - min(n, most) * minus, table.weight.rounding)
        total += here * float(done - (plus - n * minus))
        n += 1
    return Fraction(total) if abs(total) > RARE else Fraction(0)


def with_lfsr(table: PlasticityTable, found: Drift) -> Drift:
    """Return `found` with what words of few bits do to stochastic rounding."""
    dropped, bits = table.increment.format.fraction, table.random.output_bits
    is_stochastic = table.weight.rounding == "stochastic"
    if not is_stochastic or table.random.source != "lfsr" or bits >= dropped:
        return found
    if table.update in ("periodic", "deferred"):
        return replace(found, bias=-(Fraction(1, 2**bits) - Fraction(1, 2**dropped)) / 2)
    plus, minus = found.plus * 2**bits, found.minus * 2**bits
    return replace(
        found,
        plus=Fraction(math.floor(plus), 2**bits),
        minus=Fraction(math.ceil(minus), 2**bits),
    )
