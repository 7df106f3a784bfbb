"""Which report a path asks for."""

from __future__ import annotations

from pathlib import Path

from neuroemu.errors import OutputError
from neuroemu.report.html.parts import Page
from neuroemu.report.html.run_page import run_page
from neuroemu.report.html.saved import read_run
from neuroemu.report.html.summary_page import summary_page


def page_of(path: Path) -> Page:
    """Return the report of a run, of the targets that ran together, or of a study.

    Parameters
    ----------
    path : Path
        The folder of a run, the one that holds several and their ``summary``, or that of a study.

    Raises
    ------
    OutputError
        If it is none of them, or cannot be read.
    """
    if (path / "manifest.json").is_file():
        return run_page(read_run(path))
    if (path / "summary" / "verdicts.json").is_file():
        return summary_page(path)
    if (path / "verdicts.json").is_file():
        return summary_page(path.parent)
    if (path / "results.sqlite").is_file():
        from neuroemu.report.html.study_page import study_page
        from neuroemu.study.results import (
            load_study,
        )  # with the engine, which the others do without

        return study_page(load_study(path))
    raise OutputError(f"{path}: a report needs {NEEDED}; {_instead(path)}")


NEEDED = (
    "the folder of a run (manifest.json and verdict.json), of several targets (with summary), or of a study "
    "(results.sqlite)"
)


def _instead(path: Path) -> str:
    if not path.exists():
        return "there is no such folder; neuroemu run writes one below runs"
    if not path.is_dir():
        return f"this is a file; give its folder, {path.parent}"
    inside = sorted(p.parent.name for p in path.glob("*/manifest.json"))
    if inside:
        return f"this one holds runs without a summary; name one of {', '.join(inside)}"
    return "this one holds none of them; neuroemu run writes one below runs"
