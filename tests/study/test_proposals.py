"""Optuna's search, on planted truth tables."""

from __future__ import annotations

import sys
from itertools import islice

import optuna
import pytest

from neuroemu.errors import ConfigError
from neuroemu.study.find import Judged
from neuroemu.study.proposals import GENERATION, search_proposals
from neuroemu.study.search import Cell, minima
from tests.study.test_search import drive

NAMES = ("weight", "membrane", "leak", "increment", "static")
SHAPE = (11,) * 5


def answer(cell: Cell) -> Judged:
    """Return an answer: the last axis does not fit below 2, the others pass from 4 on."""
    if cell[4] < 2:
        return Judged(widths={}, total=sum(cell), word="refused", worst_difference_hz=None)
    word = "survives" if min(cell[:4]) >= 4 else "dead"
    difference = sum(2.0**-i for i in cell)
    return Judged(widths={}, total=sum(cell), word=word, worst_difference_hz=difference)


def searched(points: int, seed: int = 1) -> dict[Cell, Judged]:
    return drive(search_proposals(NAMES, SHAPE, points=points, seed=seed), answer)


def test_the_search_comes_closer_to_the_minimum_than_its_first_draws():
    seen = searched(300)
    assert len(seen) <= 300
    drawn = [seen[c].total for c in islice(seen, GENERATION) if seen[c].passes]
    best = min(seen[c].total for c in minima(seen))
    assert best <= 22 < min(drawn, default=50)  # the least there is: 18


def test_more_points_continue_a_search():
    few, many = list(searched(30)), list(searched(70))
    assert many[: len(few)] == few
    assert len(many) > len(few)


def test_the_seed_decides():
    assert list(searched(20, seed=1)) == list(searched(20, seed=1))
    assert list(searched(20, seed=1)) != list(searched(20, seed=2**62))


def test_a_search_of_refused_cells_ends():
    seen = drive(
        search_proposals(("bits",), (3,), points=50, seed=1),
        lambda cell: Judged(widths={}, total=0, word="refused", worst_difference_hz=None),
    )
    assert set(seen) == {(0,), (1,), (2,)}


def test_the_search_is_kept_in_optuna_s_own_storage(tmp_path):
    path = tmp_path / "search.optuna.sqlite"
    seen = drive(search_proposals(NAMES, SHAPE, points=20, seed=1, kept=path), answer)
    (summary,) = optuna.get_all_study_summaries(f"sqlite:///{path}")
    kept = optuna.load_study(study_name=summary.study_name, storage=f"sqlite:///{path}")
    assert {tuple(t.params[name] for name in NAMES) for t in kept.trials} == set(seen)
    values = {t.values[0] for t in kept.trials if t.values}
    assert values == {float(j.total) for j in seen.values() if not j.is_refused}
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_optuna_writes_nothing_on_the_terminal(capfd):
    level = optuna.logging.get_verbosity()
    searched(5)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == level


def test_without_optuna_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"needs Optuna.*pip install 'neuroemu\[search\]'"):
        searched(5)
