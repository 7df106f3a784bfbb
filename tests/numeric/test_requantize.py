"""`requantize`: compiled, over Python ints, and by the definition in exact fractions."""

from functools import cache
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import neuroemu.engine.compiled  # noqa: F401 - makes the texts callable from compiled code
from neuroemu.golden.narrow import Narrowing, narrow_fraction, overflows, round_fraction
from neuroemu.numeric.format import Format
from neuroemu.numeric.ops import overflowed, requantize
from neuroemu.numeric.site import OVERFLOWS, ROUNDINGS, Site

SHIFTS = range(7)
INPUTS = np.arange(-512, 1024)
"""Every value of 10 bits, signed and unsigned."""
FORMATS = [Format.parse(f"fxp-{text}/0") for text in ("u1", "s2", "u3", "s4", "u6", "s7")]
CONTAINERS = {"int32": np.int32, "int64": np.int64}


@numba.njit
def compiled_loop(xs, site, words, stored, outside):
    for i in range(xs.size):
        stored[i] = requantize(xs[i], site, words[i])
        outside[i] = overflowed(xs[i], site, words[i])


def compiled(xs: Any, site: Any, words: Any, dtype: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    xs = np.asarray(xs, dtype)
    stored, outside = np.empty_like(xs), np.empty(xs.size, np.bool_)
    compiled_loop(xs, site, np.asarray(words, np.int64), stored, outside)
    return stored, outside


def site_of(form: Format, shift: int, rounding: Any, overflow: Any, **more: Any) -> Site:
    return Site(
        name="s",
        shift=shift,
        rounding=rounding,
        overflow=overflow,
        lo=form.lo,
        hi=form.hi,
        **more,
    )


def narrowing(form: Format | None, shift: int, rounding: str, overflow: str) -> Narrowing:
    return Narrowing(
        shift=shift,
        rounding=rounding,
        overflow=overflow,
        signed=form.signed if form else True,
        width=form.width if form else None,
    )


@cache
def rounded(shift: int, rounding: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Inputs, random words and their rounded values by definition: every draw for `stochastic`."""
    draws = range(2**shift if rounding == "stochastic" else 1)
    xs = np.tile(INPUTS, len(draws))
    # bits below the drawn ones must not matter, so they are not all 0
    words = np.repeat([(r * 2 ** (32 - shift) + 77 * r) % 2**32 for r in draws], INPUTS.size)
    spec = narrowing(None, shift, rounding, "saturate")
    pairs = zip(xs.tolist(), words.tolist(), strict=True)
    return xs, words, np.asarray([round_fraction(x, spec, word) for x, word in pairs])


@cache
def ranged(form: Format, overflow: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """What the register stores of each of `INPUTS`, and whether it lies outside its range."""
    spec = narrowing(form, 0, "floor", overflow)
    stored = [narrow_fraction(y, spec) for y in INPUTS.tolist()]
    return np.asarray(stored), np.asarray([overflows(y, spec) for y in INPUTS.tolist()])


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_compiled_exhaustively(rounding: str, shift: int) -> None:
    xs, words, ys = rounded(shift, rounding)
    for form in FORMATS:
        for overflow in OVERFLOWS:
            stored, outside = (column[ys - INPUTS[0]] for column in ranged(form, overflow))
            site = site_of(form, shift, rounding, overflow)
            sites = {c: site.as_fixed(container) for c, container in CONTAINERS.items()}
            for dtype, narrow in {**sites, "float64": site.as_double()}.items():
                found = compiled(xs, narrow, words, dtype)
                assert np.array_equal(found[0], stored), (form, overflow, dtype)
                assert np.array_equal(found[1], outside), (form, overflow, dtype)


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_python_numbers_exhaustively(rounding: str, shift: int) -> None:
    xs, words, ys = rounded(shift, rounding)
    for form, overflow in ((FORMATS[3], "wrap"), (FORMATS[2], "saturate")):
        stored, outside = (column[ys - INPUTS[0]].tolist() for column in ranged(form, overflow))
        site = site_of(form, shift, rounding, overflow)
        narrow, pairs = site.as_fixed(int), list(zip(xs.tolist(), words.tolist(), strict=True))
        assert [requantize(x, narrow, word) for x, word in pairs] == stored
        assert [overflowed(x, narrow, word) for x, word in pairs] == outside
        # doubles in Python are slow: every 7th
        for (x, word), y, is_outside in list(zip(pairs, stored, outside, strict=True))[::7]:
            assert requantize(float(x), site.as_double(), word) == y
            assert overflowed(float(x), site.as_double(), word) == is_outside


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("rounding", ["floor", "ceil", "fix", "trunc", "half_up"])
def test_the_cheap_site_exhaustively(rounding: str, shift: int) -> None:
    xs, words, ys = rounded(shift, rounding)
    site = site_of(Format(True, 31, 0), shift, rounding, "saturate", never_overflows=True)
    for dtype, container in {**CONTAINERS, "python": int}.items():
        narrow = site.as_narrowest(container)
        assert type(narrow).__name__ == "Round"
        if dtype == "python":
            assert [requantize(x, narrow, 0) for x in xs.tolist()] == ys.tolist()
        else:
            stored, outside = compiled(xs, narrow, words, dtype)
            assert np.array_equal(stored, ys) and not outside.any()


@pytest.mark.parametrize("rounding", ["around", "stochastic"])
def test_the_cheap_site_is_not_taken_where_it_does_not_do(rounding: str) -> None:
    form = Format(True, 31, 0)
    assert type(site_of(form, 3, rounding, "wrap", never_overflows=True).as_narrowest(int)) is type(
        site_of(form, 3, rounding, "wrap").as_fixed(int)
    )
    may_overflow = site_of(form, 3, "floor", "wrap").as_narrowest(int)
    assert type(may_overflow).__name__ == "Fixed"


@st.composite
def edges(draw: st.DrawFn, bits: int) -> tuple[Format, int, str, str, int, int]:
    """A site, an input at an edge of its range or at a tie, and a word at an edge of the draw.

    Input and rounding addend together stay within `bits` bits and a sign.
    """
    signed = draw(st.booleans())
    width = draw(st.integers(2 if signed else 1, bits))
    shift = draw(st.integers(0, bits - width))
    rounding = draw(st.sampled_from([r for r in ROUNDINGS if shift <= 32 or r != "stochastic"]))
    form = Format(signed, width, 0)
    unit = 2**shift
    near = draw(st.sampled_from([form.lo, form.hi, 0, form.lo + form.hi, -form.hi]))
    y = near + draw(st.integers(-2, 2))
    part = draw(st.sampled_from([0, 1, unit // 2 - 1, unit // 2, unit // 2 + 1, unit - 1]))
    most = 2**bits - unit
    x = min(max(y * unit + part, -most), most)
    x = draw(st.one_of(st.just(x), st.just(x), st.integers(-most, most)))
    r = draw(st.sampled_from([0, 1, unit // 2, unit - 1, -x % unit, (-x - 1) % unit]))
    rest = 2 ** (32 - shift) if shift <= 32 else 1
    top = (r % unit) * rest if shift <= 32 else 0
    # bits below those that are drawn must not matter, however many they are
    word = draw(st.one_of(st.sampled_from([top, top + rest - 1]), st.integers(0, 2**32 - 1)))
    return form, shift, rounding, draw(st.sampled_from(OVERFLOWS)), x, word


@pytest.mark.parametrize(("dtype", "bits"), [("int32", 31), ("int64", 63), ("float64", 51)])
@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_at_the_edges_of_wide_registers(dtype: str, bits: int, data: st.DataObject) -> None:
    form, shift, rounding, overflow, x, word = data.draw(edges(bits))
    site, spec = (
        site_of(form, shift, rounding, overflow),
        narrowing(form, shift, rounding, overflow),
    )
    stored, is_outside = narrow_fraction(x, spec, word), overflows(x, spec, word)
    assert requantize(x, site.as_fixed(int), word) == stored
    assert overflowed(x, site.as_fixed(int), word) == is_outside
    if dtype == "float64":
        narrow: Any = site.as_double()
        assert requantize(float(x), narrow, word) == stored
        assert overflowed(float(x), narrow, word) == is_outside
    else:
        narrow = site.as_fixed(CONTAINERS[dtype])
    found = compiled([x], narrow, [word], dtype)
    assert (int(found[0][0]), bool(found[1][0])) == (stored, is_outside)


def at_container_edges(bits: int, shift: int) -> list[int]:
    """Inputs at the ends, at the halves and around 0 of a container of `bits` and a sign.

    Those that a rounding's addend takes beyond the upper end are left out: the plan proves that none is met.
    """
    unit, half = 2**shift, 2 ** (bits - 1)
    parts = {0, 1, unit // 2 - 1, unit // 2, unit // 2 + 1, unit - 1, unit, unit + 1}
    near = {-2 * half, -half - 2 * unit, -half, -unit, 0, half, 2 * half - 3 * unit}
    return sorted({x + p for x in near for p in parts if -2 * half <= x + p <= 2 * half - unit})


@pytest.mark.parametrize(("dtype", "bits"), [("int32", 31), ("int64", 63), ("float64", 53)])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_at_the_edges_of_the_container(rounding: str, dtype: str, bits: int) -> None:
    """The lowest product that a container holds has its highest bit set, the highest has not."""
    for shift in range(1, min(bits, 33)):
        xs = at_container_edges(bits, shift)
        words = [(2**32 - 1 - 5 * i) % 2**32 for i in range(len(xs))]
        form = Format(True, bits + 1 - shift, 0)
        spec = narrowing(form, shift, rounding, "saturate")
        known = [narrow_fraction(x, spec, word) for x, word in zip(xs, words, strict=True)]
        site = site_of(form, shift, rounding, "saturate", never_overflows=True)
        sites: tuple[Any, ...] = (site.as_double(),)
        if dtype != "float64":
            sites = (site.as_fixed(CONTAINERS[dtype]), site.as_narrowest(CONTAINERS[dtype]))
        for narrow in sites:
            stored, outside = compiled(xs, narrow, words, dtype)
            assert stored.tolist() == known, (shift, type(narrow).__name__)
            assert not outside.any()


@given(x=st.integers(-(2**50), 2**50), shift=st.integers(0, 20))
def test_an_exact_double_site_keeps_every_bit(x: int, shift: int) -> None:
    site = site_of(Format(True, 8, 0), shift, "around", "wrap").as_exact_double()
    stored, outside = compiled([x], site, [0], "float64")
    assert stored[0] * 2.0**shift == x and requantize(float(x), site, 0) == stored[0]
    assert not outside[0]
