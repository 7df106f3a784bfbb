"""Where the weight stands: bars are the codes' occupancy, in the experiment's unit."""

import numpy as np
import pytest

import neuroemu as ne
from neuroemu.experiment import Record
from neuroemu.report.study.weights import bars, caption, weight_lsb, weights
from tests.report.cases import axes_named
from tests.report.study.drawing import legend_labels
from tests.report.test_figures import assert_readable

BITS = [3, 5, 7, 9]
"""Of 3 to 9 bits: 10 are refused."""


def bars_of(axes):
    (found,) = axes.containers
    assert found.get_label() == "_weights"
    return found.patches


@pytest.mark.parametrize("down", range(3))
@pytest.mark.parametrize("across", range(4))
def test_all_of_the_time_is_drawn(mapped, down, across) -> None:
    axes = axes_named(weights(mapped), f"weights {down} {across}")
    assert sum(b.get_height() for b in bars_of(axes)) == pytest.approx(100.0)


def test_few_codes_have_a_bar_each_at_their_weight(mapped) -> None:
    axes = axes_named(weights(mapped), "weights 2 0")
    (row,) = mapped.where(rounding="stochastic", bits=3).rows
    found = bars_of(axes)
    middles = [b.get_x() + b.get_width() / 2 for b in found]
    np.testing.assert_allclose(middles, row.codes * weight_lsb(row), atol=1e-12)
    np.testing.assert_allclose([b.get_height() for b in found], 100 * row.share)
    assert len(found) > 3


def test_one_code_is_worth_what_a_run_records(mapped) -> None:
    (row,) = mapped.where(rounding="stochastic", bits=5).rows
    experiment = row.point.experiment
    recorded = experiment.model_copy(update={"record": Record(weights=("homeostatic",))})
    run = ne.simulate(recorded, row.point.target, trials=1, seed=3)
    assert weight_lsb(row) == run.weights["homeostatic"].lsb


def test_many_codes_are_drawn_together() -> None:
    rng = np.random.default_rng(1)
    codes = np.unique(rng.integers(-500, 500, 700))
    share = rng.dirichlet(np.ones(codes.size))
    middles, width, percent = bars(codes, share, 0.001, 0.0125)
    assert width == pytest.approx(0.013)
    for middle, height in zip(middles, percent, strict=True):
        inside = np.abs(codes * 0.001 - middle) < width / 2
        assert height == pytest.approx(100 * share[inside].sum())


def test_panels_are_chosen_widths_of_each_rounding_on_one_scale(mapped) -> None:
    figure = weights(mapped)
    assert len(figure.axes) == 12
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    titles = [t.get_text() for t in figure.texts if t.get_text().startswith("weight bits ")]
    assert titles == [f"weight bits {b}" for b in BITS] * 3
    assert "12 of 21 points are drawn" in caption(mapped)


def test_each_panel_has_its_answer(mapped) -> None:
    figure = weights(mapped)
    marks = [t.get_text() for t in figure.texts if t.get_text() in "✓~✗?"]
    rows = [r for r in mapped.rows if r.values["bits"] in BITS]
    assert marks == [{"survives": "✓", "dead": "✗"}[r.word] for r in rows]
    assert legend_labels(figure) == ["✓ survives", "✗ dead"]


@pytest.mark.parametrize("study", ["mapped", "halfway"])
def test_the_figure_can_be_read(study, request) -> None:
    assert_readable(weights(request.getfixturevalue(study)))
