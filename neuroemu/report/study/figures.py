"""All figures of a study with their captions: what it gets follows from its axes and what it kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from neuroemu.errors import OutputError
from neuroemu.report.save import save_figure
from neuroemu.report.study import answer_map, differences, frontier, rates, weights
from neuroemu.report.study.dimensions import has_numbers
from neuroemu.study.results import StudyResults

CAPTIONS = "captions.json"
"""Beside the figures: a list of name and caption, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFigure:
    """One figure of a study.

    Parameters
    ----------
    name : str
        Of its files.
    caption : str
        What it shows, in plain sentences.
    draw : callable
        Makes the `Figure`, bound to no window and no global state. See `save_figure`.
    """

    name: str
    caption: str
    draw: Callable[[], Figure]


def figures_of(results: StudyResults) -> list[StudyFigure]:
    """Return the figures that a study gets.

    - ``answers``: the map of all points;
    - ``rates`` and ``differences``, with an axis of numbers: the rate of each phase over it, and the number that the
      answers rest on, with a line for each rounding or whatever else varies;
    - none of these of a search over several axes, which leaves gaps;
    - ``frontier``, of a search: bits against fidelity;
    - ``weights``, if the study keeps them: where the plastic weight stood.

    Parameters
    ----------
    results : StudyResults
        Of a study that may still be running.
    """
    is_whole = len(results.study.searched) < 2
    has_lines = is_whole and has_numbers(results) and any(r.answer for r in results.rows)
    wanted = (
        ("answers", is_whole and bool(results.rows), answer_map.caption, answer_map.answer_map),
        ("rates", has_lines, rates.caption, rates.rates),
        ("differences", has_lines, differences.caption, differences.differences),
        ("frontier", frontier.has_frontier(results), frontier.caption, frontier.frontier),
        ("weights", any(r.codes.size for r in results.rows), weights.caption, weights.weights),
    )
    return [
        StudyFigure(name=name, caption=caption(results), draw=partial(draw, results))
        for name, is_there, caption, draw in wanted
        if is_there
    ]


def write_figures(results: StudyResults, folder: Path) -> list[Path]:
    """Write the figures of a study as PNG and SVG, and `CAPTIONS` beside them.

    Parameters
    ----------
    results : StudyResults
    folder : Path
        Made if it is not there.

    Returns
    -------
    list of Path
        Of all files.

    Raises
    ------
    OutputError
        If one cannot be written; no part of it stays.
    """
    figures = figures_of(results)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from None
    written = []
    for figure in figures:
        drawn = figure.draw()
        written += [save_figure(drawn, folder / f"{figure.name}.{form}") for form in ("png", "svg")]
    return [*written, _write_captions(figures, folder / CAPTIONS)]


def _write_captions(figures: list[StudyFigure], path: Path) -> Path:
    captions = [{"name": f.name, "caption": f.caption} for f in figures]
    text = json.dumps(captions, indent=2, ensure_ascii=False) + "\n"
    aside = path.with_name(f".{path.name}.partial")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        aside.unlink(missing_ok=True)
    return path


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: the figures cannot be written; {error.strerror or error}; choose another folder"
    )
