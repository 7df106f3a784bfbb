"""The map of a study: each cell is its point's answer, the line is where the prediction changes."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba

from neuroemu.report.study.answer_map import answer_map, caption, short_number
from neuroemu.report.study.answers import LOOKS
from neuroemu.study.results import StudyResults
from tests.report.cases import axes_named, drawn
from tests.report.study.conftest import BITS, ROUNDING
from tests.report.study.drawing import Place, cells_drawn, legend_labels, not_run
from tests.report.test_figures import assert_readable

BITS_3_TO_10 = list(range(3, 11))
ROUNDINGS = ROUNDING["values"]


def place_of(row) -> Place:
    return BITS_3_TO_10.index(row.values["bits"]), ROUNDINGS.index(row.values["rounding"])


@pytest.mark.parametrize("study", ["mapped", "halfway"])
def test_every_point_has_a_cell_with_its_answer(study, request) -> None:
    results: StudyResults = request.getfixturevalue(study)
    axes = axes_named(answer_map(results), "map 0")
    assert cells_drawn(axes) == {place_of(row): row.word for row in results.rows}
    assert {"survives", "dead", "refused"} <= {row.word for row in results.rows}


@pytest.mark.parametrize("study", ["mapped", "halfway"])
def test_colour_and_mark_are_the_answers(study, request) -> None:
    results: StudyResults = request.getfixturevalue(study)
    axes = axes_named(answer_map(results), "map 0")
    for word in {row.word for row in results.rows}:
        look, cells = LOOKS[word], drawn(axes, word)
        np.testing.assert_array_equal(cells.get_facecolor()[0], to_rgba(look.colour))
        assert bool(cells.get_hatch()) == (word == "refused")
        if look.mark:
            marks = np.rint(drawn(axes, f"{word} marks").get_offsets()).astype(int)
            expected = sorted(place_of(row) for row in results.rows if row.word == word)
            assert sorted(map(tuple, marks.tolist())) == expected


def test_colours_and_marks_of_answers_to_one_question_differ() -> None:
    for words in (
        ("survives", "shifted", "dead", "inconclusive", "refused", "missing"),
        ("within", "beyond", "undecided", "refused", "missing"),
    ):
        looks = [LOOKS[w] for w in words]
        assert len({look.mark for look in looks}) == len(looks)
        assert len({look.colour for look in looks[:-2]}) == len(looks) - 2


def test_wide_cells_have_their_number(mapped) -> None:
    axes = axes_named(answer_map(mapped), "map 0")
    written = {(round(t.get_position()[0]), round(t.get_position()[1])): t for t in axes.texts}
    ran = {place_of(r): r.answer.worst_difference_hz for r in mapped.rows if r.answer}
    assert {p: t.get_text() for p, t in written.items()} == {
        p: short_number(v) for p, v in ran.items()
    }


def test_the_line_runs_where_the_predicted_verdict_changes(mapped) -> None:
    predicted = {place_of(r): r.predicted for r in mapped.rows if r.predicted}
    expected = set()
    for (i, j), word in predicted.items():
        if predicted.get((i + 1, j), word) != word:
            expected.add(((i + 0.5, j - 0.5), (i + 0.5, j + 0.5)))
        if predicted.get((i, j + 1), word) != word:
            expected.add(((i - 0.5, j + 0.5), (i + 0.5, j + 0.5)))
    line = drawn(axes_named(answer_map(mapped), "map 0"), "predicted")
    assert isinstance(line, LineCollection)
    assert {tuple(map(tuple, s.tolist())) for s in line.get_segments()} == expected
    assert len(expected) > 5
    assert "predicted by check" in legend_labels(answer_map(mapped))


def test_a_metric_has_its_own_words_and_no_predicted_verdict(metric) -> None:
    figure = answer_map(metric)
    assert legend_labels(figure) == ["✓ within", "✗ beyond", "? undecided"]
    assert "Where is difference at least -2.3 and at most 2.3 Hz?" in {
        t.get_text() for t in figure.texts
    }


def test_several_targets_are_panels_with_the_same_scales(metric) -> None:
    figure = answer_map(metric)
    assert [axes.get_label() for axes in figure.axes] == ["map 0", "map 1"]
    titles = [t.get_text() for t in figure.texts if t.get_text() in ("generic8", "generic16")]
    assert titles == ["generic8", "generic16"]
    for axes, target in zip(figure.axes, titles, strict=True):
        rows = metric.where(target=target).rows
        expected = {
            ([6, 7, 8].index(r.values["bits"]), [0.1, 0.4].index(r.values["margin"])): r.word
            for r in rows
        }
        assert cells_drawn(axes) == expected


def test_axes_have_their_labels_and_values(mapped) -> None:
    figure = answer_map(mapped)
    axes = axes_named(figure, "map 0")
    assert [t.get_text() for t in axes.get_yticklabels()] == ROUNDINGS
    assert [t.get_text() for t in axes.get_xticklabels()] == list(map(str, BITS_3_TO_10))
    assert axes.get_ylabel().replace("\n", " ") == ROUNDING["label"]
    assert BITS["label"] in {t.get_text() for t in figure.texts}
    assert axes.yaxis_inverted()


def test_the_caption_counts_what_is_drawn(mapped, halfway, metric) -> None:
    words = [row.word for row in mapped.rows]
    text = caption(mapped)
    assert f"{words.count('survives')} survives, " in text
    assert f"{words.count('refused')} refused." in text
    known = [r for r in mapped.rows if r.answer and r.word != "inconclusive"]
    right = sum(r.word == r.predicted for r in known)
    assert f"as measured: {right} of {len(known)} decided points" in text
    assert "Target generic8; 4 to 8 trials" in text
    assert text.endswith("seed 3.")
    assert "9 not run yet" in caption(halfway)
    assert "Target generic8, generic16".replace("Target", "Targets") in caption(metric)
    assert "check" not in caption(metric)


LONG = (
    "a label that goes on for much longer than there is room for it on any page of this width, (Hz)"
)
ALPHA = {"name": "alpha", "keys": ["experiment.question.alpha"], "from": 0.01, "to": 0.1}
SHAPES = {
    "one row": [BITS],
    "one cell": [BITS | {"bits": [3, 3]}],
    "one column of words": [ROUNDING],
    "forty by five": [
        {
            "name": "margin",
            "label": LONG,
            "keys": ["experiment.question.margin"],
            "from": 0.001,
            "to": 0.9,
            "points": 40,
            "scale": "log",
        },
        BITS | {"bits": [3, 7], "label": LONG},
    ],
    "twenty by twenty": [
        {
            "name": name,
            "keys": [f"experiment.question.{name}"],
            "from": 0.01,
            "to": 0.4,
            "points": 20,
        }
        for name in ("margin", "alpha")
    ],
    "panels": [ROUNDING, BITS, ALPHA],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("targets", [1, 3])
def test_maps_of_any_shape_can_be_read(shape, targets, tmp_path: Path) -> None:
    names = ["generic8", "generic16", "generic4"][:targets]
    results = not_run(tmp_path, axes=SHAPES[shape], targets=names, set={})
    figure = answer_map(results)
    assert figure.get_figwidth() == 6.9
    assert sum(len(cells_drawn(axes)) for axes in figure.axes) == len(results.rows)
    assert_readable(figure)


@pytest.mark.parametrize("study", ["mapped", "halfway", "metric", "searched"])
def test_maps_of_studies_can_be_read(study, request) -> None:
    assert_readable(answer_map(request.getfixturevalue(study)))


def test_what_a_search_did_not_judge_is_left_blank(searched) -> None:
    figure = answer_map(searched)
    assert sum(len(cells_drawn(axes)) for axes in figure.axes) == len(searched.rows)
    assert "· not run yet" not in legend_labels(figure)
    assert "Grey: the search had no need of it." in caption(searched)


def test_many_values_get_round_numbers_along_a_logarithmic_axis(tmp_path: Path) -> None:
    results = not_run(tmp_path, axes=SHAPES["forty by five"], set={})
    axes = axes_named(answer_map(results), "map 0")
    written = [float(t.get_text()) for t in axes.get_xticklabels()]
    assert {0.01, 0.1} <= set(written)
    values = results.study.axes[0]
    assert (values.start, values.stop) == (0.001, 0.9)
    places = np.interp(np.log(written), np.log([0.001, 0.9]), [0, 39])
    np.testing.assert_allclose(axes.get_xticks(), places, atol=0.02)
