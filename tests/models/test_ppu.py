"""The plasticity processor's vector unit, against plain statements of docs/spec/ppu.md."""

import inspect
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import floor
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba.extending import register_jitable

import neuroemu.engine.compiled  # noqa: F401 - makes `requantize` known to numba
from neuroemu.models import homeostasis, ppu
from neuroemu.models.ppu import Correlation, vector_sites
from neuroemu.numeric.bits import lfsr_clock
from neuroemu.numeric.ops import requantize
from neuroemu.numeric.site import Site
from neuroemu.testing.texts import text_faults

SITES = {width: vector_sites(width) for width in (8, 16)}
NAMES = [
    name
    for name, value in inspect.getmembers(ppu, inspect.isfunction)
    if value.__module__ == ppu.__name__ and name != "vector_sites"
]
Plain = Callable[..., int]


def span(width: int) -> range:
    return range(-(2 ** (width - 1)), 2 ** (width - 1))


def fits(x: int, width: int) -> int:
    """Saturate: the middle one of the two ends and the number."""
    return sorted([span(width)[0], x, span(width)[-1]])[1]


def turns(x: int, width: int) -> int:
    """Wrap: the lower bytes, read again."""
    return int.from_bytes((x % 2**width).to_bytes(width // 8, "big"), "big", signed=True)


def bits(x: int, width: int) -> str:
    return f"{x % 2**width:0{width}b}"


def read(text: str) -> int:
    return turns(int(text, 2), len(text))


def plain_mul(a: int, b: int, n: int) -> int:
    return fits(floor(Fraction(a, 2 ** (n - 1)) * Fraction(b, 2 ** (n - 1)) * 2 ** (n - 1)), n)


def plain_accumulate(acc: int, a: int, b: int, n: int) -> int:
    return fits(acc + fits(2 * a * b, 2 * n), 2 * n)


def plain_left_fs(x: int, k: int, n: int) -> int:
    sign, rest = bits(x, n)[0], bits(x, n)[1:]
    return read(sign + (rest + "0" * k)[k:]) if k < n else 0


def plain_right_fs(x: int, k: int, n: int) -> int:
    return floor(Fraction(x, 2**k)) if k < n else 0


TWO: dict[str, Plain] = {
    "add_fs": lambda a, b, n: fits(a + b, n),
    "sub_fs": lambda a, b, n: fits(a - b, n),
    "mul_fs": plain_mul,
    "add_mod": lambda a, b, n: turns(a + b, n),
    "sub_mod": lambda a, b, n: turns(a - b, n),
    "mul_mod": lambda a, b, n: turns(a * b, n),
    "add_if_negative": lambda a, b, n: fits(a + b, n) if a < 0 else a,
}
SHIFTS: dict[str, Plain] = {
    "shift_left": lambda x, k, n: read((bits(x, n) + "0" * k)[-n:]),
    "shift_right": lambda x, k, n: read(("0" * k + bits(x, n))[:n]),
    "shift_left_fs": plain_left_fs,
    "shift_right_fs": plain_right_fs,
}
MACS: dict[str, Plain] = {
    "accumulate_fs": plain_accumulate,
    "mac_fs": lambda acc, a, b, n: read(bits(plain_accumulate(acc, a, b, n), 2 * n)[:n]),
    "accumulate_mod": lambda acc, a, b, n: turns(acc + a * b, 2 * n),
    "mac_mod": lambda acc, a, b, n: turns(acc + a * b, n),
}


def edges(width: int) -> list[int]:
    lo, hi = span(width)[0], span(width)[-1]
    near = {lo + d for d in (0, 1, 2)} | {hi - d for d in (0, 1, 2)} | set(range(-3, 4))
    powers = {s * 2**k + d for k in range(width - 1) for s in (-1, 1) for d in (-1, 0, 1)}
    return sorted(near | {x for x in powers if lo <= x <= hi})


def elements(width: int) -> st.SearchStrategy[int]:
    lo, hi = span(width)[0], span(width)[-1]
    return st.sampled_from(edges(width)) | st.integers(lo, hi)


@pytest.mark.parametrize("name", TWO)
def test_two_operands_in_8_bits_all_of_them(name: str) -> None:
    operation, plain, sites = getattr(ppu, name), TWO[name], SITES[8]
    for a, b in product(span(8), span(8)):
        assert operation(a, b, sites) == plain(a, b, 8), (a, b)


@pytest.mark.parametrize("name", TWO)
def test_two_operands_in_16_bits_at_the_edges(name: str) -> None:
    operation, plain, sites = getattr(ppu, name), TWO[name], SITES[16]
    for a, b in product(edges(16), edges(16)):
        assert operation(a, b, sites) == plain(a, b, 16), (a, b)


@given(a=elements(16), b=elements(16))
def test_two_operands_in_16_bits(a: int, b: int) -> None:
    for name, plain in TWO.items():
        assert getattr(ppu, name)(a, b, SITES[16]) == plain(a, b, 16), name


@pytest.mark.parametrize("name", SHIFTS)
@pytest.mark.parametrize("width", [8, 16])
def test_shifts_by_every_amount(name: str, width: int) -> None:
    operation, plain, sites = getattr(ppu, name), SHIFTS[name], SITES[width]
    for x, k in product(span(8) if width == 8 else edges(16), range(ppu.MOST_SHIFT + 1)):
        assert operation(x, k, sites) == plain(x, k, width), (x, k)


@given(x=elements(16), k=st.integers(0, ppu.MOST_SHIFT))
def test_shifts_in_16_bits(x: int, k: int) -> None:
    for name, plain in SHIFTS.items():
        assert getattr(ppu, name)(x, k, SITES[16]) == plain(x, k, 16), name


@pytest.mark.parametrize("name", MACS)
def test_accumulation_in_8_bits(name: str) -> None:
    operation, plain, sites = getattr(ppu, name), MACS[name], SITES[8]
    accumulators = sorted({*edges(16), *(ppu.load_fs(x, sites) for x in span(8))})
    some = [-128, -127, -65, -64, -3, -1, 0, 1, 2, 63, 64, 126, 127]
    for acc, a, b in product(accumulators, some, some):
        assert operation(acc, a, b, sites) == plain(acc, a, b, 8), (acc, a, b)


@given(acc=elements(32), a=elements(16), b=elements(16))
@example(acc=2**31 - 1, a=-(2**15), b=-(2**15))
@example(acc=-(2**31), a=-(2**15), b=2**15 - 1)
def test_accumulation_in_16_bits(acc: int, a: int, b: int) -> None:
    for name, plain in MACS.items():
        assert getattr(ppu, name)(acc, a, b, SITES[16]) == plain(acc, a, b, 16), name


@given(st.sampled_from([8, 16]), st.integers(-(2**33), 2**33))
def test_views_have_the_same_bits(width: int, x: int) -> None:
    sites = SITES[width]
    assert bits(ppu.signed(x, sites), width) == bits(ppu.unsigned(x, sites), width)
    assert ppu.signed(x, sites) in span(width)
    assert 0 <= ppu.unsigned(x, sites) < 2**width


def test_a_fraction_of_an_accumulator_is_what_was_loaded() -> None:
    for width in (8, 16):
        for x in edges(width):
            acc = ppu.load_fs(x, SITES[width])
            assert acc == x * 2**width
            assert ppu.mac_fs(acc, 0, 0, SITES[width]) == x


def test_selections_go_by_the_sign() -> None:
    chosen = [
        [select(mask, "yes", "no") for mask in (-1, 0, 1)]
        for select in (ppu.select_lt, ppu.select_eq, ppu.select_gt)
    ]
    assert chosen == [["yes", "no", "no"], ["no", "yes", "no"], ["no", "no", "yes"]]


# What the chip's makers test on the chip: electronicvisions/libnux tests/hw/libnux/vx/
# test_vector_frac_sat_{8_1,8_2,16_1}.cpp, test_frac.cpp; electronicvisions/nux
# tests/instructions/fxvmabm_c.S, tests/instructions/src/fxvsubbm_c.S.
ON_THE_CHIP: list[tuple[int, str, tuple[int, ...], int]] = [
    *((8, "add_fs", ab, y) for ab, y in (((-12, 80), 68), ((68, 80), 127), ((100, 112), 127))),
    *((8, "sub_fs", ab, y) for ab, y in (((-12, 60), -72), ((-72, 60), -128), ((0, -12), 12))),
    *((8, "mul_fs", ab, y) for ab, y in (((-12, 42), -4), ((-4, 42), -2), ((100, 112), 87))),
    *((8, "shift_left_fs", ab, y) for ab, y in (((5, 2), 20), ((-5, 2), -20), ((-20, 2), -80))),
    *((8, "shift_right_fs", ab, y) for ab, y in (((80, 2), 20), ((-80, 2), -20), ((-20, 2), -5))),
    *((16, "add_fs", ab, y) for ab, y in (((-3000, 20000), 17000), ((17000, 20000), 32767))),
    *((16, "sub_fs", ab, y) for ab, y in (((-3000, 20000), -23000), ((-23000, 20000), -32768))),
    *((16, "mul_fs", ab, y) for ab, y in (((-3000, 20000), -1832), ((-1832, 20000), -1119))),
    (8, "sub_mod", (0, 1), -1),
    *((8, "mac_mod", ab, y) for ab, y in (((1, 2, 3), 7), ((1, -127, 2), 3))),
]


@pytest.mark.parametrize(("width", "name", "operands", "result"), ON_THE_CHIP)
def test_values_of_the_makers_own_tests(
    width: int, name: str, operands: tuple[int, ...], result: int
) -> None:
    assert getattr(ppu, name)(*operands, SITES[width]) == result


@pytest.mark.parametrize("width", [8, 16])
def test_only_minus_one_times_minus_one_saturates(width: int) -> None:
    lo, hi = span(width)[0], span(width)[-1]
    assert ppu.mul_fs(lo, lo, SITES[width]) == hi
    assert ppu.accumulate_fs(0, lo, lo, SITES[width]) == 2 ** (2 * width - 1) - 1
    assert ppu.mul_fs(lo, hi, SITES[width]) == lo + 1


def test_a_correction_by_one_makes_the_mean_error_nothing() -> None:
    sites, errors, corrected = SITES[8], Fraction(0), Fraction(0)
    for a, b in product(range(-127, 128), range(-127, 128)):
        if a * b % 128 == 0:
            continue
        y = ppu.mul_fs(a, b, sites)
        errors += y - Fraction(a * b, 128)
        corrected += ppu.add_if_negative(y, 1, sites) - Fraction(a * b, 128)
    assert errors < 0
    assert corrected == 0


def test_an_unsigned_halfword_becomes_a_fraction_by_the_kernels_one() -> None:
    sites = SITES[16]
    for u in (0, 1, 2, 32766, 32767, 32768, 32769, 40001, 65534, 65535):
        halved = ppu.mul_fs(ppu.signed(u, sites), 2**14, sites)
        expected = u // 2 if u < 2**15 else u // 2 - 1
        assert ppu.add_if_negative(halved, 2**15 - 1, sites) == expected


def plain_round(x: Any, k: int, word: Any, width: int, wraps: bool = False) -> Any:
    """For whole arrays, in 64 bits."""
    lo, hi = span(width)[0], span(width)[-1]
    y = x + word // 2 ** (width - k)
    y = (y - lo) % 2**width + lo if wraps else np.minimum(y, hi)
    return y // 2**k * 2**k if k < width else 0 * y


@pytest.mark.parametrize("k", range(9))
def test_stochastic_rounding_in_8_bits_all_words(k: int) -> None:
    x, word = np.meshgrid(np.array(span(8)), np.arange(256), indexing="ij")
    saturating = _rounded(x.ravel(), word.ravel(), k, SITES[8], False).reshape(x.shape)
    wrapping = _rounded(x.ravel(), word.ravel(), k, SITES[8], True).reshape(x.shape)
    assert np.array_equal(saturating, plain_round(x, k, word, 8))
    assert np.array_equal(wrapping, plain_round(x, k, word, 8, wraps=True))
    if k < 8:  # the mean over all words, times their number
        mean = np.array(span(8)) * 256
        mean[-(2**k) :] = (128 - 2**k) * 256
        assert np.array_equal(saturating.sum(axis=1), mean)


@pytest.mark.parametrize("k", [0, 1, 7, 8, 9, 15, 16])
def test_stochastic_rounding_in_16_bits_all_words(k: int) -> None:
    words = np.arange(65536)
    for x in (-32768, -32767, -1, 0, 1, 806, 32256, 32768 - 2 ** min(k, 15) - 1, 32766, 32767):
        done = _rounded(np.full(65536, x), words, k, SITES[16], False)
        assert np.array_equal(done, plain_round(np.full(65536, x), k, words, 16))
        if k < 16:
            biased = x > 32767 - 2**k
            assert done.sum() == (32768 - 2**k if biased else x) * 65536


def test_a_register_of_full_length_rounds_almost_without_bias() -> None:
    # x^16 + x^15 + x^13 + x^4 + 1, low 8 bits: every byte 256 times in a period, but 0 only 255
    state, words = 1, []
    for _ in range(65535):
        state = lfsr_clock(state, 16, 0b1101000000001000, 1)
        words.append(state % 256)
    assert state == 1
    x, k = 77, 5
    total = sum(ppu.round_stochastic(x, k, word, SITES[8]) for word in words)
    assert total == 65536 * x - x // 32 * 32


@pytest.mark.parametrize(("width", "unit"), [(8, 2), (16, 512)])
def test_weights_go_in_and_out_without_loss(width: int, unit: int) -> None:
    sites = SITES[width]
    assert [ppu.load_weight(w, sites) for w in range(64)] == [w * unit for w in range(64)]
    for x in range(2 ** (width - 1)):
        assert ppu.store_weight(x, sites) == x // unit


def test_bytes_from_outside() -> None:
    assert [ppu.load_cadc(c, SITES[8]) for c in range(256)] == [c // 2 for c in range(256)]
    assert [ppu.load_cadc(c, SITES[16]) for c in range(256)] == [128 * c for c in range(256)]
    assert [ppu.load_count(m, SITES[16]) for m in range(256)] == list(range(256))
    as_signed = [*range(128), *range(-128, 0)]
    assert [ppu.load_count(m, SITES[8]) for m in range(256)] == as_signed


def test_the_demos_rule_for_all_weights_counts_and_targets() -> None:
    w, count, target = np.meshgrid(
        np.arange(64), np.arange(256), np.arange(256), indexing="ij", sparse=True
    )
    gap = target.astype(np.int8).astype(int) - count.astype(np.int8).astype(int)
    expected = np.clip(w + np.sign(gap), 0, 63)
    assert np.array_equal(_demo(SITES[8]), expected)
    safe = np.s_[:, :128, :128]
    assert np.array_equal(expected[safe], np.clip(w + np.sign(target - count), 0, 63)[safe])
    # the hazard: much too fast is made faster, whatever the target
    assert np.array_equal(expected[:, 128:, :128] - w, np.broadcast_to(w < 63, (64, 128, 128)))
    # and beyond it on the other side the silent stay silent
    assert not expected[0, :128, 128:].any()


def test_the_demos_rule_has_no_hazard_in_16_bits() -> None:
    update, sites = ppu.demo_homeostasis, SITES[16]
    assert [update(30, m, 60, sites) for m in (59, 60, 61, 127, 128, 255)] == [31, 30, *[29] * 4]


def plain_correlation(w: int, c: int, a: int, offset: Correlation, factor: int) -> int:
    difference = fits((c // 2 - offset.causal) - (a // 2 - offset.acausal), 8)
    change = fits(floor(Fraction(difference * factor, 128)), 8)
    return sorted([0, floor(w + Fraction(change, 2)), 63])[1]


def test_the_correlation_rule_at_its_edges() -> None:
    byte, offsets, factors = (0, 1, 2, 100, 254, 255), (0, 1, 64, 127), (-128, -1, 0, 1, 64, 127)
    for w, c, a, oc, oa, f in product((0, 1, 31, 63), byte, byte, offsets, offsets, factors):
        offset = Correlation(oc, oa)
        expected = plain_correlation(w, c, a, offset, f)
        assert ppu.correlation_update(w, c, a, offset, f, SITES[8]) == expected


@settings(max_examples=300)
@given(
    w=st.integers(0, 63),
    channels=st.tuples(st.integers(0, 255), st.integers(0, 255)),
    offset=st.builds(Correlation, st.integers(0, 127), st.integers(0, 127)),
    factor=elements(8),
)
def test_the_correlation_rule(
    w: int, channels: tuple[int, int], offset: Correlation, factor: int
) -> None:
    expected = plain_correlation(w, *channels, offset, factor)
    assert ppu.correlation_update(w, *channels, offset, factor, SITES[8]) == expected


def periodic_sites() -> homeostasis.HomeostasisSites:
    """The sites that docs/spec/ppu.md names for the periodic form."""

    def site(name: str, overflow: Any) -> Any:
        lo, hi = -(2**15), 2**15 - 1
        named = Site(name=name, shift=0, rounding="floor", overflow=overflow, lo=lo, hi=hi)
        return named.as_fixed(np.int64)

    store = Site(name="store", shift=9, rounding="floor", overflow="saturate", lo=0, hi=63)
    return homeostasis.HomeostasisSites(
        accumulate=site("accumulate", "saturate"),
        store=store.as_fixed(np.int64),
        plus=site("plus", "wrap"),
        minus=site("minus", "wrap"),
        change=site("change", "wrap"),
    )


INCREMENTS = [(806, 806), (128, 127), (32767, -32768), (7000, 403)]


@pytest.mark.parametrize("dw", INCREMENTS)
def test_the_reference_rule_is_the_periodic_form(dw: tuple[int, int]) -> None:
    params = homeostasis.HomeostasisParams(*dw, 512, 0, 63 * 512, 0)
    mine, periodic = _reference(*dw, params, SITES[16], periodic_sites())
    assert np.array_equal(mine, periodic)
    w, pre, post = np.meshgrid(np.arange(64), np.arange(256), np.arange(256), indexing="ij")
    change = dw[0] * pre - dw[1] * post
    exact = (change >= -(2**15)) & (change < 2**15)
    assert np.array_equal(mine[exact], np.clip((512 * w + change) // 512, 0, 63)[exact])
    if dw == (806, 806):
        assert np.array_equal(exact, abs(pre - post) <= 40)
    assert exact.all() == (dw == (128, 127))


@settings(max_examples=300)
@given(w=st.integers(0, 63), change=elements(16), word=st.integers(0, 2**16 - 1))
def test_a_stochastic_store_is_the_site_of_that_name(w: int, change: int, word: int) -> None:
    sites = SITES[16]
    x = ppu.add_fs(ppu.load_weight(w, sites), change, sites)
    x = ppu.select_lt(x, 0, x)
    stored = ppu.store_weight(ppu.round_stochastic(x, 9, word, sites), sites)
    store = Site(name="store", shift=9, rounding="stochastic", overflow="error", lo=0, hi=63)
    limited = min(max(512 * w + change, 0), 63 * 512)
    assert stored == requantize(limited, store.as_fixed(), word * 2**16)


@given(data=st.data(), width=st.sampled_from([8, 16]))
@settings(max_examples=200)
def test_compiled_and_interpreted_are_one(data: st.DataObject, width: int) -> None:
    a, b = data.draw(elements(width)), data.draw(elements(width))
    acc, k = data.draw(elements(2 * width)), data.draw(st.integers(0, width))
    word, w = data.draw(st.integers(0, 2**width - 1)), data.draw(st.integers(0, 63))
    drawn = (a, b, acc, k, word, w, word % 256, acc % 256, SITES[width])
    assert list(_everything(*drawn)) == list(_everything.py_func(*drawn))


@pytest.mark.parametrize("name", NAMES)
def test_the_texts_use_only_the_allowed_operators(name: str) -> None:
    assert text_faults(getattr(ppu, name)) == []


def test_other_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="the width is 12"):
        vector_sites(12)


# The compiled side: the texts as they are.
for _name in NAMES:
    register_jitable(getattr(ppu, _name))


@numba.njit
def _everything(
    a: int, b: int, acc: int, k: int, word: int, w: int, m: int, c: int, sites: Any
) -> Any:
    pairs = (
        *(ppu.add_fs(a, b, sites), ppu.sub_fs(a, b, sites), ppu.mul_fs(a, b, sites)),
        *(ppu.add_mod(a, b, sites), ppu.sub_mod(a, b, sites), ppu.mul_mod(a, b, sites)),
        *(ppu.add_if_negative(a, b, sites), ppu.signed(acc, sites), ppu.unsigned(acc, sites)),
        *(ppu.select_gt(a, b, k), ppu.select_lt(a, b, k), ppu.select_eq(a, b, k)),
    )
    accumulators = (
        *(ppu.accumulate_fs(acc, a, b, sites), ppu.accumulate_mod(acc, a, b, sites)),
        *(ppu.mac_fs(acc, a, b, sites), ppu.mac_mod(acc, a, b, sites), ppu.load_fs(a, sites)),
    )
    shifts = (
        *(ppu.shift_left(a, k, sites), ppu.shift_right(a, k, sites)),
        *(ppu.shift_left_fs(a, k, sites), ppu.shift_right_fs(a, k, sites)),
        ppu.round_stochastic(a, k, word, sites),
        ppu.round_stochastic_mod(a, k, word, sites),
    )
    offset = Correlation(c, m)
    rules = (
        *(ppu.load_weight(w, sites), ppu.store_weight(word, sites)),
        *(ppu.load_cadc(c, sites), ppu.load_count(m, sites)),
        ppu.demo_homeostasis(w, c, m, sites),
        ppu.correlation_update(w, c, m, offset, a, sites),
        ppu.reference_update(w, c, m, a, b, sites),
    )
    return pairs + accumulators + shifts + rules


@numba.njit
def _rounded(x: Any, words: Any, k: int, sites: Any, wraps: bool) -> Any:
    done = np.empty_like(x)
    for i in range(x.size):
        if wraps:
            done[i] = ppu.round_stochastic_mod(x[i], k, words[i], sites)
        else:
            done[i] = ppu.round_stochastic(x[i], k, words[i], sites)
    return done


@numba.njit
def _demo(sites: Any) -> Any:
    done = np.empty((64, 256, 256), np.int64)
    for w in range(64):
        for count in range(256):
            for target in range(256):
                done[w, count, target] = ppu.demo_homeostasis(w, count, target, sites)
    return done


@numba.njit
def _reference(dw_plus: int, dw_minus: int, params: Any, sites: Any, periodic: Any) -> Any:
    mine = np.empty((64, 256, 256), np.int64)
    other = np.empty((64, 256, 256), np.int64)
    for w in range(64):
        for pre in range(256):
            for post in range(256):
                mine[w, pre, post] = ppu.reference_update(w, pre, post, dw_plus, dw_minus, sites)
                change, _ = homeostasis.change_from_counts(pre, post, params, periodic)
                other[w, pre, post], _ = homeostasis.update(w, change, params, periodic, 0)
    return mine, other
