"""The figure and the table of a fit: a panel and a row for every register, nothing beyond its place."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from neuroemu.errors import OutputError
from neuroemu.fitting import Fit, fit
from neuroemu.fitting.observed import LABELS
from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.report.fit_figure import fit_figure
from neuroemu.report.fit_folder import proposal_file, write_fit
from neuroemu.report.fit_tables import fit_report
from neuroemu.report.save import save_figure
from neuroemu.report.style import BLUE, ORANGE


@pytest.fixture(scope="module", params=["generic8", "brainscales2"])
def found(request: pytest.FixtureRequest) -> Fit:
    experiment = load_experiment("spike_based_homeostasis", ["time.duration_ms=15000"])
    return fit(experiment, load_target(request.param), trials=2)


@pytest.fixture(scope="module")
def one() -> Fit:
    experiment = load_experiment("spike_based_homeostasis", ["time.duration_ms=15000"])
    return fit(experiment, load_target("generic4"), trials=2)


def test_a_panel_for_every_register(found: Fit) -> None:
    keys = [axes.get_label() for axes in fit_figure(found).axes]
    shown = set(found.observation.registers) | {r.key for r in found.registers}
    assert keys == [key for key in LABELS if key in shown]


def test_boxes_are_the_formats(found: Fit) -> None:
    figure = fit_figure(found)
    panels = {axes.get_label(): axes for axes in figure.axes}
    for register in found.registers:
        boxes = {p.get_edgecolor(): p for p in panels[register.key].patches if not p.get_fill()}
        ends = {}
        for name, colour in (("proposed", BLUE), ("own", ORANGE)):
            rgb = tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
            box = next(p for c, p in boxes.items() if c[:3] == pytest.approx(rgb))
            ends[name] = (box.get_x(), box.get_x() + box.get_width())
        assert ends["proposed"] == pytest.approx(register.holds)
        assert ends["own"] == pytest.approx(register.own_holds)


def test_text_stays_inside_the_figure_and_apart(found: Fit) -> None:
    figure = fit_figure(found)
    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    width, height = figure.canvas.get_width_height()
    boxes = []
    texts = [t for t in figure.texts if t.get_text()]
    for axes in figure.axes:
        texts += [axes.xaxis.label, axes.yaxis.label]
    for text in texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0 and box.x1 <= width + 1 and box.y0 >= 0 and box.y1 <= height + 1, (
            text.get_text()
        )
        boxes.append((text.get_text(), box))
    for i, (one, a) in enumerate(boxes):
        for other, b in boxes[i + 1 :]:
            assert not a.overlaps(b), (one, other)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_same_fit_gives_the_same_bytes(one: Fit, ending: str, tmp_path: Path) -> None:
    paths = [save_figure(fit_figure(one), tmp_path / f"{i}.{ending}") for i in range(2)]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_table_fits_100_columns_and_names_every_register(found: Fit) -> None:
    console = Console(width=100, record=True, file=StringIO())
    console.print(fit_report(found))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 100
    assert all(register.label in text for register in found.registers)
    assert f"{found.bits[0]}" in text and str(found.verdict) in text


def test_a_folder_is_whole_and_replaced_by_the_same_fit_unless_it_was_edited(
    one: Fit, tmp_path: Path
) -> None:
    folder = write_fit(one, tmp_path)
    name = one.request.target.name
    files = {p.name for p in folder.iterdir()}
    assert files == {f"{name}-fit.toml", "fit.json", "figure.png", "figure.svg"}
    assert load_target(proposal_file(folder, one)) == one.target
    assert json.loads((folder / "fit.json").read_text())["bits"]["proposed"] == one.bits[0]
    assert write_fit(one, tmp_path) == folder
    assert [p.name for p in tmp_path.iterdir()] == [name]
    mine = proposal_file(folder, one)
    mine.write_text(mine.read_text() + "\n# mine\n")
    assert write_fit(one, tmp_path).name == f"{name}-2"
    assert mine.read_text().endswith("# mine\n")


def test_a_users_own_folder_is_left_alone(one: Fit, tmp_path: Path) -> None:
    own = tmp_path / one.request.target.name
    own.mkdir()
    (own / "notes.txt").write_text("mine")
    assert write_fit(one, tmp_path).name == f"{own.name}-2"
    assert [p.name for p in own.iterdir()] == ["notes.txt"]


def test_a_place_that_cannot_be_written_is_an_error(one: Fit, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_fit(one, file)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
