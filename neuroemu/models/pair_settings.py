"""What is written into a pair controller, as constants: docs/spec/pair-controller.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp
from typing import Any

import numpy as np

from neuroemu.errors import ConfigError, Violation
from neuroemu.models.pair_controller import PairParams, Pattern

CODES = 16
"""Weight codes of four bits; entries of a table."""

RESETS = 6
"""Reset bits: causal and acausal sensor for each of three tables."""

NEGLIGIBLE = 40.0
"""Time constants after which a pair leaves no charge; exp(-40) is 4e-18."""

SOURCE = "pair controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSettings:
    """What is written into a controller.

    Parameters
    ----------
    causal_table, acausal_table, combined_table : tuple of int
        16 entries of 0 to 15: the new code of each code.
    pattern_0, pattern_1 : Pattern
        Evaluation bits of the two configurations.
    threshold_high, threshold_low : float
        In charges of a pair without distance.
    resets : tuple of int
        1 where a sensor starts again: the causal and the acausal one after the causal table, then
        both after the acausal, then both after the combined table.

    Raises
    ------
    ConfigError
        If a table, a pattern or the resets have another length or range.
    """

    causal_table: tuple[int, ...]
    acausal_table: tuple[int, ...]
    combined_table: tuple[int, ...] = tuple(range(CODES))
    pattern_0: Pattern
    pattern_1: Pattern
    threshold_high: float
    threshold_low: float
    resets: tuple[int, ...] = (1,) * RESETS

    def __post_init__(self) -> None:
        tables = ("causal_table", "acausal_table", "combined_table")
        shapes = dict.fromkeys(tables, (CODES, CODES - 1))
        shapes |= {"pattern_0": (4, 1), "pattern_1": (4, 1), "resets": (RESETS, 1)}
        violations = [
            violation
            for key, (length, most) in shapes.items()
            for violation in _violations(key, getattr(self, key), length, most)
        ]
        if violations:
            raise ConfigError(violations)


def _violations(key: str, words: Sequence[Any], length: int, most: int) -> list[Violation]:
    if len(words) == length and all(word in range(most + 1) for word in words):
        return []
    rule = f"it holds {length} integers of 0 to {most}"
    text = str(tuple(words))
    remedy = "change it so"
    return [Violation(source=SOURCE, key=key, value=text, rule=rule, remedy=remedy)]


def step_table(change: int) -> tuple[int, ...]:
    """Return the table that adds `change` codes and stops at 0 and 15.

    Examples
    --------
    >>> step_table(-1)
    (0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
    """
    return tuple(min(max(code + change, 0), CODES - 1) for code in range(CODES))


def decay_table(dt_ms: float, tau_ms: float) -> tuple[float, ...]:
    """Return the charge of a pair by its distance in steps; the last entry is 0.

    Parameters
    ----------
    dt_ms, tau_ms : float
        Step and time constant, biological.

    Raises
    ------
    ConfigError
        If a time is not positive.

    Examples
    --------
    >>> [round(charge, 4) for charge in decay_table(0.5, 1.0)[:3]], len(decay_table(0.5, 1.0))
    ([1.0, 0.6065, 0.3679], 81)
    """
    for key, value in (("dt_ms", dt_ms), ("tau_ms", tau_ms)):
        if not value > 0.0:
            rule = "a time is longer than 0"
            raise ConfigError.one(SOURCE, key, value, rule=rule, remedy="give a longer one")
    last = ceil(NEGLIGIBLE * tau_ms / dt_ms)
    return (*(exp(-n * dt_ms / tau_ms) for n in range(last)), 0.0)


def pair_params(
    settings: PairSettings, *, dt_ms: float, tau_causal_ms: float, tau_acausal_ms: float
) -> PairParams:
    """Return the constants of the text, its tables as arrays for the compiled kernels.

    Returns
    -------
    PairParams
        ``causal_decay``, ``acausal_decay`` : float64; ``tables`` : (4, 16) int64, LSB of the
        weight; ``keep_causal``, ``keep_acausal`` : (4,) float64, 0.0 or 1.0.
    """
    tables = (settings.causal_table, settings.acausal_table, settings.combined_table)
    keep = np.array([1.0, 1.0, *(1.0 - reset for reset in settings.resets)])
    return PairParams(
        causal_decay=np.array(decay_table(dt_ms, tau_causal_ms)),
        acausal_decay=np.array(decay_table(dt_ms, tau_acausal_ms)),
        threshold_high=settings.threshold_high,
        threshold_low=settings.threshold_low,
        pattern_0=settings.pattern_0,
        pattern_1=settings.pattern_1,
        tables=np.array([range(CODES), *tables]),
        keep_causal=keep[0::2].copy(),
        keep_acausal=keep[1::2].copy(),
    )
