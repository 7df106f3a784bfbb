"""Random bits: counter-based, and linear feedback shift registers as chips have them.

The functions run unchanged on Python ints and on compiled 64-bit integers: every product is masked
to 32 bits at once, so a signed overflow in between does no harm.
"""

from __future__ import annotations

from typing import Any

_MASK = 0xFFFFFFFF
_MULTIPLIER = 0xD256D193
_WEYL = 0x9E3779B9

SITE_IDS = {"leak": 1, "drive": 2, "store": 3, "lfsr": 4}
"""Which stream of the seed a site draws from."""


def philox(counter0: Any, counter1: Any, key: Any) -> Any:
    """Return the first word of Philox-2x32-10.

    Parameters
    ----------
    counter0, counter1, key : int
        Each 0 to 2**32 - 1.

    Returns
    -------
    int
        32 random bits.

    Source
    ------
    Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11; constants
    and known answers of Random123.

    Examples
    --------
    >>> hex(philox(0, 0, 0))
    '0xff1dae59'
    """
    x0 = counter0 & _MASK
    x1 = counter1 & _MASK
    k = key & _MASK
    for _ in range(10):
        product = x0 * _MULTIPLIER
        x0 = ((product >> 32) & _MASK) ^ k ^ x1
        x1 = product & _MASK
        k = (k + _WEYL) & _MASK
    return x0


def stream_key(seed: int, trial: int, site: str) -> int:
    """Return the key from which `site` draws in `trial`.

    Parameters
    ----------
    seed : int
        Seed of the run, 0 to 2**64 - 1.
    trial : int
        Index of the trial.
    site : str
        A name of `SITE_IDS`.
    """
    return int(philox(trial, SITE_IDS[site], philox(seed >> 32, 0, seed & _MASK)))


def lfsr_seed(seed: int, trial: int, lane: int, width: int) -> int:
    """Return the first state of one LFSR: drawn from the seed, never 0."""
    state = philox(0, lane, stream_key(seed, trial, "lfsr")) & ((1 << width) - 1)
    return int(state) or 1


def lfsr_clock(state: Any, width: Any, taps: Any, clocks: Any) -> Any:
    """Return the state of a Fibonacci LFSR after some clocks.

    Parameters
    ----------
    state : int
        `width` bits, not 0.
    width : int
        Length of the register.
    taps : int
        Mask of the tapped bits: bit ``t - 1`` for exponent ``t`` of the polynomial.
    clocks : int
        How often it shifts.
    """
    for _ in range(clocks):
        parity = state & taps
        parity ^= parity >> 32
        parity ^= parity >> 16
        parity ^= parity >> 8
        parity ^= parity >> 4
        parity ^= parity >> 2
        parity ^= parity >> 1
        state = ((state << 1) | (parity & 1)) & ((1 << width) - 1)
    return state


def lfsr_word(state: Any, output_bits: Any) -> Any:
    """Return the low `output_bits` of the state, at the top of a word of 32 bits."""
    return (state & ((1 << output_bits) - 1)) << (32 - output_bits)
