"""The golden narrowing against brute force, the page's own formula, and fxpmath."""

import decimal
import itertools
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroemu.golden.narrow import (
    FXPMATH_ROUNDINGS,
    OVERFLOWS,
    ROUNDINGS,
    Narrow,
    Narrowing,
    OutsideEnvelope,
    narrow_fraction,
    narrow_fxpmath,
    overflows,
)

SMALL_WIDTHS = range(1, 7)
SMALL_VALUES = range(-32, 64)  # every value of every signed and unsigned format up to 6 bits
DECIMAL_ROUNDING = {
    "floor": decimal.ROUND_FLOOR,
    "ceil": decimal.ROUND_CEILING,
    "fix": decimal.ROUND_DOWN,
    "trunc": decimal.ROUND_DOWN,
    "around": decimal.ROUND_HALF_EVEN,
}


def free(shift: int, rounding: str) -> Narrowing:
    return Narrowing(shift=shift, rounding=rounding, overflow="saturate", signed=True, width=None)


def rounded_by_decimal(x: int, shift: int, rounding: str) -> int:
    q = Decimal(x) / Decimal(2**shift)  # exact: 28 digits hold 12 bits / 64
    if rounding == "half_up":
        return int((q + Decimal("0.5")).to_integral_value(decimal.ROUND_FLOOR))
    return int(q.to_integral_value(DECIMAL_ROUNDING[rounding]))


def ranged_by_search(y: int, spec: Narrowing) -> int:
    assert spec.width is not None
    half = 2 ** (spec.width - 1)
    values = range(-half, half) if spec.signed else range(2 * half)
    if spec.overflow == "wrap":
        (only,) = (value for value in values if (value - y) % 2**spec.width == 0)
        return only
    return sorted((values[0], y, values[-1]))[1]


@pytest.mark.parametrize("rounding", [*DECIMAL_ROUNDING, "half_up"])
def test_definition_equals_decimal_for_all_small_values(rounding: str) -> None:
    for shift, signed, width, overflow in itertools.product(
        range(7), (True, False), SMALL_WIDTHS, OVERFLOWS
    ):
        spec = Narrowing(
            shift=shift, rounding=rounding, overflow=overflow, signed=signed, width=width
        )
        for x in SMALL_VALUES:
            y = rounded_by_decimal(x, shift, rounding)
            assert narrow_fraction(x, spec) == ranged_by_search(y, spec), (x, spec)
            assert overflows(x, spec) == (ranged_by_search(y, spec) != y), (x, spec)


@pytest.mark.parametrize("overflow", OVERFLOWS)
def test_overflow_equals_search_far_out_of_range(overflow: str) -> None:
    for signed, width in itertools.product((True, False), SMALL_WIDTHS):
        spec = Narrowing(shift=0, rounding="floor", overflow=overflow, signed=signed, width=width)
        for y in range(-300, 301):
            assert narrow_fraction(y, spec) == ranged_by_search(y, spec), (y, spec)


def test_the_roundings_by_hand() -> None:
    # shift 2: q = x / 4
    at = {x: {r: narrow_fraction(x, free(2, r)) for r in ROUNDINGS} for x in (-10, -6, -3, 6, 10)}
    # -10/4 = -2.5: floor -3, ceil -2, toward zero -2, tie to even -2, tie up -2
    # -6/4 = -1.5: floor -2, ceil -1, toward zero -1, tie to even -2, tie up -1
    # -3/4: floor -1, else: ceil 0, toward zero 0, nearest -1
    names = ("floor", "ceil", "fix", "trunc", "around", "half_up")
    assert [at[-10][r] for r in names] == [-3, -2, -2, -2, -2, -2]
    assert [at[-6][r] for r in names] == [-2, -1, -1, -1, -2, -1]
    assert [at[-3][r] for r in names] == [-1, 0, 0, 0, -1, -1]
    assert [at[6][r] for r in names] == [1, 2, 1, 1, 2, 2]
    assert [at[10][r] for r in names] == [2, 3, 2, 2, 2, 3]


@pytest.mark.parametrize("shift", range(1, 7))
def test_stochastic_goes_up_as_often_as_the_fraction_says(shift: int) -> None:
    spec = free(shift, "stochastic")
    for x in SMALL_VALUES:
        below = x // 2**shift
        results = [narrow_fraction(x, spec, r * 2 ** (32 - shift)) for r in range(2**shift)]
        assert set(results) <= {below, below + 1}
        assert results.count(below + 1) == x % 2**shift
        assert results == sorted(results)  # a greater word never gives less


def test_stochastic_reads_the_top_bits_only() -> None:
    spec = free(3, "stochastic")
    for r in range(8):
        words = (r << 29, (r << 29) + 1, (r << 29) + 2**29 - 1)
        assert len({narrow_fraction(5, spec, word) for word in words}) == 1
    # 5 + 2 = 7 stays below 8, 5 + 3 = 8 reaches it
    assert narrow_fraction(5, spec, 2 << 29) == 0
    assert narrow_fraction(5, spec, 3 << 29) == 1


