"""Floating and decay registers of Loihi 1 against docs/spec/loihi-learning.md."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroemu.errors import ConfigError
from neuroemu.models.loihi_registers import (
    BIAS_EXPONENTS,
    BIAS_MANTISSA,
    SCALE_EXPONENTS,
    SCALE_MANTISSA,
    THRESHOLD_EXPONENTS,
    THRESHOLD_MANTISSA,
    Floating,
    bias_register,
    decay_register,
    grid_step,
    learning_scale,
    mantissa_exponent,
    threshold_register,
    trace_params,
    weight_exponent,
    weight_mantissa,
)
from neuroemu.numeric.format import Format


def _numbers(mantissa: Format, exponents: range) -> list[Fraction]:
    """Return every number of a floating register, in order."""
    held = {m * Fraction(2) ** e for m in range(mantissa.lo, mantissa.hi + 1) for e in exponents}
    return sorted(held)


def _midpoints(numbers: list[Fraction]) -> list[tuple[Fraction, Fraction, Fraction]]:
    return [(a, b, (a + b) / 2) for a, b in pairwise(numbers)]


SMALL = [
    (Format(signed=True, width=4, fraction=0), SCALE_EXPONENTS),
    (Format(signed=True, width=2, fraction=0), range(-3, 4)),
    (Format(signed=False, width=1, fraction=0), range(5)),
    (Format(signed=False, width=8, fraction=0), range(-8, 8)),
    (Format(signed=False, width=5, fraction=0), range(6, 7)),
    (Format(signed=True, width=7, fraction=0), BIAS_EXPONENTS),
]


@pytest.mark.parametrize(("mantissa", "exponents"), SMALL)
def test_every_number_of_a_register_is_held_exactly_at_its_smallest_exponent(
    mantissa: Format, exponents: range
) -> None:
    for number in _numbers(mantissa, exponents):
        held = mantissa_exponent(number, mantissa, exponents)
        assert held.value == number
        finer = number / Fraction(2) ** (held.exponent - 1)
        assert held.exponent == exponents[0] or not (mantissa.lo <= finer <= mantissa.hi)


@pytest.mark.parametrize(("mantissa", "exponents"), SMALL)
def test_between_two_numbers_the_nearer_is_held_and_at_the_middle_the_even(
    mantissa: Format, exponents: range
) -> None:
    hair = Fraction(1, 2**40)
    for low, high, middle in _midpoints(_numbers(mantissa, exponents)):
        even = low if low / (high - low) % 2 == 0 else high
        for asked, expected in ((middle - hair, low), (middle + hair, high), (middle, even)):
            assert mantissa_exponent(asked, mantissa, exponents).value == expected


@pytest.mark.parametrize(("mantissa", "exponents"), SMALL)
def test_beyond_its_largest_number_a_register_saturates(mantissa: Format, exponents: range) -> None:
    numbers = _numbers(mantissa, exponents)
    for asked, expected in ((numbers[-1] * 2, numbers[-1]), (numbers[0] * 2 - 1, numbers[0])):
        assert mantissa_exponent(asked, mantissa, exponents).value == expected


@given(st.fractions(-5000, 5000))
def test_no_scale_is_nearer_than_the_one_held(asked: Fraction) -> None:
    held = learning_scale(asked).value
    assert abs(held - asked) == min(abs(n - asked) for n in SCALES)


SCALES = _numbers(SCALE_MANTISSA, SCALE_EXPONENTS)


@given(st.fractions(0, 7 * 2**9))
def test_a_scale_has_the_same_magnitudes_up_and_down(asked: Fraction) -> None:
    assert learning_scale(-asked).value == -learning_scale(asked).value


@given(st.integers(-(10**6), 10**6))
def test_a_bias_takes_the_smallest_exponent_that_fits(asked: int) -> None:
    held = bias_register(asked)
    assert (BIAS_MANTISSA.lo, BIAS_MANTISSA.hi, BIAS_EXPONENTS) == (-4096, 4095, range(8))
    if -4096 * 128 <= asked <= 4095 * 128:
        assert abs(held.value - asked) <= Fraction(2**held.exponent, 2)
    assert held.exponent == 0 or not -4096 <= Fraction(asked, 2 ** (held.exponent - 1)) <= 4095


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (64 * 4096, Floating(4096, 6)),
        (32, Floating(0, 6)),
        (96, Floating(2, 6)),
        (2**30, Floating(131071, 6)),
    ],
)
def test_a_threshold_is_a_multiple_of_64(asked: int, expected: Floating) -> None:
    assert threshold_register(asked) == expected
    assert (THRESHOLD_MANTISSA.hi, THRESHOLD_EXPONENTS) == (131071, range(6, 7))


@pytest.mark.parametrize(
    ("keep", "offset", "expected"),
    [
        (Fraction(99, 100), 0, 41),
        (Fraction(99, 100), 1, 40),
        (Fraction(1), 0, 0),
        (Fraction(1), 1, 0),
        (Fraction(0), 0, 4095),
        (Fraction(0), 1, 4095),
        (Fraction(1, 2), 0, 2048),
    ],
)
def test_a_decay_has_twelve_bits(keep: Fraction, offset: int, expected: int) -> None:
    assert decay_register(keep, offset=offset) == expected


def test_every_decay_register_is_reached_by_its_own_factor() -> None:
    for raw in range(4096):
        assert decay_register(1 - Fraction(raw, 4096)) == raw
        assert decay_register(1 - Fraction(raw + 1, 4096), offset=1) == raw


@given(
    largest=st.fractions(Fraction(1, 100), 30000),
    share=st.fractions(0, 1),
    mode=st.sampled_from(["excitatory", "inhibitory", "mixed"]),
    bits=st.integers(2, 8),
)
def test_weights_of_a_group_lie_within_half_a_step_of_what_was_asked(
    largest: Fraction, share: Fraction, mode: Any, bits: int
) -> None:
    exponent = weight_exponent(largest, mode, bits)
    step = grid_step(mode, bits) * Fraction(2) ** exponent
    asked = largest * share * (-1 if mode == "inhibitory" else 1)
    mantissa = weight_mantissa(asked, exponent, mode, bits)
    assert mantissa % grid_step(mode, bits) == 0
    assert abs(mantissa * Fraction(2) ** exponent - asked) <= step / 2


def test_the_largest_weight_uses_its_register() -> None:
    assert (weight_exponent(255), weight_mantissa(255, 0)) == (0, 255)
    assert (weight_exponent(256), weight_mantissa(256, 1)) == (1, 128)
    assert (weight_exponent(254, "mixed"), weight_mantissa(254, 0, "mixed")) == (0, 254)
    assert weight_exponent(256, "mixed") == 1
    assert weight_exponent(Fraction(1, 10**6)) == -8


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: trace_params(Fraction(1, 2), 1), "tau = 1/2"),
        (lambda: trace_params(-3, 1), "tau = -3"),
        (lambda: trace_params(3, -1), "impulse = -1"),
        (lambda: grid_step("mixed", 1), "bits = 1: a weight of sign mode mixed has 2 to 8 bits"),
        (lambda: grid_step("excitatory", 9), "has 1 to 8 bits"),
        (lambda: grid_step("inhibitory", 0), "has 1 to 8 bits"),
    ],
)
def test_what_no_register_can_hold_is_refused(call: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        call()
    assert words in str(caught.value)
