"""Figures as files: whole or not at all, and the same bytes for the same figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from neuroemu.errors import OutputError
from neuroemu.report.style import drawing_style

DPI = 200

METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}
"""By format: what is left out, because it changes from day to day or from version to version."""


OPTIONS: dict[str, dict[str, Any]] = {
    # Quicker than the default, for one more byte in a hundred.
    "png": {"pil_kwargs": {"compress_level": 2}},
    "svg": {},
    "pdf": {},
}


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure to a file.

    Parameters
    ----------
    figure : Figure
    path : str or Path
        Its ending chooses the format: ``.png`` (200 dpi), ``.svg`` (text stays text) or ``.pdf``.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If the ending is another one, or the file cannot be written; no part of it stays.
    """
    path = Path(path)
    form = path.suffix.lower().removeprefix(".")
    if form not in METADATA:
        raise OutputError(
            f"{path}: a figure is written as png, svg or pdf; got {path.suffix or 'no ending'!r}; "
            "change the ending"
        )
    aside = path.with_name(f".{path.name}.partial")
    try:
        with drawing_style(), aside.open("wb") as file:
            figure.savefig(file, format=form, dpi=DPI, metadata=METADATA[form], **OPTIONS[form])
        aside.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path}: the figure cannot be written; {error.strerror or error}; choose another place"
        ) from None
    finally:
        aside.unlink(missing_ok=True)
    return path
