"""The report of a study."""

import html
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest

from neuroemu.report.html.find import page_of
from neuroemu.report.html.parts import Attachments, Command, Facts, Mark, Table
from neuroemu.report.html.render import render
from neuroemu.report.html.study_page import study_page
from neuroemu.report.html.study_tables import MOST_ROWS, frontier_table, point_table
from neuroemu.report.study import figures_of, write_figures
from neuroemu.study.config import load_study_file
from neuroemu.study.find import Counterexample, Frontier, Judged
from neuroemu.study.points import space
from neuroemu.study.results import StudyResults, load_study
from neuroemu.study.run import run_study
from neuroemu.study.workers import LocalWorkers
from tests.study.small import small_space


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study")
    made = small_space(out, predict=True, summary="What a small study asks.")
    found = run_study(made, out, workers=LocalWorkers(1), command="neuroemu study small.toml")
    write_figures(found, out)
    return out


@pytest.fixture(scope="module")
def results(folder: Path) -> StudyResults:
    return load_study(folder)


def test_a_study_is_counted_asked_listed_and_run_again(folder: Path, results: StudyResults) -> None:
    page = page_of(folder)
    assert page.title == "A small study"
    dead = sum(row.word == "dead" for row in results.rows)
    assert f"dead at {dead} of 8 points" in [h.badge.word for h in page.headlines]
    assert [s.title for s in page.sections] == [
        *("Question", "Figures", "Points", "Predicted against measured", "Time", "Run it again"),
    ]
    facts = dict(page.sections[0].parts[1].rows)  # type: ignore[union-attr]
    assert facts["bits"] == "4, 5, 6, 7 (plasticity.weight.format)"
    (time,) = page.sections[-2].parts
    assert isinstance(time, Facts) and dict(time.rows)["Runs"] == str(results.runs)
    commands = [p.text for p in page.sections[-1].parts if isinstance(p, Command)]
    assert commands == ["neuroemu study small.toml", "neuroemu study small.study.toml"]
    written = render(page)
    assert "What a small study asks." in written
    for figure in figures_of(results):
        assert figure.caption in html.unescape(written)


def test_every_point_has_its_answer_and_what_was_predicted(results: StudyResults) -> None:
    table = point_table(results)
    assert len(table.rows) == 8
    for cells, row in zip(table.rows, results.rows, strict=True):
        assert cells[:2] == [str(v) for n, v in row.values.items() if n != "target"]
        assert row.answer is not None
        assert cells[-3] == f"{row.answer.worst_difference_hz:.2f}"
        as_predicted = row.predicted == row.word
        assert isinstance(cells[-1], Mark) != as_predicted


def test_of_many_points_some_are_listed(results: StudyResults) -> None:
    many = replace(results, rows=results.rows * 200)
    table = point_table(many)
    assert len(table.rows) == len(many.rows) // 4 <= MOST_ROWS
    assert "400 of 1,600 points, evenly chosen" in table.note


def test_what_did_not_run_is_said(results: StudyResults) -> None:
    refused = replace(results.rows[0], word="refused", answer=None, reason="too wide", trials=0)
    page = study_page(replace(results, rows=(refused,)))
    assert page.headlines[0].badge.word == "refused at 1 of 1 points"
    (table,) = [p for s in page.sections for p in s.parts if isinstance(p, Table)]
    assert table.note.endswith("Refused: too wide.")


def test_the_files_are_the_same_study(folder: Path, results: StudyResults, tmp_path: Path) -> None:
    (files,) = [p for p in page_of(folder).sections[-1].parts if isinstance(p, Attachments)]
    for file in files.files:
        (tmp_path / file.name).write_bytes(b64decode(file.source.partition(",")[2]))
    again = space(*load_study_file(tmp_path / "small.study.toml"))
    for mine, theirs in zip(again.points(), results.space.points(), strict=True):
        assert mine.values == theirs.values
        assert mine.target is not None and theirs.target is not None
        assert mine.target.model_dump(exclude={"sources"}) == theirs.target.model_dump(
            exclude={"sources"}
        )
        assert mine.experiment == theirs.experiment


def test_a_search_tells_the_smallest_formats_and_where_smaller_ones_part() -> None:
    best = Judged(widths={"weight": 6}, total=6, word="survives", worst_difference_hz=1.25)
    odd = Judged(widths={"weight": 5}, total=5, word="shifted", worst_difference_hz=None)
    parts = Counterexample(
        widths={"weight": 5},
        word="shifted",
        trial=0,
        sentence="the weight differs at 12.5 ms",
        time_ms=12.5,
        register="weight",
        site="store",
        reference=0.05,
        target=0.0,
        input_spikes=7,
        case={},
    )
    found = Frontier(
        others={"rounding": "floor"},
        axes=("weight",),
        minima=(best,),
        front=(best,),
        exceptions=(odd,),
        is_confirmed=False,
        counterexamples=(parts,),
        judged=4,
    )
    table = frontier_table(found)
    assert table.caption == "Fewest bits, rounding floor"
    assert [(r[0], r[3], r[4]) for r in table.rows] == [
        ("6", "1.25", "smallest that passes"),
        ("5", "–", "contradicts monotony"),
    ]
    assert "4 points judged. Monotony is assumed, not confirmed." in table.note
    assert "Just below, with weight 5 bits: the weight differs at 12.5 ms." in table.note
