"""What the report of a run says, and in which order."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from neuroemu.metrics.intervals import Estimate
from neuroemu.report.html.find import page_of
from neuroemu.report.html.parts import Facts, Mark, Page, Paragraph, Picture, Table
from neuroemu.report.html.run_tables import within
from neuroemu.report.html.saved import read_run
from tests.report.html.runs import run

SECTIONS = [
    *("Phases", "Figure", "Constants", "Attribution", "Sites", "Time", "Versions", "Run it again"),
]


@pytest.fixture(scope="module")
def dead(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("dead"), "generic4")


@pytest.fixture(scope="module")
def shifted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    floor = ("plasticity.weight.format=fxp-u6/0", "plasticity.increment.format=fxp-u16/8")
    options = [f"--set={o}" for o in (*floor, "plasticity.weight.rounding=floor")]
    return run(tmp_path_factory.mktemp("shifted"), "generic4", options=tuple(options))


def parts(page: Page, title: str, kind: type) -> list:
    (section,) = [s for s in page.sections if s.title == title]
    return [p for p in section.parts if isinstance(p, kind)]


def facts(page: Page, title: str) -> dict[str, str]:
    return dict(row for found in parts(page, title, Facts) for row in found.rows)


def test_the_verdict_comes_first_then_everything_it_rests_on(dead: Path) -> None:
    page = page_of(dead)
    assert page.title == "Spike-based homeostasis on generic4"
    assert "16 s biological, 8 trials, seed 3" in page.about
    (headline,) = page.headlines
    assert (headline.badge.look, headline.badge.word) == ("dead", "dead")
    assert "an increment of 0.05 is 0.375 LSB and rounds to 0" in headline.sentence
    assert [s.title for s in page.sections] == SECTIONS


def test_phases_have_rates_intervals_and_a_judgement(dead: Path) -> None:
    (table,) = parts(page_of(dead), "Phases", Table)
    verdict = json.loads((dead / "verdict.json").read_text())
    phase = verdict["decision"]["phases"][2]
    head, target, reference, control, difference, mark = table.rows[2]
    assert head == "3: 0\xa0Hz"
    assert (target, reference, control) == (
        *(f"{phase[name]['value']:.1f}" for name in ("target", "reference", "control")),
    )
    low, high = (f"{-phase['difference'][end]:.1f}" for end in ("low", "high"))
    assert difference.endswith(f"(−{low}\xa0to\xa0−{high})")
    assert mark == Mark(look="bad", sign="✗", word="outside")
    assert table.columns[-1] == "within ±10\xa0Hz"


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        *((-5.0, 5.0, "within"), (-5.1, 4.0, "not shown"), (4.0, 6.0, "not shown")),
        *((5.1, 9.0, "outside"), (-9.0, -5.1, "outside"), (-9.0, 9.0, "not shown")),
    ],
)
def test_a_difference_is_within_outside_or_not_shown(
    low: float, high: float, word: str, dead: Path
) -> None:
    difference = Estimate(value=(low + high) / 2, low=low, high=high)
    phase = replace(
        read_run(dead).decision.phases[0],
        difference=difference,
        within_margin=difference.within(5.0),
    )
    assert within(phase, 5.0).word == word


def test_one_trial_shows_nothing(tmp_path: Path) -> None:
    page = page_of(run(tmp_path, "generic4", trials=1))
    assert page.headlines[0].badge.look == "inconclusive"
    (table,) = parts(page, "Phases", Table)
    assert {row[-1].word for row in table.rows} == {"not shown"}
    assert not any("to" in row[4] for row in table.rows)
    assert facts(page, "Attribution")["Site to blame"] == "not sought: no loss is shown"


def test_constants_are_as_asked_and_as_realised(dead: Path) -> None:
    (table,) = parts(page_of(dead), "Constants", Table)
    (row,) = [r for r in table.rows if r[0] == "dw_plus"]
    assert row[1:7] == ("homeostatic", "0.05", "0", "−100\xa0%", "fxp-u4/0", "0")
    assert row[7] == Mark(look="open", sign="!", word="zeroed")
    assert "zeroed: the register holds 0" in table.note


def test_the_site_to_blame_is_named_with_what_it_is(shifted: Path) -> None:
    page = page_of(shifted)
    found = facts(page, "Attribution")
    assert found["Site to blame"] == "store: the rounding of the stored weight"
    assert "store +" in found["Made exact, one by one"]
    (table,) = parts(page, "Attribution", Table)
    assert [row[0] for row in table.rows] == [
        *("ideal → parameters", "parameters → range", "range → fixed", "whole"),
    ]


def test_sites_are_counted_or_said_to_have_lost_nothing(tmp_path: Path) -> None:
    folder = run(tmp_path, "generic16")
    page = page_of(folder)
    counted = json.loads((folder / "verdict.json").read_text())["sites"]
    (table,) = parts(page, "Sites", Table)
    (row,) = table.rows
    lost, first = counted["leak"]["lost"], counted["leak"]["lost_step"]
    assert row[:4] == ("leak", "the rounding of the membrane's leak", "0", "–")
    assert row[4:] == (f"{lost:,}", f"step {first:,} ({first / 10000:g} s)")
    (others,) = parts(page, "Sites", Paragraph)
    assert "store" in others.text and "leak" not in others.text


def test_times_are_biological_and_on_the_chip(dead: Path) -> None:
    found = facts(page_of(dead), "Time")
    assert found["Whole run"].startswith("16 s biological, 1.6 ms on the chip; 10,000 times")
    digest = json.loads((dead / "manifest.json").read_text())["digest"]
    assert facts(page_of(dead), "Versions")["Digest"] == digest


def test_the_png_stands_in_for_a_missing_svg(dead: Path, tmp_path: Path) -> None:
    (drawn,) = parts(page_of(dead), "Figure", Picture)
    assert drawn.source.startswith("data:image/svg+xml;base64,")
    copy = shutil.copytree(dead, tmp_path / "copy")
    (copy / "figure.svg").unlink()
    (drawn,) = parts(page_of(copy), "Figure", Picture)
    assert drawn.source.startswith("data:image/png;base64,")
