"""Studies that have not run, of any shape; and what a figure's panels hold."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure

from neuroemu.report.study.answers import LOOKS
from neuroemu.study.results import StudyResults, describe, read_results
from neuroemu.study.store import writing
from tests.study.small import small_space

Place = tuple[int, int]


def not_run(folder: Path, **changes: Any) -> StudyResults:
    """A study of which nothing has run yet."""
    space = small_space(folder, **changes)
    with writing(folder / "results.sqlite") as store:
        store.set_meta("study", describe(space))
        return read_results(store)


def cells_drawn(axes: Axes) -> dict[Place, str]:
    """The answer of each cell of a map, by the name of the cells drawn alike."""
    found = {}
    for word in LOOKS:
        for cells in axes.findobj(lambda a, word=word: a.get_label() == f"_{word}"):
            assert isinstance(cells, PatchCollection)
            for path in cells.get_paths():
                box = path.get_extents()
                place = (round((box.x0 + box.x1) / 2), round((box.y0 + box.y1) / 2))
                assert place not in found
                found[place] = word
    return found


def legend_labels(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]
