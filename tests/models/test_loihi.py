"""The learning engine of Loihi 1 against docs/spec/loihi-learning.md: exhaustive where the space is finite."""

from fractions import Fraction
from itertools import product
from math import floor, prod
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroemu.engine import compiled  # noqa: F401 - hands requantize to numba
from neuroemu.models import loihi
from neuroemu.models.loihi import Variables
from neuroemu.models.loihi_registers import (
    SCALE_EXPONENTS,
    SCALE_MANTISSA,
    Floating,
    code_range,
    grid_step,
    term,
    trace_params,
    weight_params,
)
from neuroemu.models.loihi_sites import term_sites, trace_sites, weight_sites
from neuroemu.testing.texts import text_faults

MODES = ("excitatory", "inhibitory", "mixed")
FORMATS = [(m, n) for m in MODES for n in range(1, 9) if (m, n) != ("mixed", 1)]
WORDS = st.integers(0, 2**32 - 1)
ALL_EXPONENTS = range(-8, 8)

for _text in (loihi.open_total, loihi.store_total):
    numba.extending.register_jitable(_text)
decay_trace, add_impulse, add_term, store_total, apply, load_weight, delivered = (
    numba.njit(text)
    for text in (
        *(loihi.decay_trace, loihi.add_impulse, loihi.add_term, loihi.store_total),
        *(loihi.apply, loihi.load_weight, loihi.delivered),
    )
)


def _clipped(value: int, lo: int, hi: int) -> int:
    return sorted((lo, value, hi))[1]


def test_texts_use_only_the_allowed_operators() -> None:
    assert text_faults(Path(loihi.__file__).read_text(encoding="utf-8")) == []


# --- traces ---


TAUS = [0, None, *range(1, 129), 1000, 10**7, *(Fraction(n, 7) for n in (8, 15, 100))]


def test_every_trace_decays_to_its_exact_mean_at_every_time_constant() -> None:
    sites = trace_sites()
    for tau, x in product(TAUS, range(128)):
        params = trace_params(tau, 0)
        whole, part = divmod(x * params.decay, 2**24)
        words_up = part * 2**8
        # part of 2^24 words round up, so the mean is x * decay / 2^24; they are the largest ones
        for word, up in ((0, 0), (2**32 - words_up - 1, 0), (2**32 - words_up, 1), (2**32 - 1, 1)):
            if 0 <= word < 2**32:
                expected = whole + (up if part else 0)
                assert loihi.decay_trace(x, params, sites, word) == expected, (tau, x, word)


def test_a_time_constant_is_the_nearest_factor() -> None:
    for tau in range(1, 2000):
        kept = Fraction(trace_params(tau, 0).decay, 2**24)
        assert abs(kept - (1 - Fraction(1, tau))) <= Fraction(1, 2**25)
    assert trace_params(0, 0).decay == trace_params(1, 0).decay == 0
    assert trace_params(None, 0).decay == 2**24


@numba.njit
def _impulse_differences(params: Any, sites: Any, trace_hi: int) -> Any:
    different, clipped = 0, 0
    for x in range(trace_hi + 1):
        for raw in range(128 * 128):
            these = loihi.TraceParams(params.decay, params.unit, raw)
            total = 0
            for r in range(128):
                total += add_impulse(x, these, sites, r * 2**25)
            if x * 128 + raw <= 127 * 128:
                different += total != x * 128 + raw
            else:
                clipped += 1
                different += total != 127 * 128
    return different, clipped


def test_every_impulse_on_every_trace_has_its_exact_mean_over_all_words() -> None:
    different, clipped = _impulse_differences(trace_params(8, 1), trace_sites(), 127)
    assert different == 0
    assert clipped == sum(128 * 128 - 1 - (127 - x) * 128 for x in range(128))


@pytest.mark.parametrize(
    ("asked", "raw"), [(16, 2048), (Fraction(33, 2), 2112), (Fraction(1, 256), 0), (300, 16383)]
)
def test_an_impulse_has_seven_bits_of_fraction(asked: Fraction, raw: int) -> None:
    assert trace_params(1, asked).impulse == raw


@settings(max_examples=300)
@given(
    x=st.integers(0, 127),
    tau=st.integers(1, 4000),
    impulse=st.fractions(0, 127, max_denominator=128),
    word=WORDS,
)
def test_compiled_traces_are_the_python_traces(
    x: int, tau: int, impulse: Fraction, word: int
) -> None:
    params = trace_params(tau, impulse)
    for container in (np.int32, np.int64):
        narrow = type(params)(*(container(p) for p in params))
        for text, jitted in ((loihi.decay_trace, decay_trace), (loihi.add_impulse, add_impulse)):
            expected = text(x, params, trace_sites(), word)
            assert jitted(x, narrow, trace_sites(container), word) == expected


