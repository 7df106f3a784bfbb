"""Bits against fidelity: the front, the minima and what was judged are the search's."""

from dataclasses import replace

import pytest

from neuroemu.report.study.frontier import caption, frontier, widths_text
from neuroemu.study.looks import PASSES
from tests.report.cases import axes_named, drawn
from tests.report.study.drawing import legend_labels
from tests.report.test_figures import assert_readable

SEARCHES = (0, 1)


def points(line) -> list[tuple[float, float]]:
    return sorted(zip(*map(list, line.get_data()), strict=True))


@pytest.mark.parametrize("i", SEARCHES)
def test_all_points_judged_are_there(searched, i) -> None:
    axes = axes_named(frontier(searched), f"frontier {i}")
    rounding = searched.frontiers[i].others["rounding"]
    for name, passes in (("passes", True), ("fails", False)):
        expected = sorted(
            (r.values["bits"] + r.values["membrane"], r.answer.worst_difference_hz)
            for r in searched.where(rounding=rounding).rows
            if r.answer and (r.word in PASSES) == passes
        )
        assert points(drawn(axes, name)) == expected
    assert len(searched.frontiers) == len(SEARCHES)


@pytest.mark.parametrize("i", SEARCHES)
def test_the_staircase_is_the_front_and_falls(searched, i) -> None:
    line = drawn(axes_named(frontier(searched), f"frontier {i}"), "front")
    front = searched.frontiers[i].front
    expected = sorted((j.total, j.worst_difference_hz) for j in front)
    assert list(zip(*map(list, line.get_data()), strict=True))[:-1] == expected
    assert line.get_drawstyle() == "steps-post"
    heights = list(line.get_ydata())
    assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize("i", SEARCHES)
def test_minima_are_marked_with_their_widths(searched, i) -> None:
    axes = axes_named(frontier(searched), f"frontier {i}")
    minima = searched.frontiers[i].minima
    expected = sorted((j.total, j.worst_difference_hz) for j in minima)
    assert points(drawn(axes, "minima")) == expected
    assert sorted(t.get_text() for t in axes.texts if t.get_text()) == sorted(
        map(widths_text, minima)
    )
    assert all(list(m.widths) == ["membrane", "bits"] for m in minima)


def test_the_caption_lists_the_minima(searched) -> None:
    for f in searched.frontiers:
        listed = ", ".join(map(widths_text, f.minima))
        assert f"{f.others['rounding']}: {listed}" in caption(searched)
    assert "Bits in all (membrane + weight bits)" in caption(searched)
    assert "monotony" not in caption(searched)


def test_what_fails_above_a_minimum_is_marked(searched) -> None:
    first, second = searched.frontiers
    odd = next(j for j in first.front if j.word not in PASSES)
    changed = replace(searched, frontiers=(replace(first, exceptions=(odd,)), second))
    axes = axes_named(frontier(changed), "frontier 0")
    assert points(drawn(axes, "exceptions")) == [(odd.total, odd.worst_difference_hz)]
    assert "fails above one that passes" in legend_labels(frontier(changed))
    assert "fails above one that passes" not in legend_labels(frontier(searched))
    assert "Diamonds" in caption(changed)


def test_a_search_that_finds_nothing_says_so(searched) -> None:
    nothing = replace(searched.frontiers[0], minima=(), is_confirmed=False)
    changed = replace(searched, frontiers=(nothing,))
    assert "floor: none passes." in caption(changed)
    assert "assume" in caption(changed)
    assert_readable(frontier(changed))


def test_many_minima_do_not_meet(searched) -> None:
    rows = [r for r in searched.where(rounding="around").rows if r.answer]
    least = searched.frontiers[1].minima[0]
    many = tuple(
        replace(
            least,
            widths={"membrane": r.values["membrane"], "bits": r.values["bits"]},
            total=r.values["membrane"] + r.values["bits"],
            worst_difference_hz=r.answer.worst_difference_hz,
        )
        for r in rows[:8]
    )
    changed = replace(searched, frontiers=(replace(searched.frontiers[1], minima=many),))
    assert_readable(frontier(changed))


def test_the_figure_can_be_read(searched) -> None:
    figure = frontier(searched)
    assert figure.get_figwidth() == 6.9
    assert_readable(figure)
    assert set(legend_labels(figure)) >= {"best for its bits", "smallest that passes", "margin"}
