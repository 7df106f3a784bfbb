"""Which figures a study gets, and their files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from neuroemu.errors import OutputError
from neuroemu.report.study.figures import CAPTIONS, figures_of, write_figures
from tests.report.study.conftest import ROUNDING
from tests.report.study.drawing import not_run


def names(results) -> list[str]:
    return [figure.name for figure in figures_of(results)]


def test_the_figures_follow_from_the_axes(mapped, halfway, metric, searched) -> None:
    assert names(mapped) == ["answers", "rates", "differences", "weights"]
    assert names(halfway) == names(mapped)
    assert names(metric) == ["answers", "rates", "differences"]
    assert names(searched) == ["frontier"]


def test_a_study_that_has_not_run_has_its_map(tmp_path: Path) -> None:
    assert names(not_run(tmp_path)) == ["answers"]


def test_words_alone_make_no_lines(mapped) -> None:
    assert names(mapped.where(bits=6)) == ["answers", "weights"]


def test_no_points_make_no_figures(mapped) -> None:
    assert figures_of(replace(mapped, rows=())) == []


def test_of_one_rounding_the_figures_say_so(mapped) -> None:
    assert ROUNDING["label"] not in figures_of(mapped.where(rounding="around"))[1].caption


@pytest.fixture(scope="module")
def written(mapped, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures") / "new"
    paths = write_figures(mapped, folder)
    assert sorted(paths) == sorted(folder.iterdir())
    return folder


def test_each_figure_is_written_as_png_and_svg_with_its_caption(mapped, written) -> None:
    figures = figures_of(mapped)
    files = {f"{f.name}.{form}" for f in figures for form in ("png", "svg")}
    assert {p.name for p in written.iterdir()} == files | {CAPTIONS}
    captions = json.loads((written / CAPTIONS).read_text(encoding="utf-8"))
    assert captions == [{"name": f.name, "caption": f.caption} for f in figures]
    assert all(c["caption"].endswith(".") for c in captions)


def test_the_same_results_give_the_same_bytes(mapped, written, tmp_path: Path) -> None:
    for path in write_figures(mapped, tmp_path):
        assert path.read_bytes() == (written / path.name).read_bytes()


def test_a_folder_that_cannot_be_made_is_refused(mapped, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot be written.*choose another folder"):
        write_figures(mapped, tmp_path / "file" / "figures")


def test_captions_that_cannot_be_written_leave_nothing_half_written(mapped, tmp_path: Path) -> None:
    (tmp_path / CAPTIONS).mkdir()
    with pytest.raises(OutputError, match="captions"):
        write_figures(mapped.where(bits=3, rounding="floor"), tmp_path)
    assert not list(tmp_path.glob(".*"))
