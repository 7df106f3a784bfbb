"""Rates and differences over an axis: points, intervals, reference, prediction and margin are the results'."""

import numpy as np
import pytest

from neuroemu.metrics.intervals import Estimate
from neuroemu.report.study.answers import LOOKS, SERIES
from neuroemu.report.study.differences import caption, differences
from neuroemu.report.study.lines import scale_of
from neuroemu.report.study.rates import caption as rates_caption
from neuroemu.report.study.rates import rates
from neuroemu.study.results import Row, StudyResults
from tests.report.cases import axes_named, drawn
from tests.report.study.conftest import ROUNDING
from tests.report.study.drawing import legend_labels
from tests.report.test_figures import assert_readable

ROUNDINGS = ROUNDING["values"]
PHASES = range(4)


def ran(results: StudyResults, **values) -> list[Row]:
    return [row for row in results.where(**values).rows if row.answer is not None]


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("phase", PHASES)
def test_the_rates_are_those_of_the_phase_with_their_intervals(mapped, rounding, phase) -> None:
    axes = axes_named(rates(mapped), f"rates () {phase}")
    rows = ran(mapped, rounding=rounding)
    found = [row.answer.decision.phases[phase].target for row in rows]
    points = drawn(axes, f"{rounding} points")
    np.testing.assert_array_equal(points.get_ydata(), [e.value for e in found])
    np.testing.assert_allclose(
        points.get_xdata(orig=False), [r.values["bits"] for r in rows], atol=0.3
    )
    bars = [c for c in axes.containers if c.lines[0] is points]
    segments = [s[:, 1].tolist() for s in bars[0].lines[2][0].get_segments()]
    np.testing.assert_allclose(segments, [[e.low, e.high] for e in found])


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("phase", PHASES)
def test_the_thin_line_is_the_prediction(mapped, rounding, phase) -> None:
    line = drawn(axes_named(rates(mapped), f"rates () {phase}"), f"{rounding} predicted")
    rows = mapped.where(rounding=rounding).rows
    expected = [r.prediction["rates_hz"][phase] if r.prediction else np.nan for r in rows]
    np.testing.assert_array_equal(line.get_ydata(), expected)
    assert line.get_color() == SERIES[ROUNDINGS.index(rounding)].colour


@pytest.mark.parametrize("phase", PHASES)
def test_the_reference_has_its_margin_around_it(mapped, phase) -> None:
    axes = axes_named(rates(mapped), f"rates () {phase}")
    line = drawn(axes, "reference").get_ydata()[1:-1]
    for at, bits in enumerate(sorted({r.values["bits"] for r in ran(mapped)})):
        rows = ran(mapped, bits=bits)
        most = max(r.trials for r in rows)
        possible = {
            r.answer.decision.phases[phase].reference.value for r in rows if r.trials == most
        }
        assert line[at] in possible
    box = drawn(axes, "margin").get_paths()[0].get_extents()
    assert box.y0 == pytest.approx(line.min() - 20.0)
    assert box.y1 == pytest.approx(line.max() + 20.0)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_the_largest_differences_have_their_intervals_and_answers(mapped, rounding) -> None:
    axes = axes_named(differences(mapped), "differences 0")
    line = drawn(axes, f"{rounding} line")
    rows = mapped.where(rounding=rounding).rows
    expected = [r.answer.worst_difference_hz if r.answer else np.nan for r in rows]
    np.testing.assert_array_equal(line.get_ydata(), expected)
    for x, row in zip(line.get_xdata(), rows, strict=True):
        here = [a for a in axes.lines if len(a.get_xdata()) == 1 and a.get_xdata()[0] == x]
        assert [a.get_marker() for a in here] == ([LOOKS[row.word].marker] if row.answer else [])


def test_an_interval_is_that_of_the_phase_with_the_largest_difference(mapped) -> None:
    axes = axes_named(differences(mapped), "differences 0")
    for rounding in ROUNDINGS:
        bars = axes.findobj(lambda a, r=rounding: a.get_label() == f"_{r} interval")
        rows = ran(mapped, rounding=rounding)
        for bar, row in zip(bars, rows, strict=True):
            differ = [p.difference for p in row.answer.decision.phases]
            worst = max(differ, key=lambda e: abs(e.value))
            low, high = sorted((abs(worst.low), abs(worst.high)))
            low = 0.0 if worst.low <= 0.0 <= worst.high else low
            assert list(bar.get_ydata()) == [low, high]


def test_the_band_is_the_margin(mapped) -> None:
    axes = axes_named(differences(mapped), "differences 0")
    assert set(drawn(axes, "at most").get_ydata()) == {20.0}
    assert drawn(axes, "band").get_paths()[0].get_extents().y1 == pytest.approx(20.0)
    assert "within the margin" in legend_labels(differences(mapped))


def test_a_metric_is_drawn_within_its_bounds(metric) -> None:
    figure = differences(metric)
    assert (
        len(figure.axes) == 2
    )  # the margin belongs to the experiment, so that panels have one each
    for axes, margin in zip(figure.axes, (0.1, 0.4), strict=True):
        for target in ("generic8", "generic16"):
            rows = ran(metric, margin=margin, target=target)
            line = drawn(axes, f"{target} line")
            np.testing.assert_array_equal(line.get_ydata(), [r.answer.metric.value for r in rows])
        assert set(drawn(axes, "at least").get_ydata()) == {-2.3}
        assert set(drawn(axes, "at most").get_ydata()) == {2.3}
    assert figure.axes[0].get_ylabel() == "difference (Hz)"


@pytest.mark.parametrize("draw", [rates, differences])
@pytest.mark.parametrize("study", ["mapped", "halfway", "metric"])
def test_lines_can_be_read(draw, study, request) -> None:
    figure = draw(request.getfixturevalue(study))
    assert figure.get_figwidth() == 6.9
    assert_readable(figure)
    labels = legend_labels(figure)
    assert len(labels) == len(set(labels))


def test_captions_say_what_intervals_hold(mapped) -> None:
    for text in (caption(mapped), rates_caption(mapped)):
        assert "with 95 % intervals" in text  # 5 % shared by two looks
        assert text.endswith("seed 3.")
    assert "What" not in caption(mapped)
    assert "Thin lines: what check predicts" in rates_caption(mapped)


def test_means_of_wide_range_have_a_logarithmic_scale_with_zero_on_its_edge() -> None:
    means = [Estimate(value=v, low=0.0, high=2 * v) for v in (0.0, 0.02, 40.0)]
    scale = scale_of(means, [5.0])
    assert scale.is_log
    assert scale.low == pytest.approx(0.01)
    assert scale.shown(0.0) == scale.low
    assert scale.high > 80.0


def test_negative_means_have_a_linear_scale_that_shows_all() -> None:
    means = [Estimate(value=-0.1, low=-3.0, high=0.1), Estimate(value=40.0)]
    scale = scale_of(means, [None, 50.0])
    assert not scale.is_log
    assert scale.low < -3.0
    assert scale.high > 50.0
    assert scale.shown(-1.0) == -1.0
