"""The definitions that laws compare with are those of the golden model."""

import numpy as np
import pytest

from neuroemu.golden.narrow import Narrowing, narrow_fraction
from neuroemu.numeric.site import OVERFLOWS, ROUNDINGS, WORD_BITS, Site
from neuroemu.verification.definition import aimed, extremes, narrowed, random_integer

BITS = 4


@pytest.mark.parametrize("overflow", OVERFLOWS)
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("shift", [0, 1, 3])
def test_narrowing_is_the_golden_models(
    rounding: str, overflow: str, signed: bool, shift: int
) -> None:
    golden = Narrowing(shift=shift, rounding=rounding, overflow=overflow, signed=signed, width=BITS)
    assert golden.lo is not None and golden.hi is not None
    site = Site(
        name="x", shift=shift, rounding=rounding, overflow=overflow, lo=golden.lo, hi=golden.hi  # type: ignore[arg-type]
    )  # fmt: skip
    x = np.arange(-600, 600)
    for r in range(2**shift if rounding == "stochastic" else 1):
        word = r * 2 ** (WORD_BITS - shift) if shift else 0
        assert random_integer(word, site) == r or shift == 0
        wanted = [narrow_fraction(int(value), golden, word) for value in x]
        assert narrowed(x, site, r).tolist() == wanted


def test_the_extreme_words_bound_every_word() -> None:
    site = Site(name="x", shift=3, rounding="stochastic", overflow="saturate", lo=-8, hi=7)
    x = np.arange(-80, 80)
    low, high = extremes(x, site)
    for r in range(8):
        stored = narrowed(x, site, r)
        assert ((low <= stored) & (stored <= high)).all()


def test_wide_values_near_63_bits() -> None:
    golden = Narrowing(shift=40, rounding="half_up", overflow="saturate", signed=True, width=24)
    site = Site(
        name="x", shift=40, rounding="half_up", overflow="saturate", lo=-(2**23), hi=2**23 - 1
    )
    x = [2**62 + 2**39, -(2**62) - 2**39, 2**63 - 1, -(2**63), 2**39, 2**39 - 1]
    assert narrowed(x, site).tolist() == [narrow_fraction(v, golden) for v in x]


def test_half_of_the_aimed_values_are_at_edges() -> None:
    drawn = aimed(-1000, 5000, [64, 4096], 1000, np.random.default_rng(0))
    assert drawn.min() >= -1000 and drawn.max() <= 5000
    edges = np.asarray([-1000, 5000, 0, 64, 4096])
    near = (np.abs(drawn[:, None] - edges) <= 3).any(axis=1)
    assert near[:500].all() and not near[500:].all()
    assert {-1000, 5000, 63, 64, 65} <= set(drawn.tolist())