# --- weights ---


@numba.njit
def _sums_over_words(params: Any, sites: Any, dropped: int, sums: Any) -> None:
    for total in range(-32768, 32768):
        for r in range(2**dropped):
            sums[total + 32768] += store_total(total, params, sites, r * 2 ** (32 - dropped))


@pytest.mark.parametrize(("mode", "bits"), [(m, n) for m, n in FORMATS if n >= 6])
def test_every_total_is_stored_with_its_exact_mean_over_all_words(mode: Any, bits: int) -> None:
    step, (lo, hi) = grid_step(mode, bits), code_range(mode, bits)
    dropped = 7 + step.bit_length() - 1
    sums = np.zeros(2**16, dtype=np.int64)
    _sums_over_words(weight_params(mode, bits), weight_sites(mode, bits), dropped, sums)
    # away from the limits the sum over all 2^dropped words of code * 2^dropped is the total itself
    totals = np.arange(-(2**15), 2**15)
    assert (sums == step * np.minimum(np.maximum(totals, lo * 2**dropped), hi * 2**dropped)).all()


@pytest.mark.parametrize(("mode", "bits"), FORMATS)
def test_a_stored_weight_is_one_of_the_two_next_codes(mode: Any, bits: int) -> None:
    params, sites = weight_params(mode, bits), weight_sites(mode, bits)
    step, (lo, hi) = grid_step(mode, bits), code_range(mode, bits)
    unit = 128 * step
    for total in (*range(-32768, 32768, 97), -1, 0, 1, 32767):
        code, part = divmod(total, unit)
        first_up = (unit - part) * 2**32 // unit
        assert store_total(total, params, sites, first_up - 1) == step * _clipped(code, lo, hi)
        if part:
            expected = step * _clipped(code + 1, lo, hi)
            assert store_total(total, params, sites, first_up) == expected


@numba.njit
def _apply_differences(params: Any, sites: Any, lo: int, hi: int, word: int) -> int:
    different = 0
    for code in range(lo, hi + 1):
        w = code * params.step
        for change in range(-65536, 65536):
            total = min(max(128 * w + change, -32768), 32767)
            expected = store_total(total, params, sites, word)
            different += apply(w, change, params, sites, word) != expected
    return different


@pytest.mark.parametrize("mode", MODES)
def test_every_change_of_every_weight_saturates_in_the_accumulator_alone(mode: Any) -> None:
    lo, hi = code_range(mode, 8)
    assert _apply_differences(weight_params(mode), weight_sites(mode), lo, hi, 2**31) == 0


@pytest.mark.parametrize(("mode", "bits"), FORMATS)
def test_low_bits_of_a_written_weight_are_cut_toward_zero(mode: Any, bits: int) -> None:
    params, sites = weight_params(mode, bits), weight_sites(mode, bits)
    step, (lo, hi) = grid_step(mode, bits), code_range(mode, bits)
    for w in range(-300, 300):
        towards_zero = abs(w) // step * (1 if w > 0 else -1)
        assert loihi.load_weight(w, params, sites) == step * _clipped(towards_zero, lo, hi)
        assert load_weight(w, params, sites) == loihi.load_weight(w, params, sites)


@pytest.mark.parametrize("exponent", ALL_EXPONENTS)
def test_every_weight_delivers_what_its_exponent_says(exponent: int) -> None:
    params, sites = weight_params("mixed", 8, exponent), weight_sites("mixed", 8, exponent)
    for w in range(-256, 256):
        asked = 64 * _clipped(floor(w * Fraction(2) ** exponent), -32767, 32767)
        assert loihi.delivered(w, params, sites) == delivered(w, params, sites) == asked


def test_the_modes_hold_the_mantissas_of_the_specification() -> None:
    held = {
        mode: (grid_step(mode, 8), *(grid_step(mode, 8) * c for c in code_range(mode, 8)))
        for mode in ("excitatory", "inhibitory", "mixed")
    }
    assert held == {
        "excitatory": (1, 0, 255),
        "inhibitory": (1, -255, 0),
        "mixed": (2, -256, 254),
    }


# --- rules ---