@pytest.mark.parametrize("rounding", ROUNDINGS)
@given(x=st.integers(-(2**80), 2**80), word=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_shift_0_is_the_identity(rounding: str, x: int, word: int) -> None:
    assert narrow_fraction(x, free(0, rounding), word) == x


def by_the_branchless_formula(x: int, spec: Narrowing, word: int) -> int:
    s = spec.shift
    full, half = (2**s - 1, 2 ** (s - 1)) if s else (0, 0)
    base, neg, odd, draw = {
        "floor": (0, 0, 0, 32),
        "ceil": (full, 0, 0, 32),
        "fix": (0, full, 0, 32),
        "trunc": (0, full, 0, 32),
        "around": (half - 1, 0, 1, 32) if s else (0, 0, 0, 32),
        "half_up": (half, 0, 0, 32),
        "stochastic": (0, 0, 0, 32 - s),
    }[spec.rounding]
    assert spec.width is not None
    assert spec.lo is not None
    assert spec.hi is not None
    mask = 2**spec.width - 1 if spec.overflow == "wrap" else -1
    y = (x + base + neg * (x < 0) + odd * ((x >> s) & 1) + (word >> draw)) >> s
    y = ((y - spec.lo) & mask) + spec.lo
    return min(max(y, spec.lo), spec.hi)


sites = st.builds(
    Narrowing,
    shift=st.integers(0, 32),
    rounding=st.sampled_from(ROUNDINGS),
    overflow=st.sampled_from(OVERFLOWS),
    signed=st.booleans(),
    width=st.integers(1, 63),
)


def near_ties(shift: int, bits: int) -> st.SearchStrategy[int]:
    """Integers of at most `bits` bits and sign; often on a grid point, a tie, or beside one."""
    step = 2 ** max(shift - 1, 0)
    end = 2 ** (bits - 1)
    on_grid = st.integers(-(end // step), (end - 1) // step).map(lambda n: n * step)
    beside = st.tuples(on_grid, st.integers(-1, 1)).map(sum)
    return st.one_of(st.integers(-end, end - 1), beside.map(lambda n: max(-end, min(end - 1, n))))


@given(spec=sites, data=st.data(), word=st.integers(0, 2**32 - 1))
@settings(max_examples=500, deadline=None)
def test_the_formula_of_the_page_equals_its_definitions(
    spec: Narrowing, data: st.DataObject, word: int
) -> None:
    x = data.draw(near_ties(spec.shift, 64))
    assert by_the_branchless_formula(x, spec, word) == narrow_fraction(x, spec, word)


@pytest.mark.parametrize("rounding", FXPMATH_ROUNDINGS)
def test_fxpmath_equals_fraction_over_small_formats(rounding: str) -> None:
    for shift, signed, width, overflow in itertools.product(
        (0, 1, 3), (True, False), (1, 2, 4), ("saturate", "wrap")
    ):
        spec = Narrowing(
            shift=shift, rounding=rounding, overflow=overflow, signed=signed, width=width
        )
        for x in range(-24, 25):
            assert narrow_fxpmath(x, spec) == narrow_fraction(x, spec), (x, spec)


@given(
    spec=st.builds(
        Narrowing,
        shift=st.integers(0, 64),
        rounding=st.sampled_from(FXPMATH_ROUNDINGS),
        overflow=st.sampled_from(OVERFLOWS),
        signed=st.booleans(),
        width=st.one_of(st.none(), st.integers(1, 63)),
    ),
    data=st.data(),
)
@settings(max_examples=500, deadline=None)
def test_fxpmath_equals_fraction_inside_its_envelope(spec: Narrowing, data: st.DataObject) -> None:
    x = data.draw(near_ties(spec.shift, 53))
    assert narrow_fxpmath(x, spec) == narrow_fraction(x, spec)


@pytest.mark.parametrize("rounding", ["half_up", "stochastic"])
def test_fxpmath_does_not_judge_this_rounding(rounding: str) -> None:
    with pytest.raises(OutsideEnvelope, match=rounding):
        narrow_fxpmath(3, free(1, rounding))


@pytest.mark.parametrize("x", [2**52, -(2**52) - 1, 2**200])
def test_fxpmath_does_not_judge_wide_sources(x: int) -> None:
    with pytest.raises(OutsideEnvelope, match="more than 53 bits"):
        narrow_fxpmath(x, free(1, "floor"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rounding": "nearest"}, "rounding"),
        ({"overflow": "clip"}, "overflow"),
        ({"shift": -1}, "negative"),
        ({"rounding": "stochastic", "shift": 33}, "32 bits"),
        ({"width": 0}, "width"),
        ({"width": 64}, "width"),
    ],
)
def test_sites_that_the_page_does_not_know_are_refused(
    change: dict[str, int | str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(free(1, "floor"), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("word", [-1, 2**32])
def test_words_of_more_than_32_bits_are_refused(word: int) -> None:
    with pytest.raises(ValueError, match="random word"):
        narrow_fraction(1, free(1, "stochastic"), word)


@pytest.mark.parametrize("narrow", [narrow_fraction, narrow_fxpmath])
def test_a_symmetric_register_has_no_lowest_code(narrow: Narrow) -> None:
    spec = Narrowing(
        shift=1, rounding="floor", overflow="saturate", signed=True, width=3, symmetric=True
    )
    assert (spec.lo, spec.hi) == (-3, 3)
    # halves: -4 is out of range, -3 and 3 are not
    assert [narrow(x, spec) for x in (-9, -8, -7, -6, -5, 6, 7, 8)] == [-3, -3, -3, -3, -3, 3, 3, 3]
    assert overflows(-7, spec)
    assert not overflows(-6, spec)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signed": False}, "only a signed register"),
        ({"width": None}, "only a signed register"),
        ({"width": 1}, "only a signed register"),
        ({"overflow": "wrap"}, "does not wrap"),
    ],
)
def test_what_cannot_be_symmetric(change: dict[str, object], message: str) -> None:
    spec = Narrowing(
        shift=0, rounding="floor", overflow="saturate", signed=True, width=3, symmetric=True
    )
    with pytest.raises(ValueError, match=message):
        replace(spec, **change)  # type: ignore[arg-type]
