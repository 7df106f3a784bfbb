"""The report of several targets."""

import json
import shutil
from pathlib import Path

import pytest

from neuroemu.errors import OutputError
from neuroemu.report.html.find import page_of
from neuroemu.report.html.parts import Badge, Mark, Table
from tests.report.html.runs import run


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("runs"), "generic4", "generic16")


def test_verdicts_are_counted_then_listed_then_each_target_told(out: Path) -> None:
    page = page_of(out)
    assert [(h.badge.word, h.sentence) for h in page.headlines] == [
        ("survives on 1 of 2", "generic16"),
        ("dead on 1 of 2", "generic4"),
    ]
    assert [s.title for s in page.sections] == [
        *("All targets", "Figure", "generic4", "generic16", "Versions", "Run it again"),
    ]
    (table,) = [p for p in page.sections[0].parts if isinstance(p, Table)]
    reference, dead, alive = table.rows
    assert reference[0] == "float reference"
    assert dead[1] == Badge(look="dead", word="dead")
    assert isinstance(dead[4], Mark) and dead[4].sign == "✗"
    assert alive[1] == Badge(look="survives", word="survives")
    assert all(isinstance(cell, str) for cell in alive[2:])


def test_the_summary_folder_and_the_one_above_give_the_same(out: Path) -> None:
    assert page_of(out / "summary") == page_of(out)


def test_a_run_is_found_beside_another_of_the_same_target(out: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(out, tmp_path / "copy")
    (copy / "generic4").rename(copy / "generic4-2")
    run(copy, "generic4", trials=4)
    assert json.loads((copy / "generic4" / "manifest.json").read_text())["trials"] == 4
    assert page_of(copy) == page_of(out)


def test_a_target_whose_folder_is_gone_is_named(out: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(out, tmp_path / "copy")
    shutil.rmtree(copy / "generic16")
    with pytest.raises(OutputError, match="none holds the run of generic16"):
        page_of(copy)
