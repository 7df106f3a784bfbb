"""ReckOn's random registers, against the flip-flops of the circuit written out."""

import pytest

from neuroemu.models.reckon_random import (
    NEURONS,
    NOISE,
    OUTPUT_WEIGHTS,
    OUTPUTS,
    WEIGHTS,
    Register,
    draw,
    first_state,
)

RESET = [
    (NEURONS, 0x1234),
    (NEURONS, 0x70F0),
    (NEURONS, 0x1348),
    (NEURONS, 0x7BEA),
    (OUTPUTS, 0x7ABA),
    (OUTPUTS, 0x3FF3),
    (NOISE, 0x1F0F1),
    (WEIGHTS, 0x1),
    (WEIGHTS, 0x424242),
    (OUTPUT_WEIGHTS, 0x1),
]
"""Values at reset: the ``rst_val`` of the instances in src/srnn.v."""


def clocked(register: Register, d: list[int]) -> tuple[list[int], list[int]]:
    """One clock of src/lfsr/*.v (commit 5e5c0bea): the outputs y, and the flip-flops d after it."""
    n, tap, width = register.clock_bits, register.tap, register.width
    y = d[:tap]
    if n == 7:  # lfsr_oneur_stochround.v: chains of two flip-flops
        y += [0] * 7
        for k in range(7):
            y[k + 1] = y[k] ^ d[2 * k + 1]
        after = [y[7], *[0] * 14]
        for k in range(7):
            after[2 * k + 1], after[2 * k + 2] = d[2 * k + 2], y[k]
        return y[:7], after
    for i in range(n):  # x[i] = y[i] ^ what was y[i - (width - tap)], at first a flip-flop
        y.append(y[i] ^ (d[tap + i] if i < width - tap else y[i - (width - tap)]))
    return y[:n], y[n:] + y[n - (width - tap) : n]


@pytest.mark.parametrize(("register", "value"), RESET)
def test_draws_are_the_outputs_of_the_flip_flops(register: Register, value: int) -> None:
    d = [int(bit) for bit in reversed(f"{value:0{register.width}b}")]
    state = first_state(register, value)
    for _ in range(20):
        bits, d = clocked(register, d)
        assert len(d) == register.width
        for first in range(0, register.clock_bits, register.word_bits):
            state, word = draw(state, register, register.word_bits)
            assert word == sum(
                bit * 2**k for k, bit in enumerate(bits[first : first + register.word_bits])
            )


def test_words_by_hand() -> None:
    # lfsr_neur_stochround.v: out[k] is the parity of d[0] to d[k]; 0x1234 = 001001000110100
    assert draw(first_state(NEURONS, 0x1234), NEURONS, 15)[1] == 0b111000111101100
    # lfsr_oneur_stochround.v: of d[0], d[1], d[3], d[5], ...; 0x7ABA = 111101010111010
    assert draw(first_state(OUTPUTS, 0x7ABA), OUTPUTS, 7)[1] == 0b0101010


@pytest.mark.parametrize("register", [NEURONS, OUTPUTS])
def test_a_register_of_15_bits_has_the_full_period(register: Register) -> None:
    start = state = first_state(register, 1)
    for _ in range(32766):
        state, _ = draw(state, register, 1)
        assert state != start
    assert draw(state, register, 1)[0] == start


def test_zero_stays_zero() -> None:
    assert first_state(WEIGHTS, 0) == 0
    assert draw(0, WEIGHTS, 32) == (0, 0)
