"""Formats: their text, their range, their LSB."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroemu.numeric.format import MAX_FRACTION, MAX_WIDTH, Format, FormatError

FRACTIONS = st.integers(-MAX_FRACTION, MAX_FRACTION)
FORMATS = st.one_of(
    st.builds(Format, st.just(True), st.integers(2, MAX_WIDTH), FRACTIONS),
    st.builds(Format, st.just(False), st.integers(1, MAX_WIDTH), FRACTIONS),
)


@given(FORMATS)
def test_the_text_is_read_back(form: Format) -> None:
    assert Format.parse(str(form)) == form


@given(FORMATS)
def test_a_register_of_n_bits_holds_two_to_the_n_numbers_around_zero(form: Format) -> None:
    assert form.hi - form.lo + 1 == 2**form.width
    assert form.lo == (-form.hi - 1 if form.signed else 0)


@given(FORMATS)
def test_the_lsb_is_exact(form: Format) -> None:
    assert form.lsb * Fraction(2) ** form.fraction == 1


@pytest.mark.parametrize(
    ("text", "lo", "hi", "lsb"),
    [
        ("fxp-s16/12", -32768, 32767, Fraction(1, 4096)),
        ("fxp-u6/5", 0, 63, Fraction(1, 32)),
        ("fxp-u1/0", 0, 1, Fraction(1)),
        ("fxp-s2/0", -2, 1, Fraction(1)),
        ("fxp-u8/-3", 0, 255, Fraction(8)),
        ("fxp-s8/10", -128, 127, Fraction(1, 1024)),
        ("fxp-s63/64", -(2**62), 2**62 - 1, Fraction(1, 2**64)),
    ],
)
def test_ranges_of_known_formats(text: str, lo: int, hi: int, lsb: Fraction) -> None:
    form = Format.parse(text)
    assert (form.lo, form.hi, form.lsb) == (lo, hi, lsb)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s16/12",
        "fxp-16/12",
        "fxp-s16",
        "fxp-s16/",
        "fxp-s/12",
        "fxp-i16/12",
        "FXP-S16/12",
        "fxp-s-16/12",
        "fxp-s16/+12",
        "fxp-s16/1.5",
        " fxp-s16/12",
        "fxp-s16/12\n",
        "fxp-s16/12-complex",
    ],
)
def test_a_text_that_is_no_format(text: str) -> None:
    with pytest.raises(FormatError, match="expected fxp-"):
        Format.parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fxp-u0/0", "the width is 0, and must be 1 to 63 bits"),
        ("fxp-s64/0", "the width is 64, and must be 1 to 63 bits"),
        ("fxp-s1/0", "a signed format needs at least 2 bits"),
        ("fxp-s16/65", "65 fraction bits; they must be -64 to 64"),
        ("fxp-s16/-65", "-65 fraction bits; they must be -64 to 64"),
    ],
)
def test_a_format_that_no_register_can_have(text: str, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        Format.parse(text)


@given(st.text(st.sampled_from("fxp-su0123456789/"), max_size=14))
def test_any_text_is_a_format_or_refused_as_one(text: str) -> None:
    try:
        form = Format.parse(text)
    except FormatError:
        return
    assert Format.parse(str(form)) == form


def test_a_format_is_a_value() -> None:
    assert Format.parse("fxp-s8/4") == Format(True, 8, 4) != Format(False, 8, 4)
    assert len({Format(True, 8, 4), Format(True, 8, 4)}) == 1
