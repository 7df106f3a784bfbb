"""Random words: known answers, and the compiled text against Python ints and the golden model."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroemu.engine.compiled  # noqa: F401 - makes the texts callable from compiled code
from neuroemu.golden.randomness import FibonacciLfsr, philox_2x32
from neuroemu.numeric.bits import SITE_IDS, lfsr_clock, lfsr_seed, lfsr_word, philox, stream_key

words = st.one_of(st.sampled_from([0, 1, 2**31 - 1, 2**31, 2**32 - 1]), st.integers(0, 2**32 - 1))

# Random123's kat_vectors, philox2x32 with 10 rounds: counter, counter, key, first word
KNOWN = [
    (0, 0, 0, 0xFF1DAE59),
    (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0x2C3F628B),
    (0x243F6A88, 0x85A308D3, 0x13198A2E, 0xDD7CE038),
]

LFSRS = [(16, (16, 15, 13, 4)), (8, (8, 6, 5, 4)), (5, (5, 3)), (2, (2, 1)), (32, (32, 22, 2, 1))]


@numba.njit
def compiled_philox(counter0, counter1, key):
    return philox(counter0, counter1, key)


@numba.njit
def compiled_draws(state, width, taps, clocks, output_bits, n):
    found = np.empty((n, 2), np.int64)
    for i in range(n):
        state = lfsr_clock(state, width, taps, clocks)
        found[i, 0], found[i, 1] = state, lfsr_word(state, output_bits)
    return found


NUMBERS = {"leak": 1, "drive": 2, "store": 3, "lfsr": 4}
"""Of the sites that draw: the table of docs/spec/rounding.md."""


@pytest.mark.parametrize(("counter0", "counter1", "key", "word"), KNOWN)
def test_philox_known_answers(counter0: int, counter1: int, key: int, word: int) -> None:
    assert philox(counter0, counter1, key) == word
    assert compiled_philox(counter0, counter1, key) == word


@given(counter0=words, counter1=words, key=words)
@settings(deadline=None)
def test_philox_compiled_and_golden(counter0: int, counter1: int, key: int) -> None:
    word = philox(counter0, counter1, key)
    assert type(word) is int
    assert word == philox_2x32((counter0, counter1), key)[0]
    assert compiled_philox(counter0, counter1, key) == word
    # as the kernel calls it: the step is an int64, the neuron may be an int32
    arrays = (np.int64(counter0), np.int32(counter1 & 0xFFFF), np.int64(key))
    assert compiled_philox(*arrays) == philox(counter0, counter1 & 0xFFFF, key)


@given(seed=st.integers(0, 2**64 - 1), trial=st.integers(0, 2**32 - 1))
def test_a_seed_of_64_bits_gives_each_site_a_key_of_32(seed: int, trial: int) -> None:
    high, low = divmod(seed, 2**32)
    assert SITE_IDS.keys() == NUMBERS.keys()
    for site, number in NUMBERS.items():
        key = philox_2x32((trial, number), philox_2x32((high, 0), low)[0])[0]
        assert stream_key(seed, trial, site) == key


@pytest.mark.parametrize(("width", "taps"), LFSRS)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_lfsr_compiled_and_golden(width: int, taps: tuple[int, ...], data: st.DataObject) -> None:
    state = data.draw(st.one_of(st.just(2**width - 1), st.integers(1, 2**width - 1)))
    clocks, output_bits = data.draw(st.integers(1, 64)), data.draw(st.integers(1, width))
    mask = sum(2 ** (t - 1) for t in taps)
    golden = FibonacciLfsr(
        width=width, taps=taps, state=state, bits_per_draw=clocks, output_bits=output_bits
    )
    compiled = compiled_draws(state, width, mask, clocks, output_bits, 8)
    for now, word in compiled.tolist():
        state = lfsr_clock(state, width, mask, clocks)
        assert (state, lfsr_word(state, output_bits)) == (now, word)
        assert (golden.draw(), golden.state) == (word, now)


@pytest.mark.parametrize(("width", "taps"), LFSRS[:4])
def test_lfsr_has_its_full_period(width: int, taps: tuple[int, ...]) -> None:
    mask = sum(2 ** (t - 1) for t in taps)
    states = compiled_draws(1, width, mask, 1, 1, 2**width - 1)[:, 0]
    assert sorted(states.tolist()) == list(range(1, 2**width))
    assert states[-1] == 1


@given(seed=st.integers(0, 2**64 - 1), lane=st.integers(0, 1000), width=st.integers(2, 32))
def test_an_lfsr_never_starts_at_0(seed: int, lane: int, width: int) -> None:
    assert 1 <= lfsr_seed(seed, 0, lane, width) < 2**width


def test_lanes_of_a_narrow_lfsr_start_apart() -> None:
    """A register of 2 bits draws 0 in a quarter of the lanes, and starts at 1 there."""
    starts = [lfsr_seed(1, 0, lane, 2) for lane in range(1000)]
    assert 400 < starts.count(1) < 600 and set(starts) == {1, 2, 3}
