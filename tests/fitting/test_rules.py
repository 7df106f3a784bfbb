"""The smallest format obeys its bound, and one bit less does not."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroemu.errors import ConfigError
from neuroemu.fitting.rules import fraction_bits, make_format, percent, width_for
from neuroemu.numeric.format import Format

positive = st.fractions(min_value=Fraction(1, 10**9), max_value=10**9)


@given(positive)
def test_fraction_bits_are_as_few_as_can_be(largest_lsb: Fraction) -> None:
    bits = fraction_bits(largest_lsb)
    assert Fraction(2) ** -bits <= largest_lsb < Fraction(2) ** -(bits - 1)


@given(st.fractions(-(10**6), 0), st.fractions(0, 10**6))
def test_a_signed_width_is_as_small_as_can_be(low: Fraction, high: Fraction) -> None:
    width = width_for(low, high, signed=True)
    form = Format(True, width, 0)
    assert form.lo <= low and high <= form.hi
    if width > 2:
        narrower = Format(True, width - 1, 0)
        assert low < narrower.lo or narrower.hi < high


@given(st.fractions(0, 10**6))
def test_an_unsigned_width_is_as_small_as_can_be(high: Fraction) -> None:
    width = width_for(Fraction(0), high, signed=False)
    assert high <= Format(False, width, 0).hi
    assert width == 1 or Format(False, width - 1, 0).hi < high


def test_a_format_that_no_register_has_is_refused_with_a_remedy() -> None:
    with pytest.raises(ConfigError, match=r"fit:membrane.format: .*70.*; raise the precision"):
        make_format("membrane.format", 70, 60, signed=True)


def test_percent() -> None:
    assert [percent(x) for x in (0.25, 0.0123, 1)] == ["25 %", "1.2 %", "1e+02 %"]
