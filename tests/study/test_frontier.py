"""A search from the study file to the frontier, on real trials, beside the map of all points."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neuroemu.errors import ConfigError
from neuroemu.study.campaign import Work
from neuroemu.study.find import Frontier
from neuroemu.study.results import StudyResults, load_study
from neuroemu.study.run import run_study
from tests.study.small import BITS, ROUNDING, SHORT, small_space

FOUND = BITS | {"bits": [6, 9], "find": "minimum"}
WIDE = SHORT | {"experiment.question.margin": 0.4}
MEMBRANE = {"name": "membrane", "keys": ["membrane.format"], "bits": [1, 8], "find": "minimum"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("searched")


@pytest.fixture(scope="module")
def searched(folder: Path) -> StudyResults:
    return run_study(small_space(folder, axes=[ROUNDING, FOUND], set=WIDE), folder)


@pytest.fixture(scope="module")
def mapped(folder: Path, searched: StudyResults) -> StudyResults:
    """The map of the same points; it has its results from the search's file."""
    bits = BITS | {"bits": FOUND["bits"]}
    return run_study(small_space(folder, axes=[ROUNDING, bits], set=WIDE), folder)


def test_each_rounding_has_the_minimum_that_the_map_shows(searched, mapped):
    assert [f.others["rounding"] for f in searched.frontiers] == ["floor", "stochastic"]
    for frontier in searched.frontiers:
        rows = mapped.where(rounding=frontier.others["rounding"]).rows
        passing = [row.values["bits"] for row in rows if row.word == "survives"]
        assert [m.widths["bits"] for m in frontier.minima] == [min(passing)]
        assert frontier.is_confirmed
        assert frontier.judged == len(rows)


def test_answers_and_differences_are_those_of_the_points(searched):
    frontier = searched.frontiers[0]
    for judged in (*frontier.minima, *frontier.front, *frontier.exceptions):
        (row,) = searched.where(rounding="floor", bits=judged.widths["bits"]).rows
        assert row.answer is not None
        assert judged.word == row.word
        assert judged.worst_difference_hz == row.answer.worst_difference_hz
        assert judged.total == judged.widths["bits"]


def test_the_width_just_below_has_a_counterexample(searched):
    frontier = searched.frontiers[0]
    (c,) = frontier.counterexamples
    assert c.widths["bits"] == frontier.minima[0].widths["bits"] - 1
    assert (c.word, c.register) == ("dead", "weight")
    assert c.input_spikes >= 1


def test_a_frontier_is_read_back_equal(searched):
    for frontier in searched.frontiers:
        assert Frontier.from_json(json.loads(json.dumps(frontier.as_json()))) == frontier


def test_a_search_given_again_runs_nothing_and_finds_the_same(folder, searched, mapped):
    seen = Work()

    def show(work: Work) -> None:
        seen.runs = work.runs

    again = run_study(small_space(folder, axes=[ROUNDING, FOUND], set=WIDE), folder, show=show)
    assert seen.runs == 0
    assert again.frontiers == searched.frontiers
    assert load_study(folder).frontiers == searched.frontiers


def test_several_axes_judge_a_part_of_their_points(tmp_path):
    space = small_space(tmp_path, axes=[FOUND, MEMBRANE], set=WIDE)
    results = run_study(space, tmp_path)
    (frontier,) = results.frontiers
    assert frontier.axes == ("bits", "membrane")
    assert frontier.minima
    assert frontier.judged == sum(row.answer is not None for row in results.rows)
    assert len(results.rows) < 4 * 8
    assert not any(m.widths["membrane"] < 4 for m in frontier.minima)  # those are refused


def test_optuna_judges_what_it_proposes(tmp_path):
    axes = [FOUND, MEMBRANE]
    space = small_space(tmp_path, axes=axes, set=WIDE, search={"points": 6})
    results = run_study(space, tmp_path)
    (frontier,) = results.frontiers
    assert 1 <= len(results.rows) <= 6
    assert not frontier.is_confirmed


def test_a_search_has_no_parts(tmp_path):
    with pytest.raises(ConfigError, match="--shard = 1/2: a search"):
        run_study(small_space(tmp_path, axes=[FOUND]), tmp_path, shard=(1, 2))
