"""Constants: the decimal that was written, and its rounding by what defines it."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroemu.golden.narrow import Narrowing
from neuroemu.golden.narrow import round_fraction as round_bits
from neuroemu.numeric.constants import decimal, round_fraction
from neuroemu.numeric.site import ROUNDINGS

CONSTANT_ROUNDINGS = [r for r in ROUNDINGS if r != "stochastic"]
HALF = Fraction(1, 2)
GRID = sorted({Fraction(n, d) for d in range(1, 9) for n in range(-4 * d, 4 * d + 1)})


def is_rounded(q: Fraction, y: int, rounding: str) -> bool:
    """Whether `y` is what docs/spec/rounding.md says of `q`."""
    match rounding:
        case "floor":
            return y <= q < y + 1
        case "ceil":
            return y - 1 < q <= y
        case "fix" | "trunc":
            return abs(y) <= abs(q) < abs(y) + 1 and y * q >= 0
        case "half_up":
            return y - HALF <= q < y + HALF
        case _:
            return abs(q - y) < HALF or (abs(q - y) == HALF and y % 2 == 0)


@pytest.mark.parametrize("rounding", CONSTANT_ROUNDINGS)
def test_roundings_of_small_fractions_of_both_signs(rounding: str) -> None:
    for q in GRID:
        assert is_rounded(q, round_fraction(q, rounding), rounding), q


@pytest.mark.parametrize("rounding", CONSTANT_ROUNDINGS)
@given(q=st.fractions(-(2**64), 2**64))
def test_roundings_of_any_fraction(rounding: str, q: Fraction) -> None:
    assert is_rounded(q, round_fraction(q, rounding), rounding)


@pytest.mark.parametrize("rounding", CONSTANT_ROUNDINGS)
def test_a_constant_is_rounded_as_a_value_at_a_site(rounding: str) -> None:
    spec = Narrowing(shift=3, rounding=rounding, overflow="saturate", signed=True, width=None)
    for x in range(-64, 65):
        assert round_fraction(Fraction(x, 8), rounding) == round_bits(x, spec)


def test_a_constant_takes_no_random_bits() -> None:
    for q in GRID:
        assert round_fraction(q, "stochastic") == round_fraction(q, "around")


@given(st.decimals(-1000, 1000, places=6))
def test_a_constant_is_the_decimal_that_was_written(written: Decimal) -> None:
    assert decimal(float(written)) == Fraction(written)


@pytest.mark.parametrize(
    ("value", "exact"),
    [(0.1, Fraction(1, 10)), (1e-7, Fraction(1, 10**7)), (-0.05, Fraction(-1, 20)), (3, 3)],
)
def test_decimals_that_no_double_holds(value: float, exact: Fraction) -> None:
    assert decimal(value) == exact
