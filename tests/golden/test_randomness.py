"""Philox by its published known answers, the shift register by hand and by its period."""

from collections.abc import Sequence

import pytest

from neuroemu.golden.randomness import (
    FibonacciLfsr,
    counter_words,
    philox_2x32,
    register_words,
)


def lfsr(
    *,
    width: int = 4,
    taps: Sequence[int] = (4, 3),
    state: int = 1,
    bits_per_draw: int = 1,
    output_bits: int = 4,
) -> FibonacciLfsr:
    return FibonacciLfsr(
        width=width, taps=taps, state=state, bits_per_draw=bits_per_draw, output_bits=output_bits
    )


# Source: Random123, examples/kat_vectors, philox2x32 with 10 rounds.
@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0x00000000, 0x00000000), 0x00000000, (0xFF1DAE59, 0x6CD10DF2)),
        ((0xFFFFFFFF, 0xFFFFFFFF), 0xFFFFFFFF, (0x2C3F628B, 0xAB4FD7AD)),
        ((0x243F6A88, 0x85A308D3), 0x13198A2E, (0xDD7CE038, 0xF62A4C12)),
    ],
)
def test_philox_known_answers(counter: tuple[int, int], key: int, words: tuple[int, int]) -> None:
    assert philox_2x32(counter, key) == words


def test_counter_words_are_the_first_word_of_step_and_lane() -> None:
    words = counter_words({"store": 0x13198A2E})
    assert words("store", 0x85A308D3, 0x243F6A88) == 0xDD7CE038


@pytest.mark.parametrize(("counter", "key"), [((2**32, 0), 0), ((0, -1), 0), ((0, 0), 2**32)])
def test_philox_refuses_wider_words(counter: tuple[int, int], key: int) -> None:
    with pytest.raises(ValueError, match="32-bit"):
        philox_2x32(counter, key)


def test_lfsr_by_hand() -> None:
    # x^4 + x^3 + 1: bits 3 and 2 decide. 0001 0010 0100, now bit 2: 1001, bit 3: 0011, 0110, ...
    register = lfsr()
    states = []
    for _ in range(15):
        states.append(register.state)
        register.clock()
    assert states == [1, 2, 4, 9, 3, 6, 13, 10, 5, 11, 7, 15, 14, 12, 8]
    assert register.state == 1


def test_lfsr_draws_after_its_clocks_and_returns_the_low_bits_on_top() -> None:
    # two clocks a draw: 1 -> 4 -> 3 -> 13; the low three bits are 100, 011, 101
    register = lfsr(bits_per_draw=2, output_bits=3)
    assert [register.draw() for _ in range(3)] == [0b100 << 29, 0b011 << 29, 0b101 << 29]


def test_lfsr_of_16_bits_has_the_full_period() -> None:
    register = lfsr(width=16, taps=(16, 15, 13, 4), state=0xACE1)
    period = 0
    while True:
        register.clock()
        period += 1
        if register.state == 0xACE1:
            break
    assert period == 65535


def test_register_words_clock_only_the_lane_that_draws() -> None:
    registers = {("store", lane): lfsr(state=1 + lane) for lane in range(2)}
    words = register_words(registers)
    assert [words("store", 0, 0), words("store", 0, 0)] == [2 << 28, 4 << 28]
    assert registers["store", 1].state == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state": 0}, "state"),
        ({"state": 16}, "state"),
        ({"taps": ()}, "taps"),
        ({"taps": (5,)}, "taps"),
        ({"taps": (0, 4)}, "taps"),
        ({"taps": (4, 4)}, "taps"),
        ({"output_bits": 5}, "output_bits"),
        ({"output_bits": 0}, "output_bits"),
        ({"bits_per_draw": 0}, "bits_per_draw"),
        ({"width": 40, "output_bits": 33}, "output_bits"),
    ],
)
def test_registers_that_cannot_be_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lfsr(**change)  # type: ignore[arg-type]
