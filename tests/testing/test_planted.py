"""Draws aimed at a site's edges find planted defects that uniform draws miss; the figures are in the how-to."""

import pytest

from tests.testing.planted import DEFECTS, aimed, correct, found, uniform

FEW = 6


@pytest.mark.parametrize("defect", DEFECTS)
def test_aimed_draws_find_what_uniform_ones_miss(defect) -> None:
    assert all(took is not None for took in found(aimed, defect, FEW))
    assert found(uniform, defect, FEW) == [None] * FEW


def test_no_defect_is_no_find() -> None:
    assert found(aimed, correct, 1) == [None]
