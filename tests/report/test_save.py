"""Figures as files, and what drawing leaves alone."""

import pickle
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.image import imread

from neuroemu.errors import OutputError
from neuroemu.report.figures import comparison_figure, save_figure, summary_figure
from tests.report.cases import comparison, figure_of

FORMATS = ("png", "svg", "pdf")
SVG = "{http://www.w3.org/2000/svg}"


def test_a_png_has_200_dots_per_inch(tmp_path: Path) -> None:
    figure = figure_of("dead")
    image = imread(save_figure(figure, tmp_path / "figure.png"))
    width, height = figure.get_size_inches()
    assert image.shape[:2] == (int(height * 200), int(width * 200))
    assert image.min() < 0.1
    assert image.max() == 1.0


def test_an_svg_holds_its_text_as_text(tmp_path: Path) -> None:
    path = save_figure(figure_of("shifted"), tmp_path / "figure.svg")
    root = ElementTree.parse(path).getroot()  # noqa: S314 - we wrote it
    assert root.tag == f"{SVG}svg"
    texts = "".join("".join(t.itertext()) for t in root.iter(f"{SVG}text"))
    assert "biological time (s)" in texts
    assert "~ shifted" in texts
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_figure_gives_the_same_bytes(form, tmp_path: Path) -> None:
    first = save_figure(comparison_figure(comparison("dead")), tmp_path / f"a.{form}")
    second = save_figure(comparison_figure(comparison("dead")), tmp_path / f"b.{form}")
    assert first.read_bytes() == second.read_bytes()
    assert {p.name for p in tmp_path.iterdir()} == {first.name, second.name}


@pytest.mark.parametrize("form", FORMATS)
def test_users_settings_neither_change_the_figure_nor_are_changed(form, tmp_path: Path) -> None:
    c = comparison("dead")
    plain = save_figure(comparison_figure(c), tmp_path / f"a.{form}").read_bytes()
    theirs = {
        "axes.facecolor": "black",
        "font.size": 30,
        "svg.fonttype": "path",
        "lines.marker": "*",
    }
    with matplotlib.rc_context(theirs):
        before = dict(matplotlib.rcParams)
        figure = comparison_figure(c)
        summary_figure([c])
        again = save_figure(figure, tmp_path / f"b.{form}").read_bytes()
        assert dict(matplotlib.rcParams) == before
    assert again == plain


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "figure.exe"])
def test_an_ending_that_is_no_format_is_refused(name, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="png, svg or pdf"):
        save_figure(figure_of("dead"), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_cannot_be_written_leaves_nothing(form, tmp_path: Path) -> None:
    figure = figure_of("dead")
    with pytest.raises(OutputError, match=r"cannot be written.*choose another place"):
        save_figure(figure, tmp_path / "missing" / f"figure.{form}")
    occupied = tmp_path / f"figure.{form}"
    occupied.mkdir()
    (occupied / "kept").touch()
    with pytest.raises(OutputError, match=occupied.name):
        save_figure(figure, occupied)
    assert [p.name for p in tmp_path.rglob("*")] == [occupied.name, "kept"]


def test_a_figure_that_fails_halfway_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    path.write_text("old")
    figure = comparison_figure(comparison("dead"))
    figure.text(0.5, 0.5, r"$\nosuchcommand$")
    with pytest.raises(ValueError, match="nosuchcommand"):
        save_figure(figure, path)
    assert [p.name for p in tmp_path.iterdir()] == ["figure.svg"]
    assert path.read_text() == "old"


DRAWS = """
import pathlib, pickle, sys
import neuroemu.report.tables
folder = pathlib.Path(sys.argv[1])
c = pickle.loads((folder / "comparison").read_bytes())
assert "matplotlib" not in sys.modules
from neuroemu.report.figures import comparison_figure, save_figure, summary_figure
for figure in (comparison_figure(c), summary_figure([c])):
    for form in ("png", "svg", "pdf"):
        save_figure(figure, folder / f"figure.{form}")
assert "matplotlib.pyplot" not in sys.modules
"""


def test_drawing_and_saving_need_no_pyplot(tmp_path: Path) -> None:
    # Handed over, so that the other process compiles no kernels.
    (tmp_path / "comparison").write_bytes(pickle.dumps(comparison("inconclusive")))
    root = Path(__file__).parents[2]
    command = [sys.executable, "-W", "error", "-c", DRAWS, str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