RANGES = {"trace": (-128, 127), "weight": (-512, 511), "spike": (-2, 1), "constant": (-256, 255)}
BITS = {"trace": 7, "weight": 9, "spike": 1, "constant": 8}
SCALES = [Floating(m, e) for m in range(-8, 8) for e in range(-7, 10)]


def _defined(total: int, gate: int, scale: Floating, factors: list[tuple[str, int, int]]) -> int:
    """Add a term as docs/spec/loihi-learning.md defines it: (variable, its value, constant)."""
    values = [_clipped(v + c, *RANGES[name]) for name, v, c in factors]
    lost = max(0, sum(BITS[name] for name, _, _ in factors) + 4 - 15)
    whole = Fraction(gate * scale.mantissa * prod(values), 2**lost)
    value = _clipped(floor(whole) * 2 ** (scale.exponent + 7), -32768, 32767)
    return _clipped(total + value, -32768, 32767)


def _three(values: list[int]) -> Variables:
    return Variables(*values, *[0] * (3 - len(values)))


@st.composite
def _factors(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    names = draw(st.lists(st.sampled_from(list(BITS)), max_size=3))
    variables = {
        "trace": st.integers(0, 127),
        "weight": st.integers(-256, 255),
        "spike": st.integers(0, 1),
        "constant": st.just(0),
    }
    constants = st.integers(-260, 260) | st.sampled_from([-1, 0, 1])
    return [(name, draw(variables[name]), draw(constants)) for name in names]


@settings(max_examples=300)
@given(
    total=st.integers(-32768, 32767) | st.sampled_from([-32768, 32767]),
    gate=st.integers(0, 1),
    scale=st.sampled_from(SCALES),
    factors=_factors(),
)
def test_a_term_is_added_as_defined(
    total: int, gate: int, scale: Floating, factors: list[tuple[Any, int, int]]
) -> None:
    expected = _defined(total, gate, scale, factors)
    variables = _three([value for _, value, _ in factors])
    asked = [(name, constant) for name, _, constant in factors]
    params = term(scale, asked)
    assert loihi.add_term(total, gate, variables, params, term_sites(asked)) == expected
    assert add_term(total, gate, variables, params, term_sites(asked)) == expected


@numba.njit
def _bare_term_differences(params: Any, sites: Any, none: Any, value: int) -> int:
    different = 0
    for total in range(-32768, 32768, 128):
        expected = min(max(total + value, -32768), 32767)
        different += add_term(total, 1, none, params, sites) != expected
        different += add_term(total, 0, none, params, sites) != total
    return different


def test_every_term_without_factors_adds_its_scale_to_every_weight() -> None:
    for scale in SCALES:
        value = _clipped(int(128 * scale.value), -32768, 32767)
        assert _bare_term_differences(term(scale), term_sites(), _three([]), value) == 0


@pytest.mark.parametrize(
    ("factors", "lost"),
    [
        ([], 0),
        (["trace"], 0),
        (["trace", "spike"], 0),
        (["trace", "trace"], 3),
        (["trace", "weight"], 5),
        (["trace", "trace", "weight"], 12),
    ],
)
def test_products_lose_the_bits_beyond_fifteen(factors: list[Any], lost: int) -> None:
    asked = [(name, 0) for name in factors]
    top = [{"trace": 127, "weight": 255, "spike": 1}[name] for name in factors]
    params = term(Floating(1, -7), asked)
    added = loihi.add_term(0, 1, _three(top), params, term_sites(asked))
    assert added == _clipped(prod(top) // 2**lost, -32768, 32767)


def test_terms_saturate_in_their_order() -> None:
    add = term(Floating(7, 6)), term_sites()
    take = term(Floating(-7, 6)), term_sites()

    def after(*terms: Any) -> int:
        total = 100 * 128
        for params, sites in terms:
            total = loihi.add_term(total, 1, _three([]), params, sites)
        return total

    assert after(add, take) == 32767 - 32768 == -1
    assert after(take, add) == 12800 - 32768 + 32767


def test_a_fractional_change_is_unbiased_and_dies_with_no_word() -> None:
    params, sites = weight_params(), weight_sites()
    for change in range(-128, 129):
        stored = [loihi.apply(100, change, params, sites, r * 2**25) for r in range(128)]
        assert sum(stored) == 100 * 128 + change


def test_the_scale_register_is_that_of_the_specification() -> None:
    assert (SCALE_MANTISSA.lo, SCALE_MANTISSA.hi) == (-8, 7)
    assert (SCALE_EXPONENTS[0], SCALE_EXPONENTS[-1]) == (-7, 9)
