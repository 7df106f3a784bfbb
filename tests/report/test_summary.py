"""All targets side by side."""

import numpy as np
import pytest

from neuroemu.errors import ConfigError
from neuroemu.report.figures import summary_figure
from tests.report.cases import axes_named, comparison, drawn
from tests.report.test_figures import assert_labelled

CASES = ("shifted", "survives", "dead", "inconclusive")
STIMULUS = [25.0, 50.0, 0.0, 35.0]


def test_the_targets_stand_in_the_order_given() -> None:
    figure = summary_figure([comparison(case) for case in CASES])
    said = [t.get_text() for t in figure.texts]
    badges = [s for s in said if s[:2] in ("✓ ", "~ ", "✗ ", "? ")]
    assert badges == ["~ shifted", "✓ survives", "✗ dead", "? inconclusive"]
    names = [s for s in said if s in {comparison(case).target.name for case in CASES}]
    assert names == [comparison(case).target.name for case in CASES]


@pytest.mark.parametrize("case", CASES)
def test_its_rates_are_the_comparisons_sorted_by_stimulus(case) -> None:
    c = comparison(case)
    axes = axes_named(summary_figure([c, comparison("dead")]), "target 0")
    order = np.argsort(STIMULUS, kind="stable")
    assert [t.get_text() for t in axes.get_xticklabels()] == ["0", "25", "35", "50"]
    for name in ("target", "control"):
        values = [getattr(c.phases[i], name).value for i in order]
        np.testing.assert_array_equal(drawn(axes, f"{name} phases").get_ydata(), values)
    for at, phase in enumerate(order):
        line, box = drawn(axes, f"reference {at}"), axes.patches[at]
        value = c.phases[phase].reference.value
        assert list(line.get_ydata()) == [value, value]
        assert box.get_y() == pytest.approx(value - c.decision.margin_hz)
        assert box.get_height() == pytest.approx(2 * c.decision.margin_hz)


@pytest.mark.parametrize("number", [1, 2, 4, 7, 12])
def test_panels_share_one_scale_and_are_labelled(number) -> None:
    figure = summary_figure([comparison(CASES[i % 4]) for i in range(number)])
    assert len(figure.axes) == number
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert all(axes.get_ylabel() for axes in figure.axes if axes.get_position().x0 < 0.1)
    lowest = min(axes.get_position().y0 for axes in figure.axes)
    assert all(a.get_xlabel() for a in figure.axes if a.get_position().y0 == lowest)
    if number == 1:
        assert_labelled(figure)


def test_the_legend_names_each_thing_once() -> None:
    (legend,) = summary_figure([comparison(case) for case in CASES]).legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert len(labels) == len(set(labels)) == 5


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(ConfigError, match="targets"):
        summary_figure([])
