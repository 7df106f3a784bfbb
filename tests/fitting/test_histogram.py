"""A histogram whose range is not known beforehand counts like one whose range is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neuroemu.fitting.histogram import MOST_BINS, Histogram

values = st.lists(st.floats(-1e6, 1e6), max_size=30)


@given(st.lists(values, max_size=5), st.sampled_from([1e-3, 0.25, 7.0]))
def test_it_counts_every_value_in_bounded_memory(batches: list[list[float]], width: float) -> None:
    seen = Histogram(width)
    for batch in batches:
        seen.add(batch)
    everything = [x for batch in batches for x in batch]
    assert seen.counts.size <= MOST_BINS
    assert seen.counts.sum() == len(everything)
    if everything:
        assert (seen.low, seen.high) == (min(everything), max(everything))
        index = np.floor(np.asarray(everything) / seen.width).astype(int) - seen.first
        np.testing.assert_array_equal(seen.counts, np.bincount(index, minlength=seen.counts.size))


def test_weights_count_as_often_as_they_say() -> None:
    seen = Histogram(1.0)
    seen.add([0.5, 1.5, 0.7], [3, 1, 4])
    np.testing.assert_array_equal(seen.counts, [7, 1])


def test_noted_values_count_for_the_range_only() -> None:
    seen = Histogram(1.0)
    seen.add([0.5])
    seen.note([-3.0, 9.0])
    assert (seen.low, seen.high, seen.counts.sum()) == (-3.0, 9.0, 1)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=200), st.sampled_from([0.001, 0.5, 0.999]))
def test_quantiles_to_the_width_of_a_bin(found: list[float], part: float) -> None:
    seen = Histogram(0.125)
    seen.add(found)
    exact = np.quantile(found, part, method="inverted_cdf")
    assert abs(seen.quantile(part) - exact) <= 0.126


def test_nothing_has_no_range() -> None:
    seen = Histogram(1.0)
    seen.add([])
    assert np.isnan(seen.low) and seen.counts.size == 0
