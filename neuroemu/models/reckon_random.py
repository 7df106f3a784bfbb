"""ReckOn's random registers, each one stream of bits: the last sections of docs/spec/reckon.md."""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroemu.numeric.bits import lfsr_clock


class Register(NamedTuple):
    """The recurrence ``s[i] = s[i - tap] ^ s[i - width]`` and what a clock takes of it."""

    width: int
    tap: int
    clock_bits: int
    word_bits: int

    @property
    def taps(self) -> int:
        """Mask of the tapped bits, as `lfsr_clock` takes it."""
        return int(2 ** (self.tap - 1) + 2 ** (self.width - 1))


NEURONS = Register(15, 1, 15, 15)
OUTPUTS = Register(15, 1, 7, 7)
NOISE = Register(17, 3, 32, 16)
WEIGHTS = Register(25, 3, 512, 32)
OUTPUT_WEIGHTS = Register(22, 1, 448, 28)

_BEFORE_7 = (1, 3, 5, 7, 9, 11, 13, 2, 4, 6, 8, 10, 12, 14)
"""Which bit of a register of 7 bits a clock holds ``s[-14]``, ``s[-13]``, ... ``s[-1]``."""


def first_state(register: Register, value: int) -> int:
    """Return the state before the first bit, from what the chip's register holds.

    Parameters
    ----------
    register : Register
    value : int
        At reset, or as programmed: `width` bits, not 0.

    Returns
    -------
    int
        Bit ``k - 1`` is ``s[-k]``.

    Examples
    --------
    >>> state, word = draw(first_state(NEURONS, 0x1234), NEURONS, 15)
    >>> hex(word)
    '0x71ec'
    """
    width, tap = register.width, register.tap
    held = [int(bit) for bit in reversed(f"{value:0{width}b}")]
    before = [held[i] for i in (_BEFORE_7 if register == OUTPUTS else range(tap, width))]
    stream = before + held[:tap]  # s[tap - width] to s[tap - 1]
    for _ in range(tap):
        # s[i - width] = s[i] ^ s[i - tap], for the latest i that the stream still holds
        stream.insert(0, stream[width - 1] ^ stream[width - 1 - tap])
    return int("".join(str(bit) for bit in stream[:width]), 2)


def draw(state: Any, register: Any, n_bits: Any) -> Any:
    """Return the state after `n_bits` more bits, and their number, the first bit the lowest.

    Parameters
    ----------
    state : int
    register : Register
    n_bits : int
        At most 62 where this runs compiled.
    """
    word, unit = 0, 1
    for _ in range(n_bits):
        state = lfsr_clock(state, register.width, register.taps, 1)
        word += (state & 1) * unit
        unit += unit
    return state, word
